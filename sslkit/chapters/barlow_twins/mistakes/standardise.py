"""Exercise of chapter 13: the same scale for all numbers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.barlow_twins.mistakes.batches import columns
from sslkit.checks.exercise import Exercise, mistake


def standardise_loop(z: Tensor, eps: float = 1e-5) -> Tensor:
    columns = []
    for column in z.double().T:
        mean = sum(column) / len(column)
        variance = sum((value - mean) ** 2 for value in column) / len(column)
        columns.append((column - mean) / torch.sqrt(variance + eps))
    return torch.stack(columns, dim=1)


def constant(seed: int) -> Tensor:
    """Four rows, the second column the same in all of them."""
    return torch.cat([columns(seed, 4, 1), torch.full((4, 1), 0.5)], dim=1)


STANDARDISE = Exercise(
    "standardise",
    standardise_loop,
    grad=True,
    trials=lambda: [(columns(0, 3, 2), 1e-5), (columns(1, 5, 4), 1e-5), (constant(2), 1e-5), (columns(3, 6, 3), 0.5)],
    mistakes=(
        mistake(
            "rows instead of columns",
            "You standardise each row, the numbers of one image. Take mean and variance of each column, over the batch: dimension 0.",
            lambda z, eps: (z - z.mean(1, keepdim=True)) / (z.var(1, correction=0, keepdim=True) + eps).sqrt(),
            lambda z, eps: (z - z.mean(1, keepdim=True)) / (z.var(1, keepdim=True) + eps).sqrt(),
        ),
        mistake(
            "one mean for all",
            "You take one mean, or one variance, of the whole table. Each column has its own: dimension 0.",
            ("z.mean(0)", "z.mean()"),
            ("z.var(0, correction=0)", "z.var(correction=0)"),
            (("z.mean(0)", "z.mean()"), ("z.var(0, correction=0)", "z.var(correction=0)")),
        ),
        mistake(
            "mean left in",
            "The columns still have their means. Take them off before you divide.",
            ("z - z.mean(0)", "z"),
        ),
        mistake(
            "not divided",
            "You only take the mean off. Divide by the root of the variance, too.",
            (" / (z.var(0, correction=0) + eps).sqrt()", ""),
        ),
        mistake("divided by the variance", "You divide by the variance. Divide by its square root.", (".sqrt()", "")),
        mistake(
            "variance over N - 1",
            "Your variance is divided by N - 1, which is var's habit. Here it is the mean of the squared deviations: correction=0.",
            ("(0, correction=0)", "(0)"),
        ),
        mistake("eps forgotten", "A column that never changes gives 0 / 0. Add eps to the variance.", (" + eps", "")),
        mistake(
            "eps outside the root",
            "eps stands outside the root, where it counts differently: add it to the variance.",
            lambda z, eps: (z - z.mean(0)) / (z.var(0, correction=0).sqrt() + eps),
        ),
        mistake(
            "length 1 instead of variance 1",
            "Your columns have length 1. Their variance should be 1: then their length is the root of N.",
            lambda z, eps: F.normalize(z - z.mean(0), dim=0),
        ),
        mistake(
            "statistics without gradient",
            "You detach mean or variance. They depend on z, and their gradient is part of the answer.",
            ("z.mean(0)", "z.detach().mean(0)"),
            ("z.var(0, ", "z.detach().var(0, "),
        ),
        mistake(
            "brackets",
            "You divide the mean alone. Put brackets round the difference: (z - mean) / deviation.",
            ("(z - z.mean(0)) /", "z - z.mean(0) /"),
        ),
        mistake(
            "rows of length 1",
            "You scale each row to length 1. Divide each column by its deviation.",
            lambda z, eps: F.normalize(z - z.mean(0), dim=1),
            lambda z, eps: F.normalize(z, dim=1),
        ),
        mistake(
            "smallest and largest",
            "You squeeze each column between 0 and 1. Take its mean off and divide by its deviation.",
            lambda z, eps: (z - z.amin(0)) / (z.amax(0) - z.amin(0) + eps),
        ),
        mistake(
            "mean square as variance",
            "The mean square is the variance only where the mean is 0. Use z.var, or the centred columns.",
            ("z.var(0, correction=0)", "z.square().mean(0)"),
        ),
    ),
)
