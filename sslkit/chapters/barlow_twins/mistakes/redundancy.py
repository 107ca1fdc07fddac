"""Exercise of chapter 13: redundancy."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.chapters.barlow_twins.exercises import cross_correlation
from sslkit.chapters.barlow_twins.mistakes.batches import columns
from sslkit.chapters.barlow_twins.mistakes.standardise import standardise_loop
from sslkit.checks.exercise import Exercise, draw, mistake


def redundancy_loop(z: Tensor) -> Tensor:
    """Bit by bit: what each number could have been told from those before it, by elimination."""
    n = len(z)
    columns = standardise_loop(z).T
    rest = [torch.stack([a @ b / n for b in columns]) for a in columns]
    bits = torch.zeros((), dtype=torch.float64)
    for i in range(len(rest)):
        bits = bits - 0.5 * torch.log2(rest[i][i])
        for j in range(i + 1, len(rest)):
            rest[j] = rest[j] - rest[j][i] / rest[i][i] * rest[i]
    return bits


def shifted(seed: int, n: int, k: int) -> Tensor:
    """Columns with a part in common."""
    return (columns(seed, n, k) + draw(seed + 50, n, 1, spread=2.0)).round(decimals=2)


def alike(seed: int, n: int, pairs: int) -> Tensor:
    """Pairs of columns that hardly differ: the determinant is too small for a float."""
    one = draw(seed, n, pairs)
    return torch.cat([one, one + draw(seed + 1, n, pairs, spread=0.03)], dim=1)


REDUNDANCY = Exercise(
    "redundancy",
    redundancy_loop,
    grad=True,
    tolerance=1e-2,
    trials=lambda: [
        *((shifted(s, n, k),) for s, (n, k) in enumerate([(6, 2), (9, 3), (16, 5), (20, 4)])),
        (alike(70, 80, 18),),
    ],
    mistakes=(
        mistake(
            "sign",
            "A determinant of correlations is below 1, so its logarithm is negative: redundancy is minus it.",
            ("-torch.", "torch."),
        ),
        mistake("half forgotten", "The factor 1/2 is missing.", ("(2 * math.log(2))", "math.log(2)")),
        mistake("nats", "That is in nats. Divide by ln 2 to have bits.", ("(2 * math.log(2))", "2")),
        mistake(
            "multiplied by ln 2",
            "You multiply by ln 2. log2(x) = ln(x) / ln(2).",
            ("/ (2 * math.log(2))", "/ 2 * math.log(2)"),
        ),
        mistake(
            "covariance",
            "That depends on the scale of the numbers. Take their correlations.",
            ("cross_correlation(z, z)", "torch.cov(z.T)"),
            ("cross_correlation(z, z)", "torch.cov(z.T, correction=0)"),
        ),
        mistake(
            "the determinant itself",
            "You return the determinant, without a logarithm.",
            lambda z: torch.det(cross_correlation(z, z)),
            lambda z: 1 - torch.det(cross_correlation(z, z)),
            lambda z: -torch.det(cross_correlation(z, z)) / 2,
        ),
        mistake(
            "squares off the diagonal",
            "That is the approximation for small correlations. Take the determinant.",
            *[
                lambda z, c=c: (cross_correlation(z, z) - torch.eye(z.shape[1])).square().sum() / c
                for c in (4 * math.log(2), 2, 1)
            ],
        ),
        mistake(
            "images instead of numbers",
            "You correlate images. R is the table of the columns, [K, K].",
            lambda z: -torch.logdet(cross_correlation(z.T, z.T)) / (2 * math.log(2)),
        ),
        mistake(
            "the determinant first",
            "The determinant of a large matrix is too small for a float, and its logarithm infinite: torch.logdet.",
            lambda z: -torch.log2(torch.linalg.det(cross_correlation(z, z))) / 2,
        ),
        mistake(
            "log to base 10",
            "You take the logarithm to base 10. Divide by ln 2 to have bits.",
            ("math.log(2)", "math.log(10)"),
        ),
        mistake(
            "not centred",
            "You scale the columns and leave their means in: those are cosines. Take their correlations.",
            ("cross_correlation(z, z)", "(lambda u: u.T @ u)(z / z.norm(dim=0))"),
        ),
        mistake(
            "the trace",
            "You take the trace, which is always K. Take the determinant.",
            lambda z: -torch.log2(cross_correlation(z, z).trace()) / 2,
        ),
        mistake(
            "not standardised",
            "Mean products of the columns depend on their means and scale. Take their correlations.",
            ("cross_correlation(z, z)", "z.T @ z / len(z)"),
            ("cross_correlation(z, z)", "z.T @ z"),
            ("cross_correlation(z, z)", "(lambda u: u.T @ u / len(u))(z / z.std(0, correction=0))"),
        ),
    ),
)
