"""Answers to the exercises of start_here: known numbers, right ones written differently, wrong ones."""

import numpy as np
import torch
import torch.nn.functional as F
from answers import unit, unit_numpy

KNOWN = [
    ("start_here.accuracy", ([1, 2, 3, 3], [1, 2, 0, 3]), 0.75),
    ("start_here.nearest", ([[1.0, 0.1]], [[0.0, 9.0], [0.1, 0.0], [5.0, 5.0]]), [1]),
    ("start_here.chance_level", ([1, 3],), 0.75),
]

RIGHT = {
    "start_here.accuracy": [
        lambda pred, y: sum(p == t for p, t in zip(pred.tolist(), y.tolist())) / len(y),
        lambda pred, y: np.mean(pred.numpy() == y.numpy()),
        lambda pred, y: 1 - (pred != y).double().mean().item(),
    ],
    "start_here.nearest": [
        lambda q, b: [int(row.argmax()) for row in unit(q) @ unit(b).T],
        lambda q, b: (unit_numpy(q) @ unit_numpy(b).T).argmax(axis=1),
        lambda q, b: torch.cdist(unit(q), unit(b)).argmin(1),
        lambda q, b: F.cosine_similarity(q[:, None], b[None], dim=2).topk(1).indices.squeeze(1),
    ],
    "start_here.chance_level": [
        lambda counts: max(counts.tolist()) / sum(counts.tolist()),
        lambda counts: (counts / counts.sum()).max(),
        lambda counts: np.max(counts.numpy()) / np.sum(counts.numpy()),
    ],
}

NAMED = []

UNNAMED = [
    ("start_here.accuracy", lambda pred, y: 0.5),
]
