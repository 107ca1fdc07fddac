"""Exercise of chapter 03: the loss."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def rotation_loss_loop(logits: Tensor, labels: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(logits.double(), labels.tolist()):
        total = total - torch.log(row[label].exp() / sum(value.exp() for value in row))
    return total / len(labels)


def picked(scores: Tensor, labels: Tensor) -> Tensor:
    return scores[torch.arange(len(labels)), labels]


ROTATION_LOSS = Exercise(
    "rotation_loss",
    rotation_loss_loop,
    grad=True,
    trials=lambda: [
        (draw(s, m, 4, spread=w), draw_labels(s, m, 4))
        for s, (m, w) in enumerate([(2, 1.0), (3, 2.0), (8, 1.0), (16, 5.0), (8, 60.0)])
    ],
    mistakes=(
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            ("logits,", "logits.softmax(1),"),
        ),
        mistake(
            "sum instead of mean",
            "You add up the batch. Take the mean, or the loss grows with the batch size.",
            ("labels)", 'labels, reduction="sum")'),
        ),
        mistake(
            "sign",
            "The log of a probability is negative; the loss is minus it. Yours is made smaller by wrong answers.",
            ("return F", "return -F"),
        ),
        mistake(
            "no log",
            "You use the probability itself. Take its log.",
            lambda a, y: -picked(a.softmax(1), y).mean(),
            lambda a, y: (1 - picked(a.softmax(1), y)).mean(),
        ),
        mistake(
            "no softmax",
            "You use the logits as if they were log-probabilities. Apply log_softmax over dim=1 first.",
            lambda a, y: -picked(a, y).mean(),
        ),
        mistake(
            "softmax over the batch",
            "Your softmax runs over the images of the batch. It runs over the 4 turns: dim=1.",
            lambda a, y: -picked(a.log_softmax(0), y).mean(),
            lambda a, y: -picked(a.flatten().log_softmax(0).view_as(a), y).mean(),
        ),
        mistake(
            "true turn left out of the denominator",
            "You divide by the other three turns alone. A softmax divides by all four, the true one among them.",
            lambda a, y: (
                -picked(a - a.masked_fill(F.one_hot(y, 4).bool(), -math.inf).logsumexp(1, keepdim=True), y).mean()
            ),
        ),
        mistake(
            "mean over the classes too",
            "You divide by 4 M. Each image has one true turn: divide by M.",
            lambda a, y: F.cross_entropy(a, y) / 4,
        ),
        mistake(
            "log to base 2",
            "You use log2. Cross-entropy takes the natural logarithm.",
            lambda a, y: F.cross_entropy(a, y) / math.log(2),
        ),
        mistake(
            "all labels for every row",
            "You take the columns of all labels in every row: log_p[:, labels]. Row i has one true turn, labels[i]: log_p[torch.arange(len(labels)), labels].",
            lambda a, y: -a.log_softmax(1)[:, y].mean(),
        ),
        mistake(
            "true turn not picked",
            "You take the mean over all four turns. Only the probability of the true turn counts, labels[i].",
            lambda a, y: -a.log_softmax(1).mean(),
            lambda a, y: -a.log_softmax(1).sum(1).mean(),
        ),
        mistake(
            "the most probable turn",
            "You take the turn that the network finds most probable, right or not. Take the true one, labels[i].",
            lambda a, y: -a.log_softmax(1).amax(1).mean(),
        ),
        mistake(
            "sigmoid",
            "You ask about each turn on its own, with a sigmoid. Exactly one of the four is true, so they share the probability: softmax.",
            lambda a, y: -picked(F.logsigmoid(a), y).mean(),
            lambda a, y: F.binary_cross_entropy_with_logits(a, F.one_hot(y, 4).to(a.dtype)),
            lambda a, y: 4 * F.binary_cross_entropy_with_logits(a, F.one_hot(y, 4).to(a.dtype)),
        ),
        mistake(
            "squared error",
            "You compare the probabilities with a one-hot row by their squared error. The loss is minus the log of the true one's probability.",
            lambda a, y: (a.softmax(1) - F.one_hot(y, 4)).square().mean(),
            lambda a, y: (a.softmax(1) - F.one_hot(y, 4)).square().sum(1).mean(),
        ),
        mistake(
            "error rate",
            "You count how often the most probable turn is the true one, or not. That has no gradient: take minus the log of the true one's probability.",
            lambda a, y: (a.argmax(1) != y).float().mean(),
            lambda a, y: (a.argmax(1) == y).float().mean(),
        ),
        mistake(
            "log of the mean",
            "You take the log of the mean probability. Take the log of each first, then the mean.",
            lambda a, y: -picked(a.softmax(1), y).mean().log(),
        ),
    ),
)
