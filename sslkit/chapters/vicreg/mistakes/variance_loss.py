"""Exercise of chapter 14: what each number's deviation lacks of 1."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.barlow_twins.mistakes.batches import columns
from sslkit.checks.exercise import Exercise, draw, mistake


def variances(z: Tensor) -> list[Tensor]:
    """Of each column, over N - 1."""
    found = []
    for column in z.double().T:
        mean = sum(column) / len(column)
        found.append(sum((value - mean) ** 2 for value in column) / (len(column) - 1))
    return found


def variance_loss_loop(z: Tensor, eps: float = 1e-4) -> Tensor:
    total = 0.0
    for variance in variances(z):
        deviation = torch.sqrt(variance + eps)
        total = total + (1 - deviation if deviation < 1 else 0 * deviation)
    return total / z.shape[1]


def narrow(seed: int, n: int, k: int) -> Tensor:
    """Rows [n, k] some of whose columns deviate by less than 1 and some by more."""
    return (columns(seed, n, k) * torch.linspace(0.3, 1.2, k)).round(decimals=2)


def one_column(function, z: Tensor, eps: float) -> Tensor:
    """The mean over the columns of function(deviation)."""
    return function((z.var(0) + eps).sqrt()).mean()


VARIANCE = Exercise(
    "variance_loss",
    variance_loss_loop,
    grad=True,
    trials=lambda: [
        (narrow(0, 3, 2), 1e-4),
        (narrow(1, 5, 4), 1e-4),
        (0.2 * draw(2, 6, 3) + torch.arange(3), 1e-4),
        (narrow(3, 4, 5), 0.3),
    ],
    mistakes=(
        mistake(
            "no hinge",
            "Numbers that vary by more than 1 must cost nothing, and must not pay for others: F.relu.",
            ("F.relu", ""),
        ),
        mistake(
            "upside down",
            "You charge what exceeds 1. Charge what falls short of it: 1 - deviation.",
            ("1 - (z.var(0) + eps).sqrt()", "(z.var(0) + eps).sqrt() - 1"),
        ),
        mistake(
            "variance instead of deviation",
            "Take the root of the variance: without it the slope fades where it is needed.",
            (".sqrt()", ""),
        ),
        mistake(
            "variance over N",
            "Here the variance divides by N - 1, which is var's habit.",
            ("z.var(0)", "z.var(0, correction=0)"),
        ),
        mistake(
            "rows instead of columns",
            "You ask the numbers of one image to vary. One number must vary over the images: dimension 0.",
            ("z.var(0)", "z.var(1)"),
        ),
        mistake(
            "hinge of the mean",
            "You take the mean deviation first, so that one number can vary for another. Hinge first, then mean.",
            ("F.relu(1 - (z.var(0) + eps).sqrt()).mean()", "F.relu(1 - (z.var(0) + eps).sqrt().mean())"),
        ),
        mistake("sum", "You add up over the numbers. Take the mean.", (".mean()", ".sum()")),
        mistake(
            "eps outside the root",
            "eps belongs under the root: there it keeps the slope finite at a variance of 0.",
            lambda z, eps: F.relu(1 - (z.var(0).sqrt() + eps)).mean(),
        ),
        mistake(
            "eps forgotten",
            "The `eps` that is given does not stand under the root, whose slope at 0 is infinite without it.",
            (" + eps", ""),
        ),
        mistake("distance from 1", "You charge both sides of 1. Above it nothing is charged.", ("F.relu(", "abs(")),
        mistake(
            "one variance for all",
            "You take one variance of all the numbers. Each column has its own: dimension 0.",
            ("z.var(0)", "z.var()"),
        ),
        mistake(
            "not centred",
            "You take the mean square. The variance is that of the distance to the column's mean: z.var(0).",
            ("z.var(0)", "z.square().mean(0)"),
            ("z.var(0)", "(z.square().sum(0) / (len(z) - 1))"),
        ),
        mistake(
            "squared",
            "You square what is missing. The paper does not: its slope would fade near 1.",
            lambda z, eps: one_column(lambda d: F.relu(1 - d) ** 2, z, eps),
            lambda z, eps: one_column(lambda d: (1 - d) ** 2, z, eps),
        ),
        mistake(
            "the deviation itself",
            "You return the deviation. The loss is what it lacks of 1.",
            lambda z, eps: one_column(lambda d: d, z, eps),
            lambda z, eps: one_column(lambda d: -d, z, eps),
        ),
    ),
)
