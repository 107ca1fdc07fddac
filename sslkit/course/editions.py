"""Student and instructor editions of a notebook. The source of both is the committed notebook, which holds the solutions.

A student's copy has a stub where each solution stood (signature, docstring, `raise NotImplementedError`), no outputs from the first
exercise on, and as many hints as the instructor wants. It runs from top to bottom with nothing solved: a check that finds a stub goes
on with the solution of the package. That package still holds the solutions; sealing.py hides them from a glance.
"""

import ast
import copy
import re
from pathlib import Path

import nbformat

from sslkit import __version__, checks
from sslkit.notebooks import exercises, files
from sslkit.notebooks.cells import EXERCISE, INSTRUCTOR, checked, is_exercise, is_task, new_id, tagged

ASKED = -1  # no hint is shown before a student asks for it, in a cell that stays in the notebook
HINTS = {"none": 0, "one": 1, "all": exercises.HINTS, "asked": ASKED}
STUB = "raise NotImplementedError"
HANDED_OUT = "sslkit_course"  # in a student's notebook: the version of the kit that it was made with

READERS = re.compile(
    r"(?:The|the|Each) solution stands in (?:the|its) cell,?\s+marked\s+`#\| exercise`.{,120}?`check` says\s+whether (?:it|yours) is "
    r"right(?: and, if not, what is likely wrong)?\.",
    re.DOTALL,
)
STUDENTS = (
    f"Write the function in the cell marked `{EXERCISE}`, in place of `{STUB}`. Run it and the cell below: `check` says whether it is "
    "right and, if not, what is likely wrong."
)


def student(nb: nbformat.NotebookNode, hints: int = exercises.HINTS, executed: bool = False) -> nbformat.NotebookNode:
    """A copy for students: stubs for solutions, the first `hints` hints of each exercise, nothing executed, or, if so wanted,
    what comes before the first exercise. With ASKED each exercise has a cell in which a student asks for hints."""
    nb = without_outputs(nb, kept=first_exercise(nb) if executed else 0)
    nb.metadata[HANDED_OUT] = {"version": __version__}
    nb.cells = [cell for cell in nb.cells if not tagged(cell, INSTRUCTOR)]
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = READERS.sub(STUDENTS, cell.source)
            if is_task(cell):
                cell.source = with_hints(cell.source, hints)
        elif is_exercise(cell):
            cell.source = stub(cell.source)
    if hints == ASKED:
        names = {name.partition(".")[2]: name for cell in nb.cells if (name := checked(cell))}
        nb.cells = [
            each
            for cell in nb.cells
            for each in ([asking(names[function(cell.source).name])] if is_exercise(cell) else []) + [cell]
        ]
    return nb


def asking(name: str) -> nbformat.NotebookNode:
    """The cell in which a student asks for hints."""
    source = (
        f'from sslkit.checks import hint\n\nhint("{name}", 0)  # stuck? write 1, 2 or 3 for 0: so many hints appear'
    )
    return nbformat.v4.new_code_cell(source, id=new_id("hint", name))


def instructor(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy for instructors: solutions, and below each check what it recognises: the misconceptions, and what a student is told."""
    nb = copy.deepcopy(nb)
    cells = []
    for cell in nb.cells:
        cells.append(cell)
        if name := checked(cell):
            cells.append(note(name))
    nb.cells = cells
    return nb


def note(name: str) -> nbformat.NotebookNode:
    """The misconceptions of an exercise as a markdown cell."""
    exercise = checks.find(name)
    lines = [f"- **{mistake.name}**: {' '.join(mistake.explanation.split())}" for mistake in exercise.mistakes]
    head = f"**For the instructor: what `check` recognises in `{name.split('.')[1]}`**, and says to the student\n\n"
    metadata = {"tags": [INSTRUCTOR]}
    return nbformat.v4.new_markdown_cell(head + "\n".join(lines), id=new_id("notes", name), metadata=metadata)


def first_exercise(nb: nbformat.NotebookNode) -> int:
    """The number of the first cell that holds a solution; that of all cells where none does."""
    return next((i for i, cell in enumerate(nb.cells) if is_exercise(cell)), len(nb.cells))


def without_outputs(nb: nbformat.NotebookNode, kept: int = 0) -> nbformat.NotebookNode:
    """A copy as nobody has run it, but for its first `kept` cells."""
    nb = copy.deepcopy(nb)
    nb.metadata.pop("sslkit", None)
    for cell in nb.cells[kept:]:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def function(source: str) -> ast.FunctionDef:
    """The function of an exercise's cell."""
    return next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))


def stub(source: str) -> str:
    """The cell of a solution with its function emptied: signature and docstring stay, and what stands around it."""
    lines, written = source.splitlines(), function(source)
    first = written.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    kept = (first.end_lineno or first.lineno) if told else first.lineno - 1
    return "\n".join([*lines[:kept], f"    {STUB}", *lines[written.end_lineno :]])


def with_hints(source: str, most: int) -> str:
    """An exercise's cell with its first hints alone."""
    return exercises.HINT.sub(lambda hint: hint[0] if int(hint[1]) <= most else "", source).rstrip()


def write(
    edition: str, out: Path, names: list[str], hints: str = "all", executed: bool = False, root: Path = files.ROOT
) -> list[Path]:
    """Write the "student" or "instructor" edition of chapters ("simclr", "10_simclr"; all when none is named) to a folder.

    Returns the files. ValueError for an unknown chapter, or where a file would be overwritten: it may be somebody's work.
    """
    paths = [files.locate(name, root) for name in names] or list(files.course(root).values())
    made = {out / path.name: path for path in paths}
    if there := [path.name for path in made if path.exists()]:
        raise ValueError(f"{out} has {', '.join(there)} already: choose another folder, or move what is there")
    for to, path in made.items():
        nb = files.read(path)
        made_of = student(nb, HINTS[hints], executed) if edition == "student" else instructor(nb)
        files.write(to, nbformat.writes(made_of) + "\n")
    return list(made)
