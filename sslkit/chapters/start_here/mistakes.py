"""Exercises of chapter 00: accuracy, the puzzle, chance level."""

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
        mistake("whole-number division", "You get 1 if all are right and 0 otherwise, as `//` or all() would give. Divide with `/`.",
                lambda p, y: (p == y).sum() // len(y)),
        mistake("divided by the classes", "You divide by the number of classes. Divide by the number of predictions.",
                lambda p, y: (p == y).sum() / (y.max() + 1), lambda p, y: (p == y).sum() / len(y.unique())),
        mistake("average over classes", "You average the accuracy of each class, so a rare class weighs as much as a frequent "
                "one. Here every image weighs the same: one mean over all images.",
                class_average),
        mistake("difference of class numbers", "You use how far the class numbers are apart. They are names: a prediction is right or "
                "wrong, pred == y.",
                lambda p, y: 1 - (p - y).abs().float().mean(), lambda p, y: (p - y).abs().float().mean()),
        mistake("classes as truth values", "bool() makes True of every class but 0, so 1 and 2 count as equal. Compare the numbers: "
                "pred == y.",
                ("pred == y", "pred.bool() == y.bool()")),
        mistake("all pairs", "You compare every prediction with every label. Prediction i belongs to label i alone: pred == y.",
                lambda p, y: (p[:, None] == y).float().mean()),
    ),
)  # fmt: skip


def partners_loop(z: Tensor) -> Tensor:
    found = []
    for row, one in enumerate(z.double()):
        best, best_cosine = -1, -2.0
        for other, another in enumerate(z.double()):
            cosine = (one * another).sum() / (one.square().sum().sqrt() * another.square().sum().sqrt())
            if other != row and cosine > best_cosine:
                best, best_cosine = other, cosine
        found.append(best)
    return torch.tensor(found)


def cosines(z: Tensor) -> Tensor:
    return (F.normalize(z, dim=1) @ F.normalize(z, dim=1).T).fill_diagonal_(-torch.inf)


def partners_trials() -> list[tuple]:
    alone = torch.tensor([[1.0, 0.2], [-1.0, 0.1], [-3.0, -0.9], [-0.2, 0.1]])  # the first is like none of the others
    return [(draw_rows(2, 4, 2),), (alone,), *((draw_rows(s, n, d),) for s, (n, d) in enumerate([(6, 3), (20, 5)], 8))]


PARTNERS = Exercise(
    "partners", partners_loop, partners_trials,
    mistakes=(
        mistake("itself", "Each piece is most similar to itself, so it would be its own partner. Rule that out before the argmax.",
                (".fill_diagonal_(-torch.inf)", "")),
        mistake("0 for itself", "A cosine can be below 0. Where a piece is like none of the others, your 0 on the diagonal is the "
                "greatest, and it is its own partner again. Fill in something smaller than any cosine.",
                ("-torch.inf", "0")),
        mistake("no normalisation", "Long rows win because of their length. Scale each row to length 1 before the dot product.",
                ("F.normalize(z, dim=1)", "z"), lambda z: (z @ z.T).topk(2, dim=1).indices[:, 1]),
        mistake("Euclidean distance", "You compare distances of vectors of different lengths; cosine compares directions. Scale "
                "each row to length 1 first.",
                lambda z: torch.cdist(z, z).fill_diagonal_(torch.inf).argmin(1)),
        mistake("least similar", "You pick the least similar row. Similarity is greatest for the partner: argmax, not argmin.",
                lambda z: cosines(z).fill_diagonal_(torch.inf).argmin(1)),
        mistake("similarity instead of row", "You return how similar the partner is. Return which row it is: argmax, not max.",
                lambda z: cosines(z).max(1).values),
        mistake("one answer for all", "argmax without dim looks at the whole table and gives one number. Add dim=1.",
                ("argmax(dim=1)", "argmax()")),
        mistake("normalised along the batch", "You scale each column of z to length 1. Scale each row: dim=1.",
                ("normalize(z, dim=1)", "normalize(z, dim=0)")),
        mistake("numbered from 1", "You number the rows from 1, as the figure does. Tensors count from 0.",
                ("argmax(dim=1)", "argmax(dim=1) + 1")),
        mistake("half way round", "You answer by place, without looking at z. The pieces come in any order.",
                lambda z: torch.arange(len(z)).roll(len(z) // 2)),
        mistake("itself and the partner", "topk(2) gives two rows for each: itself, then its partner. Return the second column alone.",
                lambda z: cosines(z).fill_diagonal_(2).topk(2, dim=1).indices),
        mistake("without its sign", "You take the size of the cosine. A row that points the opposite way has -1: the least similar of all.",
                ("(z @ z.T)", "(z @ z.T).abs()")),
        mistake("one side only", "You look for a partner among the rows on one side alone, later or earlier. Look at all other rows.",
                (".fill_diagonal_(-torch.inf)", ".masked_fill(torch.ones(len(z), len(z)).tril() > 0, -torch.inf)"),
                (".fill_diagonal_(-torch.inf)", ".masked_fill(torch.ones(len(z), len(z)).triu() > 0, -torch.inf)")),
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
        mistake("divided by the classes", "You divide by the number of classes. Divide by the number of all images: counts.sum().",
                lambda c: c.max() / len(c)),
        mistake("rarest class", "You always name the rarest class. Name the most frequent one: max, not min.", ("max", "min")),
        mistake("percent", "You return a percentage. Leave out the factor 100.", ("counts.max", "100 * counts.max")),
        mistake("class number instead of count", "argmax gives the number of the most frequent class. Take its count: max.",
                lambda c: c.argmax() / c.sum(), lambda c: c.argmax()),
        mistake("error rate", "That is how often such a guess is wrong. Accuracy counts how often it is right.",
                ("counts.max() / counts.sum()", "(1 - counts.max() / counts.sum())")),
        mistake("counted again", "`counts` says already how many images each class has. You count how often each count occurs.",
                lambda c: c.bincount().max() / len(c), lambda c: c.bincount().max() / c.sum()),
        mistake("whole-number division", "`//` rounds the fraction down to 0. Use `/`.", ("() /", "() //")),
        mistake("every class", "You return the fraction of each class. Return that of the most frequent one.", ("counts.max()", "counts")),
        mistake("softmax", "softmax makes shares of exp(counts), so the most frequent class takes nearly all. Divide the counts by their "
                "sum.",
                lambda c: c.float().softmax(0).max()),
        mistake("a class by its place", "You take the first or the last class. Take the most frequent one, wherever it stands: max.",
                ("counts.max()", "counts[-1]"), ("counts.max()", "counts[0]")),
    ),
)  # fmt: skip

EXERCISES = [ACCURACY, PARTNERS, CHANCE_LEVEL]
