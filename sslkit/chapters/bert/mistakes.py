"""Exercises of chapter 19: the 80/10/10 rule, the loss on hidden places, the mean without padding, attention to both
sides."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.bert.exercises import replace_hidden
from sslkit.checks.exercise import Exercise, draw, draw_labels, generator, mistake


def replace_hidden_loop(tokens: Tensor, mask: Tensor, die: Tensor, other: Tensor) -> Tensor:
    rows = []
    for n in range(tokens.shape[0]):
        row = []
        for t in range(tokens.shape[1]):
            token = tokens[n, t].item()
            if mask[n, t]:
                if die[n, t] < 0.8:
                    token = 2
                elif die[n, t] < 0.9:
                    token = other[n, t].item()
            row.append(token)
        rows.append(row)
    return torch.tensor(rows)


def dice(seed: int, N: int, T: int) -> Tensor:
    """Numbers in [0, 1) of which many lie above 0.8, so that every case occurs in few places; none lies on an edge of the rule, where
    float32 and float64 differ."""
    numbers = torch.rand(N, T, generator=generator(seed))
    spread = torch.where(torch.arange(T) % 2 == 0, numbers, 0.7 + 0.3 * numbers)
    return ((spread * 100).floor().clamp(max=99) + 0.5) / 100


def hide(seed: int, N: int, T: int, share: float = 0.5) -> Tensor:
    """A mask with at least one hidden place and one that is not in each row; rows hide different numbers."""
    noise = torch.rand(N, T, generator=generator(seed))
    mask = noise < share
    mask[:, 0], mask[:, -1] = True, False
    return mask


def text(seed: int, N: int, T: int, vocabulary: int = 30) -> Tensor:
    return 3 + draw_labels(seed, N * T, vocabulary - 3).view(N, T)


def trial(seed: int, N: int, T: int) -> tuple:
    return text(seed, N, T), hide(seed + 1, N, T), dice(seed + 2, N, T), text(seed + 3, N, T)


REPLACE = Exercise(
    "replace_hidden", replace_hidden_loop,
    trials=lambda: [
        (
            torch.tensor([[5, 6, 7, 8]]),
            torch.tensor([[True, True, True, False]]),
            torch.tensor([[0.3, 0.85, 0.95, 0.1]]),
            torch.tensor([[21, 22, 23, 24]]),
        ),
        trial(1, 2, 12),
        trial(5, 4, 20),
        trial(9, 8, 16),
    ],
    mistakes=(
        mistake("always <mask>", "You show <mask> at every hidden place. Only where die is below 0.8.",
                lambda x, m, d, o: x.masked_fill(m, 2)),
        mistake("mask ignored", "You throw the die at every place. Places that are not hidden stay as they are.",
                lambda x, m, d, o: torch.where(d < 0.8, 2, torch.where(d < 0.9, o, x))),
        mistake("mask inverted", "You replace tokens where the mask is False. True means hidden in this course.",
                lambda x, m, d, o: replace_hidden(x, ~m, d, o)),
        mistake("nothing stays", "You replace every hidden token from 0.8 on by another one. From 0.9 on it stays.",
                (") & (die < 0.9)", ")")),
        mistake("no random tokens", "From 0.8 to 0.9 you leave the token. There the one of `other` is shown.",
                ("torch.where(mask & (die >= 0.8) & (die < 0.9), other, shown)", "shown")),
        mistake("random and kept exchanged", "You keep the token from 0.8 to 0.9 and replace it from 0.9 on. It is the other way "
                "round.",
                ("< 0.9", ">= 0.9")),
        mistake("another number for <mask>", "<mask> is token 2; 0 is <pad>, which nobody looks at, and 1 is <end>.",
                (", 2", ", 0"), (", 2", ", 1")),
        mistake("one die for a passage", "You throw one die for a whole passage. Each hidden place has its own.",
                lambda x, m, d, o: replace_hidden(x, m, d[:, :1].expand_as(d), o)),
    ),
)  # fmt: skip


def masked_cross_entropy_loop(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    for n in range(mask.shape[0]):
        for t in range(mask.shape[1]):
            if mask[n, t]:
                scores = logits[n, t].double()
                total = total + sum(score.exp() for score in scores).log() - scores[targets[n, t]]
                count += 1
    return total / count


def losses_of(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")


def scored(seed: int, N: int, T: int, V: int, share: float = 0.5) -> tuple:
    return draw(seed, N, T, V, spread=2.0), draw_labels(seed, N * T, V).view(N, T), hide(seed, N, T, share)


LOSS = Exercise(
    "masked_cross_entropy", masked_cross_entropy_loop, grad=True,
    trials=lambda: [
        (draw(1, 1, 2, 3), torch.tensor([[2, 0]]), torch.tensor([[True, False]])),
        scored(2, 2, 6, 5),
        scored(3, 3, 8, 4, 0.15),
        scored(4, 2, 7, 9, 0.8),
    ],
    mistakes=(
        mistake("all places", "You take the mean over all places. Where nothing is hidden the answer stands in the input: leave "
                "it out.",
                lambda a, y, m: losses_of(a, y).mean()),
        mistake("visible places", "You take the loss where nothing is hidden. True in the mask means hidden.",
                lambda a, y, m: (losses_of(a, y) * ~m).sum() / (~m).sum()),
        mistake("divided by all", "You add up the losses of the hidden places and divide by the number of all. Divide by how "
                "many are hidden.",
                lambda a, y, m: (losses_of(a, y) * m).mean()),
        mistake("sum", "You add up the losses. Take their mean, or the loss grows with the batch.", ("() / mask.sum()", "()")),
        mistake("mean of the passages' means", "You take each passage's mean first and then the mean of those: a place in a "
                "passage with few hidden ones counts more. All hidden places count the same.",
                lambda a, y, m: ((losses_of(a, y) * m).sum(1) / m.sum(1)).mean()),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("1),", "1).softmax(1),")),
        mistake("logits zeroed", "You multiply the logits by the mask. A place with zeros for logits still pays ln V: leave its "
                "loss out instead.",
                lambda a, y, m: losses_of(a * m[:, :, None], y).mean()),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("= F", "= -F")),
    ),
)  # fmt: skip


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
                lambda x, t: (x * (t != 0)[:, :, None]).mean(1)),
        mistake("mean of the padding", "You take the mean over padding alone: the condition is the wrong way round.",
                lambda x, t: (x * (t == 0)[:, :, None]).sum(1) / (t == 0).sum(1, keepdim=True).clamp(min=1)),
        mistake("sum", "You add up. Divide by the number of tokens.", (") / kept.sum(dim=1)", ")")),
        mistake("first token", "You take the first token's vector, as BERT does with [CLS]. Here it is the mean over all of them.",
                lambda x, t: x[:, 0]),
        mistake("one length for all", "You divide every passage by the same number. Each has its own number of tokens.",
                lambda x, t: (x * (t != 0)[:, :, None]).sum(1) / (t[0] != 0).sum(), ("kept.sum(dim=1)", "kept.sum(dim=1).mean()")),
        mistake("<end> left out too", "You leave out <end> (number 1) as well. Only <pad>, number 0, does not count.",
                lambda x, t: (x * (t > 1)[:, :, None]).sum(1) / (t > 1).sum(1, keepdim=True).clamp(min=1)),
        mistake("mean over the numbers", "You take the mean over the numbers of each vector. The mean runs over the tokens: dim=1.",
                lambda x, t: x.mean(2)),
    ),
)  # fmt: skip


def attend_both_ways_loop(q: Tensor, k: Tensor, v: Tensor, padding: Tensor) -> Tensor:
    N, T, D = q.shape
    passages = []
    for n in range(N):
        rows = []
        for i in range(T):
            weights = {
                j: ((q[n, i].double() * k[n, j].double()).sum() / math.sqrt(D)).exp()
                for j in range(T)
                if not padding[n, j]
            }
            total = sum(weights.values())
            rows.append(sum(weight * v[n, j].double() for j, weight in weights.items()) / total)
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
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, None] | past_only(q.shape[1]), -1e30).softmax(2) @ v,
                lambda q, k, v, p: raw_scores(q, k).masked_fill(past_only(q.shape[1]), -1e30).softmax(2) @ v),
        mistake("padding hidden as query", "You hide the rows of padding: what padding looks at. What matters is that nobody "
                "looks *at* it: its columns.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, :, None], -1e30).softmax(2) @ v),
        mistake("zero instead of minus infinity", "You set the scores of padding to 0, but exp(0) = 1 is a weight like others. "
                "Set them to minus infinity.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, None], 0.0).softmax(2) @ v),
        mistake("hidden after the softmax", "You set the weights of padding to 0 after the softmax, so that the others no longer "
                "add up to 1.",
                lambda q, k, v, p: raw_scores(q, k).softmax(2).masked_fill(p[:, None], 0.0) @ v),
        mistake("not scaled", "You leave out the division by the root of D.", (") / q.shape[-1] ** 0.5", ")")),
        mistake("divided by D", "You divide by D. Divide by its square root.", ("] ** 0.5", "]")),
        mistake("softmax over the queries", "Your softmax runs over the queries. Each query's weights add up to 1 over the keys: "
                "the last dimension.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(p[:, None], -1e30).softmax(1) @ v),
        mistake("everything but padding hidden", "You hide the text and look at the padding: the mask is the wrong way round.",
                lambda q, k, v, p: raw_scores(q, k).masked_fill(~p[:, None], -1e30).softmax(2) @ v),
    ),
)  # fmt: skip

EXERCISES = [REPLACE, LOSS, MEAN, ATTEND]
