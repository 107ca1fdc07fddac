"""Exercise of chapter 13: the cross-correlation matrix."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.barlow_twins.exercises import cross_correlation, standardise
from sslkit.chapters.barlow_twins.mistakes.batches import pairs
from sslkit.chapters.barlow_twins.mistakes.standardise import standardise_loop
from sslkit.checks.exercise import Exercise, mistake


def cross_correlation_loop(z1: Tensor, z2: Tensor) -> Tensor:
    rows = []
    for a in standardise_loop(z1).T:
        rows.append(torch.stack([sum(p * q for p, q in zip(a, b)) / len(a) for b in standardise_loop(z2).T]))
    return torch.stack(rows)


CORRELATION = Exercise(
    "cross_correlation",
    cross_correlation_loop,
    grad=True,
    trials=lambda: pairs((3, 2), (4, 3), (6, 6), (8, 5)),
    mistakes=(
        mistake(
            "images instead of numbers",
            "That is a table of images, [N, N], as in SimCLR. Here a row is a number: transpose the first factor, so that the product sums over the images.",
            ("standardise(z1).T @ standardise(z2)", "standardise(z1) @ standardise(z2).T"),
        ),
        mistake("not divided", "You add up over the images. Divide by their number.", (" / len(z1)", "")),
        mistake(
            "number i with number i alone",
            "You multiply entry by entry, which pairs number i with number i alone. All pairs are a matrix product, [K, K].",
            lambda z1, z2: (standardise(z1) * standardise(z2)).mean(0),
            lambda z1, z2: (standardise(z1) * standardise(z2)).sum(0),
            lambda z1, z2: standardise(z1) * standardise(z2),
        ),
        mistake(
            "divided by K",
            "You divide by the number of columns. Divide by the number of images, len(z1).",
            (" / len(z1)", " / z1.shape[1]"),
        ),
        mistake(
            "divided by N - 1",
            "You divide by N - 1. The deviations are those over N, so divide by N: else no number correlates with itself by 1.",
            (" / len(z1)", " / (len(z1) - 1)"),
        ),
        mistake(
            "not standardised",
            "Products of what the network says depend on its scale. Standardise both views first.",
            ("standardise(z1).T @ standardise(z2)", "z1.T @ z2"),
            ("standardise(z1)", "z1"),
            ("standardise(z2)", "z2"),
        ),
        mistake(
            "only centred",
            "You take the means off and leave the deviations: that is the covariance. Use standardise.",
            ("standardise(z1).T @ standardise(z2)", "(z1 - z1.mean(0)).T @ (z2 - z2.mean(0))"),
        ),
        mistake(
            "transposed",
            "Rows are the numbers of the first view, columns those of the second. Yours is the other way round.",
            lambda z1, z2: cross_correlation(z1, z2).T,
        ),
        mistake(
            "one view with itself",
            "You correlate a view with itself. One factor must be the other view.",
            ("standardise(z2)", "standardise(z1)"),
            ("standardise(z1)", "standardise(z2)"),
        ),
        mistake(
            "rows scaled",
            "You scale the rows, which are images. Standardise the columns: each number over all images.",
            ("standardise(z1).T @ standardise(z2)", "standardise(z1.T) @ standardise(z2.T).T"),
            (
                "standardise(z1).T @ standardise(z2)",
                "(z1 / z1.norm(dim=1, keepdim=True)).T @ (z2 / z2.norm(dim=1, keepdim=True))",
            ),
        ),
        mistake(
            "standardised together",
            "You standardise both views with common statistics. Each view has its own.",
            lambda z1, z2: (
                (standardise(torch.cat([z1, z2]))[: len(z1)].T @ standardise(torch.cat([z1, z2]))[len(z1) :]) / len(z1)
            ),
        ),
        mistake(
            "not centred",
            "You scale the columns and leave their means in: those are cosines. Take each column's mean off first.",
            lambda z1, z2: F.normalize(z1, dim=0).T @ F.normalize(z2, dim=0),
        ),
        mistake(
            "both views in one table",
            "That is the table of all 2 K columns. The one of z1 with z2 is its upper right block.",
            lambda z1, z2: torch.corrcoef(torch.cat([z1, z2], 1).T),
        ),
    ),
)
