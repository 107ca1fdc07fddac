"""Exercise of chapter 02: uniformity."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.judging.mistakes.alignment import unit_rows
from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def uniformity_loop(z: Tensor) -> Tensor:
    rows = unit_rows(z)
    total, pairs = 0.0, 0
    for i in range(len(rows)):
        for j in range(len(rows)):
            if i != j:
                total += math.exp(-2 * math.dist(rows[i], rows[j]) ** 2)
                pairs += 1
    return torch.tensor(math.log(total / pairs), dtype=torch.float64)


def potential(z: Tensor, t: float = 2.0, power: int = 2) -> Tensor:
    """exp(-t d^power) for each pair i < j of the rows as they are."""
    return torch.pdist(z).pow(power).mul(-t).exp()


UNIFORMITY = Exercise(
    "uniformity",
    uniformity_loop,
    trials=lambda: [
        *((draw_rows(s, n, d),) for s, (n, d) in enumerate([(3, 2), (5, 3), (12, 4), (20, 8)])),
        (draw(9, 1, 3).repeat(4, 1),),
    ],
    mistakes=(
        mistake(
            "pairs with itself",
            "You count each row as a pair with itself: distance 0, so exp gives 1. Leave the diagonal out.",
            ("torch.pdist(F.normalize(z, dim=1))", "(lambda z: torch.cdist(z, z))(F.normalize(z, dim=1))"),
            lambda z: torch.cat([potential(F.normalize(z)), torch.ones(len(z))]).mean().log(),
        ),
        mistake(
            "one length for the whole table",
            "You divide the whole table by one length. Each row has its own: .norm(dim=1, keepdim=True).",
            ("F.normalize(z, dim=1)", "z / z.norm()"),
        ),
        mistake(
            "mean over the dimensions",
            "Your d^2 is a mean over the D numbers of a row. The squared distance is their sum.",
            (".square()", ".square().div(z.shape[1])"),
        ),
        mistake(
            "no normalisation",
            "Scale each row to length 1 first: features must not become uniform by growing.",
            ("F.normalize(z, dim=1)", "z"),
        ),
        mistake("no log", "You return the mean. Take its log.", (".log()", "")),
        mistake(
            "log before the mean",
            "You take the mean of the logs, which is -2 times the mean squared distance. Take the mean first, then the log.",
            lambda z: potential(F.normalize(z)).log().mean(),
        ),
        mistake("not squared", "You use the distance. The exponent holds its square.", (".square()", "")),
        mistake("factor 2 missing", "You have exp(-d^2). t = 2 asks for exp(-2 d^2).", ("(-2)", "(-1)")),
        mistake(
            "half for 2", "You have exp(-d^2 / 2), as in a bell curve. t = 2 asks for exp(-2 d^2).", ("(-2)", "(-0.5)")
        ),
        mistake(
            "sign in the exponent",
            "You have exp(+2 d^2), which grows with distance. It is exp(-2 d^2).",
            lambda z: potential(F.normalize(z), t=-2).mean().log(),
        ),
        mistake(
            "factor under the square",
            "You square the factor 2, and its sign, with the distance. Square first, then times -2.",
            lambda z: potential(F.normalize(z), t=-4).mean().log(),
            lambda z: potential(F.normalize(z), t=4).mean().log(),
        ),
        mistake(
            "sign of the result",
            "You return minus the log. Lower means more uniform: leave out the sign.",
            ("squared.", "-squared."),
        ),
        mistake(
            "sum over the pairs",
            "You take the log of the sum, which grows with the number of pairs. Take the mean.",
            ("mean()", "sum()"),
            ("mean()", "sum().mul(2)"),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            ("dim=1", "dim=0"),
        ),
        mistake(
            "divided by N * N",
            "You leave the diagonal out and still divide by all N * N entries. Without it there are N (N - 1).",
            (".exp()", ".exp().mul((len(z) - 1) / len(z))"),
        ),
        mistake(
            "zeros in the mean",
            "You put 0 where a pair is not to count, and take the mean over all N * N entries: the zeros are in it, or exp makes ones of them. Take the mean over the pairs alone.",
            (".exp()", ".exp().mul((len(z) - 1) / len(z) / 2)"),
            lambda z: torch.cdist(F.normalize(z), F.normalize(z)).triu(1).square().mul(-2).exp().mean().log(),
        ),
        mistake(
            "cosine for distance",
            "You put the cosine in place of the distance. At length 1, d^2 = 2 - 2 * cosine.",
            (".square()", ".square().mul(-0.5).add(1)"),
        ),
    ),
)
