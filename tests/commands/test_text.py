"""The command line with text: both methods on a folder of .txt files, their tokens in the run, a text that goes on."""

import pytest
from running import finish, one_thread, torchrun

from sslkit import checkpoint
from sslkit.__main__ import main
from sslkit.chapters import data_of, kind_of, methods
from sslkit.runs import load_run
from sslkit.tokenizer import BytePair

RHYMES = {
    "sea": "The ship sails over the sea, and the wind fills the sail. The gulls cry over the grey water.",
    "wood": "The fox runs through the wood, and the leaves fall on the path. The owl sleeps in the hollow oak.",
}

pytestmark = pytest.mark.usefixtures("smoke_scale")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Two classes of 12 files each, no two lines the same."""
    folder = tmp_path_factory.mktemp("texts")
    for label, rhyme in RHYMES.items():
        (folder / label).mkdir()
        for i in range(12):
            lines = "\n".join(f"{line} This is line {12 * i + line} of {label}. {rhyme}" for line in range(12))
            (folder / label / f"{i}.txt").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def runs(texts, tmp_path_factory):
    """A finished run of each method, by name."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("bert", "gpt"):
        assert main(["pretrain", name, "--data", f"folder:{texts}", "--out", str(folder / name)]) == 0
    return {name: folder / name for name in ("bert", "gpt")}


def test_text_is_what_they_learn_from_unless_told():
    wanted = {"tokens": "text", "clips": "moving", "images": "scenes"}
    assert all(data_of(name) == wanted[kind_of(name)] for name in methods()) and kind_of("bert") == "tokens"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert", "gpt"])
def test_a_run_keeps_its_tokens(runs, name):
    method, state = load_run(runs[name])
    tokens = BytePair.from_state(state["tokenizer"])
    assert method.encoder.vocabulary == len(tokens) > 259
    assert tokens.decode(tokens.encode("the ship 😀")) == "the ship 😀"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert", "gpt"])
def test_it_is_judged_beside_tf_idf(runs, name, capsys):
    assert main(["probe", str(runs[name]), "--seeds", "1"]) == 0
    out = capsys.readouterr().out
    for word in ("tf-idf", "untrained", name, "supervised", "passages"):
        assert word in out
    assert "images" not in out and "pixels" not in out


@pytest.mark.slow
def test_a_run_is_resumed_with_the_same_texts_alone(texts, tmp_path, capsys):
    command = ["pretrain", "gpt", "--data", f"folder:{texts}", "--out", str(tmp_path / "run")]
    assert main(command) == 0
    before = (tmp_path / "run" / "log.jsonl").read_text()
    assert main([*command, "--resume"]) == 0 and (tmp_path / "run" / "log.jsonl").read_text() == before
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("\n".join(f"Quite another text, line {i}." for i in range(400)))
    assert main(["pretrain", "gpt", "--data", f"folder:{other}", "--out", str(tmp_path / "run"), "--resume"]) == 2
    error = capsys.readouterr().err
    assert "started with another" in error or "another shape" in error
    assert len(error) < 600, "a vocabulary of two thousand words is no error message"


@pytest.mark.slow
def test_generate_goes_on_with_a_prompt(runs, capsys):
    def said(*arguments):
        assert main(["generate", str(runs["gpt"]), *arguments, "--tokens", "20"]) == 0
        return capsys.readouterr().out

    first = said("The ship", "--seed", "1")
    assert first.startswith("The ship") and len(first) > len("The ship") + 3
    assert first == said("The ship", "--seed", "1") != said("The ship", "--seed", "2")
    assert said("The ship", "--temperature", "0") == said("The ship", "--top-k", "1", "--seed", "3")
    assert said() and said("", "--seed", "4")
    assert said("Ünïcode 😀 ", "--top-p", "0.9").startswith("Ünïcode 😀 ")
    long = "The ship sails over the sea. " * 200
    assert said(long).startswith(long)


@pytest.mark.parametrize("options", [["--temperature", "-1"], ["--top-k", "0"], ["--top-p", "1.5"], ["--tokens", "-3"]])
def test_settings_that_make_no_sense_are_said(runs, options, capsys):
    assert main(["generate", str(runs["gpt"]), "The", *options]) == 2
    assert options[0].strip("-").replace("-", "_") in capsys.readouterr().err.replace("count", "tokens")


def test_a_run_that_does_not_say_its_tokens(runs, texts, tmp_path, capsys):
    state = checkpoint.load(runs["gpt"] / "checkpoint.pt")
    checkpoint.save(tmp_path / "checkpoint.pt", {k: v for k, v in state.items() if k not in ("tokenizer", "format")})
    for command in (["generate", str(tmp_path)], ["probe", str(tmp_path), "--data", f"text:{texts}"]):
        assert main(command) == 2
        assert "does not say its tokenizer" in capsys.readouterr().err


def test_what_does_not_go_together_is_said(runs, texts, tmp_path, capsys):
    out = ["--out", str(tmp_path / "run")]
    assert main(["pretrain", "gpt", "--data", "scenes", "--limit", "50", *out]) == 2
    assert "gpt learns from text" in capsys.readouterr().err
    assert main(["pretrain", "simclr", "--data", f"folder:{texts}", *out]) == 2
    assert "simclr learns from images" in capsys.readouterr().err
    assert main(["generate", str(runs["bert"]), "The"]) == 2
    assert "writes no text" in capsys.readouterr().err
    assert main(["pretrain", "bert", "--data", f"text:{tmp_path / 'nowhere'}", *out]) == 2
    assert "no folder" in capsys.readouterr().err
    assert main(["pretrain", "bert", "--data", "text:", *out]) == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert", "gpt"])
def test_two_processes_train_one_run(name, texts, tmp_path):
    out = tmp_path / "run"
    words = ["pretrain", name, "--data", f"folder:{texts}", "--out", str(out), "--batch", "8", "--steps", "4"]
    said = finish(torchrun(2, *words), one_thread(), timeout=240)
    assert checkpoint.load(out / "checkpoint.pt")["step"] == 4
    assert said.count("2 process(es)") == 1
