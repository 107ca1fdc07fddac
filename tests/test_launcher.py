"""kit.py and what stands beside it: its decisions, its words, and a JupyterLab started by it."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from running import free_port

from sslkit.notebooks.files import ROOT


def load_kit():
    """kit.py as a module of its own."""
    spec = importlib.util.spec_from_file_location("kit", ROOT / "kit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def project():
    """The [project] table of pyproject.toml."""
    tomllib = pytest.importorskip("tomllib", reason="reading TOML came with Python 3.11")
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """kit.py looking at a temporary clone, in which pip and venv only take notes."""
    module = load_kit()
    root = tmp_path / "a clone"
    (root / "sslkit").mkdir(parents=True)
    (root / "sslkit/__init__.py").touch()
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    venv = root / ".venv"
    for name, value in dict(
        ROOT=root, VENV=venv, STAMP=venv / "kit.json", LOCK=venv / "kit.lock", PYTHON=venv / "bin/python"
    ).items():
        monkeypatch.setattr(module, name, value)
    module.calls = []
    module.broken = False
    monkeypatch.setattr(module, "pip", lambda *arguments: module.calls.append(("pip", *arguments)))

    def output(*command):
        module.calls.append(tuple(map(str, command)))
        if "venv" in command:
            (venv / "pyvenv.cfg").touch()
        return (1, "no torch") if module.broken else (0, f"{root}/sslkit/__init__.py\n")

    monkeypatch.setattr(module, "output", output)
    return module


def installed(kit):
    """What pip was asked to install since the last look."""
    found = [call[-1] for call in kit.calls if call[0] == "pip"]
    kit.calls.clear()
    return found


def test_it_installs_once_and_again_only_when_pyproject_changes(kit):
    kit.install("lab", cpu=False)
    assert installed(kit) == [".[lab]"]
    kit.install("lab", cpu=False)
    assert installed(kit) == []
    kit.install("test", cpu=False)
    assert installed(kit) == [".[lab,test]"]
    kit.install("lab", cpu=False)  # test includes lab
    assert installed(kit) == []
    (kit.ROOT / "pyproject.toml").write_text("[project]\n")
    kit.install("lab", cpu=False)
    assert installed(kit) == [".[lab,test]"]
    kit.install("test", cpu=False)
    assert installed(kit) == []


def test_an_interrupted_installation_begins_again_from_nothing(kit, monkeypatch):
    def interrupted(*arguments):
        (kit.VENV / "half").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kit, "pip", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kit.install("test", cpu=False)
    assert (kit.VENV / "half").exists() and kit.plan("test") == "rebuild"
    kit.install("test", cpu=False)
    assert not (kit.VENV / "half").exists() and kit.plan("test") == "ready"


def test_what_does_not_import_is_not_called_installed(kit, monkeypatch):
    monkeypatch.setattr(kit, "pip", lambda *arguments: setattr(kit, "broken", True))
    with pytest.raises(SystemExit, match="it does not import:\nno torch"):
        kit.install("lab", cpu=False)
    assert kit.plan("lab") == "rebuild"


def test_a_moved_clone_or_a_vanished_python_is_installed_anew(kit):
    kit.install("lab", cpu=False)
    kit.broken = True
    assert kit.plan("lab") == "rebuild"


def test_an_environment_made_by_others_is_left_alone(kit):
    (kit.VENV / "bin").mkdir(parents=True)
    with pytest.raises(SystemExit, match="not made by kit.py: rename or delete"):
        kit.install("lab", cpu=False)
    assert installed(kit) == [] and (kit.VENV / "bin").is_dir()


def test_cpu_takes_pytorch_from_its_own_index_also_when_updating(kit):
    torch = [line for line in project()["dependencies"] if "torch" in line]
    assert len(torch) == 2
    wanted = ("pip", "--index-url", "https://download.pytorch.org/whl/cpu", *torch)
    kit.install("lab", cpu=True)
    assert wanted in kit.calls
    kit.calls.clear()
    kit.install("test", cpu=False)
    assert wanted in kit.calls


def test_it_refuses_in_words(kit, monkeypatch):
    assert kit.too_old((3, 10, 0), None) is None and kit.too_old((4, 0), None) is None
    assert "this is Python 3.9; the kit needs 3.10" in kit.too_old((3, 9, 18), lambda name: False)
    here = ("python3.10", "python3.12")
    assert "say python3.12 instead" in kit.too_old((3, 9, 18), lambda name: name in here)
    assert kit.no_venv(lambda name: name) is None
    assert re.search(r"apt-get install python3\.\d+-venv", kit.no_venv(lambda name: name != "ensurepip"))
    assert kit.too_full(8, 7) is None
    assert "0.5 GB free and .venv takes about 7 GB: make room, or use --cpu" in kit.too_full(0.5, 7)
    assert "--cpu" not in kit.too_full(0.5, 2)
    assert "disk is full" in kit.advice("OSError: [Errno 28] No space left on device")
    assert "network did not answer" in kit.advice("WARNING: Retrying (Retry(total=4")
    assert "no build for this Python" in kit.advice("ERROR: No matching distribution found for torch>=2.4")
    monkeypatch.setattr(kit.shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))
    with pytest.raises(SystemExit, match="the disk has 1.0 GB free"):
        kit.make_venv(cpu=False)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for pip is a shell script")
def test_pips_last_lines_are_shown(tmp_path, capfd):
    kit = load_kit()
    kit.PYTHON = tmp_path / "python"
    script = "(for i in $(seq 99); do echo line $i; done; echo ERROR: timed out) >&2"
    kit.PYTHON.write_text(f"#!/bin/sh\n{script}\nexit 3\n")
    kit.PYTHON.chmod(0o755)
    with pytest.raises(SystemExit) as end:
        kit.pip("anything")
    assert "line 98\n  line 99\n  ERROR: timed out\nThe network did not answer" in str(end.value)
    assert "line 50\n" not in str(end.value)


def test_two_installations_wait_for_each_other(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import kit, pathlib\n"
        f"with kit.locked(pathlib.Path({str(tmp_path / 'lock')!r})):\n"
        "    print('in', flush=True); input(); print('out', flush=True)"
    )

    def start():
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True)

    with start() as first:
        assert first.stdout.readline() == "in\n"
        with start() as second:
            assert "another kit.py is installing" in second.stdout.readline()
            assert first.communicate("\n")[0] == "out\n"
            assert second.communicate("\n")[0] == "in\nout\n"
    with start() as killed:
        assert killed.stdout.readline() == "in\n"
        killed.kill()
    with start() as third:  # the lock of a process that died is free
        assert third.communicate("\n")[0] == "in\nout\n"


def test_an_old_python_gets_as_far_as_being_told():
    text = (ROOT / "kit.py").read_text()
    tree = ast.parse(text, feature_version=(3, 6))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    hints = [node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]
    assert not hints  # list[str] and the like fail before anything is said


def test_conda_takes_everything_from_pyproject():
    lines = [line.split("#")[0].strip() for line in (ROOT / "environment.yml").read_text().splitlines()]
    assert [line for line in lines if line] == [
        f"name: {project()['name']}",
        *("channels:", "- conda-forge", "- nodefaults"),
        *("dependencies:", f"- python{project()['requires-python']}", "- pip", "- pip:", "- -e .[lab]"),
    ]
    assert "lab" in project()["optional-dependencies"]


def test_there_are_no_upper_bounds():
    extras = [line for lines in project()["optional-dependencies"].values() for line in lines]
    for line in project()["dependencies"] + extras:
        assert re.fullmatch(r"[\w-]+>=[\d.]+|sslkit\[[\w,]+\]", line), line


# --- the releases that are installed


def test_the_tested_releases_are_taken_unless_the_newest_are_asked_for(kit):
    (kit.ROOT / "constraints.txt").write_text("numpy==2.0\n")
    tested = ("--constraint", str(kit.ROOT / "constraints.txt"))
    assert kit.constraints((3, 11, 0)) == list(tested) and kit.constraints((3, 14, 0)) == list(tested)
    assert kit.constraints((3, 10, 9)) == []  # too old for some of them
    if sys.version_info[:2] >= kit.TESTED:
        kit.install("lab", cpu=False)
        assert ("pip", *tested, "--editable", ".[lab]") in kit.calls
    kit.calls.clear()
    kit.install("test", cpu=False, latest=True)
    assert ("pip", "--editable", ".[lab,test]") in kit.calls
    kit.calls.clear()
    (kit.ROOT / "constraints.txt").write_text("numpy==2.1\n")
    kit.install("lab", cpu=False)  # others are needed now, and the wish for the newest is remembered
    assert ("pip", "--editable", ".[lab,test]") in kit.calls


def test_uv_installs_where_it_is_present_but_not_in_ci(kit):
    assert kit.installer("/bin/uv", {})[:4] == ["/bin/uv", "pip", "install", "--python"]
    assert kit.installer("/bin/uv", {"CI": "true"})[1:4] == ["-m", "pip", "install"]
    assert kit.installer("/bin/uv", {"PIP_NO_INDEX": "1"})[1:4] == ["-m", "pip", "install"]
    assert kit.installer("/bin/uv", {"PIP_FIND_LINKS": "/media/stick"})[1:4] == ["-m", "pip", "install"]
    assert kit.installer(None, {})[1:4] == ["-m", "pip", "install"]


def test_releases_that_do_not_fit_are_answered_in_words(kit):
    assert "--latest takes the newest" in kit.advice("ERROR: No matching distribution found for numpy==9")
    assert "--latest takes the newest" in kit.advice("ERROR: ResolutionImpossible: conflicting dependencies")


def test_the_constraints_cover_what_the_kit_asks_for():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {re.sub("[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    asked = project()["dependencies"] + [
        line for name in ("lab", "video", "export", "test") for line in project()["optional-dependencies"][name]
    ]
    assert {line.split(">=")[0] for line in asked if not line.startswith("sslkit[")} <= pinned


# --- the reader's copy


@pytest.fixture
def chapters(kit):
    """Two notebooks in the temporary clone, and a way to release a newer first one."""
    folder = kit.ROOT / "notebooks"
    folder.mkdir()
    for name in ("00_start_here.ipynb", "10_simclr.ipynb"):
        (folder / name).write_text("first")
    return folder


def test_the_reader_works_in_a_copy(kit, chapters):
    work = kit.readers_copy(None)
    assert work == kit.ROOT / "work" and (work / "10_simclr.ipynb").read_text() == "first"
    assert "work/" in (ROOT / ".gitignore").read_text().split()
    (work / "10_simclr.ipynb").write_text("run by the reader")
    kit.readers_copy(None)
    assert (work / "10_simclr.ipynb").read_text() == "run by the reader"
    assert (chapters / "10_simclr.ipynb").read_text() == "first"


def test_a_newer_chapter_replaces_only_what_the_reader_left_as_it_was(kit, chapters, capsys):
    work = kit.readers_copy(None)
    (work / "10_simclr.ipynb").write_text("run by the reader")
    for path in chapters.iterdir():
        path.write_text("newer")
    kit.readers_copy(None)  # nobody there to ask
    assert (work / "00_start_here.ipynb").read_text() == "newer"
    assert (work / "10_simclr.ipynb").read_text() == "run by the reader"
    assert "newer 10_simclr.ipynb" in capsys.readouterr().out


def test_the_reader_is_asked_once_for_each_newer_chapter(kit, chapters):
    work, asked = kit.readers_copy(None), []
    (work / "10_simclr.ipynb").write_text("run by the reader")

    def answer(yes):
        def ask(name):
            asked.append(name)
            return yes

        return ask

    (chapters / "10_simclr.ipynb").write_text("newer")
    kit.readers_copy(answer(False))
    kit.readers_copy(answer(False))
    assert asked == ["10_simclr.ipynb"] and (work / "10_simclr.ipynb").read_text() == "run by the reader"
    (chapters / "10_simclr.ipynb").write_text("newest")
    kit.readers_copy(answer(True))
    assert (work / "10_simclr.ipynb").read_text() == "newest"
    assert (work / "10_simclr.mine.ipynb").read_text() == "run by the reader"
    (work / "10_simclr.ipynb").write_text("run again")
    (chapters / "10_simclr.ipynb").write_text("newest of all")
    kit.readers_copy(answer(True))
    assert (work / "10_simclr.mine.ipynb").read_text() == "run by the reader"
    assert (work / "10_simclr.mine2.ipynb").read_text() == "run again"


def test_lab_opens_the_copy_and_source_the_notebooks(kit, chapters, monkeypatch):
    opened = []
    monkeypatch.setattr(kit, "become", lambda *command: opened.append(command))
    monkeypatch.setattr(kit.sys, "stdin", SimpleNamespace(isatty=lambda: False))
    kit.lab(["--port=1"])
    kit.lab(["--source"])
    urls = [word.split("=")[1] for command in opened for word in command if "default_url" in word]
    assert urls == ["/lab/tree/work/00_start_here.ipynb", "/lab/tree/notebooks/00_start_here.ipynb"]
    assert "--port=1" in opened[0] and "--source" not in opened[1]


def test_the_demo_is_made_anew_and_opened_in_large_type(kit, monkeypatch):
    opened, made = [], []
    monkeypatch.setattr(kit, "become", lambda *command: opened.append(command))
    monkeypatch.setattr(kit, "output", lambda *command: made.append(command) or (0, ""))
    (kit.ROOT / "work").mkdir()
    (kit.ROOT / "work" / "demo.ipynb").write_text("of last year")
    kit.demo([])
    assert [str(word) for word in made[0][-3:]] == ["sslkit.course", "demo", str(kit.ROOT / "work" / "demo.ipynb")]
    assert "--LabApp.default_url=/lab/tree/work/demo.ipynb" in opened[0]
    first, second = kit.os.environ["JUPYTER_CONFIG_PATH"].split(kit.os.pathsep)[:2]
    assert first.endswith("demo") and second.endswith(".jupyter")


def test_wheels_for_a_room_without_a_network(kit, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(kit.subprocess, "call", lambda command, **options: asked.append(command) or 0)
    kit.wheels([str(tmp_path / "wheels")])
    assert asked[0][1:5] == ["-m", "pip", "wheel", "--wheel-dir"] and ".[lab]" in asked[0]
    assert kit.CPU_INDEX not in asked[0]
    monkeypatch.setattr(kit, "read_stamp", lambda: {"state": "ready", "cpu": True})
    kit.wheels([str(tmp_path / "wheels")])
    assert kit.CPU_INDEX in asked[1]
    monkeypatch.setattr(kit.subprocess, "call", lambda command, **options: 1)
    with pytest.raises(SystemExit, match="could not collect"):
        kit.wheels([str(tmp_path / "wheels")])


@pytest.mark.slow
def test_it_starts_a_jupyterlab_with_the_kits_settings(tmp_path):
    """Through kit.lab itself, with this interpreter in place of .venv's."""
    port = free_port()
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import kit, pathlib; kit.PYTHON = pathlib.Path(sys.executable)\n"
        f"kit.lab(['--source', '--no-browser', '--port={port}', '--ServerApp.port_retries=0'])"
    )
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{kind}_DIR": str(tmp_path / kind) for kind in ("SETTINGS", "WORKSPACES")}
    log, command = tmp_path / "log", [sys.executable, "-c", code]
    with log.open("w") as file:
        server = subprocess.Popen(command, env=os.environ | folders, stdout=file, stderr=file)
    try:
        deadline, token = time.monotonic() + 180, None
        while token is None and time.monotonic() < deadline and server.poll() is None:
            time.sleep(0.3)
            token = re.search(rf"http://127\.0\.0\.1:{port}(/\S*)\?token=(\w+)", log.read_text())
        assert token, log.read_text()
        page, token = token.groups()
        if (ROOT / "notebooks/00_start_here.ipynb").exists():
            assert page == "/lab/tree/notebooks/00_start_here.ipynb"  # the sources, since --source was said
        assert "started" in get(port, "/api/status", token)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(port, "/api/status", "wrong")
        overrides = json.loads((ROOT / ".jupyter/labconfig/default_setting_overrides.json").read_text())
        assert {"commsOverSubshells": "disabled"} in overrides.values()
        for plugin, wanted in overrides.items():
            schema = get(port, f"/lab/api/settings/{plugin}", token)["schema"]["properties"]
            assert {key: schema[key]["default"] for key in wanted} == wanted
        assert "notebooks" in [one["name"] for one in get(port, "/api/contents", token)["content"]]
    finally:
        server.terminate()
        server.wait(timeout=60)


def get(port: int, path: str, token: str) -> dict:
    """What the server answers."""
    allowed = {"Authorization": f"token {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=allowed)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_the_ci_script_is_whole():
    script = ROOT / ".ci/run"
    assert subprocess.run(["bash", "-n", script]).returncode == 0 and os.access(script, os.X_OK)
    assert "python3 kit.py test" in script.read_text()


# --- tests


@pytest.fixture
def run_as(kit, monkeypatch):
    """The pytest commands that `kit.py test ARGUMENTS` would run, one after the other, and the threads each may use."""

    def commands(*arguments, code=0):
        found = []

        def keep(*command):
            found.append((command, os.environ.get("OMP_NUM_THREADS")))
            return code

        def become(module, *command):
            keep(*command)
            raise SystemExit  # this process is another now

        monkeypatch.setattr(kit, "become", become)

        monkeypatch.setattr(kit.subprocess, "call", lambda command: keep(*command[3:]))
        monkeypatch.setattr(kit.os, "chdir", lambda folder: None)
        monkeypatch.setenv("OMP_NUM_THREADS", "")
        with pytest.raises(SystemExit):
            kit.test(list(arguments))
        return found

    return commands


def test_all_tests_run_on_all_cores_and_then_those_with_a_browser_two_at_a_time(monkeypatch, run_as):
    monkeypatch.delenv("CI", raising=False)
    (first, threads), (last, theirs) = run_as()
    assert first[:2] == ("-m", "not browser") and first[-2:] == ("--numprocesses", "auto")
    assert last[:2] == ("-m", "browser") and last[-1] == "2" and threads == theirs == "1"
    monkeypatch.setenv("CI", "true")
    (first, _), (same, _) = run_as()
    assert first[:2] == ("-m", "not browser and not in_browser") and same == last


def test_quick_tests_leave_the_long_ones_out(kit, run_as):
    ((command, _),) = run_as("--quick", "-x")
    assert command[:2] == ("-m", f"not ({kit.LONG})") and command[-1] == "-x"


def test_some_tests_are_what_the_arguments_say(run_as):
    assert run_as("tests/views", "-k", "hue")[0][0] == ("tests/views", "-k", "hue")


def test_a_quick_test_that_fails_ends_it(run_as):
    assert len(run_as(code=1)) == 1, "no browser is opened"
