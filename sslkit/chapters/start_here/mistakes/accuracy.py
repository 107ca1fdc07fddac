"""Exercise of chapter 00: the share of predictions that are right."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_labels, mistake


def accuracy_loop(pred: Tensor, y: Tensor) -> Tensor:
    right = 0
    for guess, truth in zip(pred.tolist(), y.tolist()):
        if guess == truth:
            right += 1
    return torch.tensor(right / len(y), dtype=torch.float64)


def class_average(pred: Tensor, y: Tensor) -> Tensor:
    return torch.stack([(pred[y == c] == c).float().mean() for c in y.unique()]).mean()


def accuracy_trials() -> list[tuple]:
    trials = [(torch.tensor([0, 2, 1, 1]), torch.tensor([0, 1, 1, 1]))]
    for seed, (count, classes) in enumerate([(7, 3), (12, 4), (50, 10), (64, 2)]):
        y = draw_labels(seed, count, classes) * draw_labels(seed + 10, count, 2)  # many of class 0
        keep = draw_labels(seed + 20, count, 3) > 0
        trials.append((torch.where(keep, y, draw_labels(seed + 30, count, classes)), y))
    return trials


ACCURACY = Exercise(
    "accuracy",
    accuracy_loop,
    accuracy_trials,
    mistakes=(
        mistake(
            "count instead of fraction",
            "You return how many are right. Divide by the number of predictions.",
            lambda p, y: (p == y).sum(),
        ),
        mistake(
            "percent",
            "You return a percentage. Leave out the factor 100: all right is 1.",
            ("return (", "return 100 * ("),
        ),
        mistake(
            "error rate",
            "You count the wrong predictions. Accuracy counts the right ones: compare with ==.",
            ("pred =", "pred !"),
        ),
        mistake(
            "whole-number division",
            "You get 1 if all are right and 0 otherwise, as `//` or all() would give. Divide with `/`.",
            lambda p, y: (p == y).sum() // len(y),
        ),
        mistake(
            "divided by the classes",
            "You divide by the number of classes. Divide by the number of predictions.",
            lambda p, y: (p == y).sum() / (y.max() + 1),
            lambda p, y: (p == y).sum() / len(y.unique()),
        ),
        mistake(
            "average over classes",
            "You average the accuracy of each class, so a rare class weighs as much as a frequent one. Here every image weighs the same: one mean over all images.",
            class_average,
        ),
        mistake(
            "difference of class numbers",
            "You use how far the class numbers are apart. They are names: a prediction is right or wrong, pred == y.",
            lambda p, y: 1 - (p - y).abs().float().mean(),
            lambda p, y: (p - y).abs().float().mean(),
        ),
        mistake(
            "classes as truth values",
            "bool() makes True of every class but 0, so 1 and 2 count as equal. Compare the numbers: pred == y.",
            ("pred == y", "pred.bool() == y.bool()"),
        ),
        mistake(
            "all pairs",
            "You compare every prediction with every label. Prediction i belongs to label i alone: pred == y.",
            lambda p, y: (p[:, None] == y).float().mean(),
        ),
    ),
)
