"""Chapters as assignments for Otter-Grader: the student edition, with a check that gives points below each exercise.

`python -m sslkit.course otter OUT` writes OUT/CHAPTER/CHAPTER.ipynb, which is handed out, and OUT/CHAPTER/tests/NAME.py, a test file of
Otter's (exceptions, not doctests) for each exercise. Then, in that folder, `otter generate -t tests` makes autograder.zip, which
`otter run`, `otter grade` and Gradescope take; SSLKIT_SCALE=smoke makes a notebook take seconds. Half of an exercise's points is
for right values, the other half for the rest (the gradient, say), on trials that the student has not seen.
"""

from pathlib import Path

import nbformat

from sslkit.course.editions import HINTS, student
from sslkit.notebooks import files
from sslkit.notebooks.cells import checked

TEST = '''"""What an answer to {chapter}.{name} is worth."""

from otter.test_files import test_case

from sslkit import checks

OK_FORMAT = False
name = "{name}"


def worth(env):
    """The share of the points, 0, 1/2 or 1; what is wrong is printed."""
    answer = checks.yours.get("{chapter}.{name}", env["{name}"])  # `check` puts the solution in the place of a stub
    verdict = checks.grade("{chapter}.{name}", answer)
    print(checks.verdict_text("{chapter}.{name}", verdict))
    return verdict.points


@test_case(name="right values", points={half:g})
def test_half(env):
    assert worth(env) >= 0.5


@test_case(name="all of it", points={half:g})
def test_all(env):
    assert worth(env) == 1
'''


def assignment(nb: nbformat.NotebookNode, chapter: str, hints: int) -> tuple[nbformat.NotebookNode, list[str]]:
    """A chapter with Otter's checks, each before the cell that may put the solution in the place of a stub; and their names."""
    nb, names = student(nb, hints), []
    start = nbformat.v4.new_code_cell(
        f'import otter\n\ngrader = otter.Notebook("{chapter}.ipynb")', id="otter", metadata={"tags": ["otter"]}
    )
    cells = [start]
    for cell in nb.cells:
        if exercise := checked(cell):
            names.append(exercise.partition(".")[2])
            cells.append(nbformat.v4.new_code_cell(f'grader.check("{names[-1]}")', id=f"otter-{len(names)}"))
        cells.append(cell)
    nb.cells = cells
    return nb, names


def write(out: Path, names: list[str], weights: dict, hints: str = "all", root: Path = files.ROOT) -> list[Path]:
    """Write chapters as Otter's assignments. ValueError where one is there already, or for an unknown chapter."""
    made = files.chosen(names, root)
    if there := [chapter for chapter in made if (out / chapter).exists()]:
        raise ValueError(f"there is {out / there[0]} already: choose another folder, or move what is there")
    for chapter, path in made.items():
        nb, exercises = assignment(files.read(path), chapter, HINTS[hints])
        files.write(out / chapter / f"{chapter}.ipynb", nbformat.writes(nb) + "\n")
        for name in exercises:
            text = TEST.format(chapter=chapter, name=name, half=weights[chapter][name] / 2)
            files.write(out / chapter / "tests" / f"{name}.py", text)
    return [out / chapter / f"{chapter}.ipynb" for chapter in made]
