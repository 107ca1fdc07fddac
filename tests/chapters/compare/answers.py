"""Answers to the exercises of compare: known numbers, right ones written differently, wrong ones."""

import numpy as np
import torch
import torch.nn.functional as F


def cka_gram(x, y):
    H = torch.eye(len(x)) - 1 / len(x)
    K, L = H @ x @ x.T @ H, H @ y @ y.T @ H
    return (K * L).sum() / ((K * K).sum() * (L * L).sum()).sqrt()


def cka_numpy(x, y):
    x, y = (h.numpy() - h.numpy().mean(axis=0) for h in (x, y))
    return np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)


def cka_singular(x, y):
    """By the principal components of both."""
    (u, s, _), (v, t, _) = (torch.linalg.svd(h - h.mean(0), full_matrices=False) for h in (x, y))
    overlap = (u.T @ v).square()
    return (s.square()[:, None] * overlap * t.square()).sum() / (s.pow(4).sum() * t.pow(4).sum()).sqrt()


def hsic_vectors(K, L):
    K, L = K.clone().fill_diagonal_(0), L.clone().fill_diagonal_(0)
    n, one = len(K), torch.ones(len(K))
    parts = (K @ L).trace(), (one @ K @ one) * (one @ L @ one), one @ K @ L @ one
    return (parts[0] + parts[1] / (n - 1) / (n - 2) - 2 * parts[2] / (n - 2)) / n / (n - 3)


def hsic_centred(K, L):
    """By U-centred matrices (Szekely and Rizzo 2014)."""
    n, centred = len(K), []
    for M in (K, L):
        M = M.clone().fill_diagonal_(0)
        rows = M.sum(1) / (n - 2)
        centred.append((M - rows[:, None] - rows + M.sum() / ((n - 1) * (n - 2))).fill_diagonal_(0))
    return (centred[0] * centred[1]).sum() / (n * (n - 3))


def effect_standardised(h, changed):
    mean, scale = h.mean(0), h.std(0, correction=0)
    a, b = (h - mean) / scale, (changed - mean) / scale
    return F.mse_loss(a, b) / 2


def effect_columns(h, changed):
    h, changed = h.numpy(), changed.numpy()
    return np.mean([((a - b) ** 2).mean() / (2 * a.var()) for a, b in zip(h.T, changed.T)])


def shared_sets(h1, h2, k):
    near = []
    for h in (h1, h2):
        similarity = F.cosine_similarity(h[:, None], h[None], dim=2)
        order = similarity.argsort(dim=1, descending=True).tolist()
        near.append([set([j for j in row if j != i][:k]) for i, row in enumerate(order)])
    return sum(len(a & b) for a, b in zip(*near)) / (k * len(h1))


def shared_distances(h1, h2, k):
    near = []
    for h in (h1, h2):
        h = h / h.norm(dim=1, keepdim=True)
        near.append((torch.cdist(h, h) + torch.eye(len(h)) * 10).topk(k, largest=False).indices)
    return (near[0][:, :, None] == near[1][:, None]).any(2).float().mean()


KNOWN = [
    (
        "compare.linear_cka",
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [[3.0], [1.0], [2.0], [2.0]]),
        0.5**0.5,
    ),
    # off the diagonal two pairs of ones: K * L adds up to 4, K and L to 4 each, K @ L to 4
    (
        "compare.unbiased_hsic",
        (
            [[9.0, 1.0, 0.0, 0.0], [1.0, 9.0, 0.0, 0.0], [0.0, 0.0, 9.0, 1.0], [0.0, 0.0, 1.0, 9.0]],
            [[5.0, 1.0, 0.0, 0.0], [1.0, 5.0, 0.0, 0.0], [0.0, 0.0, 5.0, 1.0], [0.0, 0.0, 1.0, 5.0]],
        ),
        (4 + 16 / 6 - 4) / 4,
    ),
    ("compare.total_effect", ([[0.0], [2.0]], [[1.0], [2.0]]), 0.25),
    (
        "compare.shared_neighbours",
        ([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.1], [1.0, 0.3]], 1),
        1.0,
    ),
]

RIGHT = {
    "compare.linear_cka": [cka_gram, cka_numpy, cka_singular],
    "compare.unbiased_hsic": [hsic_vectors, hsic_centred],
    "compare.total_effect": [effect_standardised, effect_columns],
    "compare.shared_neighbours": [shared_sets, shared_distances],
}

NAMED = [
    (
        "compare.linear_cka",
        lambda x, y: (x.T @ y).square().sum() / (x.T @ x).norm() / (y.T @ y).norm(),
        "not centred",
    ),
    ("compare.linear_cka", lambda x, y: cka_gram(x, y) ** 0.5, "root of it"),
    ("compare.unbiased_hsic", lambda K, L: cka_free(K, L) / (len(K) - 1) ** 2, "the biased estimate"),
    ("compare.total_effect", lambda h, c: 2 * effect_standardised(h, c), "factor 2 missing"),
    (
        "compare.shared_neighbours",
        lambda a, b, k: (
            (
                (torch.cdist(unit(a), unit(a)).topk(k, largest=False).indices[:, :, None])
                == torch.cdist(unit(b), unit(b)).topk(k, largest=False).indices[:, None]
            )
            .any(2)
            .float()
            .mean()
        ),
        "itself counted",
    ),
    ("compare.linear_cka", lambda x, y: (cov(x, y) / cov(x, x) / cov(y, y)).square(), "squares below too"),
    (
        "compare.linear_cka",
        lambda x, y: cov(x, y) ** 2 / (x - x.mean(0)).norm() / (y - y.mean(0)).norm(),
        "divided by the features' lengths",
    ),
    (
        "compare.total_effect",
        lambda h, c: ((h - c) ** 2 / torch.cat([h, c]).var(0, correction=0)).mean() / 2,
        "variance of both",
    ),
    (
        "compare.total_effect",
        lambda h, c: ((h - c).std(0) / h.std(0)).square().mean() / 2,
        "variance of the differences",
    ),
    ("compare.shared_neighbours", lambda a, b, k: shared_sets(a, a, k), "h2 not used"),
    ("compare.shared_neighbours", lambda a, b, k: shared_sets(a, b, k) / k, "divided twice by k"),
    (
        "compare.linear_cka",
        lambda x, y: (x - x.mean(0)).T.matmul(y).norm() ** 2 / ((x - x.mean(0)).norm() * y.norm()) ** 2,
        "one side centred and divided by the features' lengths",
    ),
]


def cov(x, y):
    return ((x - x.mean(0)).T @ (y - y.mean(0))).norm()


def cka_free(K, L):
    H = torch.eye(len(K)) - 1 / len(K)
    return (H @ K @ H @ L).trace()


def unit(h):
    return F.normalize(h, dim=1)


UNNAMED = [
    ("compare.linear_cka", lambda x, y: cka_gram(x, y) + 0.01),
    ("compare.total_effect", lambda h, c: effect_standardised(h, c) * 3),
    ("compare.shared_neighbours", lambda a, b, k: shared_sets(a, b, k) / 2 + 0.1),
]
