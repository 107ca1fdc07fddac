"""Exercises of chapter 00: accuracy, nearest neighbour, chance level."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_labels, draw_rows, mistake


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
    "accuracy", accuracy_loop, accuracy_trials,
    mistakes=(
        mistake("count instead of fraction", "You return how many are right. Divide by the number of predictions.",
                lambda p, y: (p == y).sum()),
        mistake("percent", "You return a percentage. Leave out the factor 100: all right is 1.", ("return (", "return 100 * (")),
        mistake("error rate", "You count the wrong predictions. Accuracy counts the right ones: compare with ==.",
                ("pred =", "pred !")),
        mistake("whole-number division", "`//` rounds the fraction down, to 0 unless all are right. Use `/`.",
                lambda p, y: (p == y).sum() // len(y)),
        mistake("divided by the classes", "You divide by the number of classes. Divide by the number of predictions.",
                lambda p, y: (p == y).sum() / (y.max() + 1), lambda p, y: (p == y).sum() / len(y.unique())),
        mistake("average over classes", "You average the accuracy of each class, so a rare class weighs as much as a frequent "
                "one. Here every image weighs the same: one mean over all images.",
                class_average),
    ),
)  # fmt: skip


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
    "nearest", nearest_loop,
    trials=lambda: [
        (draw_rows(s, q, d), draw_rows(s + 50, b, d))
        for s, (q, b, d) in enumerate([(2, 4, 2), (3, 7, 2), (8, 20, 3), (9, 30, 5)])
    ],
    mistakes=(
        mistake("no normalisation", "Long bank vectors win because of their length. Scale each row of the bank to length 1 "
                "before the dot product.",
                ("F.normalize(h_bank, dim=1)", "h_bank")),
        mistake("Euclidean distance", "You compare distances of vectors of different lengths; cosine compares directions. Scale "
                "each row to length 1 first.",
                lambda q, b: torch.cdist(q, b).argmin(1)),
        mistake("farthest", "You pick the least similar row. Similarity is greatest for the nearest: argmax, not argmin.",
                ("F.normalize(h_query, dim=1) @ F.normalize(h_bank, dim=1).T",
                    "(1 - F.normalize(h_query, dim=1) @ F.normalize(h_bank, dim=1).T)")),
        mistake("wrong axis", "You answer for each row of the bank. Take the argmax over the bank, one answer per query.",
                ("argmax", "T.argmax")),
        mistake("similarity instead of row", "You return how similar the nearest is. Return which row it is: argmax, not max.",
                lambda q, b: cosine(q, b).max(1).values),
        mistake("one answer for all", "argmax without dim looks at the whole table and gives one number. Add dim=1.",
                ("(dim=1)", "()")),
        mistake("second nearest", "You skip the best match, as one does when the query is itself in the bank. Here it is not.",
                lambda q, b: cosine(q, b).topk(2, dim=1).indices[:, 1]),
        mistake("normalised along the batch", "You scale each column of the table of features to length 1. Scale each row: dim=1.",
                lambda q, b: (F.normalize(q, dim=0) @ F.normalize(b, dim=0).T).argmax(1)),
    ),
)  # fmt: skip


def chance_level_loop(counts: Tensor) -> Tensor:
    total, best = 0, 0
    for count in counts.tolist():
        total += count
        if count > best:
            best = count
    return torch.tensor(best / total, dtype=torch.float64)


CHANCE_LEVEL = Exercise(
    "chance_level", chance_level_loop,
    trials=lambda: [
        (torch.tensor(counts),) for counts in ([6, 3, 1], [10, 90], [5, 5, 5, 5], [1, 2, 3, 4, 7], [40, 8, 8, 8, 8, 8])
    ],
    mistakes=(
        mistake("one over the classes", "That is right only for balanced classes. A guesser who knows the counts always names "
                "the most frequent class.",
                lambda c: 1 / len(c)),
        mistake("guessing in proportion", "You guess each class as often as it occurs. Naming the most frequent class each time "
                "is right more often.",
                lambda c: (c / c.sum()).square().sum()),
        mistake("not divided", "You return a number of images. Divide by the number of all images.",
                ("() / counts.sum()", "()"), lambda c: c.float().mean()),
        mistake("rarest class", "You always name the rarest class. Name the most frequent one: max, not min.", ("max", "min")),
        mistake("percent", "You return a percentage. Leave out the factor 100.", ("counts.max", "100 * counts.max")),
        mistake("class number instead of count", "argmax gives the number of the most frequent class. Take its count: max.",
                lambda c: c.argmax() / c.sum(), lambda c: c.argmax()),
        mistake("error rate", "That is how often such a guess is wrong. Accuracy counts how often it is right.",
                ("counts.max() / counts.sum()", "(1 - counts.max() / counts.sum())")),
    ),
)  # fmt: skip

EXERCISES = [ACCURACY, NEAREST, CHANCE_LEVEL]
