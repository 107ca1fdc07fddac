"""The folder of a run: one run at a time, and words when it cannot be written to."""

import os
import shutil
import signal
import subprocess
import time

import pytest
import torch
from running import alone, one_thread, short_run
from states import same, weights
from torch import nn

from sslkit import checkpoint
from sslkit.__main__ import main
from sslkit.train import Recipe, train

RECIPE, X = Recipe(steps=6, lr=0.1, batch=4), torch.rand(16, 3)


class Line(nn.Module):
    """The smallest method."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 2)

    def pretext(self, x, generator):
        return x

    def forward(self, x):
        return self.layer(x).square().mean(), {}

    def chance(self, batch):
        return 1.0


def test_a_second_run_on_a_folder_is_refused_and_the_first_goes_on(tmp_path):
    first = train(Line(), X, RECIPE, out=tmp_path)
    next(first)
    for resume in (False, True):
        with pytest.raises(ValueError, match="another run is writing to .*choose another folder"):
            next(train(Line(), X, RECIPE, out=tmp_path, resume=resume))
    assert [record.step for record in first] == [2, 3, 4, 5, 6]
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] == 6


@pytest.mark.parametrize("end", ["to its end", "closed", "failed"])
def test_the_folder_is_free_after_a_run(tmp_path, end):
    method = Line()
    records = train(method, X, RECIPE, out=tmp_path)
    next(records)
    if end == "closed":
        records.close()
    elif end == "failed":
        method.pretext = None
        with pytest.raises(TypeError):
            next(records)
    else:
        list(records)
    list(train(Line(), X, RECIPE, out=tmp_path, resume=True))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_two_commands_on_one_folder_and_a_killed_one_blocks_nobody(tmp_path):
    command = [*alone(*short_run(2000)), "--out", tmp_path / "run"]
    first = subprocess.Popen(command, env=one_thread(SSLKIT_SAVE_EVERY="0"), stdout=subprocess.DEVNULL)
    while not (tmp_path / "run/checkpoint.pt").exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = subprocess.run([*command, "--resume"], env=one_thread(), capture_output=True, text=True)
    assert second.returncode == 2 and "another run is writing to" in second.stderr and second.stderr.count("\n") == 1
    assert first.poll() is None
    first.kill()
    first.wait()
    third = subprocess.Popen([*command, "--resume"], env=one_thread(), stdout=subprocess.PIPE, text=True)
    while " loss " not in third.stdout.readline():
        assert third.poll() is None
    third.send_signal(signal.SIGINT)
    assert "Kept in" in third.communicate(timeout=60)[0]


def full(*_):
    raise OSError(28, "No space left on device")


def test_a_disk_that_fills_up_ends_the_run_in_words_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    method, states = Line(), []
    with pytest.raises(OSError, match="could not be written.*No space left.*still there, whole.*resume"):
        for record in train(method, X, RECIPE, out=tmp_path, save_every=0):
            states.append(weights(method))
            if record.step == 3:
                monkeypatch.setattr(os, "fsync", full)
    monkeypatch.undo()
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 3 and same(state["model"], states[2])
    list(train(whole := Line(), X, RECIPE))
    list(train(again := Line(), X, RECIPE, out=tmp_path, resume=True))
    assert same(weights(again), weights(whole))


def test_a_folder_that_vanishes_is_made_again(tmp_path):
    method = Line()
    for record in train(method, X, RECIPE, out=tmp_path / "run"):
        if record.step == 3:
            shutil.rmtree(tmp_path / "run")
    assert same(checkpoint.load(tmp_path / "run/checkpoint.pt")["model"], weights(method))


def test_a_folder_that_cannot_be_written_to_is_said_before_the_first_step(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="nothing can be written to .*choose another folder"):
        next(train(Line(), X, RECIPE, out=tmp_path / "file/run"))


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path, capsys):
    (tmp_path / "log.jsonl").mkdir()
    assert main([*short_run(5), "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err.count("log.jsonl cannot be written") == 1
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] == 5
