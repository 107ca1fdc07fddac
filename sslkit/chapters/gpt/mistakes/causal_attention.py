"""Exercise of chapter 20: attention to the past."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def causal_attention_loop(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = q.double(), k.double(), v.double()
    passages = []
    for n in range(len(q)):
        rows = []
        for i in range(q.shape[1]):
            weights = [((q[n, i] * k[n, j]).sum() / math.sqrt(q.shape[2])).exp() for j in range(i + 1)]
            rows.append(sum(w * v[n, j] for j, w in enumerate(weights)) / sum(weights))
        passages.append(torch.stack(rows))
    return torch.stack(passages)


def scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(1, 2) * q.shape[-1] ** -0.5


def square(q: Tensor) -> Tensor:
    """True for every pair of places, [T, T]."""
    return torch.ones(q.shape[1], q.shape[1], dtype=torch.bool)


ATTENTION = Exercise(
    "causal_attention",
    causal_attention_loop,
    grad=True,
    trials=lambda: [
        (draw(1, 1, 2, 2, spread=2.0), draw(2, 1, 2, 2, spread=2.0), draw(3, 1, 2, 2)),
        (draw(4, 2, 4, 4, spread=2.0), draw(5, 2, 4, 4, spread=2.0), draw(6, 2, 4, 4)),
        (draw(7, 3, 7, 3, spread=2.0), draw(8, 3, 7, 3, spread=2.0), draw(9, 3, 7, 3)),
        (draw(10, 2, 1, 4), draw(11, 2, 1, 4), draw(12, 2, 1, 4)),
    ],
    mistakes=(
        mistake(
            "no mask",
            "Every token sees the whole passage, the future too: this is the leak of section 8.",
            ("ones", "zeros"),
        ),
        mistake(
            "looks ahead",
            "Your mask hides the past and shows the future. Row i asks, column j is asked: hide j > i, which is `triu(1)`.",
            ("(1)", "(1).T"),
            lambda q, k, v: (
                (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).masked_fill(square(q).tril(), -1e9).softmax(-1) @ v
            ),
        ),
        mistake(
            "not itself",
            "Your mask hides the token itself as well. It may look at 0 .. i, and the first one has nobody else.",
            ("(1)", "(0)"),
            lambda q, k, v: scores(q, k).masked_fill(square(q).triu(), -1e9).softmax(-1) @ v,
            (("(1)", "(0)"), ("softmax(dim=-1)", "softmax(dim=-1).nan_to_num()")),
        ),
        mistake(
            "sees the next",
            "Your mask is one place too generous: token i still sees token i + 1. That one place is the answer.",
            ("(1)", "(2)"),
        ),
        mistake(
            "zero in place of minus infinity",
            "You set the scores of the future to 0, and exp(0) = 1 is a good share. Set them to minus infinity.",
            lambda q, k, v: scores(q, k).tril().softmax(-1) @ v,
        ),
        mistake(
            "masked after the softmax",
            "You take the softmax first and hide the future then, so the weights that are left do not add up to 1.",
            ("masked_fill(future, -torch.inf).softmax(dim=-1)", "softmax(dim=-1).masked_fill(future, 0)"),
        ),
        mistake("not scaled", "The scores are not divided by sqrt(D).", (") / q.shape[-1] ** 0.5", ")")),
        mistake(
            "divided by D",
            "You divide by D. Divide by its root: so much does a product of D random numbers spread.",
            ("] ** 0.5", "]"),
        ),
        mistake(
            "softmax over the queries",
            "Your softmax runs over those who ask. It runs over those who are asked, the last dimension.",
            ("=-1", "=1"),
        ),
        mistake(
            "axes of k reshaped",
            "reshape moves no axis, it only counts the numbers off anew. Exchange the axes: k.transpose(1, 2).",
            ("k.transpose(1, 2)", "k.reshape(len(k), k.shape[2], -1)"),
        ),
        mistake(
            "axes of k reversed",
            ".T turns all the axes of a tensor of three round. Exchange the last two: k.transpose(1, 2), or k.mT.",
            ("k.transpose(1, 2)", "k.permute(2, 1, 0)"),
        ),
        mistake(
            "queries and keys exchanged",
            "Your row i asks with the key of token i. Rows are queries, columns are keys: q @ k.transpose(1, 2).",
            ("q @ k.transpose(1, 2)", "k @ q.transpose(1, 2)"),
        ),
        mistake(
            "0 times infinity",
            "0 times minus infinity is no number. Do not multiply the mask by it: masked_fill, or torch.where.",
            ("masked_fill(future, -torch.inf)", "add(future * -torch.inf)"),
        ),
        mistake(
            "no softmax",
            "You multiply the values by the scores themselves. Make weights of them: softmax.",
            (".masked_fill(future, -torch.inf).softmax(dim=-1)", ".masked_fill(future, 0)"),
        ),
        mistake(
            "scaled after the softmax",
            "You divide the weights by sqrt(D), so that they do not add up to 1. Divide the scores, before the softmax.",
            ((") / q.shape[-1] ** 0.5", ")"), ("softmax(dim=-1)", "softmax(dim=-1) / q.shape[-1] ** 0.5")),
        ),
        mistake("weights returned", "These are the weights [N, T, T]. Multiply them by v.", (" @ v", "")),
        mistake(
            "divided by the root of T",
            "You divide by the root of the number of tokens. It is the root of D, the length of a query.",
            ("q.shape[-1] **", "q.shape[1] **"),
        ),
    ),
)
