"""Exercise of chapter 10: false negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_labels, mistake


def false_negative_rate_loop(y: Tensor) -> Tensor:
    views = [(image, label) for image, label in enumerate(y.tolist()) for _ in range(2)]
    rates = []
    for image, label in views:
        negatives = [other for its_image, other in views if its_image != image]
        rates.append(negatives.count(label) / len(negatives))
    return torch.tensor(sum(rates) / len(rates), dtype=torch.float64)


def same_class(y: Tensor) -> Tensor:
    return (y[:, None] == y[None, :]).float()


FALSE_NEGATIVES = Exercise(
    "false_negative_rate",
    false_negative_rate_loop,
    trials=lambda: [
        (torch.tensor([0, 0, 1]),),
        (torch.tensor([0, 1, 2, 2, 2]),),
        (draw_labels(1, 8, 3),),
        (draw_labels(2, 32, 10),),
        (torch.arange(6),),
    ],
    mistakes=(
        mistake(
            "the image itself counted",
            "You count each image as a negative of itself. Leave the diagonal out, above and below the line.",
            lambda y: same_class(y).mean(),
        ),
        mistake(
            "one over the classes",
            "That is the expectation for balanced classes. Count it in this batch.",
            lambda y: 1 / len(y.unique()),
            lambda y: 1 / (y.max() + 1),
        ),
        mistake("divided by N", "Each image has N - 1 others, not N: divide by N (N - 1).", ("n - 1", "n")),
        mistake(
            "diagonal left above the line",
            "You divide by the N (N - 1) pairs of different images, but the N pairs of an image with itself are still in the sum.",
            ("() - n", "()"),
        ),
        mistake(
            "the partner counted",
            "The other view of the same image is the positive, not a negative: 2 N - 2 negatives.",
            lambda y: (2 * same_class(y).sum(1) - 1).mean() / (2 * len(y) - 1),
        ),
        mistake(
            "true negatives",
            "That is the fraction of negatives of another class. Count those of the same class.",
            lambda y: 1 - same_class(y).mean(),
            ("same.sum() - n) / (n * (n - 1)", "1 - (same.sum() - n) / (n * (n - 1))"),
        ),
        mistake(
            "count instead of fraction",
            "You return how many there are per anchor. Divide by the number of negatives.",
            ("n * (n - 1)", "n"),
            lambda y: 2 * (same_class(y).sum(1).mean() - 1),
        ),
        mistake(
            "1 taken off",
            "You take 1 off the whole sum. Each of the N images is in it once with itself: take N off.",
            ("sum() - n", "sum() - 1"),
        ),
        mistake(
            "mean over the classes",
            "You average over the classes, so a rare one weighs as much as a frequent one. Average over the anchors.",
            lambda y: torch.stack([((y == c).sum() - 1) / (len(y) - 1) for c in y.unique()]).mean(),
        ),
        mistake(
            "half of the pairs",
            "You have half of it: something is counted once above the line, but twice below it.",
            lambda y: same_class(y).triu(1).sum() / (len(y) * (len(y) - 1)),
        ),
        mistake(
            "the partner left above the line",
            "You divide by the 2 N - 2 negatives, but above the line the partner, which is the positive, is still counted.",
            lambda y: (2 * same_class(y).sum(1) - 1).mean() / (2 * len(y) - 2),
        ),
    ),
)
