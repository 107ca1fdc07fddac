"""Answers to the exercises of start_here: known numbers, right ones written differently, wrong ones."""

import numpy as np
import torch
import torch.nn.functional as F
from answers import unit, unit_numpy

KNOWN = [
    ("start_here.accuracy", ([1, 2, 3, 3], [1, 2, 0, 3]), 0.75),
    ("start_here.partners", ([[1.0, 0.1], [0.0, 9.0], [0.1, 0.0], [-5.0, -4.0], [-9.0, 3.0]],), [2, 4, 0, 4, 3]),
    ("start_here.chance_level", ([1, 3],), 0.75),
]

RIGHT = {
    "start_here.accuracy": [
        lambda pred, y: sum(p == t for p, t in zip(pred.tolist(), y.tolist())) / len(y),
        lambda pred, y: np.mean(pred.numpy() == y.numpy()),
        lambda pred, y: 1 - (pred != y).double().mean().item(),
    ],
    "start_here.partners": [
        lambda z: [int(row.argmax()) for row in unit(z) @ unit(z).T - 9 * torch.eye(len(z))],
        lambda z: (unit_numpy(z) @ unit_numpy(z).T - 9 * np.eye(len(z))).argmax(axis=1),
        lambda z: torch.cdist(unit(z), unit(z)).fill_diagonal_(9).argmin(1),
        lambda z: F.cosine_similarity(z[:, None], z[None], dim=2).topk(2).indices[:, 1],
    ],
    "start_here.chance_level": [
        lambda counts: max(counts.tolist()) / sum(counts.tolist()),
        lambda counts: (counts / counts.sum()).max(),
        lambda counts: np.max(counts.numpy()) / np.sum(counts.numpy()),
    ],
}

NAMED = [
    ("start_here.accuracy", lambda pred, y: torch.equal(pred, y), "whole-number division"),
    (
        "start_here.partners",
        lambda z: [int(row.abs().argmax()) for row in (unit(z) @ unit(z).T).fill_diagonal_(0)],
        "without its sign",
    ),
    ("start_here.chance_level", lambda counts: max(counts.tolist()) // sum(counts.tolist()), "whole-number division"),
    ("start_here.partners", lambda z: (unit(z) @ unit(z).T).topk(2).indices, "itself and the partner"),
    ("start_here.chance_level", lambda c: c.unique(return_counts=True)[1].max() / len(c), "counted again"),
]

UNNAMED = [
    ("start_here.accuracy", lambda pred, y: 0.5),
]
