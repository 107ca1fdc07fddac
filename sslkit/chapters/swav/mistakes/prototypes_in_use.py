"""Exercise of chapter 15: how many prototypes are in use."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def prototypes_in_use_loop(codes: Tensor) -> Tensor:
    entropy = 0.0
    for k in range(codes.shape[1]):
        share = math.fsum(codes[:, k].double().tolist()) / len(codes)
        entropy -= share * math.log(share) if share > 0 else 0.0
    return torch.tensor(math.exp(entropy), dtype=torch.float64)


def use_trials() -> list[tuple]:
    shapes = [(3, 2), (4, 3), (6, 5), (12, 8)]
    soft = [(draw(s, n, k, spread=2.0).softmax(1),) for s, (n, k) in enumerate(shapes)]
    return [*soft, (F.one_hot(torch.tensor([0, 0, 2]), 4).float(),)]


USE = Exercise(
    "prototypes_in_use",
    prototypes_in_use_loop,
    trials=use_trials,
    mistakes=(
        mistake(
            "mean of entropies",
            "You take each image's entropy and then the mean. That says how split an image is; take the mean code first.",
            lambda c: torch.special.entr(c).sum(1).mean().exp(),
            lambda c: torch.special.entr(c).sum(1).exp().mean(),
        ),
        mistake(
            "no exponential", "This is the entropy. exp makes a number of prototypes of it.", (".sum().exp()", ".sum()")
        ),
        mistake(
            "sign",
            "The entropy is minus the sum of p ln p; yours gives 1 over the number.",
            ("entr(mean).sum()", "entr(mean).sum().neg()"),
        ),
        mistake(
            "mean along the prototypes",
            "You average over the prototypes. Average over the images: dim=0.",
            ("dim=0", "dim=1"),
        ),
        mistake(
            "sum of codes",
            "You add up the codes. Take their mean, so that it sums to 1.",
            ("mean(dim=0)", "sum(dim=0)"),
        ),
        mistake(
            "mean of the terms",
            "You average -p ln p over the prototypes. The entropy adds them up.",
            (".sum().exp()", ".mean().exp()"),
        ),
        mistake(
            "base 2",
            "The entropy is in bits, but exp undoes the natural logarithm.",
            ("entr(mean).sum()", "entr(mean).sum().div(math.log(2))"),
            lambda c: (torch.special.entr(c.mean(0)).sum() / math.log(2)).exp(),
        ),
        mistake(
            "squares instead of entropy",
            "You take 1 over the sum of the squared shares, another such count. Take exp of the entropy.",
            ("torch.special.entr(mean).sum().exp()", "1 / mean.square().sum()"),
        ),
        mistake(
            "favourites counted",
            "You look at each image's favourite prototype alone. Use the whole codes: exp of their mean's entropy.",
            lambda c: torch.tensor(float(len(c.argmax(1).unique()))),
            ("codes.mean(", "F.one_hot(codes.argmax(1), codes.shape[1]).to(codes).mean("),
        ),
        mistake(
            "every share counted",
            "You count each prototype that has any share, however small. Take exp of the entropy.",
            lambda c: (c.mean(0) > 0).sum(),
        ),
        mistake(
            "nan at 0",
            "0 times ln 0 is not a number in floating point; here it counts as 0.",
            lambda c: (-(c.mean(0) * c.mean(0).log()).sum()).exp(),
        ),
    ),
)
