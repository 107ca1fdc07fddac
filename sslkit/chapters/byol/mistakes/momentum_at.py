"""Exercise of chapter 12: a teacher that slows down."""

from __future__ import annotations

import math

from sslkit.checks.exercise import Exercise, mistake


def momentum_at_loop(progress: float, first: float, last: float) -> float:
    """The half cosine added up from its slope, in many small steps."""
    n, to_go = 20_000, 1.0
    for i in range(n):
        to_go -= math.sin(math.pi * progress * (i + 0.5) / n) * math.pi * progress / n / 2
    return last + (first - last) * to_go


MOMENTUM = Exercise(
    "momentum_at",
    momentum_at_loop,
    trials=lambda: [
        (0.0, 0.9, 1.0),
        (1.0, 0.9, 1.0),
        (0.5, 0.9, 1.0),
        (0.25, 0.5, 1.0),
        (0.7, 0.2, 0.8),
        (0.3, 0.0, 0.0),
    ],
    tolerance=1e-4,
    mistakes=(
        mistake(
            "from last to first",
            "You begin where it should end. At progress 0 the momentum is `first`.",
            ("last - (last - first)", "first - (first - last)"),
        ),
        mistake(
            "a straight line",
            "That is a straight line. The half cosine is slow at both ends.",
            lambda progress, first, last: first + (last - first) * progress,
        ),
        mistake(
            "a whole cosine",
            "At the end you are back at the beginning. Half a cosine: the angle goes from 0 to pi.",
            ("math.pi * progress", "2 * math.pi * progress"),
        ),
        mistake(
            "a quarter of a cosine",
            "The angle goes to pi / 2 only, so the end is not slow. Let it go to pi, then add 1 and halve.",
            ("(math.cos(math.pi * progress) + 1) / 2", "math.cos(math.pi * progress / 2)"),
        ),
        mistake(
            "brackets",
            "`/` comes before `+`, so yours adds one half to the cosine. Add 1 first, then halve: brackets.",
            ("+ 1) / 2", "+ 1 / 2)"),
        ),
        mistake(
            "a quarter of a sine",
            "That is fast at the beginning and slow at the end only. The half cosine is slow at both ends: its angle goes to pi.",
            lambda progress, first, last: first + (last - first) * math.sin(math.pi * progress / 2),
        ),
        mistake("pi forgotten", "`math.cos` takes radians: half a turn is pi.", ("math.pi * progress", "progress")),
        mistake("not halved", "cos + 1 falls from 2 to 0. Halve it, so that it falls from 1 to 0.", (" / 2", "")),
        mistake(
            "1 not added",
            "The cosine falls from 1 to -1. Add 1 and halve it.",
            ("(math.cos(math.pi * progress) + 1) / 2", "math.cos(math.pi * progress)"),
            lambda progress, first, last=1.0: last - (last - first) * math.cos(math.pi * progress) / 2,
        ),
        mistake(
            "last ignored",
            "You end at 1. The momentum ends at `last`.",
            lambda progress, first, last: 1 - (1 - first) * (math.cos(math.pi * progress) + 1) / 2,
        ),
        mistake("degrees", "`math.cos` takes radians: half a turn is pi, not 180.", ("math.pi", "180")),
        mistake(
            "added to last",
            "You add the way that is still to go. Take it off `last`.",
            ("last - (last", "last + (last"),
        ),
    ),
)
