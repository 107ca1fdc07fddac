"""Exercises of chapter 19 in which padding must not count: the mean over a passage, attention to both sides."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def text(seed: int, N: int, T: int, vocabulary: int = 30) -> Tensor:
    return 3 + draw_labels(seed, N * T, vocabulary - 3).view(N, T)


def mean_without_padding_loop(x: Tensor, tokens: Tensor) -> Tensor:
    rows = []
    for n in range(x.shape[0]):
        total, count = torch.zeros(x.shape[2], dtype=torch.float64), 0
        for t in range(x.shape[1]):
            if tokens[n, t] != 0:
                total, count = total + x[n, t].double(), count + 1
        rows.append(total / count)
    return torch.stack(rows)


def padded(seed: int, N: int, T: int) -> Tensor:
    """Tokens [N, T], <end> among them; each passage padded to another length, the last one not at all."""
    tokens = text(seed, N, T)
    lengths = 1 + (torch.arange(N) * 3 + seed) % (T - 1)
    lengths[-1] = T
    tokens[:, 0] = torch.where(lengths > 2, 1, tokens[:, 0])
    return tokens.masked_fill(torch.arange(T) >= lengths[:, None], 0)


MEAN = Exercise(
    "mean_without_padding", mean_without_padding_loop, grad=True,
    trials=lambda: [
        (torch.tensor([[[1.0], [3.0], [8.0]]]), torch.tensor([[5, 6, 0]])),
        (draw(1, 3, 5, 2), padded(1, 3, 5)),
        (draw(2, 4, 8, 3), padded(2, 4, 8)),
        (draw(3, 2, 6, 4), padded(4, 2, 6)),
        (draw(4, 2, 4, 2), torch.tensor([[0, 5, 0, 6], [7, 0, 8, 9]])),  # wherever it stands
    ],
    mistakes=(
        mistake("padding counts", "You take the mean over all places. What stands at <pad> is no text: leave it out.",
                ("!= 0", ">= 0")),
        mistake("divided by all", "You leave padding out of the sum, but divide by the number of all places. Divide by how many "
                "tokens there are.",
                ("/ kept.sum(dim=1)", "/ x.shape[1]")),
        mistake("mean of the padding", "You take the mean over padding alone: the condition is the wrong way round.",
                ("!= 0", "== 0"),
                lambda x, t: (x * (t == 0)[:, :, None]).sum(1) / (t == 0).sum(1, keepdim=True).clamp(min=1)),
        mistake("multiplied by the tokens", "You multiply by the numbers of the tokens, so that a word with a large number counts more. "
                "Ask `tokens != 0` first: True counts as 1.", ("(tokens != 0)", "tokens"),
                lambda x, t: (x * t[:, :, None]).sum(1), lambda x, t: (x * t[:, :, None]).mean(1)),
        mistake("sum", "You add up. Divide by the number of tokens.", (") / kept.sum(dim=1)", ")")),
        mistake("first token", "You take the first token's vector, as BERT does with [CLS]. Here it is the mean over all of them.",
                lambda x, t: x[:, 0]),
        mistake("one length for all", "You divide every passage by the same number. Each has its own number of tokens.",
                lambda x, t: (x * (t != 0)[:, :, None]).sum(1) / (t[0] != 0).sum(), ("kept.sum(dim=1)", "kept.sum(dim=1).mean()"),
                ("kept.sum(dim=1)", "kept.sum(dim=1).max()"),
                lambda x, t: (x * (t != 0)[:, :, None]).sum(1) / (t != 0).sum()),
        mistake("as many from the start", "You take as many vectors from the start as there are tokens. <pad> may stand anywhere: look "
                "where tokens is 0.", lambda x, t: torch.stack([row[:n].mean(0) for row, n in zip(x, (t != 0).sum(1))])),
        mistake("last token", "You take one token's vector, the last. Here it is the mean over all of them.",
                lambda x, t: x[:, -1], lambda x, t: x[torch.arange(len(x)), (t != 0).sum(1) - 1]),
        mistake("one mean for all passages", "x[tokens != 0] puts the tokens of all passages into one list. Each passage has a "
                "mean of its own.",
                lambda x, t: x[t != 0].mean(0).expand(len(x), -1), lambda x, t: x[t != 0].mean(0)),
        mistake("<end> left out too", "You leave out <end> (number 1) as well. Only <pad>, number 0, does not count.",
                lambda x, t: (x * (t > 1)[:, :, None]).sum(1) / (t > 1).sum(1, keepdim=True).clamp(min=1)),
        mistake("mean over the numbers", "You take the mean over the numbers of each vector. The mean runs over the tokens: dim=1.",
                lambda x, t: x.mean(2), ("(x * kept).sum(dim=1) / kept.sum(dim=1)", "(x * kept).mean(dim=2)")),
        mistake("mean over the passages", "You take the mean over the passages. The mean runs over the tokens of each: dim=1.",
                ("(x * kept).sum(dim=1) / kept.sum(dim=1)", "(x * kept).sum(dim=0) / kept.sum(dim=0).clamp(min=1)"),
                lambda x, t: x.mean(0)),
        mistake("largest in place of mean", "You take the largest of each number. Take the mean over the tokens.",
                lambda x, t: x.masked_fill((t == 0)[:, :, None], -torch.inf).amax(1)),
        mistake("count plus 1", "You divide by one more than there are. No guard against 0 is needed: a passage has a token.",
                ("/ kept.sum(dim=1)", "/ (kept.sum(dim=1) + 1)")),
    ),
)  # fmt: skip


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


def raw_scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(1, 2) / q.shape[-1] ** 0.5


def past_only(T: int) -> Tensor:
    """True where query i may not look at j because j comes after it."""
    return torch.ones(T, T, dtype=torch.bool).triu(1)


def pads(N: int, T: int) -> Tensor:
    """The first passage has no padding, each further one more of it; one token always stays."""
    lengths = (T - 2 * torch.arange(N)).clamp(min=1)
    return torch.arange(T) >= lengths[:, None]


ATTEND = Exercise(
    "attend_both_ways", attend_both_ways_loop, grad=True,
    trials=lambda: [
        (draw(1, 1, 3, 2), draw(2, 1, 3, 2), draw(3, 1, 3, 2), torch.tensor([[False, False, True]])),
        (draw(4, 2, 5, 4), draw(5, 2, 5, 4), draw(6, 2, 5, 4), pads(2, 5)),
        (draw(7, 3, 6, 9, spread=2.0), draw(8, 3, 6, 9), draw(9, 3, 6, 9), pads(3, 6)),
    ],
    mistakes=(
        mistake("padding is looked at", "You do not hide the padding: its values are mixed in.",
                ("masked_fill(padding[:, None], -math.inf).", "")),
        mistake("causal", "You hide what comes after each token. That is for guessing the next word; BERT looks both ways.",
                (("padding[:, None]", "padding[:, None] | torch.ones_like(scores[0], dtype=torch.bool).triu(1)"),
                    ("-math.inf", "-1e30")),
                lambda q, k, v, p: raw_scores(q, k).masked_fill(past_only(q.shape[1]), -1e30).softmax(2) @ v),
        mistake("padding hidden as query", "You hide the rows of padding: what padding looks at. What matters is that nobody "
                "looks *at* it: its columns.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, :, None], -1e30).softmax(2) @ v,
                ("padding[:, None]", "padding[:, :, None]")),
        mistake("padding hidden as key and as query", "You hide the rows of padding, too. They may look at others, and a row that is "
                "hidden whole has no softmax. Hide the columns alone.",
                *(lambda q, k, v, p, low=low: raw_scores(q, k).masked_fill(p[:, None] | p[:, :, None], low).softmax(2) @ v
                  for low in (-1e30, -math.inf))),
        mistake("0 times infinity", "0 times minus infinity is no number. Do not multiply the mask by it: masked_fill, or torch.where.",
                ("masked_fill(padding[:, None], -math.inf)", "add(padding[:, None] * -math.inf)")),
        mistake("itself hidden", "You hide each token from itself. It looks at all tokens that are no padding, itself too.",
                ("padding[:, None]", "padding[:, None] | torch.eye(q.shape[1], dtype=torch.bool)"),
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, None] | torch.eye(q.shape[1]).bool(), -1e30).softmax(2) @ v),
        mistake("weights returned", "These are the weights [N, T, T]. Multiply them by v.", (" @ v", "")),
        mistake("zero instead of minus infinity", "You set the scores of padding to 0, but exp(0) = 1 is a weight like others. "
                "Set them to minus infinity.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, None], 0.0).softmax(2) @ v),
        mistake("hidden after the softmax", "You set the weights of padding to 0 after the softmax, so that the others no longer "
                "add up to 1.",
                ("masked_fill(padding[:, None], -math.inf).softmax(dim=2)", "softmax(dim=2).masked_fill(padding[:, None], 0)")),
        mistake("no softmax", "You multiply the values by the scores themselves. Make weights of them: softmax.",
                (".masked_fill(padding[:, None], -math.inf).softmax(dim=2)", ".masked_fill(padding[:, None], 0)")),
        mistake("axes of k reshaped", "reshape moves no axis, it only counts the numbers off anew. Exchange the axes: k.transpose(1, 2).",
                ("k.transpose(1, 2)", "k.reshape(len(k), k.shape[2], -1)")),
        mistake("queries and keys exchanged", "Your row i asks with the key of token i. Rows are queries, columns are keys: q @ "
                "k.transpose(1, 2).",
                ("q @ k.transpose(1, 2)", "k @ q.transpose(1, 2)")),
        mistake("divided by the root of T", "You divide by the root of the number of tokens. It is the root of D, the length of a query.",
                ("q.shape[-1] **", "q.shape[1] **")),
        mistake("padding gets zeros", "You set the results at padding to 0. Padding may look at others: only nobody looks at it.",
                (" @ v", " @ v * ~padding[:, :, None]")),
        mistake("not scaled", "You leave out the division by the root of D.", (") / q.shape[-1] ** 0.5", ")")),
        mistake("divided by D", "You divide by D. Divide by its square root.", ("] ** 0.5", "]")),
        mistake("softmax over the queries", "Your softmax runs over the queries. Each query's weights add up to 1 over the keys: "
                "the last dimension.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, None], -1e30).softmax(1) @ v,
                ("softmax(dim=2)", "softmax(dim=1)")),
        mistake("everything but padding hidden", "You hide the text and look at the padding: the mask is the wrong way round. "
                "(attn_mask in torch is True where to look.)",
                lambda q, k, v, p: F.scaled_dot_product_attention(q, k, v, attn_mask=p[:, None]),
                lambda q, k, v, p: raw_scores(q, k).masked_fill(~p[:, None], -1e30).softmax(2) @ v,
                ("padding[:, None]", "~padding[:, None]")),
    ),
)  # fmt: skip
