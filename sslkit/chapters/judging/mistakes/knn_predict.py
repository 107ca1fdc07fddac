"""Exercise of chapter 02: k nearest neighbours."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_labels, draw_rows, mistake


def knn_predict_loop(train_h: Tensor, train_y: Tensor, test_h: Tensor, k: int) -> Tensor:
    def cosine(a: list[float], b: list[float]) -> float:
        return sum(p * q for p, q in zip(a, b)) / math.hypot(*a) / math.hypot(*b)

    predictions = []
    for query in test_h.tolist():
        ranked = sorted(range(len(train_h)), key=lambda i, query=query: -cosine(query, train_h[i].tolist()))
        classes = [train_y[i].item() for i in ranked[:k]]
        most = max(classes.count(c) for c in classes)
        predictions.append(next(c for c in classes if classes.count(c) == most))
    return torch.tensor(predictions)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


def nearest_classes(similarity: Tensor, y: Tensor, k: int) -> Tensor:
    """The classes [M, k] of the neighbours, nearest first."""
    return y[similarity.topk(k, dim=1).indices]


def vote(similarity: Tensor, y: Tensor, k: int, first: int = 0) -> Tensor:
    """The majority among neighbours first .. k - 1, ties towards the nearest."""
    return vote_in_order(nearest_classes(similarity, y, k)[:, first:])


def vote_in_order(classes: Tensor) -> Tensor:
    """The majority of each row of neighbours' classes [M, k], ties towards the first."""
    votes = (classes[:, :, None] == classes[:, None, :]).sum(2)
    return classes.gather(1, votes.argmax(1, keepdim=True)).squeeze(1)


def class_counts(similarity: Tensor, y: Tensor, k: int) -> Tensor:
    return F.one_hot(y)[similarity.topk(k).indices].sum(1)


def weighted_vote(similarity: Tensor, y: Tensor, k: int) -> Tensor:
    top = similarity.topk(k, dim=1)
    return (F.one_hot(y)[top.indices] * top.values[:, :, None]).sum(1).argmax(1)


def knn_trials() -> list[tuple]:
    sizes = [
        (4, 2, 3, 3, 2),
        (9, 6, 2, 3, 3),
        (12, 8, 2, 4, 3),
        (20, 40, 3, 6, 4),
        (40, 12, 4, 5, 3),
        (15, 10, 3, 1, 3),
    ]
    return [
        (draw_rows(s, n, d), draw_labels(s, n, classes), draw_rows(s + 50, m, d), k)
        for s, (n, m, d, k, classes) in enumerate(sizes, 1)
    ]


KNN_PREDICT = Exercise(
    "knn_predict",
    knn_predict_loop,
    knn_trials,
    mistakes=(
        mistake(
            "no normalisation",
            "Long training vectors win because of their length. Scale each row to length 1 before the dot product.",
            ("F.normalize(train_h, dim=1)", "train_h"),
            lambda a, y, b, k: class_counts(b @ a.T, y, k).argmax(1),
        ),
        mistake(
            "Euclidean distance",
            "You compare distances of vectors of different lengths; cosine compares directions. Scale each row to length 1 first.",
            lambda a, y, b, k: vote(-torch.cdist(b, a), y, k),
            lambda a, y, b, k: class_counts(-torch.cdist(b, a), y, k).argmax(1),
        ),
        mistake(
            "farthest",
            "You take the k least similar images. topk on similarities takes the largest: leave it so.",
            (
                "F.normalize(test_h, dim=1) @ F.normalize(train_h, dim=1).T",
                "(1 - F.normalize(test_h, dim=1) @ F.normalize(train_h, dim=1).T)",
            ),
            lambda a, y, b, k: class_counts(-cosine(b, a), y, k).argmax(1),
        ),
        mistake(
            "only the nearest",
            "You use the class of the one nearest image. Let all k vote.",
            lambda a, y, b, k: vote(cosine(b, a), y, 1),
        ),
        mistake(
            "ties by class number",
            "Where two classes have equally many votes you take the smaller class number, as torch.mode and bincount().argmax() do. Take the class of the nearest image among them.",
            lambda a, y, b, k: class_counts(cosine(b, a), y, k).argmax(1),
        ),
        mistake(
            "ties not by nearness",
            "Where two classes have equally many votes you do not take the one of the nearest image. Keep the neighbours in topk's order, and of the classes with most votes take the one that comes first.",
            lambda a, y, b, k: vote_in_order(nearest_classes(cosine(b, a), y, k).flip(1)),
            lambda a, y, b, k: vote_in_order(y[cosine(b, a).topk(k).indices.sort(1).values]),
            lambda a, y, b, k: len(F.one_hot(y).T) - 1 - class_counts(cosine(b, a), y, k).flip(1).argmax(1),
        ),
        mistake(
            "votes instead of a class",
            "You return how many votes each class has. Return the class that has most: argmax.",
            lambda a, y, b, k: class_counts(cosine(b, a), y, k),
        ),
        mistake(
            "nearest one skipped",
            "You leave out the best match, as one does when the query is itself among the training images. Here it is not.",
            lambda a, y, b, k: vote(cosine(b, a), y, k + 1, first=1),
        ),
        mistake(
            "weighted votes",
            "You add up similarities. Here each of the k has one vote.",
            lambda a, y, b, k: weighted_vote(cosine(b, a), y, k),
            lambda a, y, b, k: weighted_vote((cosine(b, a) / 0.07).exp(), y, k),
        ),
        mistake(
            "mean of class numbers",
            "You take a mean or median of class numbers, but class 1 is not between 0 and 2. Count votes.",
            lambda a, y, b, k: nearest_classes(cosine(b, a), y, k).median(1).values,
            lambda a, y, b, k: nearest_classes(cosine(b, a), y, k).float().mean(1).round().long(),
        ),
        mistake(
            "row instead of class",
            "You return row numbers of training images. Look up their classes in train_y.",
            lambda a, y, b, k: cosine(b, a).argmax(1),
            lambda a, y, b, k: cosine(b, a).topk(k).indices.mode(1).values,
        ),
        mistake(
            "place in place of the class",
            "You return which of the k neighbours wins, 0 .. k - 1. Return its class: neighbours.gather(1, winner).",
            ("neighbours.gather(1, winner).squeeze(1)", "winner.squeeze(1)"),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            (("test_h, dim=1", "test_h, dim=0"), ("train_h, dim=1", "train_h, dim=0")),
        ),
        mistake("one neighbour too many", "You let k + 1 images vote.", ("topk(k,", "topk(k + 1,")),
    ),
)
