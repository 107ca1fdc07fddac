"""Otter-Grader itself takes a chapter as an assignment, and grades what comes back."""

import inspect
import os
import subprocess
import sys

import nbformat
import pytest

from sslkit import checks
from sslkit.course.__main__ import main
from sslkit.notebooks import files

CHAPTER = "start_here"
WRONG = "def accuracy(pred, y):\n    return 100 * (pred == y).float().mean()\n"


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    out = tmp_path_factory.mktemp("otter")
    points = out / "points.json"
    points.write_text('{"start_here": {"accuracy": 4}}')
    assert main(["otter", str(out), CHAPTER, "--points", str(points)]) == 0
    return out / CHAPTER


def test_a_check_stands_before_each_solution_and_nothing_is_overwritten(assignment, capsys):
    nb = nbformat.read(assignment / f"{CHAPTER}.ipynb", as_version=4)
    nbformat.validate(nb)
    sources = [cell.source for cell in nb.cells]
    for name in (exercise.partition(".")[2] for exercise in checks.of_chapter(CHAPTER)):
        assert sources.index(f'grader.check("{name}")') + 1 == sources.index(
            f'{name} = check("{CHAPTER}.{name}", {name})'
        )
        assert (assignment / "tests" / f"{name}.py").exists()
    assert main(["otter", str(assignment.parent), CHAPTER]) == 1
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize("answer, points", [("right", 4.0), ("wrong", 0.0), ("missing", 0.0)])
def test_a_test_file_of_otters_gives_the_points(assignment, monkeypatch, answer, points):
    pytest.importorskip("otter")
    from otter.nbmeta_config import NBMetadataConfig
    from otter.test_files import create_test_file

    monkeypatch.setattr(checks, "yours", {})
    found, env = create_test_file(str(assignment / "tests" / "accuracy.py"), NBMetadataConfig()), {}
    if answer == "wrong":
        exec(WRONG, env)
    if answer == "right":
        env["accuracy"] = checks.find(f"{CHAPTER}.accuracy").solution
    found.run(env)
    assert sum(result.test_case.points for result in found.test_case_results if result.passed) == points


@pytest.mark.notebook
def test_otter_grades_what_students_hand_in(assignment):
    pytest.importorskip("otter")
    from otter.run import main as run

    subprocess.run([sys.executable, "-m", "otter", "generate", "-t", "tests"], cwd=assignment, check=True, timeout=120)
    nb = nbformat.read(assignment / f"{CHAPTER}.ipynb", as_version=4)
    for cell in nb.cells:
        if "#| exercise" in cell.source and "def accuracy" in cell.source:
            cell.source = inspect.getsource(checks.find(f"{CHAPTER}.accuracy").solution)
    handed_in = assignment / "ada.ipynb"
    nbformat.write(nb, handed_in)
    os.environ |= {"SSLKIT_SCALE": "smoke", "PYTHONPATH": str(files.ROOT), "OMP_NUM_THREADS": "1"}
    results = run(str(handed_in), autograder=str(assignment / "autograder.zip"), output_dir=None, no_logo=True)
    scores = {name: result.score for name, result in results.results.items()}
    assert scores["accuracy"] == 4 and sum(scores.values()) == 4, scores
