"""Exercise of chapter 02: alignment."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def unit_rows(z: Tensor) -> list[list[float]]:
    return [[value / math.hypot(*row) for value in row] for row in z.tolist()]


def alignment_loop(z1: Tensor, z2: Tensor) -> Tensor:
    total = 0.0
    for a, b in zip(unit_rows(z1), unit_rows(z2)):
        total += math.dist(a, b) ** 2
    return torch.tensor(total / len(z1), dtype=torch.float64)


def pair_gaps(z1: Tensor, z2: Tensor, dim: int = 1) -> Tensor:
    return F.normalize(z1, dim=dim) - F.normalize(z2, dim=dim)


ALIGNMENT = Exercise(
    "alignment",
    alignment_loop,
    trials=lambda: [
        *((draw_rows(s, n, d), draw_rows(s + 50, n, d)) for s, (n, d) in enumerate([(2, 3), (5, 3), (16, 8)])),
        (draw(9, 4, 3), draw(9, 4, 3) * 2),
    ],
    mistakes=(
        mistake(
            "no normalisation",
            "Scale each row to length 1 first, or growing features look worse.",
            ("F.normalize(z1, dim=1) - F.normalize(z2, dim=1)", "z1 - z2"),
        ),
        mistake(
            "one length for the whole table",
            "You divide the whole table by one length. Each row has its own: .norm(dim=1, keepdim=True).",
            ("F.normalize(z1, dim=1) - F.normalize(z2, dim=1)", "z1 / z1.norm() - z2 / z2.norm()"),
        ),
        mistake(
            "one distance for all",
            "You take one length of the whole table of differences. Each row has a squared distance of its own: take the mean over the rows.",
            (".square().sum(dim=1).mean()", ".norm()"),
        ),
        mistake("not squared", "You average the distance. alpha = 2 asks for its square.", ("mean", "sqrt().mean")),
        mistake(
            "mean over the dimensions",
            "You divide by D as well, as mse_loss does. Sum over dim=1, mean over pairs.",
            ("sum(dim=1).", ""),
        ),
        mistake("sum over the pairs", "You add up all pairs. Take the mean over them.", ("mean", "sum")),
        mistake(
            "cosine similarity",
            "You return a similarity, which is 1 for equal directions. The squared distance is 2 - 2 * cosine.",
            lambda a, b: F.cosine_similarity(a, b).mean(),
        ),
        mistake(
            "the cosine once",
            "2 - cosine is not it. The squared distance of two vectors of length 1 is 2 - 2 * cosine.",
            lambda a, b: (2 - F.cosine_similarity(a, b)).mean(),
        ),
        mistake(
            "half of it",
            "1 - cosine is half of the squared distance of two vectors of length 1.",
            lambda a, b: (1 - F.cosine_similarity(a, b)).mean(),
        ),
        mistake(
            "all pairs",
            "You compare every row of z1 with every row of z2. Only rows of equal number are one image.",
            lambda a, b: torch.cdist(F.normalize(a), F.normalize(b)).square().mean(),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            lambda a, b: pair_gaps(a, b, dim=0).square().sum(1).mean(),
        ),
        mistake(
            "absolute differences",
            "You add up absolute differences. The squared distance is the sum of their squares.",
            ("square()", "abs()"),
        ),
        mistake(
            "summed before squaring",
            "You add up the differences of a row first, and they cancel. Square each of them before.",
            (".square().sum(dim=1)", ".sum(dim=1).square()"),
        ),
        mistake(
            "the difference normalised",
            "You scale the difference to length 1, so the result is always 1. Scale z1 and z2, then subtract.",
            ("F.normalize(z1, dim=1) - F.normalize(z2, dim=1)", "F.normalize(z1 - z2, dim=1)"),
        ),
    ),
)
