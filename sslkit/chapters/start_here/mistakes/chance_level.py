"""Exercise of chapter 00: what guessing is worth."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, mistake


def chance_level_loop(counts: Tensor) -> Tensor:
    total, best = 0, 0
    for count in counts.tolist():
        total += count
        if count > best:
            best = count
    return torch.tensor(best / total, dtype=torch.float64)


CHANCE_LEVEL = Exercise(
    "chance_level",
    chance_level_loop,
    trials=lambda: [
        (torch.tensor(counts),) for counts in ([6, 3, 1], [10, 90], [5, 5, 5, 5], [1, 2, 3, 4, 7], [40, 8, 8, 8, 8, 8])
    ],
    mistakes=(
        mistake(
            "one over the classes",
            "That is right only for balanced classes. A guesser who knows the counts always names the most frequent class.",
            lambda c: 1 / len(c),
        ),
        mistake(
            "guessing in proportion",
            "You guess each class as often as it occurs. Naming the most frequent class each time is right more often.",
            lambda c: (c / c.sum()).square().sum(),
        ),
        mistake(
            "not divided",
            "You return a number of images. Divide by the number of all images.",
            ("() / counts.sum()", "()"),
            lambda c: c.float().mean(),
        ),
        mistake(
            "divided by the classes",
            "You divide by the number of classes. Divide by the number of all images: counts.sum().",
            lambda c: c.max() / len(c),
        ),
        mistake(
            "rarest class",
            "You always name the rarest class. Name the most frequent one: max, not min.",
            ("max", "min"),
        ),
        mistake("percent", "You return a percentage. Leave out the factor 100.", ("counts.max", "100 * counts.max")),
        mistake(
            "class number instead of count",
            "argmax gives the number of the most frequent class. Take its count: max.",
            lambda c: c.argmax() / c.sum(),
            lambda c: c.argmax(),
        ),
        mistake(
            "error rate",
            "That is how often such a guess is wrong. Accuracy counts how often it is right.",
            ("counts.max() / counts.sum()", "(1 - counts.max() / counts.sum())"),
        ),
        mistake(
            "counted again",
            "`counts` says already how many images each class has. You count how often each count occurs.",
            lambda c: c.bincount().max() / len(c),
            lambda c: c.bincount().max() / c.sum(),
        ),
        mistake("whole-number division", "`//` rounds the fraction down to 0. Use `/`.", ("() /", "() //")),
        mistake(
            "every class",
            "You return the fraction of each class. Return that of the most frequent one.",
            ("counts.max()", "counts"),
        ),
        mistake(
            "softmax",
            "softmax makes shares of exp(counts), so the most frequent class takes nearly all. Divide the counts by their sum.",
            lambda c: c.float().softmax(0).max(),
        ),
        mistake(
            "a class by its place",
            "You take the first or the last class. Take the most frequent one, wherever it stands: max.",
            ("counts.max()", "counts[-1]"),
            ("counts.max()", "counts[0]"),
        ),
    ),
)
