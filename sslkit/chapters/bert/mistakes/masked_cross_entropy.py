"""Exercise of chapter 19: the loss on hidden places."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.bert.mistakes.passages import hide
from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


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
    "masked_cross_entropy",
    masked_cross_entropy_loop,
    grad=True,
    trials=lambda: [
        (draw(1, 1, 2, 3), torch.tensor([[2, 0]]), torch.tensor([[True, False]])),
        scored(2, 2, 6, 5),
        scored(3, 3, 8, 4, 0.15),
        scored(4, 2, 7, 9, 0.8),
    ],
    mistakes=(
        mistake(
            "all places",
            "You take the mean over all places. Where nothing is hidden the answer stands in the input: leave it out.",
            lambda a, y, m: losses_of(a, y).mean(),
        ),
        mistake(
            "visible places",
            "You take the loss where nothing is hidden. True in the mask means hidden.",
            ("rows =", "mask = ~mask; rows ="),
        ),
        mistake(
            "divided by all",
            "You add up the losses of the hidden places and divide by the number of all. Divide by how many are hidden.",
            ("mask.sum()", "mask.numel()"),
        ),
        mistake(
            "sum",
            "You add up the losses. Take their mean, or the loss grows with the batch.",
            ("() / mask.sum()", "()"),
        ),
        mistake(
            "divided by the passages",
            "You divide by the number of passages. Divide by how many places are hidden: mask.sum().",
            ("mask.sum()", "len(mask)"),
        ),
        mistake(
            "mean of the passages' means",
            "You take each passage's mean first and then the mean of those: a place in a passage with few hidden ones counts more. All hidden places count the same.",
            lambda a, y, m: ((losses_of(a, y) * m).sum(1) / m.sum(1)).mean(),
        ),
        mistake(
            "targets zeroed",
            "You set the targets of visible places to 0, so they pay for another token. Leave their loss out instead.",
            lambda a, y, m: losses_of(a, y * m).mean(),
        ),
        mistake(
            "targets 0 left out",
            "You leave out every target that is 0, the hidden ones too. Mark the visible places with a number that is no token, and give it as ignore_index.",
            lambda a, y, m: F.cross_entropy(a.transpose(1, 2), y * m, ignore_index=0),
        ),
        mistake(
            "no logarithm",
            "You take minus the probability. Take minus its log.",
            lambda a, y, m: -(of_truth(a, y) * m).sum() / m.sum(),
            lambda a, y, m: 1 - (of_truth(a, y) * m).sum() / m.sum(),
        ),
        mistake(
            "logarithm of the mean",
            "You take the mean probability and then its log. Take each log first, then the mean.",
            lambda a, y, m: -((of_truth(a, y) * m).sum() / m.sum()).log(),
        ),
        mistake(
            "softmax over the places",
            "Your softmax runs over the places. Each place's probabilities add up to 1 over the tokens: the last dimension.",
            lambda a, y, m: -(a.log_softmax(1).gather(2, y[:, :, None])[:, :, 0] * m).sum() / m.sum(),
        ),
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            ("flatten(0, 1)", "flatten(0, 1).softmax(1)"),
        ),
        mistake(
            "logits zeroed",
            "You multiply the logits by the mask. A place with zeros for logits still pays ln V: leave its loss out instead.",
            lambda a, y, m: losses_of(a * m[:, :, None], y).mean(),
        ),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("= F", "= -F")),
    ),
)
