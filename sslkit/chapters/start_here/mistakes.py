"""Exercises of chapter 00: accuracy, nearest neighbour, chance level."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_labels, draw_rows, mistake


def accuracy(pred: Tensor, y: Tensor) -> Tensor:
    """Fraction of predictions that are right: 0 none, 1 all.

    pred, y: class numbers, int64 [N]. Returns one number.
    """
    return (pred == y).float().mean()


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
    accuracy,
    accuracy_loop,
    accuracy_trials,
    title="How often is it right?",
    difficulty=1,
    minutes=5,
    task="Write `accuracy(pred, y)`: the fraction of images whose predicted class `pred[i]` is the true class `y[i]`.",
    hints=(
        "How would you count it by hand, with two lists of class numbers side by side?",
        "`pred == y` compares entry by entry and gives a tensor of True and False.",
        "True counts as 1 and False as 0: turn the comparison into floats and take the mean.",
    ),
    mistakes=(
        mistake(
            "count instead of fraction",
            "You return how many are right. Divide by the number of predictions.",
            lambda p, y: (p == y).sum(),
        ),
        mistake(
            "percent",
            "You return a percentage. Leave out the factor 100: all right is 1.",
            lambda p, y: (p == y).float().mean() * 100,
        ),
        mistake(
            "error rate",
            "You count the wrong predictions. Accuracy counts the right ones: compare with ==.",
            lambda p, y: (p != y).float().mean(),
        ),
        mistake(
            "whole-number division",
            "`//` rounds the fraction down, to 0 unless all are right. Use `/`.",
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
            "You average the accuracy of each class, so a rare class weighs as "
            "much as a frequent one. Here every image weighs the same: one mean over all images.",
            class_average,
        ),
    ),
)


def nearest(h_query: Tensor, h_bank: Tensor) -> Tensor:
    """For each query the row of the bank with the greatest cosine similarity.

    h_query: features [Q, D]; h_bank: features of other images [B, D]. Returns rows of the bank, int64 [Q].
    """
    similarity = F.normalize(h_query, dim=1) @ F.normalize(h_bank, dim=1).T
    return similarity.argmax(dim=1)


def nearest_loop(h_query: Tensor, h_bank: Tensor) -> Tensor:
    found = []
    for query in h_query.double():
        best, best_cosine = -1, -2.0
        for row, other in enumerate(h_bank.double()):
            cosine = (query * other).sum() / (query.square().sum().sqrt() * other.square().sum().sqrt())
            if cosine > best_cosine:
                best, best_cosine = row, cosine
        found.append(best)
    return torch.tensor(found)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


NEAREST = Exercise(
    nearest,
    nearest_loop,
    title="The nearest neighbour",
    difficulty=2,
    minutes=10,
    trials=lambda: [
        (draw_rows(s, q, d), draw_rows(s + 50, b, d))
        for s, (q, b, d) in enumerate([(2, 4, 2), (3, 7, 2), (8, 20, 3), (9, 30, 5)])
    ],
    task="Write `nearest(h_query, h_bank)`: for each row of `h_query` the number of the row of `h_bank` that "
    "points most nearly in the same direction (greatest cosine similarity). No query is itself in the "
    "bank.",
    hints=(
        "The cosine of two vectors is their dot product, once both have length 1.",
        "`F.normalize(h, dim=1)` gives every row length 1; a matrix product `a @ b.T` then holds all cosines, [Q, B].",
        "The best column of each row is `similarity.argmax(dim=1)`.",
    ),
    mistakes=(
        mistake(
            "no normalisation",
            "Long bank vectors win because of their length. Scale each row of the "
            "bank to length 1 before the dot product.",
            lambda q, b: (q @ b.T).argmax(1),
        ),
        mistake(
            "Euclidean distance",
            "You compare distances of vectors of different lengths; cosine "
            "compares directions. Scale each row to length 1 first.",
            lambda q, b: torch.cdist(q, b).argmin(1),
        ),
        mistake(
            "farthest",
            "You pick the least similar row. Similarity is greatest for the nearest: argmax, not argmin.",
            lambda q, b: cosine(q, b).argmin(1),
        ),
        mistake(
            "wrong axis",
            "You answer for each row of the bank. Take the argmax over the bank, one answer per query.",
            lambda q, b: cosine(q, b).argmax(0),
        ),
        mistake(
            "similarity instead of row",
            "You return how similar the nearest is. Return which row it is: argmax, not max.",
            lambda q, b: cosine(q, b).max(1).values,
        ),
        mistake(
            "one answer for all",
            "argmax without dim looks at the whole table and gives one number. Add dim=1.",
            lambda q, b: cosine(q, b).argmax(),
        ),
        mistake(
            "second nearest",
            "You skip the best match, as one does when the query is itself in the bank. Here it is not.",
            lambda q, b: cosine(q, b).topk(2, dim=1).indices[:, 1],
        ),
        mistake(
            "normalised along the batch",
            "You scale each column of the table of features to length 1. Scale each row: dim=1.",
            lambda q, b: (F.normalize(q, dim=0) @ F.normalize(b, dim=0).T).argmax(1),
        ),
    ),
)


def chance_level(counts: Tensor) -> Tensor:
    """Accuracy of the best guess that never looks at the image: always name the most frequent class.

    counts: how many images each class has, int64 [C]. Returns one number in 0 .. 1.
    """
    return counts.max() / counts.sum()


def chance_level_loop(counts: Tensor) -> Tensor:
    total, best = 0, 0
    for count in counts.tolist():
        total += count
        if count > best:
            best = count
    return torch.tensor(best / total, dtype=torch.float64)


CHANCE_LEVEL = Exercise(
    chance_level,
    chance_level_loop,
    title="What guessing is worth",
    difficulty=1,
    minutes=5,
    trials=lambda: [
        (torch.tensor(counts),) for counts in ([6, 3, 1], [10, 90], [5, 5, 5, 5], [1, 2, 3, 4, 7], [40, 8, 8, 8, 8, 8])
    ],
    task="Write `chance_level(counts)`: the accuracy that is reached without looking at the image, by always "
    "naming the most frequent class. With balanced classes it is 1 / number of classes; with unbalanced "
    "ones it is more.",
    hints=(
        "If 6 of 10 images are cats and you always say cat, how often are you right?",
        "You need two numbers: the count of the most frequent class, and the count of all images.",
        "`counts.max()` and `counts.sum()`; divide one by the other.",
    ),
    mistakes=(
        mistake(
            "one over the classes",
            "That is right only for balanced classes. A guesser who knows the "
            "counts always names the most frequent class.",
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
            lambda c: c.max(),
            lambda c: c.float().mean(),
        ),
        mistake(
            "rarest class",
            "You always name the rarest class. Name the most frequent one: max, not min.",
            lambda c: c.min() / c.sum(),
        ),
        mistake("percent", "You return a percentage. Leave out the factor 100.", lambda c: 100 * c.max() / c.sum()),
        mistake(
            "class number instead of count",
            "argmax gives the number of the most frequent class. Take its count: max.",
            lambda c: c.argmax() / c.sum(),
            lambda c: c.argmax(),
        ),
        mistake(
            "error rate",
            "That is how often such a guess is wrong. Accuracy counts how often it is right.",
            lambda c: 1 - c.max() / c.sum(),
        ),
    ),
)

EXERCISES = [ACCURACY, NEAREST, CHANCE_LEVEL]
