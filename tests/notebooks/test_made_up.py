"""sslkit.notebooks on small made-up notebooks: export, execution, what is checked."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from sslkit.notebooks import NotebookFailed, check, course, export, run, source_hash
from sslkit.notebooks.__main__ import main
from sslkit.notebooks.budget import budget
from sslkit.notebooks.cells import WIDGET
from sslkit.notebooks.checks import MAX_MB
from sslkit.notebooks.memory import core_seconds
from sslkit.notebooks.saving import keep_pictures

v4 = nbformat.v4
LOSS = "#| export\nimport math\n\n\ndef loss(x):\n    return math.log(x)"
CONSTANTS = "#| export\nMETHOD = loss\nSCALES: dict = {'laptop': 1}"


@pytest.fixture
def root(tmp_path):
    """A clone in small: two notebooks and a package with an empty chapters folder."""
    (tmp_path / "sslkit" / "chapters").mkdir(parents=True)
    (tmp_path / "sslkit" / "__init__.py").touch()
    (tmp_path / "sslkit" / "chapters" / "__init__.py").touch()
    notebook(tmp_path, "03_early", "## The *loss*", LOSS, "loss(2)", "# Settings", CONSTANTS)
    notebook(tmp_path, "10_late", "# Late", "1 + 1")
    return tmp_path


def notebook(root, stem, *sources, tags=None) -> Path:
    """Write a notebook: sources that begin with a heading become Markdown cells, the rest code."""
    cells = []
    for k, source in enumerate(sources):
        markdown = source.startswith(("# ", "## ")) and not source.startswith("# |")
        cell = v4.new_markdown_cell(source) if markdown else v4.new_code_cell(source)
        cell["id"] = f"cell{k}"
        if tags and k in tags:
            cell.metadata.tags = [tags[k]]
        cells.append(cell)
    path = root / "notebooks" / f"{stem}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


# --- export


def test_export_writes_cells_in_order_under_a_header(root):
    assert export(root) == []
    assert (root / "sslkit/chapters/early/method.py").read_text() == (
        "# Generated from notebooks/03_early.ipynb by `python -m sslkit.notebooks export`.\n"
        "# Do not edit: edit the notebook.\n"
        "\n"
        "# --- The loss ---\n"
        "import math\n\n\ndef loss(x):\n    return math.log(x)\n"
        "\n\n"
        "# --- Settings ---\n"
        "METHOD = loss\nSCALES: dict = {'laptop': 1}\n"
    )
    assert not (root / "sslkit/chapters/late/method.py").exists()  # it has no export cells
    assert export(root, check=True) == []


def test_a_changed_cell_that_was_not_exported_is_stale(root):
    export(root)
    before = (root / "sslkit/chapters/early/method.py").read_text()
    notebook(root, "03_early", "# The loss", LOSS.replace("log(x)", "log2(x)"))
    (problem,) = export(root, check=True)
    assert "chapters/early/method.py differs (line 9) against notebooks/03_early.ipynb" in problem
    assert (root / "sslkit/chapters/early/method.py").read_text() == before  # --check writes nothing
    assert main(["export", "--check"], root) == 1
    assert main(["export"], root) == 0
    assert main(["export", "--check"], root) == 0
    assert "log2" in (root / "sslkit/chapters/early/method.py").read_text()


def test_an_edited_module_and_a_missing_one_are_stale(root):
    (problem,) = export(root, check=True)
    assert "early/method.py is missing" in problem
    export(root)
    with (root / "sslkit/chapters/early/method.py").open("a") as file:
        file.write("# a late thought\n")
    (problem,) = export(root, check=True)
    assert "early/method.py differs" in problem


def test_orphans_are_found_and_removed_unless_a_person_wrote_them(root):
    export(root)
    (root / "notebooks/03_early.ipynb").unlink()
    (problem,) = export(root, check=True)
    assert "early/method.py is an orphan" in problem
    assert export(root) == [] and not (root / "sslkit/chapters/early/method.py").exists()
    (root / "sslkit/chapters/mine").mkdir()
    (root / "sslkit/chapters/mine/method.py").write_text("A = 1\n")
    assert "mine/method.py is an orphan" in export(root, check=True)[0]
    assert "not generated" in export(root)[0] and (root / "sslkit/chapters/mine/method.py").exists()


def test_a_notebook_that_no_longer_exports_leaves_no_module(root):
    export(root)
    notebook(root, "03_early", "# The loss", "1 + 1")
    assert "is an orphan" in export(root, check=True)[0]
    assert export(root) == [] and not (root / "sslkit/chapters/early/method.py").exists()


@pytest.mark.parametrize(
    "cells, word",
    [
        (["print('hello')"], "may only import, define or name"),
        (["for i in range(3):\n    pass"], "may only import, define or name"),
        (["if True:\n    import math"], "may only import, define or name"),
        (["rate = 0.1"], "may only import, define or name"),
        (["A, b = 1, 2"], "may only import, define or name"),
        (["A = b = 1"], "may only import, define or name"),
        (["A += 1"], "may only import, define or name"),
        (["A: int"], "may only import, define or name"),
        (["1 + 1"], "may only import, define or name"),
        (["class A:\n    pass", "def f(self):\n    pass\n\nA.f = f"], "may only import, define or name"),
        (["%matplotlib inline"], "plain Python"),
        (["!pip install x"], "plain Python"),
        (["class A:\n    def f(self):", "        return 1"], "holds its definitions whole"),
        (["def f():\n    return 1", "def f():\n    return 2"], "f is defined in cell 1 too"),
        (["class A:\n    pass", "class A(A):\n    pass"], "A is defined in cell 1 too"),
        (["A = 1\nA = 2"], "A is defined in cell 1 too"),
        (["import sslkit.chapters.late.method"], "late comes from 10_late.ipynb: export cells import only earlier"),
        (["from sslkit.chapters.late.method import f"], "comes from 10_late.ipynb"),
        (["from sslkit.chapters import late"], "comes from 10_late.ipynb"),
        (["def f():\n    from sslkit.chapters import late"], "comes from 10_late.ipynb"),
        (["from sslkit.chapters.middle.method import f"], "comes from 05_middle.ipynb"),
        (["from sslkit.chapters.absent.method import f"], "there is no chapter absent"),
        (["from .early import loss"], "relative import"),
        (["A = 1", "from __future__ import annotations"], "together are not a module"),
    ],
)
def test_what_may_not_be_exported(root, cells, word):
    path = notebook(root, "05_middle", *[f"#| export\n{cell}" for cell in cells])
    for checking in (True, False):
        problems = export(root, ["middle"], check=checking)
        assert problems and all(word in problem and path.name in problem for problem in problems), problems
    assert not (root / "sslkit/chapters/middle/method.py").exists()


@pytest.mark.parametrize(
    "cell",
    [
        '"""What this is."""\nfrom __future__ import annotations',
        "from sslkit.chapters.early.method import loss",
        "from sslkit.chapters import early, get",
        "from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    b: int = 1",
        "RECIPES = {'laptop': dict(steps=3)}\n_EPS = 1e-6\nK: int = 2",
        "async def f():\n    x = 1\n    for i in range(3):\n        x += i\n    return x",
    ],
)
def test_what_may_be_exported(root, cell):
    notebook(root, "05_middle", f"#| export\n{cell}")
    assert export(root, ["middle"]) == []
    assert cell in (root / "sslkit/chapters/middle/method.py").read_text()


@pytest.mark.parametrize("mark", ["#|export", "# | export", "#| export ", "x = 1\n#| export"])
def test_a_mark_that_is_nearly_right_is_not_passed_over(root, mark):
    notebook(root, "05_middle", f"{mark}\ndef f():\n    return 1")
    (problem,) = export(root, ["middle"], check=True)
    assert "line 1 must read '#| export'" in problem


def test_export_cells_of_a_notebook_without_a_place_in_the_course(root):
    export(root)
    notebook(root, "Untitled", "1 + 1")
    assert export(root, check=True) == []  # a reader's own notebook is left alone
    notebook(root, "my_method", LOSS)
    assert "NN_name.ipynb" in export(root, check=True)[0]


def test_names_that_do_not_exist_or_clash(root, capsys):
    assert main(["export", "nowhere"], root) == 1
    assert "03_early, 10_late" in capsys.readouterr().err
    notebook(root, "11_late", "1")
    with pytest.raises(ValueError, match="10_late.ipynb and 11_late.ipynb both export"):
        course(root)


def test_methods_are_found_by_name():
    from sslkit import chapters

    with pytest.raises(ValueError, match="no method 'simcrl'; there are: "):
        chapters.get("simcrl")
    with pytest.raises(ValueError, match="no method '../datasets'"):
        chapters.get("../datasets")
    for name in chapters.methods():
        assert chapters.get(name).__name__ == f"sslkit.chapters.{name}.method"


def test_the_hash_is_of_sources_alone(root):
    def hashed(*sources):
        return source_hash(nbformat.read(notebook(root, "20_hash", *sources), as_version=4))

    nb = nbformat.read(notebook(root, "20_hash", "# A", "b"), as_version=4)
    first = source_hash(nb)
    nb.cells[1].outputs = [v4.new_output("stream", text="out")]
    nb.cells[1].execution_count = 7
    nb.cells[1].id = "other"
    assert source_hash(nb) == first == hashed("# A", "b")
    nb.cells[0].cell_type = "code"
    assert source_hash(nb) != first
    others = [("# A", "c"), ("# A", "b", "c"), ("# A", "c", "b"), ("# A", "b\nc")]
    assert len({first, *(hashed(*sources) for sources in others)}) == 5
    assert hashed("# Another word", "b") == first


# --- running


def quiet(text):
    pass


def outputs(nb, index):
    return [out.get("text") or out.get("data", {}).get("text/plain") for out in nb.cells[index].outputs]


def test_a_run_exports_executes_and_stamps(root, monkeypatch):
    startup = root / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("import builtins; builtins.loss = 'of this user'")
    monkeypatch.setenv("IPYTHONDIR", str(root / "ipython"))
    image = f"{{'text/html': '', {WIDGET!r}: {{'model_id': '1'}}}}"
    path = notebook(
        root,
        "03_early",
        LOSS,
        "import os, sys\nprint(os.getcwd(), os.environ['SSLKIT_SCALE'], sys.executable)",
        "import builtins\nfrom sslkit.chapters.early import method\nmethod.loss(1), hasattr(builtins, 'loss')",
        "for word in 'ab':\n    print(word, flush=True)\n    print('!', file=sys.stderr, flush=True)",
        f"from IPython.display import display\ndisplay({image}, raw=True)",
        "h = display('first', display_id=True)",
        "h.update('last')",
        "import ipywidgets\nslider = ipywidgets.IntSlider()",
        "this is no Python",
        "import subprocess, time\n"
        "command = [sys.executable, '-c', 'x = bytearray(300_000_000); input()']\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE)\n"
        "x = bytearray(200_000_000); time.sleep(1.5)\nchild.communicate(b'\\n'); None",
        "",
        tags={8: "skip-execution"},
    )
    before = path.read_bytes()
    nb = run(path, to=path, say=quiet)
    assert (root / "sslkit/chapters/early/method.py").exists()
    assert outputs(nb, 1) == [f"{path.parent} laptop {sys.executable}\n"]
    assert outputs(nb, 2) == ["(0.0, False)"]
    assert outputs(nb, 3) == ["a\nb\n", "!\n!\n"]
    assert set(nb.cells[4].outputs[0].data) == {"text/html"}
    assert outputs(nb, 5) == ["'last'"]
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3, 4, 5, 6, 7, 8, None, 9, None]
    assert "widgets" not in nb.metadata
    stamp = nb.metadata.sslkit
    assert stamp.scale == "laptop" and stamp.source == source_hash(nb) and stamp.seconds >= 2
    assert 0 <= stamp.optional_core_seconds <= stamp.core_seconds
    assert 500 < stamp.peak_mb < 1500  # 300 MB of the child's and 200 MB of its own
    assert stamp.versions.python == sys.version.split()[0]
    assert path.read_bytes() != before and nbformat.read(path, as_version=4) == nb

    def steady():
        data = json.loads(path.read_text())
        data["metadata"]["sslkit"].update(seconds=0, core_seconds=0, peak_mb=0)
        return json.dumps(data)

    once = steady()
    run(path, to=path, say=quiet)
    assert steady() == once


# A training loop that ends cleanly when it is interrupted must not pass for a complete one.
STOPPABLE = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('stopped')"


@pytest.mark.parametrize(
    "source, tag, words",
    [
        ("def f(x):\n    return x / 0\n\nf(1)", "timeout-60", ["----> 4 f(1)", "ZeroDivisionError: divis"]),
        ("import os\nos._exit(9)", "timeout-60", ["the kernel died"]),
        ("import time\ntime.sleep(60)", "timeout-3", ["----> 2 time.sleep(60)", "stopped after 3 s"]),
        (STOPPABLE, "timeout-1", ["stopped after 1 s; the tag timeout-N gives it N seconds"]),
        ("input()", "timeout-60", ["StdinNotImplementedError"]),
    ],
)
def test_a_failing_run_says_where_and_leaves_the_file(root, source, tag, words):
    path = notebook(root, "10_late", "# Late", "1", "## The broken part", source, "2", tags={3: tag})
    before = path.read_bytes()
    with pytest.raises(NotebookFailed) as failure:
        run(path, to=path, say=quiet)
    for word in ["10_late.ipynb, cell 4 of 5, under 'The broken part'", *words]:
        assert word in str(failure.value)
    assert len(str(failure.value).splitlines()) < 15
    assert path.read_bytes() == before
    assert not [p for p in path.parent.iterdir() if p.suffix == ".part"]


def test_what_a_run_writes(root, capsys):
    path = notebook(root, "10_late", "# Late", "import os\nos.environ['SSLKIT_SCALE']")
    before = path.read_bytes()
    out, pages = root / "out", root / "pages"
    assert main(["run", "late", "--scale", "smoke", "--html", str(pages)], root) == 0
    assert path.read_bytes() == before and "left as it was" in capsys.readouterr().out
    assert "smoke" in (pages / "10_late.html").read_text()
    assert main(["run", "10_late", "--to", str(out)], root) == 0
    assert path.read_bytes() == before and "'laptop'" in (out / "10_late.ipynb").read_text()
    assert main(["run", str(path), "--scale", "smoke", "--in-place"], root) == 0
    assert "'smoke'" in path.read_text()
    assert main(["run", str(path)], root) == 0
    assert "'laptop'" in path.read_text()


def test_a_failure_among_several_is_the_exit_code(root, capsys):
    notebook(root, "03_early", "1 / 0")
    path = notebook(root, "10_late", "1 + 1")
    assert main(["run", "early", "late"], root) == 1
    error = capsys.readouterr().err
    assert "03_early.ipynb, cell 1 of 1" in error and "Nothing was written" in error
    assert check(path) == []  # the other one was still run


def test_a_notebook_that_cannot_be_exported_is_not_run(root):
    path = notebook(root, "03_early", "#| export\nx = 1")
    with pytest.raises(NotebookFailed, match="cannot be exported:\n.*cell 1, line 2: 'x = 1'"):
        run(path, to=path, say=quiet)
    assert main(["run", "nowhere"], root) == 1
    with pytest.raises(ValueError, match="no scale 'huge'; there are: smoke, demo, laptop, gpu"):
        run(path, "huge")


def test_an_edit_during_the_run_is_not_overwritten(root):
    edit = "path = pathlib.Path('10_late.ipynb')\nn = path.write_text(path.read_text().replace('Late', 'No'))"
    path = notebook(root, "10_late", "# Late", "import pathlib", edit)
    with pytest.raises(NotebookFailed, match="was edited while it ran"):
        run(path, to=path, say=quiet)
    assert "# No" in path.read_text()


# --- what must hold of a committed notebook


@pytest.fixture
def good(root):
    """An executed notebook with nothing wrong, written without running it."""
    path = notebook(root, "10_late", "# Late ![a map](map.png)", "draw()", "", "print(1)")
    nb = nbformat.read(path, as_version=4)
    figure = v4.new_output("display_data", {"text/html": '<img alt="a map" src="data:image/png;base64,iVBORw0=">'})
    nb.cells[1].update(execution_count=1, outputs=[figure])
    nb.cells[3].update(execution_count=2, outputs=[v4.new_output("stream", text="1\n")])
    nb.metadata.sslkit = {"scale": "laptop", "source": source_hash(nb), "seconds": 200, "peak_mb": 900}
    nbformat.write(nb, path)
    return path


def test_nothing_is_wrong_with_a_good_one(good):
    assert check(good) == []


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda nb: nb.metadata.pop("sslkit"), "it has no stamp"),
        (lambda nb: nb.cells[3].update(source="print(2)"), "edited since it was executed"),
        (lambda nb: nb.cells.pop(2), "edited since it was executed"),
        (lambda nb: nb.metadata.sslkit.update(scale="smoke"), "at smoke scale"),
        (lambda nb: nb.metadata.sslkit.update(peak_mb=MAX_MB + 1), f"{MAX_MB + 1} MB"),
        (lambda nb: nb.cells[3].update(execution_count=3), "prompts are [1, 3], not 1 to 2"),
        (lambda nb: nb.cells[3].update(execution_count=None), "prompts are [1, None]"),
        (
            lambda nb: nb.cells[3].outputs.append(v4.new_output("error", ename="KeyError", evalue="'x'")),
            "cell 4: stored error KeyError: 'x'",
        ),
        (lambda nb: nb.metadata.update(widgets={"application/x": {"state": {}}}), "widget state is stored"),
        (
            lambda nb: nb.cells[1].outputs[0].data.update({"text/html": "<img src='a'>"}),
            "cell 2: a figure without alt text",
        ),
        (
            lambda nb: nb.cells[1].outputs[0].data.update({"text/html": '<img alt=" " src="a">'}),
            "cell 2: a figure without",
        ),
        (lambda nb: nb.cells[1].outputs[0].data.update({"image/png": "iVBORw0="}), "cell 2: a bare image/png"),
        (
            lambda nb: nb.cells[1].outputs[0].data.update({WIDGET: {}}),
            "cell 2: a widget without a picture",
        ),
        (lambda nb: nb.cells[3].outputs[0].update(text="x" * 2_500_000), "at most 2500 kB"),
        (lambda nb: nb.cells[3].outputs[0].pop("text"), "'text' is a required property"),
    ],
)
def test_what_is_wrong_is_named(good, change, words):
    nb = nbformat.read(good, as_version=4)
    change(nb)
    good.write_text(json.dumps(nb))
    problems = check(good)
    assert len(problems) == 1 and words in problems[0] and good.name in problems[0], problems


@pytest.mark.parametrize("text", ["![](a)", "![ ](a)", '<img src="a">', '<img alt="">', "<IMG alt='' src=a>"])
def test_pictures_in_the_text_need_alt_text(good, text):
    nb = nbformat.read(good, as_version=4)
    nb.cells[0].source = text
    nb.metadata.sslkit.source = source_hash(nb)
    nbformat.write(nb, good)
    assert [p for p in check(good) if "picture in the text" in p] == check(good) != []
    nb.cells[0].source = 'see ![a](a.png) and <img src="b.png" alt="b">'
    nb.metadata.sslkit.source = source_hash(nb)
    nbformat.write(nb, good)
    assert check(good) == []


@pytest.mark.parametrize("text", ["{ no json", "{}", "[]", '"words"', '{"nbformat": 4, "cells": [{}]}'])
def test_a_file_that_is_no_notebook(root, text):
    path = root / "notebooks" / "10_late.ipynb"
    path.write_text(text)
    assert "is not a notebook" in check(path)[0]
    assert main(["check"], root) == main(["run", str(path)], root) == 1


def test_a_place_that_cannot_be_written_is_said_before_anything_runs(root, tmp_path, capsys):
    (tmp_path / "file").touch()
    path = root / "notebooks" / "10_late.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    assert main(["run", str(path), "--to", str(tmp_path / "file" / "a.ipynb")], root) == 1
    said = capsys.readouterr()
    assert str(tmp_path / "file") in said.err and "running" not in said.out


def test_the_command_line_from_outside():
    done = subprocess.run(
        [sys.executable, "-m", "sslkit.notebooks", "run", "nowhere"], capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 1 and "no notebook 'nowhere'" in done.stderr and "Traceback" not in done.stderr


# --- what is saved


def test_a_saved_notebook_holds_pictures_in_place_of_widgets():
    def saved(data, metadata=None, kind="notebook"):
        cells = [
            {"cell_type": "markdown"},
            {"cell_type": "code", "outputs": [{"output_type": "stream"}, {"data": data}]},
        ]
        keep_pictures({"type": kind, "content": {"metadata": metadata or {}, "cells": cells}}, path="a.ipynb")
        return set(data)

    assert saved({WIDGET: {}, "image/png": "", "text/plain": ""}) == {"image/png", "text/plain"}
    assert saved({WIDGET: {}}) == {WIDGET}  # nothing else to show
    assert WIDGET in saved({WIDGET: {}, "text/plain": ""}, {"widgets": {"state": {}}})  # its state is saved too
    keep_pictures({"type": "directory", "content": None})


# --- how long it takes


def test_a_chapter_has_its_minutes_by_path(root, capsys):
    words = " ".join(["word"] * 150)
    prose, code = v4.new_markdown_cell, v4.new_code_cell
    nb = v4.new_notebook(
        cells=[
            prose(f"# Late\n\n{words}"),
            code("x = 1\n\n" * 12),
            prose("## More *optional*"),
            code("y = 1\n" * 24),
            prose("### Deeper"),
            prose("## Back"),
            code("z = 1\n" * 6),
            prose(f"### Exercise: Count\n\n●○○○○ about 10 minutes\n\n{words}"),
        ]
    )
    nb.metadata.sslkit = {"seconds": 900, "optional_seconds": 30, "core_seconds": 150, "optional_core_seconds": 30}
    found = budget(nb)  # others were on its cores: the clock is not asked
    assert found.code == 1.5 and found.running == 2 and found.exercises == 10 and 2 < found.optional < 2.1
    assert 2 < found.reading < 2.3 and found.core == found.reading + 1.5 + 2 + 10
    nbformat.write(nb, root / "notebooks" / "10_late.ipynb")
    assert main(["budget"], root) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("10_late"))
    assert line.split()[1:] == ["2", "2", "2", "10", "16", "2"]


def test_seconds_of_one_core_are_those_of_a_process_and_its_children():
    """Work counts, in a child that runs and on Linux in one that has ended; waiting does not."""
    busy = "import time\nwhile time.process_time() < 0.5: pass\n"
    begun = core_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", busy], check=True)
    assert sys.platform != "linux" or core_seconds(os.getpid()) - begun > 0.4
    begun = core_seconds(os.getpid())
    time.sleep(0.5)
    assert core_seconds(os.getpid()) - begun < 0.4
    child = subprocess.Popen([sys.executable, "-c", f"{busy}input()"], stdin=subprocess.PIPE)
    while core_seconds(os.getpid()) - begun < 0.4:
        time.sleep(0.05)
    child.communicate(b"\n")
