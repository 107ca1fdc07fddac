"""Exercise of chapter 12: the pull."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_rows, mistake


def negative_cosine_loop(p: Tensor, t: Tensor) -> Tensor:
    total = 0.0
    for prediction, target in zip(p.double(), t.detach().double()):
        dot = sum(a * b for a, b in zip(prediction, target))
        lengths = sum(a * a for a in prediction).sqrt() * sum(b * b for b in target).sqrt()
        total = total - dot / lengths
    return total / len(p)


NEGATIVE_COSINE = Exercise(
    "negative_cosine",
    negative_cosine_loop,
    grad=True,
    trials=lambda: [
        (draw_rows(s, n, k), draw_rows(s + 50, n, k)) for s, (n, k) in enumerate([(2, 2), (3, 4), (4, 3), (6, 16)])
    ],
    mistakes=(
        mistake(
            "no normalisation",
            "These are dot products: long vectors count more. Scale each row of both to length 1.",
            ("F.normalize(p, dim=1) * F.normalize(t, dim=1)", "p * t"),
        ),
        mistake(
            "divided by the squared lengths",
            "You divide by the squares of the lengths. Divide by the lengths themselves: norm, or the root of the sum of squares.",
            (
                "F.normalize(p, dim=1) * F.normalize(t, dim=1)",
                "p / p.square().sum(1, keepdim=True) * t / t.square().sum(1, keepdim=True)",
            ),
        ),
        mistake(
            "one length for the whole table",
            "You divide the whole table by one length. Each row has its own: .norm(dim=1, keepdim=True).",
            ("F.normalize(p, dim=1) * F.normalize(t, dim=1)", "p / p.norm() * t / t.norm()"),
        ),
        mistake(
            "one side normalised",
            "Only one of the two is scaled to length 1. A cosine needs both.",
            ("F.normalize(p, dim=1)", "p"),
            ("F.normalize(t, dim=1)", "t"),
        ),
        mistake(
            "no stop-gradient",
            "The number is right, but the gradient reaches the targets too. Detach them: it is what keeps the target from giving way.",
            ("t.detach()", "t"),
        ),
        mistake(
            "stop-gradient on the wrong side",
            "You detach the predictions, so nothing can learn. The targets are to be constant.",
            (("at_least_float32(p)", "at_least_float32(p.detach())"), ("t.detach()", "t")),
        ),
        mistake(
            "sign",
            "The cosine itself would be made small: that pushes prediction and target apart. The loss is minus it.",
            ("return -(", "return ("),
        ),
        mistake("sum instead of mean", "You add the rows up. Take their mean.", (".mean()", ".sum()")),
        mistake(
            "mean over the numbers",
            "You average over all N times K products. Add up along each row, then average the rows.",
            (".sum(dim=1).mean()", ".mean()"),
        ),
        mistake(
            "all pairs",
            "You compare every prediction with every target. Row i belongs to row i alone; nobody else takes part.",
            lambda p, t: -(F.normalize(p, dim=1) @ F.normalize(t.detach(), dim=1).T).mean(),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            lambda p, t: -(F.normalize(p, dim=0) * F.normalize(t.detach(), dim=0)).sum(1).mean(),
            lambda p, t: -F.cosine_similarity(p, t.detach(), dim=0).mean(),
        ),
        mistake(
            "one minus the cosine", "That is off by one. Here the best value is -1.", ("return -(", "return 1 - (")
        ),
        mistake(
            "squared distance",
            "That is the paper's equation 2, 2 - 2 cos. Here minus the cosine is asked for.",
            ("return -(", "return 2 - 2 * ("),
        ),
        mistake(
            "summed down the columns",
            "You add up each column. Add up along each row, dim=1: that is a row's cosine.",
            ("sum(dim=1)", "sum(dim=0)"),
        ),
        mistake(
            "one cosine of all",
            "You take all rows together for one long vector. Each row has its own cosine; then average.",
            lambda p, t: -F.cosine_similarity(p.flatten(), t.detach().flatten(), dim=0),
        ),
    ),
)
