"""Exercise of chapter 16: the teacher's momentum over a run."""

from __future__ import annotations

import math

from sslkit.checks.exercise import Exercise, mistake


def teacher_momentum_loop(progress: float, start: float) -> float:
    """A point that goes round half a circle: its height, between start and 1."""
    angle, x, steps = math.pi * progress, 1.0, 20_000
    y = 0.0
    for _ in range(steps):  # turn by a little, many times
        a = angle / steps
        x, y = x * math.cos(a) - y * math.sin(a), y * math.cos(a) + x * math.sin(a)
    return 1 - (1 - start) * (1 + x) / 2


MOMENTUM = Exercise(
    "teacher_momentum",
    teacher_momentum_loop,
    trials=lambda: [(0.0, 0.9), (1.0, 0.9), (0.5, 0.8), (0.25, 0.5), (0.75, 0.6), (0.1, 0.0)],
    mistakes=(
        mistake(
            "the wrong way round",
            "It falls from 1 to `start`. It must begin at `start` and end at 1.",
            ("1 + math.cos", "1 - math.cos"),
        ),
        mistake(
            "straight",
            "This grows in a straight line. A half cosine is level at both ends.",
            lambda p, s: s + (1 - s) * p,
        ),
        mistake(
            "start for its distance from 1",
            "Yours begins at 1 - start. What shrinks is the distance from 1: 1 - start.",
            ("(1 - start)", "start"),
        ),
        mistake("constant", "The momentum does not change. It must grow to 1.", lambda p, s: s),
        mistake(
            "ends at 0",
            "It ends at 0. The end is 1: a teacher that stands still.",
            lambda p, s: s * (1 + math.cos(math.pi * p)) / 2,
        ),
        mistake(
            "a whole wave",
            "That is a whole wave: it is back at `start` in the end. Half of one: pi times the progress.",
            ("math.pi * progress", "2 * math.pi * progress"),
            lambda p, s: s + (1 - s) * math.sin(math.pi * p),
        ),
        mistake(
            "a quarter of a wave",
            "Yours is not level at both ends: half a wave is pi times the progress.",
            lambda p, s: 1 - (1 - s) * math.cos(math.pi * p / 2),
            lambda p, s: s + (1 - s) * math.sin(math.pi * p / 2),
        ),
        mistake(
            "begins at 0",
            "It begins at 0. The first value is `start`.",
            lambda p, s: (1 - math.cos(math.pi * p)) / 2,
            ("1 - (1 - start) * (1 +", "start * (1 -"),
        ),
        mistake(
            "cosine not shifted",
            "The cosine runs from 1 to -1. What you need runs from 1 to 0: (1 + cos) / 2.",
            ("(1 + math.cos(math.pi * progress)) / 2", "math.cos(math.pi * progress)"),
            ("(1 + math.cos", "(math.cos"),
        ),
        mistake("not halved", "1 + cos runs from 2 to 0: halve it.", (" / 2", "")),
        mistake("degrees", "math.cos takes radians.", lambda p, s: 1 - (1 - s) * (1 + math.cos(180 * p)) / 2),
        mistake("pi forgotten", "math.cos takes radians: half a turn is pi.", ("math.pi * progress", "progress")),
    ),
)
