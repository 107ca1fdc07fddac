"""Exercise of chapter 16: the running mean of the teacher's scores."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def moved_centre_loop(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    moved = []
    for k, old in enumerate(centre.double().tolist()):
        every = [image[k] for view in teacher.double().tolist() for image in view]
        moved.append(old * momentum + math.fsum(every) / len(every) * (1 - momentum))
    return torch.tensor(moved, dtype=torch.float64)


def step_for_each_view(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    for view in teacher:
        centre = momentum * centre + (1 - momentum) * view.mean(0)
    return centre


CENTRE = Exercise(
    "moved_centre",
    moved_centre_loop,
    trials=lambda: [
        (draw(s, k), draw(s + 50, a, n, k), m)
        for s, (a, n, k, m) in enumerate(
            [(2, 2, 3, 0.9), (2, 3, 2, 0.5), (2, 5, 4, 0.0), (1, 4, 3, 0.75), (3, 2, 5, 1.0)]
        )
    ],
    mistakes=(
        mistake(
            "roles exchanged",
            "You keep most of the batch. momentum is what stays of the old centre.",
            ("momentum * centre + (1 - momentum) *", "(1 - momentum) * centre + momentum *"),
        ),
        mistake("sum instead of mean", "You add up the images. Take their mean.", (".mean(", ".sum(")),
        mistake(
            "views added up",
            "You add up the views. The mean is over views and images alike.",
            lambda c, t, m: m * c + (1 - m) * t.mean(1).sum(0),
        ),
        mistake(
            "one view",
            "Only the first view counts. Take the mean over all of them.",
            ("teacher.mean(dim=(0, 1))", "teacher[0].mean(dim=0)"),
        ),
        mistake(
            "a step for each view",
            "You move the centre once for each view. Take the mean over all views first, and move once.",
            step_for_each_view,
        ),
        mistake(
            "mean along the prototypes",
            "You average over the prototypes too: the centre has one number for each of them.",
            ("dim=(0, 1)", "dim=(0, 1, 2)"),
            lambda c, t, m: m * c + (1 - m) * t.mean(),
        ),
        mistake(
            "mean of the probabilities",
            "You average the teacher's softmax. The centre is a mean of scores.",
            ("teacher.mean", "teacher.softmax(2).mean"),
        ),
        mistake(
            "scores less the centre",
            "You take the centre off the scores first. The running mean is one of the scores as they are.",
            ("teacher.mean", "(teacher - centre).mean"),
        ),
        mistake(
            "the new one added whole",
            "The weights must add up to 1: the batch counts 1 - momentum.",
            ("(1 - momentum) * ", ""),
        ),
        mistake(
            "a minus", "You move the centre away from the batch. Add the batch's part.", ("centre + ", "centre - ")
        ),
        mistake(
            "the centre never moves", "You return the old centre, whatever the momentum.", lambda c, t, m: c.clone()
        ),
        mistake(
            "the batch's mean alone",
            "You forget the past. The old centre counts `momentum`.",
            lambda c, t, m: t.mean((0, 1)),
        ),
    ),
)
