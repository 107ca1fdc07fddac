"""Exercise of chapter 25: the gradient of gather."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def gather_gradient_loop(gradients: Tensor, rank: int) -> Tensor:
    W = len(gradients)
    N = gradients.shape[1] // W
    result = torch.zeros(N, gradients.shape[2], dtype=torch.float64)
    for process in range(W):
        for row in range(N):
            for k in range(gradients.shape[2]):
                result[row, k] += float(gradients[process, rank * N + row, k])
    return result


GATHER_GRADIENT = Exercise(
    "gather_gradient",
    gather_gradient_loop,
    trials=lambda: [
        (torch.tensor([[[1.0], [2.0]], [[10.0], [20.0]]]), 1),
        (draw(1, 2, 6, 3), 0),
        (draw(2, 3, 6, 2), 2),
        (draw(3, 4, 8, 5), 1),
    ],
    mistakes=(
        mistake(
            "only its own copy",
            "You take only what your own copy of the loss says. Your rows were used by all the others too: add up what they say. (This is a plain all_gather: after DDP's mean, 1/W of the gradient is left.)",
            lambda g, r: g[r].chunk(len(g))[r],
        ),
        mistake(
            "without its own copy",
            "You leave out your own copy of the loss. It counts as much as the others.",
            ("gradients.sum(dim=0)", "(gradients.sum(dim=0) - gradients[rank])"),
        ),
        mistake(
            "the mean over the processes",
            "You take the mean over the processes. gather sums; DDP takes the mean of the *weights'* gradients later. With both, the factor 1/W counts twice.",
            (
                "gradients.sum(dim=0).chunk(len(gradients))[rank]",
                "(gradients.sum(dim=0).chunk(len(gradients))[rank]) / len(gradients)",
            ),
        ),
        mistake(
            "the rank counts from 1",
            "Your rows are those of the rank before: ranks go from 0 to W - 1.",
            ("[rank]", "[rank - 1]"),
        ),
        mistake(
            "averaged over the rows",
            "You divide by the number of rows. The gradients are only added up.",
            ("[rank]", "[rank] / (gradients.shape[1] // len(gradients))"),
        ),
        mistake(
            "rows that overlap",
            "Your rows begin at `rank`, so that processes overlap. Those of process `rank` start at rank * N.",
            lambda g, r: g.sum(0)[r:][: g.shape[1] // len(g)],
        ),
        mistake(
            "the rows of rank 0",
            "You always return the first rows. Those of process `rank` start at rank * N.",
            lambda g, r: g.sum(0)[: g.shape[1] // len(g)],
        ),
        mistake(
            "one row alone",
            "You return a single row. Each process put in N of them: yours start at rank * N.",
            lambda g, r: g.sum(0)[r],
            lambda g, r: g.sum(0)[r : r + 1],
        ),
        mistake(
            "all rows",
            "You return the gradient of all gathered rows. This process put in N of them, and gets N back.",
            lambda g, r: g.sum(0),
            lambda g, r: g[r],
        ),
        mistake(
            "summed over the wrong axis",
            "You take your own copy of the loss and add up the rows that stand at the same place in all processes. Add up the *copies* (the first axis) for your own rows.",
            lambda g, r: g[r].unflatten(0, (len(g), -1)).sum(0),
        ),
        mistake(
            "every W-th row",
            "You take every W-th row. The rows of one process stand together.",
            lambda g, r: g.sum(0)[r :: len(g)],
        ),
    ),
)
