"""A step that fails half-way, a run that is told to stop, a run that goes on with other processes: in one process."""

import os
import signal

import pytest
import torch
from states import same, weights
from torch import nn

from sslkit import checkpoint, dist
from sslkit.train import Recipe, build, interrupts_wait, other_processes, train

RECIPE = Recipe(steps=6, lr=0.05, batch=8)
X = torch.randint(256, (24, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Spread(nn.Module):
    """Batch norm and dropout, and a forward pass that fails when told to, after batch norm has counted the batch."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.drop, self.fails_at, self.calls = encoder, nn.Dropout(0.3), None, 0

    def pretext(self, x, generator):
        return x.float() / 255

    def forward(self, x):
        h = self.drop(self.encoder(x))
        self.calls += 1
        if self.calls == self.fails_at:
            raise MemoryError("full")
        return -h.float().std(0).mean(), {}


def test_what_is_saved_after_a_failure_is_the_last_whole_step(tmp_path):
    whole, states = build(Spread, RECIPE), []
    for _ in train(whole, X, RECIPE):
        states.append(weights(whole))
    broken = build(Spread, RECIPE)
    broken.fails_at = 4
    with pytest.raises(MemoryError):
        list(train(broken, X, RECIPE, out=tmp_path))
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 3 and state["processes"] == 1 and same(state["model"], states[2])
    assert same(weights(broken), states[2])
    again = build(Spread, RECIPE, seed=1)
    list(train(again, X, RECIPE, out=tmp_path, resume=True))
    assert same(weights(again), states[-1])


def test_a_torn_step_is_never_saved_even_where_nothing_was_saved_before(tmp_path):
    method = build(Spread, RECIPE)

    def after_step(progress):
        if progress > 0.5:
            raise MemoryError("full")

    method.after_step = after_step
    with pytest.raises(MemoryError):
        list(train(method, X, RECIPE, out=tmp_path, save_every=60))
    kept = tmp_path / "checkpoint.pt"
    assert not kept.exists() or not same(
        checkpoint.load(kept)["model"], weights(method)
    )  # a slow machine saves on the way


@pytest.mark.parametrize("fails", ["step", "after_step"])
def test_a_step_that_is_taken_by_half_is_not_saved(tmp_path, monkeypatch, fails):
    """The optimizer, or what a method does after it, fails when weights have moved already: the last checkpoint stays."""
    method = build(Spread, RECIPE)
    states, calls = [], []

    def broken(*_):
        calls.append(1)
        if len(calls) == 4:
            with torch.no_grad():
                next(method.parameters()).add_(1)
            raise MemoryError("full")

    if fails == "step":
        monkeypatch.setattr("sslkit.train.loop.limit_gradients", broken)
    else:
        method.after_step = broken
    with pytest.raises(MemoryError):
        for _ in train(method, X, RECIPE, out=tmp_path, save_every=0):
            states.append(weights(method))
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 3 and same(state["model"], states[2]) and not same(weights(method), states[2])


@pytest.mark.parametrize("stop", [None, lambda: False], ids=["alone", "with a stop of one's own"])
@pytest.mark.parametrize("owner, name", [(torch.optim.SGD, "step"), (torch, "save")], ids=["step", "save"])
def test_ctrl_c_leaves_whole_steps_wherever_it_comes(tmp_path, monkeypatch, stop, owner, name):
    """When weights have moved, or a checkpoint is being written: the step is done, saved, and resumed bit for bit."""
    whole, states = build(Spread, RECIPE), []
    for _ in train(whole, X, RECIPE):
        states.append(weights(whole))
    method, real, calls = build(Spread, RECIPE), getattr(owner, name), []

    def interrupted(*args):
        real(*args)
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(train(method, X, RECIPE, out=tmp_path, save_every=0, stop=stop))
    monkeypatch.undo()
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 3 and same(state["model"], states[2]) and same(weights(method), states[2])
    again = build(Spread, RECIPE, seed=1)
    list(train(again, X, RECIPE, out=tmp_path, resume=True))
    assert same(weights(again), states[-1])


def test_stop_is_asked_after_each_step(tmp_path, capsys):
    asked = []
    method = build(Spread, RECIPE)
    records = list(train(method, X, RECIPE, out=tmp_path, stop=lambda: asked.append(1) or len(asked) == 2))
    assert [r.step for r in records] == [1, 2] and "Stopped after step 2 of 6" in capsys.readouterr().out
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] == 2


def test_random_numbers_drawn_between_steps_do_not_change_a_run():
    losses = []
    for draws in (0, 3):
        method, found = build(Spread, RECIPE), []
        for record in train(method, X, RECIPE):
            torch.rand(draws)
            found.append(record.loss)
        losses.append(found)
    assert losses[0] == losses[1]


def test_it_says_what_another_number_of_processes_means(tmp_path, capsys):
    method = build(Spread, RECIPE)
    records = train(method, X, RECIPE, out=tmp_path)
    next(records)
    records.close()
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    checkpoint.save(tmp_path / "checkpoint.pt", {**{k: v for k, v in state.items() if k != "format"}, "processes": 3})
    list(train(build(Spread, RECIPE), X, RECIPE, out=tmp_path, resume=True))
    said = capsys.readouterr().out
    assert "started with 3 process(es) and goes on with 1" in said and "8 images" in said
    assert "the same images" in other_processes(2, 8)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_signals_wait_and_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with interrupts_wait(signal.SIGINT, signal.SIGTERM) as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked() == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_alone_there_is_nobody_to_agree_with_or_to_lose():
    assert dist.agree(torch.tensor(2.0), True) == (2.0, True) and dist.agree(torch.tensor(0.5), False) == (0.5, False)
    assert not dist.is_lost(RuntimeError("gloo: Connection closed by peer"))
    method = nn.BatchNorm1d(2)
    dist.settle(method)
    dist.average([method.running_mean])
    assert torch.equal(method.running_mean, torch.zeros(2))


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signal 0")
def test_a_process_runs_until_it_is_buried():
    child = os.fork()
    if not child:
        os._exit(0)
    assert dist.runs(os.getpid())
    os.waitpid(child, 0)
    assert not dist.runs(child)
