"""nbgrader itself takes a chapter as an assignment, and grades what comes back."""

import ast
import inspect
import os
import subprocess
import sys

import nbformat
import pytest

from sslkit import checks
from sslkit.course.__main__ import main
from sslkit.notebooks import files
from sslkit.notebooks.cells import checked

CHAPTER = "start_here"
RIGHT = {"accuracy", "chance_level"}  # what Ada solves; the rest she leaves as it was
WRONG = "def accuracy(pred, y):\n    return 100 * (pred == y).float().mean()\n"


def command(course, *words):
    """Run nbgrader in the course's folder; its log in an error."""
    env = {**os.environ, "SSLKIT_SCALE": "smoke", "PYTHONPATH": str(files.ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(line, cwd=course, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    pytest.importorskip("nbgrader")
    course = tmp_path_factory.mktemp("course")
    points = course / "points.json"
    points.write_text('{"start_here": {"accuracy": 4}}')
    assert main(["nbgrader", str(course), CHAPTER, "--points", str(points)]) == 0
    command(course, "generate_assignment", CHAPTER)
    return course


@pytest.mark.slow
def test_the_release_holds_stubs_and_no_solution(assignment):
    nb = nbformat.read(assignment / "release" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
    marked = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
    assert {cell.metadata.nbgrader.grade_id for cell in marked} >= {"accuracy", "accuracy-points", "accuracy-check"}
    for cell in marked:
        if cell.metadata.nbgrader.solution:
            function = next(node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef))
            assert "raise NotImplementedError" in cell.source and len(function.body) == 2, (
                cell.source
            )  # docstring, stub
    worth = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points for c in marked if c.metadata.nbgrader.grade}
    assert worth["accuracy-points"] == 4 and worth["chance_level-points"] == 1
    assert len(worth) == len(checks.of_chapter(CHAPTER)) == sum(bool(checked(c)) for c in nb.cells)


@pytest.mark.notebook
def test_it_grades_what_students_hand_in(assignment):
    from nbgrader.api import Gradebook

    for student in ("ada", "bob"):
        nb = nbformat.read(assignment / "release" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if student == "ada" and name in RIGHT:
                cell.source = inspect.getsource(checks.find(f"{CHAPTER}.{name}").solution)
            if student == "bob" and name == "accuracy":
                cell.source = WRONG
        target = assignment / "submitted" / student / CHAPTER
        target.mkdir(parents=True)
        nbformat.write(nb, target / f"{CHAPTER}.ipynb")
    command(assignment, "autograde", CHAPTER)
    with Gradebook(f"sqlite:///{assignment / 'gradebook.db'}") as book:
        scores = {student: book.find_submission(CHAPTER, student).score for student in ("ada", "bob")}
    assert scores == {"ada": 5.0, "bob": 0.0}
