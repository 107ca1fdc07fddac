"""Answers to the exercises of judging: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from answers import unit, unit_numpy

FOUR = [[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.0, 1.0]]


def knn_by_counting(train_h, train_y, test_h, k):
    predictions = []
    for row in unit(test_h) @ unit(train_h).T:
        classes = train_y[row.argsort(descending=True)[:k]].tolist()
        predictions.append(max(classes, key=lambda c: (classes.count(c), -classes.index(c))))
    return predictions


def knn_by_votes(train_h, train_y, test_h, k):
    order = (1 - F.cosine_similarity(test_h[:, None], train_h[None], dim=2)).argsort(dim=1)[:, :k]
    weights = 1 + 0.5 ** torch.arange(1, k + 1).double() / (k + 1)  # nearer ones a little more, for the ties
    return (F.one_hot(train_y)[order] * weights[:, None]).sum(1).argmax(1)


def rank_numpy(h):
    s = np.linalg.svd(h.numpy(), compute_uv=False)
    p = s[s > 0] / s.sum()
    return np.exp(-(p * np.log(p)).sum())


def rank_from_covariance(h):
    s = torch.linalg.eigvalsh(h.T @ h).clamp(min=0).sqrt()
    return float(torch.distributions.Categorical(probs=s / s.sum()).entropy().exp())


def uniformity_table(z):
    squared = torch.cdist(unit(z), unit(z)) ** 2
    return (-2 * squared[~torch.eye(len(z), dtype=torch.bool)]).exp().mean().log()


def uniformity_python(z):
    rows = unit_numpy(z)
    values = [math.exp(-2 * ((a - b) ** 2).sum()) for i, a in enumerate(rows) for b in rows[:i]]
    return math.log(sum(values) / len(values))


def uniformity_logsumexp(z):
    gram = unit(z) @ unit(z).T
    i, j = torch.triu_indices(len(z), len(z), 1)
    return torch.logsumexp(4 * gram[i, j] - 4, 0) - math.log(len(i))


def ranks_squared(h):
    s = np.linalg.svd(h.numpy(), compute_uv=False) ** 2 + 1e-12
    return np.exp(-(s / s.sum() * np.log(s / s.sum())).sum())


KNOWN = [
    ("judging.knn_predict", (FOUR, [1, 0, 0, 1], [[1.0, 0.0]], 3), [0]),
    ("judging.knn_predict", (FOUR, [1, 0, 0, 1], [[1.0, 0.0]], 4), [1]),
    ("judging.effective_rank", ([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]],), 2.0),
    ("judging.effective_rank", ([[3.0, 0.0], [0.0, 1.0]],), 4 / 3**0.75),
    ("judging.alignment", ([[3.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, 7.0]]), 2.0),
    ("judging.uniformity", ([[5.0, 0.0], [-1.0, 0.0]],), -8.0),
    ("judging.uniformity", ([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]],), math.log((2 * math.exp(-4) + 1) / 3)),
]

RIGHT = {
    "judging.knn_predict": [knn_by_counting, knn_by_votes],
    "judging.effective_rank": [
        rank_numpy,
        rank_from_covariance,
        lambda h: torch.special.entr(F.normalize(torch.linalg.svdvals(h), p=1, dim=0)).sum().exp(),
    ],
    "judging.alignment": [
        lambda a, b: 2 - 2 * F.cosine_similarity(a, b).mean(),
        lambda a, b: float(((unit_numpy(a) - unit_numpy(b)) ** 2).sum(1).mean()),
        lambda a, b: (unit(a) - unit(b)).norm(dim=1).pow(2).mean(),
        lambda a, b: F.mse_loss(unit(a), unit(b)) * a.shape[1],
    ],
    "judging.uniformity": [uniformity_table, uniformity_python, uniformity_logsumexp],
}

NAMED = [
    ("judging.effective_rank", ranks_squared, "squared singular values"),
    ("judging.alignment", lambda a, b: F.mse_loss(unit(a), unit(b)), "mean over the dimensions"),
    (
        "judging.knn_predict",
        lambda h, y, q, k: [row.bincount().argmax() for row in y[(unit(q) @ unit(h).T).topk(k)[1]]],
        "ties by class number",
    ),
    ("judging.knn_predict", lambda *args: torch.tensor(knn_by_counting(*args)).float(), "another dtype"),
    ("judging.effective_rank", lambda h: torch.tensor(float(min(h.shape))), "counting"),
    ("judging.knn_predict", lambda h, y, q, k: knn_by_counting(h, y, q, k + 1), "one neighbour too many"),
    (
        "judging.knn_predict",
        lambda h, y, q, k: [
            max(c, key=c.count) for c in y[(F.normalize(q, dim=0) @ F.normalize(h, dim=0).T).topk(k)[1]].tolist()
        ],
        "normalised along the batch",
    ),
    ("judging.effective_rank", lambda h: ranks_squared(h - h.mean(0)), "squared singular values and centred"),
    ("judging.alignment", lambda a, b: F.l1_loss(unit(a), unit(b), reduction="sum") / len(a), "absolute differences"),
    ("judging.alignment", lambda a, b: ((unit(a).sum(1) - unit(b).sum(1)) ** 2).mean(), "summed before squaring"),
    (
        "judging.uniformity",
        lambda z: (-2 * torch.cdist(z, z) ** 2).exp().mean().log(),
        "pairs with itself and no normalisation",
    ),
    (
        "judging.uniformity",
        lambda z: ((-2 * torch.cdist(unit(z), unit(z)) ** 2).exp() - torch.eye(len(z))).mean().log(),
        "divided by N * N",
    ),
    (
        "judging.uniformity",
        lambda z: (-2 * (unit(z) @ unit(z).T)[~torch.eye(len(z), dtype=torch.bool)]).exp().mean().log(),
        "cosine for distance",
    ),
]

UNNAMED = [
    ("judging.knn_predict", lambda h, y, q, k: y[torch.cdist(unit(q), unit(h)).argsort(1)[:, k - 1]]),
]
