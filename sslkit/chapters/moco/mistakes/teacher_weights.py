"""Exercise of chapter 11: how the teacher follows."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def teacher_weights_loop(student: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    pairs = zip(student.double().flatten().tolist(), teacher.double().flatten().tolist())
    moved = [t + (s - t) * (1 - momentum) for s, t in pairs]
    return torch.tensor(moved, dtype=torch.float64).view(teacher.shape)


UPDATE = Exercise(
    "teacher_weights",
    teacher_weights_loop,
    trials=lambda: [
        (draw(s, *shape), draw(s + 50, *shape), m)
        for s, (shape, m) in enumerate([((3,), 0.9), ((2, 3), 0.5), ((4,), 0.0), ((4,), 1.0), ((5, 2), 0.99)])
    ],
    mistakes=(
        mistake(
            "roles exchanged",
            "You keep most of the student. Momentum is what stays of the teacher.",
            lambda s, t, m: m * s + (1 - m) * t,
        ),
        mistake(
            "the student added whole",
            "The two weights must add up to 1: the student counts 1 - momentum. Yours lets the teacher grow.",
            ("(1 - momentum) * student", "student"),
        ),
        mistake(
            "a momentum optimiser",
            "You add the student on top of the whole teacher, as an optimiser adds a velocity. Take a weighted mean.",
            ("momentum * teacher", "teacher"),
            lambda s, t, m: t + m * s,
        ),
        mistake(
            "a copy of the student",
            "You return the student, whatever the momentum: that is momentum 0.",
            ("teacher +", "student +"),
        ),
        mistake(
            "the teacher never moves",
            "You return the teacher, whatever the momentum: that is momentum 1.",
            ("* student", "* teacher"),
        ),
        mistake("half and half", "You take the plain mean. Weigh by the momentum.", lambda s, t, m: (s + t) / 2),
        mistake(
            "a minus",
            "You move the teacher away from the student: add the student's part.",
            ("teacher +", "teacher -"),
            lambda s, t, m: t - (1 - m) * (s - t),
            lambda s, t, m: t - m * (s - t),
        ),
        mistake(
            "roots as weights",
            "Your two weights do not add up to 1. Take momentum and 1 - momentum as they are.",
            ("momentum * teacher + (1 - momentum) *", "momentum**0.5 * teacher + (1 - momentum) ** 0.5 *"),
        ),
        mistake(
            "brackets",
            "You take 1 - momentum * student. The student's share is (1 - momentum), in brackets.",
            ("+ (1 - momentum) * student", "+ 1 - momentum * student"),
        ),
        mistake(
            "momentum twice",
            "You weigh both by the momentum. The two weights must add up to 1: the student counts 1 - momentum.",
            ("(1 - momentum)", "momentum"),
        ),
    ),
)
