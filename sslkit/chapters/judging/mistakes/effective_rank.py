"""Exercise of chapter 02: effective rank."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def effective_rank_loop(h: Tensor) -> Tensor:
    squares = torch.linalg.eigvalsh(h.double().T @ h.double()).tolist()
    values = [math.sqrt(v) for v in squares if v > 0]
    entropy = 0.0
    for value in values:
        p = value / sum(values)
        entropy -= p * math.log(p)
    return torch.tensor(math.exp(entropy), dtype=torch.float64)


def entropy(s: Tensor) -> Tensor:
    return torch.special.entr(s / s.sum()).sum()


RANK = Exercise(
    "effective_rank",
    effective_rank_loop,
    tolerance=1e-2,
    trials=lambda: [
        (torch.tensor([[3.0, 0.0], [0.0, 0.0]]),),
        (torch.tensor([[2.0, 0.0], [0.0, 1.0]]),),
        (draw(1, 6, 3) + 1,),
        (draw_rows(2, 20, 5),),
        (draw(3, 4, 8) + 0.5,),
        (draw(4, 30, 1) @ draw(5, 1, 4),),
    ],
    mistakes=(
        mistake(
            "no exp",
            "You return the entropy. The effective rank is its exp.",
            ("torch.exp(-(p * p.log()).sum())", "-(p * p.log()).sum()"),
        ),
        mistake(
            "squared singular values",
            "You use the squares (the eigenvalues of the covariance). Use the singular values themselves.",
            ("svdvals(h)", "svdvals(h).square()"),
        ),
        mistake(
            "centred",
            "You subtract the mean first. RankMe leaves the features as they are.",
            ("svdvals(h)", "svdvals(h - h.mean(0)).clamp_min(1e-6)"),
        ),
        mistake(
            "0 log 0",
            "One singular value is 0, and 0 * log(0) is NaN. Add 1e-7 to p before the log.",
            ("() + 1e-7", "()"),
        ),
        mistake(
            "sign of the entropy",
            "The entropy is minus the sum of p log p; you have exp of plus the sum, which is 1 over the effective rank.",
            ("-(p", "(p"),
        ),
        mistake(
            "mean instead of sum",
            "You average p log p over the directions. The entropy is the sum.",
            ("(p * p.log()).sum()", "(p * p.log()).mean()"),
        ),
        mistake(
            "softmax",
            "softmax makes shares of exp(s), so the largest takes nearly all. Divide s itself by its sum.",
            ("s / s.sum()", "s.softmax(0)"),
        ),
        mistake(
            "not divided by the sum",
            "The singular values must sum to 1 before you take their entropy.",
            ("/ s.sum() +", "+"),
        ),
        mistake(
            "counting",
            "You count the singular values above zero: the ordinary rank. A direction that is hardly used should hardly count.",
            lambda h: torch.linalg.matrix_rank(h).float(),
        ),
        mistake(
            "log to base 2",
            "You take the entropy in bits, but exp undoes the natural logarithm: use log.",
            ("log", "log2"),
        ),
        mistake(
            "rows normalised",
            "You scale each row to length 1 first. RankMe leaves the features as they are.",
            lambda h: entropy(torch.linalg.svdvals(F.normalize(h, dim=1))).exp(),
        ),
        mistake(
            "divided by the norm",
            "You divide by the root of the sum of squares. p must sum to 1: divide by the sum.",
            ("/ s.sum()", "/ s.norm()"),
        ),
        mistake(
            "divided by the largest",
            "You divide by the largest singular value. p must sum to 1: divide by the sum.",
            ("/ s.sum()", "/ s.max()"),
        ),
        mistake(
            "participation ratio",
            "1 / sum(p^2) is the participation ratio, another measure. Take exp of the entropy.",
            ("torch.exp(-(p * p.log()).sum())", "1 / p.square().sum()"),
        ),
    ),
)
