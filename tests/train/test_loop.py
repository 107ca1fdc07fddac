"""The training loop: schedule, order, resume, interruption, and losses that are not finite."""

import math
import os
import signal
import subprocess
import threading

import pytest
import torch
from running import alone, one_thread, short_run
from states import same, weights
from torch import nn
from two_processes import in_two_processes

from sslkit import checkpoint
from sslkit import train as training
from sslkit.train import Recipe, Stopped, batch_indices, build, learning_rate, train
from sslkit.views import RandomResizedCrop


class Denoise(nn.Module):
    """A small method with batch norm, dropout, random views and an after_step: all that a resume must bring back."""

    def __init__(self, encoder, width=8):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(encoder.dim, width), nn.BatchNorm1d(width), nn.Linear(width, 3)
        )
        self.register_buffer("average", torch.zeros(()))

    def pretext(self, x, generator):
        view = RandomResizedCrop()(x, generator)
        return view, view.mean((2, 3))

    def forward(self, batch):
        view, target = batch
        loss = (self.head(self.encoder(view)).float() - target).square().mean()
        return loss, {"target": target}

    def after_step(self, progress):
        self.average.mul_(0.5).add_(progress)


X = torch.randint(256, (50, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
RECIPE = Recipe(steps=9, lr=0.05, batch=16)


def fresh(seed=0):
    return build(Denoise, RECIPE, seed=seed)


def test_the_same_seed_gives_the_same_run_and_another_does_not():
    runs = []
    for seed in (0, 0, 1):
        method = fresh(seed)
        losses = [record.loss for record in train(method, X, RECIPE, seed=seed)]
        runs.append((losses, weights(method)))
    assert runs[0][0] == runs[1][0] and same(runs[0][1], runs[1][1])
    assert runs[0][0] != runs[2][0]


def test_the_loss_falls():
    method = fresh()
    losses = [record.loss for record in train(method, X, RECIPE.but(steps=40))]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("stop", [1, 4, 8])
def test_resume_equals_uninterrupted_bit_for_bit(tmp_path, stop, optimizer):
    recipe = RECIPE.but(optimizer=optimizer, lr=0.01)
    whole = fresh()
    losses = [record.loss for record in train(whole, X, recipe)]

    first = fresh()
    records = train(first, X, recipe, out=tmp_path)
    before = [next(records).loss for _ in range(stop)]
    records.close()  # as a kernel that is interrupted between steps
    second = fresh(seed=5)  # other weights: all must come from the checkpoint
    torch.rand(7)  # and another place in the random stream
    after = [record.loss for record in train(second, X, recipe, out=tmp_path, resume=True)]
    assert before + after == losses
    assert same(weights(second), weights(whole))


def test_resume_of_a_finished_run_does_nothing(tmp_path):
    method = fresh()
    assert len(list(train(method, X, RECIPE, out=tmp_path))) == 9
    assert list(train(fresh(), X, RECIPE, out=tmp_path, resume=True)) == []


def test_resume_refuses_other_settings(tmp_path):
    list(train(fresh(), X, RECIPE, out=tmp_path))
    with pytest.raises(ValueError, match="lr|recipe"):
        list(train(fresh(), X, RECIPE.but(lr=0.5), out=tmp_path, resume=True))
    with pytest.raises(ValueError, match="seed"):
        list(train(fresh(), X, RECIPE, seed=3, out=tmp_path, resume=True))


def test_interrupt_ends_after_the_step_in_hand_and_keeps_it(tmp_path):
    class Interrupted(Denoise):
        steps = 0

        def forward(self, batch):
            Interrupted.steps += 1
            if Interrupted.steps == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return super().forward(batch)

    method = build(Interrupted, RECIPE)
    records = []
    with pytest.raises(
        Stopped, match="Stopped after step 3 of 9; what was learned is kept, and resume=True goes on from"
    ):
        for record in train(method, X, RECIPE, out=tmp_path):
            records.append(record)
    assert [r.step for r in records] == [1, 2, 3]
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 3 and same(state["model"], weights(method))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_between_steps_reaches_the_caller():
    records = train(fresh(), X, RECIPE)
    next(records)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_trains_in_a_thread():
    method, steps = fresh(), []
    thread = threading.Thread(target=lambda: steps.extend(train(method, X, RECIPE)))
    thread.start()
    thread.join(60)
    assert len(steps) == 9


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_in_words_and_keeps_the_last_good_checkpoint(tmp_path, bad):
    class Diverges(Denoise):
        def forward(self, batch):
            loss, extras = super().forward(batch)
            return (loss * bad if self.average > 0.2 else loss), extras

    method, error = build(Diverges, RECIPE), None
    try:
        for _ in train(method, X, RECIPE, out=tmp_path, save_every=0.0):
            good = weights(method)
    except FloatingPointError as raised:
        error = str(raised)
    assert error and "at step" in error and "learning rate" in error and "Try" in error
    assert same(checkpoint.load(tmp_path / "checkpoint.pt")["model"], good)


def test_without_a_warm_up_the_first_step_has_the_whole_rate():
    assert learning_rate(Recipe(steps=10, lr=1.0, warmup=0.0), 0) == 1.0


def test_learning_rate_warms_up_and_falls_to_zero():
    recipe = Recipe(steps=100, lr=2.0, warmup=0.1)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2) and rates[9] == pytest.approx(2.0) and rates[10] == pytest.approx(2.0)
    assert rates[55] == pytest.approx(1.0) and 0 < rates[99] < 0.01
    assert all(a <= b for a, b in zip(rates[:10], rates[1:10])) and all(a >= b for a, b in zip(rates[10:], rates[11:]))


def test_every_image_once_an_epoch_in_another_order():
    epochs = [torch.cat([batch_indices(50, 16, epoch * 3 + i, seed=0) for i in range(3)]) for epoch in range(2)]
    for order in epochs:
        assert len(order.unique()) == 48
    assert not torch.equal(*epochs)
    assert not torch.equal(batch_indices(50, 16, 0, seed=0), batch_indices(50, 16, 0, seed=1))


def test_no_weight_decay_on_biases_and_batch_norm():
    optimizer = training.make_optimizer(fresh(), RECIPE)
    assert (
        all(p.ndim > 1 for p in optimizer.param_groups[0]["params"]) and optimizer.param_groups[0]["weight_decay"] > 0
    )
    assert (
        all(p.ndim == 1 for p in optimizer.param_groups[1]["params"]) and optimizer.param_groups[1]["weight_decay"] == 0
    )


def test_bad_settings_are_said():
    with pytest.raises(ValueError, match="sgd, adamw and muon"):
        training.make_optimizer(fresh(), RECIPE.but(optimizer="lion"))
    with pytest.raises(ValueError, match="at least two images"):
        next(train(fresh(), X[:1], RECIPE))
    with pytest.raises(ValueError, match="smoke, demo, laptop, shelf, gpu"):
        training.scale("huge")


def test_scale_and_recipe_choice(monkeypatch):
    recipes = {"laptop": Recipe(steps=500, lr=1.0), "gpu": Recipe(steps=9000, lr=1.0, encoder="resnet18")}
    monkeypatch.setenv("SSLKIT_SCALE", "gpu")
    assert training.choose(recipes).encoder == "resnet18"
    assert training.choose(recipes, "laptop").steps == 500
    assert training.choose(recipes, "smoke").steps < 20
    with pytest.raises(ValueError, match="no recipe for the scale 'shelf'; it has laptop, gpu"):
        training.choose(recipes, "shelf")


def test_streamed_images_are_prefetched_one_batch_ahead():
    class Streamed:
        shape, asked = X.shape, []

        def __len__(self):
            return len(X)

        def __getitem__(self, index):
            return X[index]

        def prefetch(self, index):
            self.asked.append(index)

    streamed, method, twin = Streamed(), fresh(), fresh()
    a = [record.loss for record in train(method, streamed, RECIPE)]
    b = [record.loss for record in train(twin, X, RECIPE)]
    assert a == b
    assert all(torch.equal(index, batch_indices(50, 16, step + 1, 0)) for step, index in enumerate(streamed.asked))
    assert len(streamed.asked) == 8


@pytest.mark.slow
def test_killed_at_any_moment_resumes_to_the_same_weights(tmp_path):
    """SIGKILL between and within steps and saves, then --resume: the command line's last checkpoint equals an
    uninterrupted one's."""
    base = alone(*short_run(60))
    env = one_thread(SSLKIT_SAVE_EVERY="0", SSLKIT_PRECISION="float32")
    subprocess.run([*base, "--out", tmp_path / "whole"], check=True, env=env, capture_output=True)
    process = subprocess.Popen([*base, "--out", tmp_path / "cut"], env=env, stdout=subprocess.PIPE, text=True)
    log = tmp_path / "cut" / "log.jsonl"
    while process.poll() is None and not (log.exists() and log.read_text().count("\n") >= 7):
        pass
    process.kill()
    process.wait()
    assert checkpoint.load(tmp_path / "cut" / "checkpoint.pt")["step"] < 60
    subprocess.run([*base, "--out", tmp_path / "cut", "--resume"], check=True, env=env, capture_output=True)
    a, b = (checkpoint.load(tmp_path / run / "checkpoint.pt") for run in ("whole", "cut"))
    assert a["step"] == b["step"] == 60 and same(a["model"], b["model"])


class Watching(nn.Module):
    """Notes what the loop does with it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.norm = nn.Linear(3, 2), nn.BatchNorm1d(2)
        self.seen: list[float] = []
        self.draws: list[torch.Tensor] = []

    def pretext(self, x, generator):
        self.draws.append(torch.cat([torch.rand(4, generator=generator), torch.rand(4)]))
        return x

    def forward(self, x):
        return self.norm(self.layer(x)).pow(4).mean(), {}

    def after_step(self, progress):
        self.seen.append(progress)

    def chance(self, batch):
        return 1.0


def test_the_method_is_in_training_mode_and_told_how_far_it_is():
    method = Watching().eval()
    list(train(method, torch.rand(16, 3), Recipe(steps=4, lr=0.1, batch=4)))
    assert method.seen == [0.25, 0.5, 0.75, 1.0]
    assert method.training and method.norm.num_batches_tracked == 4


def draws() -> dict:
    method = Watching()
    list(train(method, torch.rand(16, 3), Recipe(steps=3, lr=0.1, batch=8), seed=2))
    return {"draws": torch.stack(method.draws)}


def test_every_step_and_every_process_has_random_numbers_of_its_own(tmp_path):
    first, second = (found["draws"].flatten() for found in in_two_processes(draws, tmp_path))
    assert len(torch.cat([first, second]).unique()) == 2 * 3 * 4, (
        "views and dropout share the numbers of a step, nobody else does"
    )
