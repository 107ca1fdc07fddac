"""Exercise of chapter 03: the loss of guessing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, mistake


def chance_loss_loop(classes: int) -> Tensor:
    logits = torch.zeros(classes, dtype=torch.float64)
    return sum(-torch.log(logits[c].exp() / logits.exp().sum()) for c in range(classes)) / classes


CHANCE = Exercise(
    "chance_loss",
    chance_loss_loop,
    trials=lambda: [(4,), (2,), (10,), (100,)],
    mistakes=(
        mistake("accuracy", "That is how often guessing is right. The loss is minus its log.", lambda c: 1 / c),
        mistake(
            "error rate",
            "That is how often guessing is wrong. The loss is minus the log of the probability of being right.",
            lambda c: 1 - 1 / c,
        ),
        mistake("sign", "The log of 1 / classes is negative; the loss is minus it.", ("math", "-math")),
        mistake("log to base 2", "You use log2. Cross-entropy takes the natural logarithm: math.log.", ("log", "log2")),
        mistake(
            "log to base 10", "You use log10. Cross-entropy takes the natural logarithm: math.log.", ("log", "log10")
        ),
        mistake("no log", "You return the number of classes. The loss is a logarithm.", lambda c: float(c)),
        mistake(
            "one term of the entropy",
            "That is -p log p, one class's term of the entropy. The loss of an image is -log p, with p = 1 / classes.",
            lambda c: math.log(c) / c,
        ),
        mistake(
            "added up over the classes",
            "You add up the classes. Only the true one counts: -log(1 / classes), once.",
            lambda c: c * math.log(c),
        ),
        mistake(
            "probability of the others",
            "You take the log of the probability that all other classes have together, 1 - 1 / classes. Take that of the true one.",
            lambda c: -math.log(1 - 1 / c),
        ),
        mistake(
            "one class too few",
            "You have log(classes - 1). The true class is among those that share the probability.",
            ("(classes)", "(classes - 1)"),
        ),
    ),
)
