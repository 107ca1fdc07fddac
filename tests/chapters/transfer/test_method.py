"""Pseudo-labels, FixMatch, learning rates per layer: against slow forms from the papers, and what breaks them."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslkit.chapters.transfer.method import (
    STRONG,
    Cutout,
    FixMatch,
    consistency_loss,
    layer_groups,
    ramp,
    rates_per_layer,
    semi_supervised,
    stages,
)
from sslkit.datasets import Dataset, Split
from sslkit.nets import build_encoder
from sslkit.probes import finetune
from sslkit.train import Recipe, train

pytestmark = pytest.mark.usefixtures("plain_precision")


def logits(seed, n=12, k=5, spread=3.0):
    return spread * torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- the loss --------------------------------------------------------------------------------------------------------


def fixmatch_oracle(weak, strong, threshold):
    """Sohn et al. 2020, eq. 4, image by image in plain Python."""
    total, passed = 0.0, []
    for q, s in zip(weak.tolist(), strong.tolist()):
        p = [math.exp(v) / sum(map(math.exp, q)) for v in q]
        guess = max(range(len(p)), key=p.__getitem__)
        passed.append(p[guess] >= threshold)
        if passed[-1]:
            total -= math.log(math.exp(s[guess]) / sum(map(math.exp, s)))
    return total / len(weak), passed


def gradient_oracle(weak, strong, threshold):
    """By hand: (softmax(strong) - one-hot) / N where the weak view is sure, else 0."""
    p = weak.softmax(1)
    rows = (strong.softmax(1) - F.one_hot(p.argmax(1), p.shape[1])) / len(p)
    return rows * (p.amax(1) >= threshold)[:, None]


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.8, 0.95, 1.0])
def test_fixmatch_loss_is_the_papers(threshold):
    weak, strong = logits(0).requires_grad_(), logits(1).requires_grad_()
    loss = consistency_loss(weak, strong, threshold)
    assert loss.item() == pytest.approx(fixmatch_oracle(weak.detach(), strong.detach(), threshold)[0], abs=1e-12)
    loss.backward()
    torch.testing.assert_close(strong.grad, gradient_oracle(weak.detach(), strong.detach(), threshold))
    assert weak.grad is None


def test_the_oracle_tells_broken_losses_apart():
    weak, strong = logits(2), logits(3)
    expected = fixmatch_oracle(weak, strong, 0.8)[0]
    confidence, labels = weak.softmax(1).max(1)
    losses, sure = F.cross_entropy(strong, labels, reduction="none"), confidence >= 0.8
    broken = {
        "mean over the sure": losses[sure].mean(),
        "no threshold": losses.mean(),
        "views exchanged": consistency_loss(strong, weak, 0.8),
        "soft": (F.cross_entropy(strong, weak.softmax(1), reduction="none") * sure).mean(),
    }
    for name, value in broken.items():
        assert abs(value.item() - expected) > 1e-3, name


def test_one_view_without_threshold_is_lees_pseudo_label():
    """Lee 2013, eq. 15: cross-entropy against one's own best guess: minus the log of the highest probability."""
    z = logits(4).requires_grad_()
    loss = consistency_loss(z, z, 0.0)
    assert loss.item() == pytest.approx(-z.softmax(1).amax(1).log().mean().item())
    loss.backward()
    assert z.grad.abs().sum() > 0


def test_closed_forms():
    sure = torch.tensor([[20.0, 0, 0]])
    assert consistency_loss(sure, torch.zeros(1, 3), 0.95).item() == pytest.approx(math.log(3))
    assert consistency_loss(torch.zeros(4, 3), torch.randn(4, 3), 0.95) == 0  # nobody is sure
    two = torch.cat([sure, torch.zeros(1, 3)])
    assert consistency_loss(two, torch.zeros(2, 3), 0.95).item() == pytest.approx(math.log(3) / 2)  # divided by all


def test_reaching_the_threshold_is_enough():
    even = torch.zeros(1, 2)  # a probability of exactly a half
    assert (
        consistency_loss(even, even, 0.5).item() == pytest.approx(math.log(2))
        and consistency_loss(even, even, 0.51) == 0
    )


def test_the_loss_stays_in_full_precision_under_autocast():
    weak, strong = logits(5).float(), logits(6).float()
    with torch.autocast("cpu", torch.bfloat16):
        loss = consistency_loss(weak.bfloat16(), strong.bfloat16(), 0.5)
    assert loss.dtype == torch.float32
    extreme = torch.tensor([[1e4, -1e4]])
    assert torch.isfinite(consistency_loss(extreme, extreme.flip(1), 1.0))


def test_lees_ramp():
    assert [ramp(p, 0.2, 0.6) for p in (0.0, 0.2, 0.4, 0.6, 0.9)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert ramp(0.0, 0.0, 0.0) == 1


# --- the method ------------------------------------------------------------------------------------------------------


class Tint(nn.Module):
    def __init__(self, dim=6):
        super().__init__()
        self.dim, self.layers = dim, nn.Sequential(nn.Conv2d(3, dim, 3, 2), nn.BatchNorm2d(dim), nn.ReLU())

    def forward(self, x):
        return self.layers(x).mean((2, 3))


def tints(n=120, seed=0):
    """Class c is brighter in channel c."""
    y = torch.arange(n) % 3
    x = torch.randint(0, 180, (n, 3, 12, 12), generator=torch.Generator().manual_seed(seed))
    x[torch.arange(n), y] += 40
    return Split(x.to(torch.uint8), y)


def learner(**options):
    torch.manual_seed(0)
    split = tints()
    return FixMatch(Tint(), split.x[:6], split.y[:6], 3, **options), split


def test_pretext_and_forward_are_the_formula():
    method, split = learner(ratio=4, threshold=0.4, weight=2.0)
    nn.init.normal_(method.network[2].weight)
    batch = method.pretext(split.x[:16], torch.Generator().manual_seed(1))
    labelled, y, weak, strong = batch
    assert labelled.shape == (4, 3, 12, 12) and weak.shape == strong.shape == (16, 3, 12, 12) and y.shape == (4,)
    assert all(v.dtype == torch.float32 and 0 <= v.min() and v.max() <= 1 for v in (labelled, weak, strong))
    again = method.pretext(split.x[:16], torch.Generator().manual_seed(1))
    assert all(torch.equal(a, b) for a, b in zip(batch, again))
    loss, extras = method(batch)
    with torch.no_grad():
        logits, guess = method.network(torch.cat([labelled, strong])), method.network(weak)
    unsupervised, passed = fixmatch_oracle(guess, logits[4:], 0.4)
    supervised = F.cross_entropy(logits[:4], y).item()
    assert loss.item() == pytest.approx(supervised + 2 * unsupervised, rel=1e-5)
    assert extras["passed"].tolist() == passed and extras["supervised"].item() == pytest.approx(supervised, rel=1e-5)
    assert method.chance(16) == pytest.approx(math.log(3))
    assert learner(threshold=0.2, weight=2.0)[0].chance(16) == pytest.approx(3 * math.log(3))  # a third passes


def test_labels_stay_with_their_images():
    method, split = learner(ratio=1, weak=lambda x, g: x.float() / 255)
    labelled, y, *_ = method.pretext(split.x[:32], torch.Generator().manual_seed(0))
    assert torch.equal(labelled.mean((2, 3)).argmax(1), y) and set(y.tolist()) == {0, 1, 2}


def test_one_view_for_both_roles():
    method, split = learner(strong=None, threshold=0.0, rise=(0.2, 0.8))
    batch = method.pretext(split.x[:16], torch.Generator())
    assert len(batch) == 3
    loss, extras = method(batch)
    assert loss.item() == pytest.approx(extras["supervised"].item())  # the ramp begins at 0
    method.after_step(0.5)
    loss, extras = method(batch)
    assert extras["unsupervised"] > 0 and method.risen.item() == pytest.approx(0.5)
    assert loss.item() == pytest.approx((extras["supervised"] + 0.5 * extras["unsupervised"]).item(), rel=1e-5)


def test_the_labelled_images_are_no_part_of_a_checkpoint():
    assert not any(key in ("x", "y") for key in learner()[0].state_dict())


def test_it_learns_with_the_training_loop():
    method, split = learner(threshold=0.6)
    recipe = Recipe(steps=40, lr=2e-2, batch=32, optimizer="adamw")
    records = list(train(method, split.x, recipe))
    assert records[-1].loss < 0.6 * math.log(3)
    guess = method.eval().network(tints(60, 5).x / 255).argmax(1)
    assert (guess == tints(60, 5).y).float().mean() > 0.8


def test_semi_supervised_leaves_the_encoder_alone_and_repeats_itself():
    data = Dataset(name="tints", train=tints(), val=tints(30, 1), test=tints(60, 2), classes=list("rgb"))
    torch.manual_seed(0)
    encoder = Tint()
    before = copy.deepcopy(encoder.state_dict())
    run = dict(per_class=2, steps=15, lr=1e-2, batch=16, threshold=0.6)
    first, again = (semi_supervised(encoder, data, seed=1, **run) for _ in range(2))
    assert first == again > 0.5
    assert all(torch.equal(before[key], value) for key, value in encoder.state_dict().items())
    assert semi_supervised(encoder, data, None, steps=1, batch=16) >= 0  # all labels


def test_what_does_not_fit_is_said_in_words():
    split = tints()
    with pytest.raises(ValueError, match="at least one: 3, 2"):
        FixMatch(Tint(), split.x[:3], split.y[:2], 3)
    with pytest.raises(ValueError, match=r"lies in \[0, 1\]"):
        learner(threshold=95)


# --- cutout ----------------------------------------------------------------------------------------------------------


def test_cutout_blanks_one_square_and_nothing_else():
    x = torch.full((200, 3, 16, 16), 0.9)
    out = Cutout(0.5)(x, torch.Generator().manual_seed(0))
    gone = (out == 0.5).all(1)
    assert torch.equal(out[~gone[:, None].expand_as(out)], x[~gone[:, None].expand_as(out)])
    assert gone.sum((1, 2)).max() <= 81 and 20 < gone.sum((1, 2)).float().mean() < 64
    for image in gone:
        rows, columns = image.any(1), image.any(0)
        assert torch.equal(image, rows[:, None] & columns[None])  # a rectangle
    assert torch.equal(out, Cutout(0.5)(x, torch.Generator().manual_seed(0)))
    assert STRONG(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), None).shape == (2, 1, 8, 8)  # grey images too


# --- layers ----------------------------------------------------------------------------------------------------------


def test_rates_fall_towards_the_input():
    assert rates_per_layer(4, 1.0, 0.5).tolist() == [0.125, 0.25, 0.5, 1.0] and rates_per_layer(
        3, 1.0, 1.0
    ).tolist() == [1, 1, 1]
    assert rates_per_layer(3, 1.0, 0.0).tolist() == [0, 0, 1] and rates_per_layer(
        1, 0.1, 0.3
    ).tolist() == pytest.approx([0.1])


@pytest.mark.parametrize("name, parts", [("small", 6), ("resnet18", 10), ("vit", 6), ("spatial", 7)])
def test_every_parameter_is_in_one_group(name, parts):
    encoder = build_encoder(name)
    network = nn.Sequential(encoder, nn.BatchNorm1d(encoder.dim, affine=False), nn.Linear(encoder.dim, 4))
    assert len(stages(encoder)) == parts
    groups = layer_groups(network, decay=0.5)
    inside = [id(p) for group in groups for p in group["params"]]
    assert len(inside) == len(set(inside)) and set(inside) == {id(p) for p in network.parameters()}
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert rates[id(network[2].weight)] == 1 and min(rates.values()) == 0.5**parts
    first = next(p for p in stages(encoder)[0].parameters())
    assert rates[id(first)] == 0.5**parts


def test_frozen_stages_stay_and_slow_ones_move_less():
    torch.manual_seed(0)
    encoder = nn.Sequential(*[nn.Linear(4, 4, bias=False) for _ in range(3)])
    network = nn.Sequential(encoder, nn.Identity(), nn.Linear(4, 2))
    groups = layer_groups(network, decay=0.1, freeze=1)
    rates = [g["lr"] for g in groups if g["params"][0].ndim > 1]
    assert not encoder[0].weight.requires_grad and rates == pytest.approx([0.1**2, 0.1, 1.0])
    layer_groups(network)
    assert encoder[0].weight.requires_grad
    with pytest.raises(ValueError, match="4 of 3 stages"):
        layer_groups(network, freeze=4)


def test_finetune_obeys_the_groups():
    data = Dataset(name="tints", train=tints(), val=tints(30, 1), test=tints(60, 2), classes=list("rgb"))
    torch.manual_seed(0)
    encoder, seen = build_encoder("small"), {}

    def groups(network, **options):
        seen["before"] = [p.detach().clone() for p in network.parameters()]
        seen["network"] = network
        return layer_groups(network, **options)

    def moved(**options):
        finetune(encoder, data, 4, steps=3, lrs=(1e-3,), groups=lambda network: groups(network, **options))
        after = seen["network"].parameters()
        return [(a - b).abs().mean().item() for a, b in zip(after, seen["before"]) if a.ndim > 1]

    alike, slow, frozen = moved(), moved(decay=0.5), moved(freeze=6)
    assert frozen[:-1] == [0] * 6 and frozen[-1] > 0
    for layer, (a, b) in enumerate(zip(alike, slow)):
        assert b / a == pytest.approx(
            0.5 ** (6 - layer), rel=0.5
        )  # AdamW's step is about the rate, whatever the gradient
