"""Exercises of chapter 02: kNN prediction, effective rank, alignment, uniformity."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, draw_rows, mistake


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


def vote(similarity: Tensor, y: Tensor, k: int, first: int = 0) -> Tensor:
    """The majority among neighbours first .. k - 1, ties towards the nearest."""
    return vote_in_order(y[similarity.topk(k, dim=1).indices[:, first:]])


def vote_in_order(classes: Tensor) -> Tensor:
    """The majority of each row of neighbours' classes [M, k], ties towards the first."""
    votes = (classes[:, :, None] == classes[:, None, :]).sum(2)
    return classes.gather(1, votes.argmax(1, keepdim=True)).squeeze(1)


def vote_backwards(classes: Tensor) -> Tensor:
    """The majority of each row, ties towards the last."""
    return vote_in_order(classes.flip(1))


def class_counts(y: Tensor, neighbours: Tensor) -> Tensor:
    return F.one_hot(y)[neighbours].sum(1)


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
    "knn_predict", knn_predict_loop, knn_trials,
    mistakes=(
        mistake("no normalisation", "Long training vectors win because of their length. Scale each row to length 1 before the "
                "dot product.",
                ("F.normalize(train_h, dim=1)", "train_h"), lambda a, y, b, k: class_counts(y, (b @ a.T).topk(k).indices).argmax(1)),
        mistake("Euclidean distance", "You compare distances of vectors of different lengths; cosine compares directions. Scale "
                "each row to length 1 first.",
                lambda a, y, b, k: vote(-torch.cdist(b, a), y, k),
                lambda a, y, b, k: class_counts(y, (-torch.cdist(b, a)).topk(k).indices).argmax(1)),
        mistake("farthest", "You take the k least similar images. topk on similarities takes the largest: leave it so.",
                ("F.normalize(test_h, dim=1) @ F.normalize(train_h, dim=1).T",
                    "(1 - F.normalize(test_h, dim=1) @ F.normalize(train_h, dim=1).T)"),
                lambda a, y, b, k: class_counts(y, (-cosine(b, a)).topk(k).indices).argmax(1)),
        mistake("only the nearest", "You use the class of the one nearest image. Let all k vote.",
                lambda a, y, b, k: vote(cosine(b, a), y, 1)),
        mistake("ties by class number", "Where two classes have equally many votes you take the smaller class number, as "
                "torch.mode and bincount().argmax() do. Take the class of the nearest image among them.",
                lambda a, y, b, k: class_counts(y, cosine(b, a).topk(k).indices).argmax(1)),
        mistake("ties not by nearness", "Where two classes have equally many votes you do not take the one of the nearest image. Keep the "
                "neighbours in topk's order, and of the classes with most votes take the one that comes first.",
                lambda a, y, b, k: vote_backwards(y[cosine(b, a).topk(k).indices]),
                lambda a, y, b, k: vote_in_order(y[cosine(b, a).topk(k).indices.sort(1).values]),
                lambda a, y, b, k: len(F.one_hot(y).T) - 1 - class_counts(y, cosine(b, a).topk(k).indices).flip(1).argmax(1)),
        mistake("votes instead of a class", "You return how many votes each class has. Return the class that has most: argmax.",
                lambda a, y, b, k: class_counts(y, cosine(b, a).topk(k).indices)),
        mistake("nearest one skipped", "You leave out the best match, as one does when the query is itself among the training "
                "images. Here it is not.",
                lambda a, y, b, k: vote(cosine(b, a), y, k + 1, first=1)),
        mistake("weighted votes", "You add up similarities. Here each of the k has one vote.",
                lambda a, y, b, k: weighted_vote(cosine(b, a), y, k),
                lambda a, y, b, k: weighted_vote((cosine(b, a) / 0.07).exp(), y, k)),
        mistake("mean of class numbers", "You take a mean or median of class numbers, but class 1 is not between 0 and 2. Count votes.",
                lambda a, y, b, k: y[cosine(b, a).topk(k).indices].median(1).values,
                lambda a, y, b, k: y[cosine(b, a).topk(k).indices].float().mean(1).round().long()),
        mistake("row instead of class", "You return row numbers of training images. Look up their classes in train_y.",
                lambda a, y, b, k: cosine(b, a).argmax(1), lambda a, y, b, k: cosine(b, a).topk(k).indices.mode(1).values),
        mistake("place in place of the class", "You return which of the k neighbours wins, 0 .. k - 1. Return its class: "
                "neighbours.gather(1, winner).",
                ("neighbours.gather(1, winner).squeeze(1)", "winner.squeeze(1)")),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.",
                (("test_h, dim=1", "test_h, dim=0"), ("train_h, dim=1", "train_h, dim=0"))),
        mistake("one neighbour too many", "You let k + 1 images vote.", ("topk(k,", "topk(k + 1,")),
    ),
)  # fmt: skip


def effective_rank_loop(h: Tensor) -> Tensor:
    squares = torch.linalg.eigvalsh(h.double().T @ h.double()).tolist()
    values = [math.sqrt(v) for v in squares if v > 0]
    entropy = 0.0
    for value in values:
        p = value / sum(values)
        entropy -= p * math.log(p)
    return torch.tensor(math.exp(entropy), dtype=torch.float64)


def entropy(s: Tensor) -> Tensor:
    return torch.special.entr(s / s.sum()).sum()


RANK = Exercise(
    "effective_rank", effective_rank_loop, tolerance=1e-2,
    trials=lambda: [
        (torch.tensor([[3.0, 0.0], [0.0, 0.0]]),),
        (torch.tensor([[2.0, 0.0], [0.0, 1.0]]),),
        (draw(1, 6, 3) + 1,),
        (draw_rows(2, 20, 5),),
        (draw(3, 4, 8) + 0.5,),
        (draw(4, 30, 1) @ draw(5, 1, 4),),
    ],
    mistakes=(
        mistake("no exp", "You return the entropy. The effective rank is its exp.",
                ("torch.exp(-(p * p.log()).sum())", "-(p * p.log()).sum()")),
        mistake("squared singular values", "You use the squares (the eigenvalues of the covariance). Use the singular values "
                "themselves.",
                ("svdvals(h)", "svdvals(h).square()")),
        mistake("centred", "You subtract the mean first. RankMe leaves the features as they are.",
                ("svdvals(h)", "svdvals(h - h.mean(0)).clamp_min(1e-6)")),
        mistake("0 log 0", "One singular value is 0, and 0 * log(0) is NaN. Add 1e-7 to p before the log.", ("() + 1e-7", "()")),
        mistake("sign of the entropy", "The entropy is minus the sum of p log p; you have exp of plus the sum, which is 1 over "
                "the effective rank.",
                ("-(p", "(p")),
        mistake("mean instead of sum", "You average p log p over the directions. The entropy is the sum.",
                ("(p * p.log()).sum()", "(p * p.log()).mean()")),
        mistake("softmax", "softmax makes shares of exp(s), so the largest takes nearly all. Divide s itself by its sum.",
                ("s / s.sum()", "s.softmax(0)")),
        mistake("not divided by the sum", "The singular values must sum to 1 before you take their entropy.", ("/ s.sum() +", "+")),
        mistake("counting", "You count the singular values above zero: the ordinary rank. A direction that is hardly used should "
                "hardly count.",
                lambda h: torch.linalg.matrix_rank(h).float()),
        mistake("log to base 2", "You take the entropy in bits, but exp undoes the natural logarithm: use log.", ("log", "log2")),
        mistake("rows normalised", "You scale each row to length 1 first. RankMe leaves the features as they are.",
                lambda h: entropy(torch.linalg.svdvals(F.normalize(h, dim=1))).exp()),
        mistake("divided by the norm", "You divide by the root of the sum of squares. p must sum to 1: divide by the sum.",
                ("/ s.sum()", "/ s.norm()")),
        mistake("divided by the largest", "You divide by the largest singular value. p must sum to 1: divide by the sum.",
                ("/ s.sum()", "/ s.max()")),
        mistake("participation ratio", "1 / sum(p^2) is the participation ratio, another measure. Take exp of the entropy.",
                ("torch.exp(-(p * p.log()).sum())", "1 / p.square().sum()")),
    ),
)  # fmt: skip


def unit_rows(z: Tensor) -> list[list[float]]:
    return [[value / math.hypot(*row) for value in row] for row in z.tolist()]


def alignment_loop(z1: Tensor, z2: Tensor) -> Tensor:
    total = 0.0
    for a, b in zip(unit_rows(z1), unit_rows(z2)):
        total += math.dist(a, b) ** 2
    return torch.tensor(total / len(z1), dtype=torch.float64)


def pair_gaps(z1: Tensor, z2: Tensor, dim: int = 1) -> Tensor:
    return F.normalize(z1, dim=dim) - F.normalize(z2, dim=dim)


ALIGNMENT = Exercise(
    "alignment", alignment_loop,
    trials=lambda: [
        *((draw_rows(s, n, d), draw_rows(s + 50, n, d)) for s, (n, d) in enumerate([(2, 3), (5, 3), (16, 8)])),
        (draw(9, 4, 3), draw(9, 4, 3) * 2),
    ],
    mistakes=(
        mistake("no normalisation", "Scale each row to length 1 first, or growing features look worse.",
                ("F.normalize(z1, dim=1) - F.normalize(z2, dim=1)", "z1 - z2")),
        mistake("one length for the whole table", "You divide the whole table by one length. Each row has its own: .norm(dim=1, "
                "keepdim=True).",
                ("F.normalize(z1, dim=1) - F.normalize(z2, dim=1)", "z1 / z1.norm() - z2 / z2.norm()")),
        mistake("one distance for all", "You take one length of the whole table of differences. Each row has a squared distance of its "
                "own: take the mean over the rows.",
                (".square().sum(dim=1).mean()", ".norm()")),
        mistake("not squared", "You average the distance. alpha = 2 asks for its square.", ("mean", "sqrt().mean")),
        mistake("mean over the dimensions", "You divide by D as well, as mse_loss does. Sum over dim=1, mean over pairs.",
                ("sum(dim=1).", "")),
        mistake("sum over the pairs", "You add up all pairs. Take the mean over them.", ("mean", "sum")),
        mistake("cosine similarity", "You return a similarity, which is 1 for equal directions. The squared distance is 2 - 2 * "
                "cosine.",
                lambda a, b: F.cosine_similarity(a, b).mean()),
        mistake("the cosine once", "2 - cosine is not it. The squared distance of two vectors of length 1 is 2 - 2 * cosine.",
                lambda a, b: (2 - F.cosine_similarity(a, b)).mean()),
        mistake("half of it", "1 - cosine is half of the squared distance of two vectors of length 1.",
                lambda a, b: (1 - F.cosine_similarity(a, b)).mean()),
        mistake("all pairs", "You compare every row of z1 with every row of z2. Only rows of equal number are one image.",
                lambda a, b: torch.cdist(F.normalize(a), F.normalize(b)).square().mean()),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.",
                lambda a, b: pair_gaps(a, b, dim=0).square().sum(1).mean()),
        mistake("absolute differences", "You add up absolute differences. The squared distance is the sum of their squares.",
                ("square()", "abs()")),
        mistake("summed before squaring", "You add up the differences of a row first, and they cancel. Square each of them before.",
                (".square().sum(dim=1)", ".sum(dim=1).square()")),
        mistake("the difference normalised", "You scale the difference to length 1, so the result is always 1. Scale z1 and z2, then "
                "subtract.",
                ("F.normalize(z1, dim=1) - F.normalize(z2, dim=1)", "F.normalize(z1 - z2, dim=1)")),
    ),
)  # fmt: skip


def uniformity_loop(z: Tensor) -> Tensor:
    rows = unit_rows(z)
    total, pairs = 0.0, 0
    for i in range(len(rows)):
        for j in range(len(rows)):
            if i != j:
                total += math.exp(-2 * math.dist(rows[i], rows[j]) ** 2)
                pairs += 1
    return torch.tensor(math.log(total / pairs), dtype=torch.float64)


def potential(z: Tensor, t: float = 2.0, power: int = 2) -> Tensor:
    """exp(-t d^power) for each pair i < j of the rows as they are."""
    return torch.pdist(z).pow(power).mul(-t).exp()


UNIFORMITY = Exercise(
    "uniformity", uniformity_loop,
    trials=lambda: (
        [(draw_rows(s, n, d),) for s, (n, d) in enumerate([(3, 2), (5, 3), (12, 4), (20, 8)])]
        + [(draw(9, 1, 3).repeat(4, 1),)]
    ),
    mistakes=(
        mistake("pairs with itself", "You count each row as a pair with itself: distance 0, so exp gives 1. Leave the diagonal out.",
                ("torch.pdist(F.normalize(z, dim=1))", "(lambda z: torch.cdist(z, z))(F.normalize(z, dim=1))"),
                lambda z: torch.cat([potential(F.normalize(z)), torch.ones(len(z))]).mean().log()),
        mistake("one length for the whole table", "You divide the whole table by one length. Each row has its own: .norm(dim=1, "
                "keepdim=True).",
                ("F.normalize(z, dim=1)", "z / z.norm()")),
        mistake("mean over the dimensions", "Your d^2 is a mean over the D numbers of a row. The squared distance is their sum.",
                (".square()", ".square().div(z.shape[1])")),
        mistake("no normalisation", "Scale each row to length 1 first: features must not become uniform by growing.",
                ("F.normalize(z, dim=1)", "z")),
        mistake("no log", "You return the mean. Take its log.", (".log()", "")),
        mistake("log before the mean", "You take the mean of the logs, which is -2 times the mean squared distance. Take the "
                "mean first, then the log.",
                lambda z: potential(F.normalize(z)).log().mean()),
        mistake("not squared", "You use the distance. The exponent holds its square.", (".square()", "")),
        mistake("factor 2 missing", "You have exp(-d^2). t = 2 asks for exp(-2 d^2).", ("(-2)", "(-1)")),
        mistake("half for 2", "You have exp(-d^2 / 2), as in a bell curve. t = 2 asks for exp(-2 d^2).", ("(-2)", "(-0.5)")),
        mistake("sign in the exponent", "You have exp(+2 d^2), which grows with distance. It is exp(-2 d^2).",
                lambda z: potential(F.normalize(z), t=-2).mean().log()),
        mistake("factor under the square", "You square the factor 2, and its sign, with the distance. Square first, then times -2.",
                lambda z: potential(F.normalize(z), t=-4).mean().log(), lambda z: potential(F.normalize(z), t=4).mean().log()),
        mistake("sign of the result", "You return minus the log. Lower means more uniform: leave out the sign.",
                ("squared.", "-squared.")),
        mistake("sum over the pairs", "You take the log of the sum, which grows with the number of pairs. Take the mean.",
                ("mean()", "sum()"), ("mean()", "sum().mul(2)")),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.", ("dim=1", "dim=0")),
        mistake("divided by N * N", "You leave the diagonal out and still divide by all N * N entries. Without it there are N (N - 1).",
                (".exp()", ".exp().mul((len(z) - 1) / len(z))")),
        mistake("zeros in the mean", "You put 0 where a pair is not to count, and take the mean over all N * N entries: the zeros are "
                "in it, or exp makes ones of them. Take the mean over the pairs alone.",
                (".exp()", ".exp().mul((len(z) - 1) / len(z) / 2)"),
                lambda z: torch.cdist(F.normalize(z), F.normalize(z)).triu(1).square().mul(-2).exp().mean().log()),
        mistake("cosine for distance", "You put the cosine in place of the distance. At length 1, d^2 = 2 - 2 * cosine.",
                (".square()", ".square().mul(-0.5).add(1)")),
    ),
)  # fmt: skip

EXERCISES = [KNN_PREDICT, RANK, ALIGNMENT, UNIFORMITY]
