"""Exercise of chapter 15: seats shared out evenly."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def sinkhorn_loop(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    rows = [[math.exp(s / epsilon) for s in row] for row in scores.double().tolist()]
    n, k = len(rows), len(rows[0])
    for _ in range(iterations):
        for column in range(k):
            taken = math.fsum(row[column] for row in rows)
            for row in rows:
                row[column] = row[column] / taken * n / k
        rows = [[share / math.fsum(row) for share in row] for row in rows]
    return torch.tensor(rows, dtype=torch.float64)


def turns(scores: Tensor, epsilon: float, iterations: int, order: str) -> Tensor:
    """Columns ("c") and rows ("r") scaled in the order given, each turn."""
    Q, (N, K) = (scores / epsilon).exp(), scores.shape
    for _ in range(iterations):
        for axis in order:
            Q = Q / Q.sum(0, keepdim=True) * (N / K) if axis == "c" else Q / Q.sum(1, keepdim=True)
    return Q


def softmaxes(Q: Tensor, iterations: int, dims: tuple[int, ...]) -> Tensor:
    """A softmax along each of dims, each turn."""
    for _ in range(iterations):
        for dim in dims:
            Q = Q.softmax(dim)
    return Q


AT_ONCE = (
    ("Q = Q / Q.sum(dim=0", "rows = Q.sum(dim=1, keepdim=True); Q = Q / Q.sum(dim=0"),
    ("Q = Q / Q.sum(dim=1, keepdim=True)", "Q = Q / rows"),
)
SINKHORN = Exercise(
    "sinkhorn",
    sinkhorn_loop,
    trials=lambda: [
        (draw(s, n, k, spread=0.4), e, t)
        for s, (n, k, e, t) in enumerate(
            [(3, 2, 0.5, 1), (4, 3, 0.2, 3), (6, 4, 0.1, 2), (3, 6, 0.3, 5), (8, 8, 1.0, 3)]
        )
    ],
    mistakes=(
        mistake(
            "rows first",
            "You scale the rows first and the columns last, so an image may sit more or less than once. Columns first: the rows must be exact in the end.",
            lambda s, e, t: turns(s, e, t, "rc"),
        ),
        mistake(
            "both at once",
            "You divide by the rows' sums from before the columns were scaled. Scale the columns, then add up the rows.",
            AT_ONCE,
            (*AT_ONCE, ("(scores - scores.max())", "scores")),
        ),
        mistake(
            "columns only",
            "You never scale the rows: each image must sit once in all.",
            lambda s, e, t: turns(s, e, t, "c"),
            ("Q = Q / Q.sum(dim=1, keepdim=True)", "pass"),
        ),
        mistake(
            "rows only",
            "You never scale the columns, so nothing is shared: this is a softmax. Each prototype must hold N / K images.",
            lambda s, e, t: turns(s, e, t, "r"),
            ("Q = Q / Q.sum(dim=0, keepdim=True) * (N / K)", "pass"),
        ),
        mistake(
            "one turn",
            "You scale columns and rows once. Take `iterations` turns.",
            lambda s, e, t: turns(s, e, 1, "cr"),
        ),
        mistake(
            "epsilon multiplied",
            "Divide the scores by epsilon: a small one must make the codes sharp.",
            (") / epsilon", ") * epsilon"),
        ),
        mistake("epsilon ignored", "epsilon is not used. Divide the scores by it before exp.", (") / epsilon)", "))")),
        mistake(
            "no exp",
            "You share out the scores themselves, which may be negative. Start from exp(scores / epsilon).",
            lambda s, e, t: turns((s - s.min() + 1e-9).log() * e, e, t, "cr"),
            (".exp()", ""),
            (("(scores - scores.max())", "scores"), (".exp()", "")),
        ),
        mistake(
            "rows do not sum to 1",
            "Your rows do not sum to 1. The last step divides each row by its own sum.",
            lambda s, e, t: turns(s, e, t, "cr") / s.shape[1],
            lambda s, e, t: turns(s, e, t, "cr") * len(s) / s.shape[1],
            lambda s, e, t: turns(s, e, t, "cr") * s.shape[1] / len(s),
        ),
        mistake(
            "rows scaled at the start",
            "You take each row's own largest score off, or begin with a softmax: both scale the rows before the first turn. Take one number off all scores, scores.max().",
            ("scores.max()", "scores.amax(1, keepdim=True)"),
            (".exp()", ".softmax(1)"),
        ),
        mistake(
            "softmax in each turn",
            "You take a softmax in each turn. exp comes once, at the start; after that only divide by sums.",
            lambda s, e, t: softmaxes(s / e, t, (0, 1)),
            lambda s, e, t: softmaxes((s / e).exp(), t, (0, 1)),
        ),
        mistake(
            "another number of turns",
            "You take one turn too many, or one too few. Take `iterations` turns.",
            ("range(iterations)", "range(iterations + 1)"),
            ("range(iterations)", "range(iterations - 1)"),
        ),
        mistake(
            "hard codes",
            "You seat each image at one table. Codes are soft: return the shares as they are.",
            ("return Q", "return F.one_hot(Q.argmax(1), K).to(Q)"),
        ),
        mistake(
            "all sums to 1",
            "The whole table adds up to 1, as in the middle of the paper's code. Multiply by N in the end: each image's code must sum to 1.",
            lambda s, e, t: turns(s, e, t, "cr") / len(s),
        ),
        mistake(
            "axes exchanged",
            "You took columns for images. Images are rows: dim=1 runs along one image's shares.",
            lambda s, e, t: turns(s.T, e, t, "cr").T,
        ),
    ),
)
