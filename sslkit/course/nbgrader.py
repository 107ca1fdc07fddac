"""Chapters as assignments for nbgrader: the student edition, with the metadata by which it knows answers, tests and points.

`python -m sslkit.course nbgrader COURSE` writes COURSE/nbgrader_config.py and COURSE/source/CHAPTER/CHAPTER.ipynb; then, in COURSE,
`nbgrader generate_assignment CHAPTER`, and `SSLKIT_SCALE=smoke nbgrader autograde CHAPTER`: at that scale a notebook takes seconds.
A cell with points calls `points.earned`, which grades the function above it by trials that the student has not seen; nbgrader takes
its last line, a number, as partial credit.
"""

from pathlib import Path

import nbformat

from sslkit.course.editions import HINTS, STUB, function, student
from sslkit.notebooks import files
from sslkit.notebooks.cells import checked, is_exercise, new_id

CONFIG = """c = get_config()
c.CourseDirectory.course_id = "ssl"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ExecutePreprocessor.timeout = 600
"""


def metadata(grade_id: str, points: float | None = None, solution: bool = False) -> dict:
    """What nbgrader (schema 3) knows of a cell: an answer, a test with points, or a cell that stays as it is."""
    marks = {"schema_version": 3, "grade_id": grade_id, "task": False, "solution": solution}
    marks |= {"grade": points is not None, "locked": not solution}
    return marks | ({} if points is None else {"points": points})


def assignment(nb: nbformat.NotebookNode, weights: dict[str, dict[str, float]], hints: int) -> nbformat.NotebookNode:
    """A chapter with nbgrader's marks."""
    nb, cells = student(nb, hints), []
    for cell in nb.cells:
        if is_exercise(cell):
            name = function(cell.source).name
            cell.source = cell.source.replace(
                f"    {STUB}", f"    ### BEGIN SOLUTION\n    {STUB}\n    ### END SOLUTION"
            )
            cell.metadata["nbgrader"] = metadata(name, solution=True)
        elif exercise := checked(cell):
            chapter, name = exercise.split(".")
            worth = weights[chapter][name]
            source = f'from sslkit.course import points\n\npoints.earned("{exercise}", {name}, of={worth:g})'
            graded = nbformat.v4.new_code_cell(source, id=new_id("points", name))
            graded.metadata["nbgrader"] = metadata(f"{name}-points", worth)
            cells.append(graded)
            cell.metadata["nbgrader"] = metadata(f"{name}-check")
        cells.append(cell)
    nb.cells = cells
    return nb


def write(course: Path, names: list[str], weights: dict, hints: str = "all", root: Path = files.ROOT) -> list[Path]:
    """Write chapters as nbgrader's source assignments. ValueError where one is there already, or for an unknown chapter."""
    chosen = files.chosen(names, root)
    made = {course / "source" / chapter / f"{chapter}.ipynb": path for chapter, path in chosen.items()}
    if there := [str(path) for path in made if path.exists()]:
        raise ValueError(f"there is {there[0]} already: choose another folder, or move what is there")
    for to, path in made.items():
        files.write(to, nbformat.writes(assignment(files.read(path), weights, HINTS[hints])) + "\n")
    if not (config := course / "nbgrader_config.py").exists():
        config.write_text(CONFIG, encoding="utf-8")
    return list(made)
