"""Exercises of chapter 19: the 80/10/10 rule and the loss on hidden places; those about padding stand in padding.py."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.bert.exercises import replace_hidden
from sslkit.chapters.bert.padding import ATTEND, MEAN, text
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
        (torch.tensor([[5, 6, 7]]), torch.tensor([[True] * 3]), torch.tensor([[0.8, 0.2, 0.95]]), torch.tensor([[21, 22, 23]])),  # an edge
        trial(5, 4, 20),
        trial(9, 8, 16),
    ],
    mistakes=(
        mistake("always <mask>", "You show <mask> at every hidden place. Only where die is below 0.8.",
                lambda x, m, d, o: x.masked_fill(m, 2)),
        mistake("mask ignored", "You throw the die at every place. Places that are not hidden stay as they are.",
                lambda x, m, d, o: torch.where(d < 0.8, 2, torch.where(d < 0.9, o, x)),
                ("mask & (die < 0.8)", "(die < 0.8)"), ("mask & (die >= 0.8)", "(die >= 0.8)")),
        mistake("first step lost", "Your second step starts from `tokens` again, so that no <mask> is left. Start from what the "
                "first one gave.",
                ("other, shown", "other, tokens")),
        mistake("exactly 0.8", "A die of exactly 0.8 shows `other`: <mask> is shown below 0.8 only.",
                (("die < 0.8", "die <= 0.8"), ("die >= 0.8", "die > 0.8"))),
        mistake("shares exchanged", "You show <mask> below 0.1 and `other` up to 0.9. <mask> has the 80 %, `other` 10 %.",
                (("die < 0.8", "die < 0.1"), ("die >= 0.8", "die >= 0.1"))),
        mistake("always another", "You show `other` at every hidden place. Only where die is from 0.8 to below 0.9: both must hold, `&`.",
                ("mask & (die >= 0.8) & (die < 0.9)", "mask")),
        mistake("0 where nothing is hidden", "You set the tokens that are not hidden to 0. They stay as they are.",
                ("return torch.where(mask & (die >= 0.8) & (die < 0.9), other, shown)",
                    "return torch.where(mask & (die >= 0.8) & (die < 0.9), other, shown) * mask")),
        mistake("mask inverted", "You replace tokens where the mask is False. True means hidden in this course.",
                lambda x, m, d, o: replace_hidden(x, ~m, d, o)),
        mistake("nothing stays", "You replace every hidden token from 0.8 on by another one. From 0.9 on it stays.",
                (") & (die < 0.9)", ")")),
        mistake("no random tokens", "From 0.8 to 0.9 you leave the token. There the one of `other` is shown.",
                ("torch.where(mask & (die >= 0.8) & (die < 0.9), other, shown)", "shown")),
        mistake("no <mask> left", "Below 0.8 you show the token of `other`: your second condition takes in what the first has "
                "settled. It starts at 0.8.",
                ("(die >= 0.8) & ", "")),
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


def of_truth(logits: Tensor, targets: Tensor) -> Tensor:
    """The probability of the true token at each place."""
    return logits.softmax(2).gather(2, targets[:, :, None])[:, :, 0]


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
                ("rows =", "mask = ~mask; rows =")),
        mistake("divided by all", "You add up the losses of the hidden places and divide by the number of all. Divide by how "
                "many are hidden.",
                ("mask.sum()", "mask.numel()")),
        mistake("sum", "You add up the losses. Take their mean, or the loss grows with the batch.", ("() / mask.sum()", "()")),
        mistake("divided by the passages", "You divide by the number of passages. Divide by how many places are hidden: mask.sum().",
                ("mask.sum()", "len(mask)")),
        mistake("mean of the passages' means", "You take each passage's mean first and then the mean of those: a place in a "
                "passage with few hidden ones counts more. All hidden places count the same.",
                lambda a, y, m: ((losses_of(a, y) * m).sum(1) / m.sum(1)).mean()),
        mistake("targets zeroed", "You set the targets of visible places to 0, so they pay for another token. Leave their loss out "
                "instead.",
                lambda a, y, m: losses_of(a, y * m).mean()),
        mistake("targets 0 left out", "You leave out every target that is 0, the hidden ones too. Mark the visible places with a "
                "number that is no token, and give it as ignore_index.",
                lambda a, y, m: F.cross_entropy(a.transpose(1, 2), y * m, ignore_index=0)),
        mistake("no logarithm", "You take minus the probability. Take minus its log.",
                lambda a, y, m: -(of_truth(a, y) * m).sum() / m.sum(), lambda a, y, m: 1 - (of_truth(a, y) * m).sum() / m.sum()),
        mistake("logarithm of the mean", "You take the mean probability and then its log. Take each log first, then the mean.",
                lambda a, y, m: -((of_truth(a, y) * m).sum() / m.sum()).log()),
        mistake("softmax over the places", "Your softmax runs over the places. Each place's probabilities add up to 1 over the "
                "tokens: the last dimension.",
                lambda a, y, m: -(a.log_softmax(1).gather(2, y[:, :, None])[:, :, 0] * m).sum() / m.sum()),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("flatten(0, 1)", "flatten(0, 1).softmax(1)")),
        mistake("logits zeroed", "You multiply the logits by the mask. A place with zeros for logits still pays ln V: leave its "
                "loss out instead.",
                lambda a, y, m: losses_of(a * m[:, :, None], y).mean()),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("= F", "= -F")),
    ),
)  # fmt: skip


EXERCISES = [REPLACE, LOSS, MEAN, ATTEND]
