"""The command line as a user meets it: a run, its scoreboard, another data set, two processes, and mistakes said in
words."""

import json
import subprocess
import sys

import pytest
from photos import two_colours
from running import finish, one_thread, torchrun

from sslkit import checkpoint
from sslkit.__main__ import main
from sslkit.runs import load_run

SMALL = ["--data", "scenes", "--limit", "200", "--scale", "smoke"]

pytestmark = pytest.mark.usefixtures("smoke_scale")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "x"
    assert main(["pretrain", "simclr", *SMALL, "--seed", "0", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder with class subfolders: 60 noisy images of each of two colours."""
    folder = tmp_path_factory.mktemp("photos")
    two_colours(folder, 60)
    return folder


def test_a_start_imports_no_more_than_it_needs():
    """scikit-learn with pandas and SciPy takes as long to import as PyTorch; commands that need them import them."""
    seen = "import sslkit.commands.main, sys; print({'sklearn', 'scipy', 'pandas', 'nbformat'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_pretrain_keeps_a_run(run, capsys):
    method, state = load_run(run)
    assert state["name"] == "simclr" and state["data"] == "scenes" and state["seed"] == 0
    assert state["step"] == state["recipe"]["steps"] and not method.training
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, state["step"] + 1))


@pytest.mark.slow
def test_probe_prints_a_scoreboard(run, capsys):
    assert main(["probe", str(run), "--limit", "200", "--seeds", "2"]) == 0
    out = capsys.readouterr().out
    for word in ("pixels", "untrained", "simclr", "supervised", "kNN", "linear"):
        assert word.lower() in out.lower()


@pytest.mark.parametrize("data", ["fashion", "folder"])
@pytest.mark.slow
def test_probe_on_other_data(run, photos, data, capsys):
    """fashion is grey where the run saw colour; a folder holds images of another size."""
    name = f"folder:{photos}" if data == "folder" else data
    assert main(["probe", str(run), "--data", name, "--limit", "200", "--seeds", "1"]) == 0
    assert "simclr" in capsys.readouterr().out.lower()


def test_pretrain_on_a_folder_of_ones_own(photos, tmp_path):
    assert (
        main(["pretrain", "simclr", "--data", f"folder:{photos}", "--scale", "smoke", "--out", str(tmp_path / "r")])
        == 0
    )
    assert main(["probe", str(tmp_path / "r"), "--seeds", "1"]) == 0


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["pretrain", "simsiam", *SMALL], "no method 'simsiam'; there are"),
        (["pretrain", "simclr", "--data", "mnist"], "no data set 'mnist'; there are emoji, scenes"),
        (["pretrain", "simclr", *SMALL, "--encoder", "vgg"], "no encoder 'vgg'; there are small"),
        (["pretrain", "simclr", *SMALL, "--optimizer", "lion"], "no optimizer 'lion'; there are sgd"),
        (["pretrain", "simclr", "--data", "folder:/nowhere/at/all"], "/nowhere/at/all"),
        (["probe", "/nowhere/at/all"], "/nowhere/at/all"),
        (["pretrain", "simclr", "--data", "emoji", "--size", "64"], "emoji has no option size; it has artist"),
        (["pretrain", "simclr", "--data", "cifar10", "--frames", "4"], "cifar10 has no option frames; it has size"),
    ],
)
def test_mistakes_are_said_in_a_line(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error


@pytest.mark.slow
def test_a_run_that_does_not_say_its_size(run, photos, tmp_path, capsys):
    """As train() keeps it where about= leaves it out."""
    state = {
        key: value for key, value in checkpoint.load(run / "checkpoint.pt").items() if key not in ("size", "format")
    }
    checkpoint.save(tmp_path / "checkpoint.pt", state)
    probe = ["probe", str(tmp_path), "--limit", "60", "--seeds", "1", "--data"]
    assert main([*probe, f"folder:{photos}"]) == 2
    assert "does not say its size" in capsys.readouterr().err
    assert main([*probe, f"folder:{photos}", "--size", "32"]) == 0 == main([*probe, "scenes"])


def test_half_of_what_torchrun_sets_is_said(capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["data"]) == 2
    assert "RANK expected" in capsys.readouterr().err


def test_what_helps_without_a_network_is_said(tmp_path, capsys, monkeypatch):
    def refuse(*_, **__):
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setenv("SSLKIT_DATA", str(tmp_path))
    assert main(["pretrain", "simclr", "--data", "cifar10", "--out", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and "put the folder cifar-10-batches-bin/" in error


@pytest.mark.parametrize(
    "arguments",
    [["train", "simclr"], ["pretrain", "simclr", "--sclae", "smoke"], ["pretrain", "simclr", "--scale", "big"]],
)
def test_unknown_commands_and_options_list_what_exists(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 2 and ("--scale" in error or "pretrain" in error or "smoke" in error)


def test_a_run_is_not_written_over_by_mistake(run, capsys):
    before = (run / "checkpoint.pt").read_bytes()
    assert main(["pretrain", "simclr", *SMALL, "--out", str(run)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert (run / "checkpoint.pt").read_bytes() == before


def test_resume_needs_a_run(tmp_path, capsys):
    assert main(["pretrain", "simclr", *SMALL, "--out", str(tmp_path), "--resume"]) == 2
    assert "no checkpoint" in capsys.readouterr().err


@pytest.mark.slow
def test_torchrun_on_two_processes(tmp_path):
    command = torchrun(2, "pretrain", "simclr", *SMALL, "--out", tmp_path / "r")
    said = finish(command, one_thread(), timeout=300)
    assert "2 process" in said and said.count("Kept in") == 1
    state = checkpoint.load(tmp_path / "r" / "checkpoint.pt")
    assert state["step"] == state["recipe"]["steps"]
    assert all(not name.startswith("module.") for name in state["model"])
    load_run(tmp_path / "r")
