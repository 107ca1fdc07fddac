"""Exercise of chapter 23: how far features move."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def total_effect_loop(h: Tensor, changed: Tensor) -> float:
    h, changed = h.double(), changed.double()
    (N, D), total = h.shape, 0.0
    for d in range(D):
        column = h[:, d].tolist()
        mean = sum(column) / N
        variance = sum((value - mean) ** 2 for value in column) / N
        for i in range(N):
            total += (column[i] - changed[i, d].item()) ** 2 / (2 * variance)
    return total / (N * D)


def own(h: Tensor) -> Tensor:
    return (h - h.mean(0)) / h.std(0, correction=0)


EFFECT = Exercise(
    "total_effect",
    total_effect_loop,
    trials=lambda: [
        (torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [2.0]])),
        (draw(1, 4, 2) * torch.tensor([1.0, 5.0]), draw(2, 4, 2) * torch.tensor([1.0, 5.0])),
        (draw(3, 9, 3) * torch.tensor([0.1, 1.0, 10.0]) + 3, draw(4, 9, 3) * torch.tensor([0.2, 1.0, 3.0]) + 3),
        (draw(5, 6, 4), draw(5, 6, 4) + 0.1),
    ],
    mistakes=(
        mistake(
            "factor 2 missing",
            "Two independent images are 2 v apart on average, not v: divide by twice the variance.",
            ("2 * h", "h"),
        ),
        mistake(
            "variance over N - 1",
            "torch divides a variance by N - 1 by default: h.var(0, correction=0).",
            (", correction=0", ""),
        ),
        mistake(
            "one variance for all",
            "You divide the sum over all columns: the column with the largest numbers then decides alone. Divide each column by its own variance, then take the mean.",
            (").mean(", ".mean()).mean("),
            ("0, correction", "correction"),
        ),
        mistake(
            "not centred",
            "You divide by the mean square. The variance is that of the distance to the column's mean: h.var(0, correction=0).",
            ("h.var(0, correction=0)", "h.square().mean(0)"),
        ),
        mistake(
            "standard deviation",
            "Squared differences belong over the variance, not over the standard deviation.",
            ("var", "std"),
        ),
        mistake(
            "not squared",
            "Take the square of the differences, not their absolute values.",
            ("square", "abs"),
            lambda h, c: ((h - c).abs() / (2 * h.std(0, correction=0))).mean(),
            lambda h, c: ((h - c).abs() / h.std(0, correction=0)).mean(),
            lambda h, c: ((h - c).abs() / h.std(0)).mean(),
        ),
        mistake(
            "each standardised by itself",
            "You standardise both tables by their own statistics, so a shift of all images goes unseen. Use those of h for both.",
            lambda h, c: (own(h) - own(c)).square().mean() / 2,
        ),
        mistake(
            "over the images' variance",
            "The variance is that of each column over the images, h.var(0), not of each image over its columns.",
            lambda h, c: ((h - c).square() / (2 * h.var(1, correction=0, keepdim=True))).mean(),
        ),
        mistake("sum", "Take the mean over images and dimensions, not the sum.", ("mean", "sum")),
        mistake(
            "variance of the changed",
            "You divide by the variance of `changed`. v is that of `h`.",
            ("h.var", "changed.var"),
        ),
        mistake(
            "variance of both",
            "You take the variance of `h` and `changed` together. v is that of `h`.",
            ("h.var", "torch.cat([h, changed]).var"),
            ("2 * h.var(0, correction=0)", "h.var(0, correction=0) + changed.var(0, correction=0)"),
        ),
        mistake(
            "variance of the differences",
            "You take the variance of the differences, so a shift of all images goes unseen. Square them.",
            ("(h - changed).square()", "(h - changed).var(0, correction=0)"),
        ),
        mistake(
            "multiplied by the variance",
            "`/ 2 * v` divides by 2 and multiplies by v. Put 2 * v in brackets.",
            ("/ (2 * h.var(0, correction=0))", "/ 2 * h.var(0, correction=0)"),
        ),
    ),
)
