"""Student and instructor editions: no solution in a student's file, stubs that the checks know as such, nothing else changed."""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from sslkit import checks
from sslkit.checks import grade
from sslkit.course import instructor, nbgrader, otter, points, student
from sslkit.course.__main__ import main
from sslkit.course.editions import ASKED, stub
from sslkit.notebooks import course, files, run
from sslkit.notebooks.cells import INSTRUCTOR, is_exercise, tagged

NAMES = [path.stem for path in course().values()]
each_chapter = pytest.mark.parametrize("name", NAMES)


def source(name: str) -> nbformat.NotebookNode:
    return files.read(files.locate(name))


def defined(code: str):
    """The function of a stub, as a notebook would define it."""
    names: dict = {}
    exec("from __future__ import annotations\n" + code, names)  # annotations are not looked up
    return next(value for value in names.values() if callable(value) and getattr(value, "__code__", None))


def lines_of(code: str) -> set[str]:
    """The lines of a solution that say something: no docstring, no signature."""
    return set(code.splitlines()) - set(stub(code).splitlines()) - {""}


@each_chapter
def test_no_solution_is_in_the_file_of_a_student(name):
    nb, theirs = source(name), student(source(name), hints=0)
    text = nbformat.writes(theirs)
    code = "\n".join(cell.source for cell in theirs.cells if cell.cell_type == "code" and not is_exercise(cell))
    solutions = [cell.source for cell in nb.cells if is_exercise(cell)]
    assert solutions and "solution stands in" not in text and "<summary>Hint" not in text
    for solution in solutions:
        shown = lines_of(solution)
        assert shown and not any(line in stub(solution).splitlines() for line in shown)
        assert not shown <= set(code.splitlines()), "another cell repeats it whole"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in theirs.cells)
    assert "sslkit" not in theirs.metadata


@each_chapter
def test_a_stub_counts_as_not_attempted(name):
    chapter = name[3:]
    theirs = student(source(name))
    stubs = [cell.source for cell in theirs.cells if is_exercise(cell)]
    assert len(stubs) == len(checks.of_chapter(chapter))
    for code in stubs:
        function = defined(code)
        assert function.__doc__ and grade(f"{chapter}.{function.__name__}", function).status == "not attempted"


@each_chapter
def test_all_else_is_the_committed_notebook(name):
    theirs = student(source(name))
    mine = [cell for cell in source(name).cells if not tagged(cell, INSTRUCTOR)]
    assert len(mine) == len(theirs.cells)
    for cell, other in zip(mine, theirs.cells):
        if cell.cell_type == "code":
            assert other.source == (stub(cell.source) if is_exercise(cell) else cell.source)


def test_as_many_hints_as_wanted():
    for most in (0, 1, 3):
        text = nbformat.writes(student(source("10_simclr"), hints=most))
        written = [int(n) for n in re.findall(r"<summary>Hint (\d)", nbformat.writes(source("10_simclr")))]
        assert len(re.findall("<summary>Hint", text)) == sum(n <= most for n in written)


def test_hints_on_request(capsys):
    theirs, told = student(source("10_simclr"), hints=ASKED), student(source("10_simclr"))
    cells = [cell for cell in theirs.cells if "hint(" in cell.source and cell.cell_type == "code"]
    assert "<summary>Hint" not in nbformat.writes(theirs) and len(theirs.cells) == len(told.cells) + len(cells)
    asked = [re.search(r"hint\(\"([\w.]+)\"", cell.source)[1] for cell in cells]
    assert sorted(asked) == sorted(checks.of_chapter("simclr"))
    nbformat.validate(theirs)
    exec(cells[0].source, {})
    assert not capsys.readouterr().out, "running all cells opens no hint"
    name = asked[0]
    exec(cells[0].source.replace(", 0)", ", 2)"), {})
    first, second, third = checks.find(name).task.hints
    said = capsys.readouterr().out
    assert first in said and second in said and third not in said
    for count in (-1, 4, "one"):
        with pytest.raises(ValueError, match="3 hints, so ask for 0 to 3"):
            checks.hint(name, count)


def test_the_instructor_sees_what_is_recognised():
    nb = instructor(source("10_simclr"))
    notes = [cell.source for cell in nb.cells if tagged(cell, INSTRUCTOR)]
    about = next(note for note in notes if "`info_nce`" in note)
    assert all(mistake.name in about for mistake in checks.find("simclr.info_nce").mistakes)
    assert len(notes) == len(checks.of_chapter("simclr")) + 1 and "Where students stumble" in notes[-1]
    nbformat.validate(nb)
    kept = [cell for cell in student(nb).cells if tagged(cell, INSTRUCTOR)]
    assert not kept, "notes are not for students"


@each_chapter
def test_every_exercise_has_its_note_and_its_points(name):
    """Also where the cell that checks does something else as well."""
    nb, chapter, worth = source(name), name[3:], points.default()
    exercises = sorted(checks.of_chapter(chapter))
    notes = re.findall(r"recognises in `(\w+)`", nbformat.writes(instructor(nb)))
    earned = re.findall(r"points.earned\(\\\"([\w.]+)", nbformat.writes(nbgrader.assignment(nb, worth, 0)))
    of_otter = otter.assignment(nb, chapter, 0)[1]
    assert sorted(earned) == [f"{chapter}.{short}" for short in sorted(notes)] == exercises
    assert sorted(of_otter) == sorted(notes)


def test_the_command_line(tmp_path, capsys):
    assert main(["student", str(tmp_path / "class"), "simclr", "00_start_here", "--hints", "one"]) == 0
    assert sorted(path.name for path in (tmp_path / "class").iterdir()) == ["00_start_here.ipynb", "10_simclr.ipynb"]
    assert main(["student", str(tmp_path / "class"), "simclr"]) == 1
    assert main(["instructor", str(tmp_path / "mine"), "byol_of_nobody"]) == 1
    said = capsys.readouterr().err
    assert "10_simclr.ipynb already" in said and "byol_of_nobody" in said and "Traceback" not in said


@each_chapter
def test_every_chapter_has_a_note_for_the_teacher(name):
    (note,) = [cell.source for cell in source(name).cells if tagged(cell, INSTRUCTOR)]
    assert all(f"*{word}" in note for word in ("Where it stumbles", "Ask", "On the board", "If time runs out"))


@pytest.mark.notebook
def test_it_runs_with_half_of_it_solved(tmp_path):
    nb, path = student(source("00_start_here")), tmp_path / "00_start_here.ipynb"
    solved = [cell.source for cell in source("00_start_here").cells if is_exercise(cell)]
    stubs = [cell for cell in nb.cells if is_exercise(cell)]
    for cell, code in list(zip(stubs, solved))[::2]:
        cell.source = code
    files.write(path, nbformat.writes(nb) + "\n")
    text = nbformat.writes(run(path, scale="smoke", to=path))
    assert text.count("not attempted yet") >= len(stubs[1::2]) and "right" in text


@pytest.mark.notebook
@pytest.mark.parametrize(
    "name", ["00_start_here", "10_simclr", "20_gpt"]
)  # a minute each; their code is that of the others' smoke test
def test_it_runs_with_nothing_solved(name, tmp_path):
    path = tmp_path / f"{name}.ipynb"
    files.write(path, nbformat.writes(student(source(name))) + "\n")
    text = nbformat.writes(run(path, scale="smoke", to=path))
    assert text.count("not attempted yet") >= len(checks.of_chapter(name[3:]))


def test_what_comes_before_the_first_exercise_can_stay_executed():
    nb = student(source("10_simclr"), executed=True)
    first = next(
        i for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and "raise NotImplementedError" in cell.source
    )
    assert any(cell.get("outputs") for cell in nb.cells[:first])
    assert not any(cell.get("outputs") for cell in nb.cells[first:])


@pytest.mark.slow
def test_a_sealed_kit_shows_no_solution_and_checks_as_before(tmp_path, capsys):
    assert main(["student", str(tmp_path), "start_here", "simclr", "--sealed"]) == 0
    kit = tmp_path / "kit"
    for name, words in {
        "simclr": ("F.cross_entropy", "roll(N)", "mistake("),
        "bert": ("mean_without_padding_loop", "mistake("),
    }.items():
        for path in (kit / "sslkit" / "chapters" / name).rglob("*.py"):
            assert not any(word in path.read_text() for word in words), path
    asked = (
        "import sslkit, pathlib; from sslkit.checks import find, grade; nce = find('simclr.info_nce').solution\n"
        f"assert pathlib.Path(sslkit.__file__).is_relative_to({str(kit)!r})\n"
        "print(grade('simclr.info_nce', nce).status, *grade('simclr.info_nce', lambda a, b, t: nce(a, b, 1 / t)).mistakes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(kit)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "right temperature multiplied", done.stderr
    assert "Whoever unpacks them" in capsys.readouterr().out
    assert main(["student", str(tmp_path), "moco", "--sealed"]) == 1 and "kit already" in capsys.readouterr().err


def test_points_are_read_from_a_file_that_one_edits(tmp_path, capsys):
    path = tmp_path / "points.json"
    assert main(["points", str(path)]) == 0 and main(["points", str(path)]) == 1
    assert points.read(path) == points.default() == points.read(None)
    path.write_text('{"simclr": {"info_nce": 4}}')
    assert points.read(path)["simclr"]["info_nce"] == 4 and points.read(path)["moco"]["moco_loss"] == 1
    cases = {
        "{": "not JSON",
        "[1]": "must look like",
        '{"simclr": {"x": 1}}': "no exercise simclr.x",
        '{"simclr": {"info_nce": "4"}}': "a number from 0",
        '{"simclr": {"info_nce": NaN}}': "a number from 0",
    }
    for wrong, words in cases.items():
        path.write_text(wrong)
        with pytest.raises(ValueError, match=words):
            points.read(path)
    solution = checks.find("simclr.info_nce").solution
    assert points.earned("simclr.info_nce", solution, of=4) == 4
    assert (
        points.earned("simclr.info_nce", lambda a, b, t: solution(a, b, t).detach(), of=4) == 2
    )  # right values, no gradient
    assert points.earned("simclr.info_nce", lambda a, b, t: solution(a, b, 1 / t), of=4) == 0


@pytest.mark.parametrize("tool", ["nbgrader", "otter"])
def test_a_notebook_of_ones_own_is_no_assignment(tool, tmp_path, capsys):
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "mine.ipynb")
    assert main([tool, str(tmp_path / "out"), str(tmp_path / "mine.ipynb")]) == 1
    assert "mine.ipynb is not a notebook of the course" in capsys.readouterr().err
