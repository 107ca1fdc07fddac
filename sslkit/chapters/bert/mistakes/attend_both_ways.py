"""Exercise of chapter 19: attention to both sides, but not to padding."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def attend_both_ways_loop(q: Tensor, k: Tensor, v: Tensor, padding: Tensor) -> Tensor:
    N, T, D = q.shape
    passages: list[Tensor] = []
    for n in range(N):
        rows = []
        for i in range(T):
            weights = {
                j: ((q[n, i].double() * k[n, j].double()).sum() / math.sqrt(D)).exp()
                for j in range(T)
                if not padding[n, j]
            }
            total = sum(weights.values())
            mixed = [weight * v[n, j].double() for j, weight in weights.items()]
            rows.append(torch.stack(mixed).sum(0) / total)
        passages.append(torch.stack(rows))
    return torch.stack(passages)


def attended(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor, low: float = -1e30, dim: int = 2) -> Tensor:
    """Attention with other places hidden, by another score, or with the softmax along another axis."""
    return (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).masked_fill(hidden, low).softmax(dim) @ v


def past_only(T: int) -> Tensor:
    """True where query i may not look at j because j comes after it."""
    return torch.ones(T, T, dtype=torch.bool).triu(1)


def pads(N: int, T: int) -> Tensor:
    """The first passage has no padding, each further one more of it; one token always stays."""
    lengths = (T - 2 * torch.arange(N)).clamp(min=1)
    return torch.arange(T) >= lengths[:, None]


ATTEND = Exercise(
    "attend_both_ways",
    attend_both_ways_loop,
    grad=True,
    trials=lambda: [
        (draw(1, 1, 3, 2), draw(2, 1, 3, 2), draw(3, 1, 3, 2), torch.tensor([[False, False, True]])),
        (draw(4, 2, 5, 4), draw(5, 2, 5, 4), draw(6, 2, 5, 4), pads(2, 5)),
        (draw(7, 3, 6, 9, spread=2.0), draw(8, 3, 6, 9), draw(9, 3, 6, 9), pads(3, 6)),
    ],
    mistakes=(
        mistake(
            "padding is looked at",
            "You do not hide the padding: its values are mixed in.",
            ("masked_fill(padding[:, None], -math.inf).", ""),
        ),
        mistake(
            "causal",
            "You hide what comes after each token. That is for guessing the next word; BERT looks both ways.",
            (
                ("padding[:, None]", "padding[:, None] | torch.ones_like(scores[0], dtype=torch.bool).triu(1)"),
                ("-math.inf", "-1e30"),
            ),
            lambda q, k, v, p: attended(q, k, v, past_only(q.shape[1])),
        ),
        mistake(
            "padding hidden as query",
            "You hide the rows of padding: what padding looks at. What matters is that nobody looks *at* it: its columns.",
            lambda q, k, v, p: attended(q, k, v, p[:, :, None]),
            ("padding[:, None]", "padding[:, :, None]"),
        ),
        mistake(
            "padding hidden as key and as query",
            "You hide the rows of padding, too. They may look at others, and a row that is hidden whole has no softmax. Hide the columns alone.",
            lambda q, k, v, p: attended(q, k, v, p[:, None] | p[:, :, None]),
            lambda q, k, v, p: attended(q, k, v, p[:, None] | p[:, :, None], -math.inf),
        ),
        mistake(
            "0 times infinity",
            "0 times minus infinity is no number. Do not multiply the mask by it: masked_fill, or torch.where.",
            ("masked_fill(padding[:, None], -math.inf)", "add(padding[:, None] * -math.inf)"),
        ),
        mistake(
            "itself hidden",
            "You hide each token from itself. It looks at all tokens that are no padding, itself too.",
            ("padding[:, None]", "padding[:, None] | torch.eye(q.shape[1], dtype=torch.bool)"),
            lambda q, k, v, p: attended(q, k, v, p[:, None] | torch.eye(q.shape[1]).bool()),
        ),
        mistake("weights returned", "These are the weights [N, T, T]. Multiply them by v.", (" @ v", "")),
        mistake(
            "zero instead of minus infinity",
            "You set the scores of padding to 0, but exp(0) = 1 is a weight like others. Set them to minus infinity.",
            lambda q, k, v, p: attended(q, k, v, p[:, None], 0.0),
        ),
        mistake(
            "hidden after the softmax",
            "You set the weights of padding to 0 after the softmax, so that the others no longer add up to 1.",
            (
                "masked_fill(padding[:, None], -math.inf).softmax(dim=2)",
                "softmax(dim=2).masked_fill(padding[:, None], 0)",
            ),
        ),
        mistake(
            "no softmax",
            "You multiply the values by the scores themselves. Make weights of them: softmax.",
            (".masked_fill(padding[:, None], -math.inf).softmax(dim=2)", ".masked_fill(padding[:, None], 0)"),
        ),
        mistake(
            "axes of k reshaped",
            "reshape moves no axis, it only counts the numbers off anew. Exchange the axes: k.transpose(1, 2).",
            ("k.transpose(1, 2)", "k.reshape(len(k), k.shape[2], -1)"),
        ),
        mistake(
            "queries and keys exchanged",
            "Your row i asks with the key of token i. Rows are queries, columns are keys: q @ k.transpose(1, 2).",
            ("q @ k.transpose(1, 2)", "k @ q.transpose(1, 2)"),
        ),
        mistake(
            "divided by the root of T",
            "You divide by the root of the number of tokens. It is the root of D, the length of a query.",
            ("q.shape[-1] **", "q.shape[1] **"),
        ),
        mistake(
            "padding gets zeros",
            "You set the results at padding to 0. Padding may look at others: only nobody looks at it.",
            (" @ v", " @ v * ~padding[:, :, None]"),
        ),
        mistake("not scaled", "You leave out the division by the root of D.", (") / q.shape[-1] ** 0.5", ")")),
        mistake("divided by D", "You divide by D. Divide by its square root.", ("] ** 0.5", "]")),
        mistake(
            "softmax over the queries",
            "Your softmax runs over the queries. Each query's weights add up to 1 over the keys: the last dimension.",
            lambda q, k, v, p: attended(q, k, v, p[:, None], dim=1),
            ("softmax(dim=2)", "softmax(dim=1)"),
        ),
        mistake(
            "everything but padding hidden",
            "You hide the text and look at the padding: the mask is the wrong way round. (attn_mask in torch is True where to look.)",
            lambda q, k, v, p: F.scaled_dot_product_attention(q, k, v, attn_mask=p[:, None]),
            lambda q, k, v, p: attended(q, k, v, ~p[:, None]),
            ("padding[:, None]", "~padding[:, None]"),
        ),
    ),
)
