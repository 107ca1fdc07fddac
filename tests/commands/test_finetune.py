"""python -m sslkit finetune RUN: what it prints, other data, and mistakes said in words."""

import re

import pytest
from photos import two_colours
from running import finish, one_thread, torchrun

from sslkit.__main__ import main

SHORT = ["--limit", "200", "--steps", "3", "--seeds", "2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "x"
    options = ["--data", "scenes", "--limit", "200", "--scale", "smoke", "--out", str(folder)]
    assert main(["pretrain", "simclr", *options]) == 0
    return folder


@pytest.mark.slow
def test_it_sets_fine_tuned_beside_from_scratch(run, capsys):
    assert main(["finetune", str(run), "--per-class", "5", *SHORT]) == 0
    out = result(capsys)
    for start in ("fine-tuned", "from scratch", "difference"):
        assert re.search(rf"^{start} +[-+]?[\d.]+ ± [\d.]+$", out, re.MULTILINE), out
    assert "5 labels per class" in out and "over 2 choice(s)" in out and "200 samples" in out
    assert "labels of seed 1:" in out
    assert main(["finetune", str(run / "checkpoint.pt"), "--per-class", "5", *SHORT]) == 0
    assert result(capsys) == out  # a checkpoint's file will do, and seeds repeat


def result(capsys) -> str:
    """What was printed, but for the lines on progress, which a fast machine does not show."""
    return "\n".join(line for line in capsys.readouterr().out.splitlines() if " steps, " not in line)


@pytest.mark.slow
def test_it_keeps_its_checkpoints_and_goes_on_from_them(run, tmp_path, capsys):
    command = ["finetune", str(run), "--per-class", "5", *SHORT, "--out", str(tmp_path)]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert len(list(tmp_path.glob("*-[01]/lr-*/checkpoint.pt"))) == 2 * 2 * 2  # starts, choices of labels, rates
    assert main([*command, "--resume"]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.slow
def test_two_processes_say_it_once(run):
    said = finish(torchrun(2, "finetune", run, "--per-class", "5", *SHORT), one_thread(), timeout=120)
    assert said.count("labels of seed 1:") == 1 and said.count("from scratch ") >= 1


def test_it_takes_all_labels_and_a_folder_of_ones_own(run, tmp_path, capsys):
    two_colours(tmp_path, 30)
    command = ["finetune", str(run), "--data", f"folder:{tmp_path}", "--all", "--steps", "3", "--seeds", "1"]
    assert main(command) == 0
    assert "all" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, said",
    [
        (["--per-class", "5000"], "5000 labels per class were asked for"),
        (["--per-class", "0"], "per_class must be at least 1"),
        (["--seeds", "0"], "at least one seed"),
        (["--data", "moving"], "clips"),
        (["--resume"], "name their folder with --out"),
    ],
)
def test_mistakes_are_said_in_a_line(run, options, said, capsys):
    assert main(["finetune", str(run), *SHORT, *options]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
