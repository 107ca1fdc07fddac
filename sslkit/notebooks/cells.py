"""What a notebook's cells are: their tags and marks, the exercises, headings, what is optional, the views of widgets.

A cell is a NotebookNode, or a plain dict where Jupyter gives one (`drop_progress`, `drop_widget_views`).
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from nbformat import NotebookNode

from sslkit.progress import MARK

COLAB = "colab"  # the tag of cells that address.py makes; they count for nothing in a notebook's stamp
INSTRUCTOR = "instructor"  # the tag of cells that are for instructors alone
EXPORT, EXERCISE = "#| export", "#| exercise"  # marks in the first lines of code cells
TASK = "### Exercise: "  # how the cell above an exercise begins
TRIAL = f"{TASK}What if?"  # settings to change and see: nothing to write, nothing to check
CHECK = re.compile(r'\bcheck\("(\w+\.\w+)", \w+\)')
OPTIONAL = re.compile(r"\*optional\*", re.IGNORECASE)
HEADING = re.compile(r"^```(?s:.*?)^```|^(#{1,6}) +(.+?)[ \t]*#*$", re.MULTILINE)  # or a block of code, without groups
MAGIC = re.compile(r"^[%!].*$", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"  # sslkit.widgets.panel has it too: it must import without nbformat


def tags(cell: NotebookNode) -> list[str]:
    """A cell's tags."""
    return cell.metadata.get("tags", [])


def tagged(cell: NotebookNode, *any_of: str) -> bool:
    """Whether a cell has one of these tags."""
    return not set(any_of).isdisjoint(tags(cell))


def marks(cell: NotebookNode) -> list[str]:
    """The marks that a code cell begins with, a line each."""
    lines = cell.source.split("\n") if cell.cell_type == "code" else []
    return list(takewhile((EXPORT, EXERCISE).__contains__, lines))


def without_marks(cell: NotebookNode) -> str:
    """A cell's source below its marks."""
    return "\n".join(cell.source.split("\n")[len(marks(cell)) :]).strip("\n").rstrip()


def without_magics(source: str) -> str:
    """Code that Python can parse, with `pass` for each line of IPython's."""
    return MAGIC.sub("pass", source)


def is_exercise(cell: NotebookNode) -> bool:
    """Whether a cell holds the solution of an exercise."""
    return EXERCISE in marks(cell)


def is_task(cell: NotebookNode) -> bool:
    """Whether a cell is the task of an exercise, or a trial."""
    return cell.cell_type == "markdown" and cell.source.startswith(TASK)


def checked(cell: NotebookNode) -> str:
    """The exercise that a code cell checks ("chapter.name"), "" where it checks none."""
    found = CHECK.search(cell.source) if cell.cell_type == "code" else None
    return found[1] if found else ""


def new_id(*words: str) -> str:
    """An id for a new cell, made of words: letters, digits and dashes, at most 64."""
    return re.sub(r"[._]", "-", "-".join(words))[:64]


def sections(source: str) -> Iterator[tuple[int, str, str]]:
    """The text of a markdown cell, cut at its headings: (level, title, text with the heading); (0, "", text) before the first."""
    found = [match for match in HEADING.finditer(source) if match[1]]
    cuts = [match.start() for match in found] + [len(source)]
    yield 0, "", source[: cuts[0]]
    for match, end in zip(found, cuts[1:]):
        yield len(match[1]), match[2], source[match.start() : end]


def headings(nb: NotebookNode) -> list[str]:
    """For each cell the nearest heading above it or in it, as plain words ("" before the first)."""
    found, current = [], ""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            title = [title for _, title, _ in sections(cell.source)][-1]
            current = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", title) or current
        found.append(current)
    return found


def optional(nb: NotebookNode) -> list[bool]:
    """For each cell whether a heading above it, or its own, marks it as *optional*."""
    found, level = [], 0
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            level = without_optional(cell.source, level)[1]
        found.append(level > 0)
    return found


def without_optional(source: str, inside: int = 0) -> tuple[str, int]:
    """The text of a markdown cell without its optional sections, and the level of the one in which it ends (0: none).

    inside: the level of the optional section in which it begins.
    """
    kept = []
    for level, title, text in sections(source):
        if level and level <= inside:
            inside = 0
        if not inside and OPTIONAL.search(title):
            inside = level
        kept.append("" if inside else text)
    return "".join(kept).strip(), inside


def drop_progress(cell: Any) -> None:
    """Take out the lines that said how far a job was."""
    outputs = cell.get("outputs", [])
    outputs[:] = [output for output in outputs if output.get("metadata") != MARK]


def drop_widget_views(cell: Any, beside: str = "") -> None:
    """Take out the views of widgets, which need a kernel, wherever an output has something else to show; beside: the MIME type that it
    must have."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if beside in data or (not beside and len(data) > 1):
            data.pop(WIDGET, None)
