"""Grading a class: what each student handed in, however they did it, and nobody's mischief costs another student anything."""

import csv
import os
import shutil
import socket
import subprocess
import zipfile

import nbformat
import pytest

from sslkit.course import student
from sslkit.course.__main__ import main
from sslkit.course.editions import ASKED, HANDED_OUT, stub
from sslkit.course.grading import Graded, failed, grade_one
from sslkit.course.pages import class_page, feedback, plain, table
from sslkit.course.submissions import Submission, Work, read, submissions
from sslkit.notebooks import files
from sslkit.notebooks.cells import EXERCISE, is_exercise

CHAPTER = "00_start_here"
WRONG = "def accuracy(pred, y):\n    return (pred == y).float().sum()"


def source() -> nbformat.NotebookNode:
    return files.read(files.locate(CHAPTER))


def handed_in(**changed: str) -> str:
    """A notebook in which some functions are the student's own, by name, and the others solved."""
    nb = student(source())
    for cell, solved in zip(nb.cells, source().cells):
        if is_exercise(cell):
            name = cell.source.split("def ")[1].split("(")[0]
            cell.source = f"{EXERCISE}\n{changed[name]}" if name in changed else solved.source
    return nbformat.writes(nb)


def work(text: str) -> Work:
    return read(Submission("a student", "hw.ipynb", text))


def test_what_stands_in_a_notebook():
    found = work(handed_in(accuracy=WRONG))
    assert found.chapter == "start_here" and not found.problem and not found.notes
    assert list(found.functions) == ["accuracy", "partners", "chance_level"]
    assert "sum()" in found.functions["accuracy"]
    assert any("import torch" in line for line in found.prelude)
    assert not any("load(" in line for line in found.prelude), "nothing that works is run"


def test_moved_renamed_deleted_unreadable():
    moved = student(source())
    moved.cells = [cell for cell in moved.cells if "check(" not in cell.source]
    moved.cells.reverse()
    assert read(Submission("s", f"{CHAPTER} (1).ipynb", nbformat.writes(moved))).chapter == "start_here"
    renamed = work(handed_in(accuracy=WRONG.replace("accuracy", "my_accuracy")))
    assert "def accuracy(" in renamed.functions["accuracy"] and "my_accuracy" in renamed.notes[0]
    broken = work(handed_in(accuracy="def accuracy(pred, y)\n    return 1"))
    assert list(broken.functions) == ["partners", "chance_level"] and "line" in broken.notes[0]
    nb = nbformat.reads(handed_in(), as_version=4)
    assert not work(nbformat.writes(nb)).notes
    nb.metadata[HANDED_OUT] = {"version": "0.0.1"}
    assert "handed out by version 0.0.1" in work(nbformat.writes(nb)).notes[0]
    nb.metadata[HANDED_OUT] = [1]
    assert not work(nbformat.writes(nb)).problem
    magic = work(handed_in(accuracy="%matplotlib inline\n" + WRONG))
    assert "accuracy" in magic.functions


def test_a_function_is_found_however_it_is_written():
    written = work(handed_in(accuracy="accuracy = lambda pred, y: (pred == y).float().mean()"))
    assert written.functions["accuracy"].startswith("accuracy = lambda") and not written.notes
    named = work(handed_in(accuracy="def mine(pred, y):\n    return (pred == y).float().mean()\n\naccuracy = mine"))
    assert named.functions["accuracy"] == "accuracy = mine" and "def mine" in "".join(named.prelude)
    nb = student(source())  # the stub left as it was, the answer in a cell of the student's own
    nb.cells.insert(0, nbformat.v4.new_code_cell(WRONG))
    assert "sum()" in work(nbformat.writes(nb)).functions["accuracy"]
    assert "raise" in work(nbformat.writes(student(source()))).functions["accuracy"]


def test_a_chapter_is_known_by_what_it_defines():
    nb = student(source())
    nb.cells = [cell for cell in nb.cells if is_exercise(cell)]
    assert work(nbformat.writes(nb)).chapter == "start_here"
    nb.cells = [nbformat.v4.new_code_cell("def something(else_):\n    return 1")]
    assert "no chapter" in work(nbformat.writes(nb)).problem


def test_what_python_cannot_read_is_an_attempt():
    one = grade_one(Submission("s", "hw.ipynb", handed_in(accuracy="def accuracy(pred, y)\n    return 1")))
    verdict = one.verdicts["accuracy"]
    assert (
        verdict["status"] == "wrong"
        and verdict["mistakes"] == ["Python cannot read it"]
        and "line 2" in verdict["text"]
    )
    assert one.verdicts["partners"]["status"] == "right"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")
@pytest.mark.parametrize(
    "starts",
    [
        "if os.fork() == 0: os._exit(0)",
        "subprocess.run(['true'])",
        "os.system('true')",
        "multiprocessing.get_context('spawn').Process(target=print).start()",
    ],
)
def test_a_function_starts_no_process(starts):
    code = f"import os, subprocess, multiprocessing\ndef accuracy(pred, y):\n    {starts}\n    return (pred == y).float().mean()"
    one = grade_one(Submission("s", "hw.ipynb", handed_in(accuracy=code)))
    assert "may not start other processes" in one.verdicts["accuracy"]["text"] and one.points == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"cells": 3}',
        "\x00" * 99,
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    ],
)
def test_what_is_no_notebook_is_said(text):
    assert work(text).problem


def test_how_platforms_hand_them_out(tmp_path):
    (tmp_path / "Ada Lovelace").mkdir()
    (tmp_path / "Ada Lovelace" / "my notebook.ipynb").write_text("{}")
    (tmp_path / "bob.ipynb").write_text("{}")
    with zipfile.ZipFile(tmp_path / "Cem Öz.zip", "w") as archive:
        archive.writestr("../../evil.ipynb", "{}")
        archive.writestr("__MACOSX/._evil.ipynb", "\x00")
        archive.writestr("hw/.ipynb_checkpoints/evil-checkpoint.ipynb", "{}")
    (tmp_path / "dora.zip").write_bytes(b"no archive")
    (tmp_path / "._bob.ipynb").write_text("what macOS leaves beside a file")
    (tmp_path / "Ada Lovelace" / "._my notebook.ipynb").write_text("the same")
    (tmp_path / "Emre").mkdir()
    (tmp_path / "Emre" / "notes.txt").write_text("not a notebook")
    everyone = list(submissions(tmp_path))
    found = {one.student: one for one in everyone}
    assert set(found) == {"Ada Lovelace", "bob", "Cem Öz", "dora", "Emre"} and len(everyone) == 5
    assert "no notebook" in found["Emre"].problem
    assert found["Cem Öz"].file == "evil.ipynb" and "zip" in found["dora"].problem
    assert not (tmp_path.parent / "evil.ipynb").exists()


def test_one_broken_file_costs_nobody_else_a_grade(tmp_path):
    with zipfile.ZipFile(tmp_path / "damaged.ZIP", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hw.ipynb", handed_in())
    content = bytearray((tmp_path / "damaged.ZIP").read_bytes())
    content[60:90] = bytes(30)
    (tmp_path / "damaged.ZIP").write_bytes(content)
    (tmp_path / "marked.IPYNB").write_text(handed_in(), encoding="utf-8-sig")
    found = {one.student: one for one in submissions(tmp_path)}
    assert "not a readable zip" in found["damaged"].problem and not read(found["marked"]).problem
    deep = work(handed_in(accuracy="def accuracy(pred, y):\n    return " + " + ".join(["1"] * 900)))
    assert list(deep.functions) == ["partners", "chance_level"] and "accuracy" in deep.notes[0]


def test_names_and_words_that_are_no_utf_8(tmp_path):
    """A name as zip archives of old systems leave it on a disk; an error whose words are half a character."""
    name = b"M\xfcller".decode("utf-8", "surrogateescape")
    one = Graded(Submission(name, name, "{}"), Work("start_here"), {"accuracy": failed("\ud800")})
    table([one], tmp_path / "grades.csv")
    files.write(tmp_path / "one.html", feedback(one))
    files.write(tmp_path / "class.html", class_page([one]))
    assert "M?ller" in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def test_which_hints_were_opened(tmp_path):
    def asked(count: str) -> Graded:
        text = nbformat.writes(student(source(), hints=ASKED)).replace('accuracy\\", 0)', f'accuracy\\", {count})')
        found = work(text)
        assert not found.problem and not found.notes and set(found.hints) == set(found.functions)
        return Graded(Submission("s", "hw.ipynb", text), found, {name: failed("") for name in found.functions})

    graded = [asked(count) for count in ("0", "2", "3", "9")]
    assert [one.work.hints["accuracy"] for one in graded] == [0, 2, 3, 3]
    assert "hint 1: 3 of 4<br>hint 2: 3 of 4<br>hint 3: 2 of 4" in class_page(graded)
    table(graded, tmp_path / "grades.csv")
    rows = list(csv.DictReader(open(tmp_path / "grades.csv", encoding="utf-8")))
    assert [row["hints"] for row in rows if row["exercise"] == "accuracy"] == ["0", "2", "3", "3"]
    unknown = Graded(Submission("s", "hw.ipynb"), work(handed_in()))
    assert not unknown.work.hints and "hint 1" not in class_page([unknown])


def test_pages_execute_nothing():
    verdict = {"status": "wrong", "points": 0.0, "mistakes": ["<b>x"], "text": "<script>1</script>", "example": "<img>"}
    one = Graded(Submission("<script>me</script>", "f.ipynb"), Work("start_here"), {"accuracy": verdict})
    for text in (feedback(one), class_page([one])):
        assert "<script>" not in text and "<img>" not in text and "<b>x" not in text
    assert plain("=cmd()").startswith("'") and plain("") == ""


def test_a_general_mistake_is_explained_to_the_class():
    verdict = {
        "status": "wrong",
        "points": 0.0,
        "mistakes": ["not averaged"],
        "text": "A sum where a mean is asked for.",
    }
    page = class_page([Graded(Submission("s", "f.ipynb"), Work("start_here"), {"accuracy": verdict})])
    assert "not averaged</b> (accuracy): 1 of 1. A sum where a mean is asked for." in page


@pytest.mark.slow
def test_a_class(tmp_path, capsys):
    class_ = tmp_path / "hand in"
    class_.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("kept")
    loop = "def accuracy(pred, y):\n    while True:\n        pass"
    ends = "def accuracy(pred, y):\n    import os\n    os._exit(0)"
    forges = "import sys\ndef accuracy(pred, y):\n    sys.exit('all right')"
    kills = "import os\ndef accuracy(pred, y):\n    os.kill(os.getppid() or -1, 9)\n    os._exit(1)"
    notebooks = {
        "right": handed_in(),
        "stub": nbformat.writes(student(source())),
        "wrong": handed_in(accuracy=WRONG),
        "hangs": handed_in(accuracy=loop),
        "ends": handed_in(accuracy=ends),
        "leaves": handed_in(accuracy=forges),
        "kills": handed_in(accuracy=kills),
        "broken": "{",
        "plots": handed_in(accuracy="def accuracy(pred, y):\n    import matplotlib.pyplot as plt\n    plt.plot([1])\n    plt.show()\n"
                           "    return (pred == y).float().mean()"),
        "seeds": handed_in(accuracy="def accuracy(pred, y):\n    torch.manual_seed(7)\n    return (pred == y).float().mean()"),
    }  # fmt: skip
    worth = tmp_path / "points.json"
    worth.write_text('{"start_here": {"accuracy": 2}}')
    for name, text in notebooks.items():
        (class_ / f"{name}.ipynb").write_text(text)
    assert main(["grade", str(class_), "--csv", str(tmp_path / "out" / "g.csv"), "--points", str(worth)]) == 0
    rows = list(csv.DictReader(open(tmp_path / "out" / "g.csv", encoding="utf-8")))
    points = {name: sum(float(row["points"]) for row in rows if row["student"] == name) for name in notebooks}
    assert points == {
        "right": 4,
        "stub": 0,
        "wrong": 2,
        "hangs": 2,
        "ends": 2,
        "leaves": 2,
        "kills": 2,
        "broken": 0,
        "plots": 4,
        "seeds": 4,
    }
    named = next(row for row in rows if row["student"] == "wrong" and row["exercise"] == "accuracy")
    assert named["status"] == "wrong" and named["misconceptions"]
    assert all(row["status"] == "not attempted" for row in rows if row["student"] == "stub")
    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    assert "Worth five minutes tomorrow" in page
    assert named["misconceptions"] in page and "broken" in page and "http" not in page
    assert len(list((tmp_path / "out" / "feedback").iterdir())) == len(notebooks)
    assert secret.read_text() == "kept"


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "--user", "--net", "true"]).returncode != 0,
    reason="this system does not let a process leave the network",
)
def test_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = server.getsockname()
        calls = f"def accuracy(pred, y):\n    import socket\n    socket.create_connection({where}, timeout=2)\n"
        graded = grade_one(
            Submission("calls", "hw.ipynb", handed_in(accuracy=calls + "    return (pred == y).float().mean()"))
        )
    assert graded.verdicts["accuracy"]["status"] == "wrong" and "unreachable" in graded.verdicts["accuracy"]["text"]


def test_a_folder_with_nothing(tmp_path, capsys):
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert main(["grade", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert stub("def f(x):\n    return x") == "def f(x):\n    raise NotImplementedError"
