"""Answers to the exercises of byol: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from answers import unit

EYE = torch.eye(2)
SHEAR = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def by_similarity(p, t):
    return -F.cosine_similarity(p, t.detach(), dim=1).mean()


def by_distance(p, t):
    return (unit(p) - unit(t.detach())).square().sum(1).mean() / 2 - 1


def without_grad(p, t):
    with torch.no_grad():
        t = unit(t)
    return -torch.einsum("nk,nk->n", unit(p), t).mean()


def gains_by_svd(z, p):
    _, s, v = torch.linalg.svd(z, full_matrices=False)
    return s.square() / len(z), (v @ p.T @ z @ v.T).diagonal() / s.square()


def gains_by_numpy(z, p):
    z, p = z.double().numpy(), p.double().numpy()
    strength, u = np.linalg.eigh(z.T @ z / len(z))
    strength, u = strength[::-1], u[:, ::-1]
    slopes = [np.linalg.lstsq((z @ u)[:, k : k + 1], (p @ u)[:, k], rcond=None)[0][0] for k in range(z.shape[1])]
    return strength.copy(), slopes


def gains_along_rows(z, p):
    """Turned round first, and then taken for rows."""
    strength, u = torch.linalg.eigh(z.T @ z / len(z))
    a, b = z @ u.flip(1).T, p @ u.flip(1).T
    return strength.flip(0), (a * b).sum(0) / (a * a).sum(0)


def gains_by_size(z, p):
    _, s, v = torch.linalg.svd(z, full_matrices=False)
    return s.square() / len(z), (p @ v.T).norm(dim=0) / s


def direct_by_svd(z, floor):
    u, s, _ = torch.linalg.svd(z.T)
    return u @ torch.diag(s / s[0] + floor) @ u.T


def direct_by_numpy(z, floor):
    z = z.double().numpy()
    strength, u = np.linalg.eigh(z.T @ z)
    return sum((np.sqrt(abs(s) / strength[-1]) + floor) * np.outer(v, v) for s, v in zip(strength, u.T))


KNOWN = [
    ("byol.negative_cosine", (EYE * 5, EYE), -1.0),
    ("byol.negative_cosine", (EYE, EYE.flip(0)), 0.0),
    ("byol.momentum_at", (0.5, 0.9, 1.0), 0.95),
    ("byol.momentum_at", (0.0, 0.3, 0.7), 0.3),
    ("byol.pull_on", (3.0, 1.0, 0.5), 0.75),
    ("byol.pull_on", (3.0, 0.8, 0.5), 0.0),
    ("byol.gains", (SHEAR, SHEAR @ torch.tensor([[0.5, 0.0], [0.0, 3.0]])), ([2.0, 0.5], [0.5, 3.0])),
    ("byol.direct_predictor", (SHEAR, 0.25), [[1.25, 0.0], [0.0, 0.75]]),
]

RIGHT = {
    "byol.negative_cosine": [by_similarity, by_distance, without_grad],
    "byol.momentum_at": [
        lambda progress, first, last: first + (last - first) * (1 - math.cos(math.pi * progress)) / 2,
        lambda progress, first, last: first + (last - first) * math.sin(math.pi * progress / 2) ** 2,
    ],
    "byol.pull_on": [
        lambda w, p, noise: p * (p * w * (1 + noise * noise) - w),
        lambda w, p, noise: w * p**2 * (1 + noise**2) - w * p,
    ],
    "byol.gains": [gains_by_svd, gains_by_numpy],
    "byol.direct_predictor": [direct_by_svd, direct_by_numpy],
}

NAMED = [
    ("byol.negative_cosine", lambda p, t: -F.cosine_similarity(p, t).mean(), "no stop-gradient"),
    ("byol.negative_cosine", lambda p, t: -(p * t.detach()).sum(1).mean(), "no normalisation"),
    ("byol.negative_cosine", lambda p, t: 2 + 2 * by_similarity(p, t), "squared distance"),
    ("byol.negative_cosine", lambda p, t: by_similarity(p, t).item(), "no gradient"),
    ("byol.negative_cosine", lambda p, t: -(unit(p) @ unit(t.detach()).T).mean(), "all pairs"),
    ("byol.momentum_at", lambda q, first, last: first + q * (last - first), "a straight line"),
    ("byol.pull_on", lambda w, p, noise: p * w * (p * (1 + noise) - 1), "noise not squared"),
    ("byol.pull_on", lambda w, p, noise: w * w * (p * (1 + noise**2) - 1), "gradient of the predictor"),
    ("byol.gains", lambda z, p: [v.flip(0) for v in gains_by_svd(z, p)], "rising order"),
    ("byol.direct_predictor", lambda z, floor: direct_by_svd(z, 0.0), "floor forgotten"),
    ("byol.negative_cosine", lambda p, t: -(unit(p) * unit(t.detach())).sum() / p.shape[1], "summed down the columns"),
    ("byol.momentum_at", lambda q, first, last: last - (last - first) * (np.cos(180 * q) + 1) / 2, "degrees"),
    (
        "byol.momentum_at",
        lambda q, first, last: last + (last - first) * math.cos(math.pi * q / 2) ** 2,
        "added to last",
    ),
    ("byol.pull_on", lambda w, p, noise: p**2 * w * noise**2 - p * w, "1 forgotten"),
    ("byol.pull_on", lambda w, p, noise: p * w * (p + 2 * p * noise + p * noise**2 - 1), "added before squaring"),
    ("byol.pull_on", lambda w, p, noise: p**2 * w * (1 + noise**2) - p, "v = 1"),
    ("byol.pull_on", lambda w, p, noise: p**2 * w * (1 + noise**2) + p * w, "the target added"),
    (
        "byol.gains",
        lambda z, p: (gains_by_svd(z, p)[0] * len(z) / (len(z) - 1), gains_by_svd(z, p)[1]),
        "divided by N - 1",
    ),
    ("byol.gains", lambda z, p: ((gains_by_svd(z, p)[0] * len(z)).sqrt(), gains_by_svd(z, p)[1]), "singular values"),
    ("byol.gains", gains_along_rows, "rows for eigenvectors"),
    ("byol.gains", gains_by_size, "sizes compared"),
]

UNNAMED = [
    ("byol.negative_cosine", lambda p, t: by_similarity(p, t) + 0.01),
    ("byol.pull_on", lambda w, p, noise: 0.3 * w),
    ("byol.momentum_at", lambda progress, first, last: 0.5),
    ("byol.direct_predictor", lambda z, floor: torch.eye(z.shape[1])),
]
