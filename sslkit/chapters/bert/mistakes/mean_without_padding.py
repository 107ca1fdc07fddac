"""Exercise of chapter 19: one feature for a passage."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.bert.mistakes.passages import text
from sslkit.checks.exercise import Exercise, draw, mistake


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
    "mean_without_padding",
    mean_without_padding_loop,
    grad=True,
    trials=lambda: [
        (torch.tensor([[[1.0], [3.0], [8.0]]]), torch.tensor([[5, 6, 0]])),
        (draw(1, 3, 5, 2), padded(1, 3, 5)),
        (draw(2, 4, 8, 3), padded(2, 4, 8)),
        (draw(3, 2, 6, 4), padded(4, 2, 6)),
        (draw(4, 2, 4, 2), torch.tensor([[0, 5, 0, 6], [7, 0, 8, 9]])),  # wherever it stands
    ],
    mistakes=(
        mistake(
            "padding counts",
            "You take the mean over all places. What stands at <pad> is no text: leave it out.",
            ("!= 0", ">= 0"),
        ),
        mistake(
            "divided by all",
            "You leave padding out of the sum, but divide by the number of all places. Divide by how many tokens there are.",
            ("/ kept.sum(dim=1)", "/ x.shape[1]"),
        ),
        mistake(
            "mean of the padding",
            "You take the mean over padding alone: the condition is the wrong way round.",
            ("!= 0", "== 0"),
            lambda x, t: (x * (t == 0)[:, :, None]).sum(1) / (t == 0).sum(1, keepdim=True).clamp(min=1),
        ),
        mistake(
            "multiplied by the tokens",
            "You multiply by the numbers of the tokens, so that a word with a large number counts more. Ask `tokens != 0` first: True counts as 1.",
            ("(tokens != 0)", "tokens"),
            lambda x, t: (x * t[:, :, None]).sum(1),
            lambda x, t: (x * t[:, :, None]).mean(1),
        ),
        mistake("sum", "You add up. Divide by the number of tokens.", (") / kept.sum(dim=1)", ")")),
        mistake(
            "first token",
            "You take the first token's vector, as BERT does with [CLS]. Here it is the mean over all of them.",
            lambda x, t: x[:, 0],
        ),
        mistake(
            "one length for all",
            "You divide every passage by the same number. Each has its own number of tokens.",
            lambda x, t: (x * (t != 0)[:, :, None]).sum(1) / (t[0] != 0).sum(),
            ("kept.sum(dim=1)", "kept.sum(dim=1).mean()"),
            ("kept.sum(dim=1)", "kept.sum(dim=1).max()"),
            lambda x, t: (x * (t != 0)[:, :, None]).sum(1) / (t != 0).sum(),
        ),
        mistake(
            "as many from the start",
            "You take as many vectors from the start as there are tokens. <pad> may stand anywhere: look where tokens is 0.",
            lambda x, t: torch.stack([row[:n].mean(0) for row, n in zip(x, (t != 0).sum(1))]),
        ),
        mistake(
            "last token",
            "You take one token's vector, the last. Here it is the mean over all of them.",
            lambda x, t: x[:, -1],
            lambda x, t: x[torch.arange(len(x)), (t != 0).sum(1) - 1],
        ),
        mistake(
            "one mean for all passages",
            "x[tokens != 0] puts the tokens of all passages into one list. Each passage has a mean of its own.",
            lambda x, t: x[t != 0].mean(0).expand(len(x), -1),
            lambda x, t: x[t != 0].mean(0),
        ),
        mistake(
            "<end> left out too",
            "You leave out <end> (number 1) as well. Only <pad>, number 0, does not count.",
            lambda x, t: (x * (t > 1)[:, :, None]).sum(1) / (t > 1).sum(1, keepdim=True).clamp(min=1),
        ),
        mistake(
            "mean over the numbers",
            "You take the mean over the numbers of each vector. The mean runs over the tokens: dim=1.",
            lambda x, t: x.mean(2),
            ("(x * kept).sum(dim=1) / kept.sum(dim=1)", "(x * kept).mean(dim=2)"),
        ),
        mistake(
            "mean over the passages",
            "You take the mean over the passages. The mean runs over the tokens of each: dim=1.",
            ("(x * kept).sum(dim=1) / kept.sum(dim=1)", "(x * kept).sum(dim=0) / kept.sum(dim=0).clamp(min=1)"),
            lambda x, t: x.mean(0),
        ),
        mistake(
            "largest in place of mean",
            "You take the largest of each number. Take the mean over the tokens.",
            lambda x, t: x.masked_fill((t == 0)[:, :, None], -torch.inf).amax(1),
        ),
        mistake(
            "count plus 1",
            "You divide by one more than there are. No guard against 0 is needed: a passage has a token.",
            ("/ kept.sum(dim=1)", "/ (kept.sum(dim=1) + 1)"),
        ),
    ),
)
