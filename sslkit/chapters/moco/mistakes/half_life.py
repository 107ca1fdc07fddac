"""Exercise of chapter 11: how long the teacher remembers."""

from __future__ import annotations

import math

from sslkit.checks.exercise import Exercise, mistake


def half_life_loop(momentum: float) -> float:
    """Bisection for momentum ** steps = 1/2."""
    low, high = 0.0, 1.0
    while momentum**high > 0.5:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if momentum**middle > 0.5 else (low, middle)
    return high


HALF_LIFE = Exercise(
    "half_life",
    half_life_loop,
    trials=lambda: [(0.5,), (0.9,), (0.99,), (0.25,), (0.996,)],
    mistakes=(
        mistake(
            "the mean age",
            "1 / (1 - m) is how old the student weights in the teacher are on average, about 1.4 half-lives.",
            lambda m: 1 / (1 - m),
            lambda m: m / (1 - m),
        ),
        mistake(
            "to 1/e",
            "You ask for the fall to 1/e. Ask for one half: log 1/2 above the line.",
            ("math.log(0.5)", "-1.0"),
        ),
        mistake(
            "upside down",
            "You divide the wrong way round: a momentum near 1 must give many steps.",
            ("0.5) / math.log(momentum", "momentum) / math.log(0.5"),
        ),
        mistake(
            "the sign",
            "Steps are positive: log m and log 1/2 are both negative, so their ratio is not.",
            ("return math", "return -math"),
        ),
        mistake(
            "rounded",
            "You round to whole steps. Return the fraction too.",
            lambda m: math.ceil(math.log(0.5) / math.log(m)),
            lambda m: round(math.log(0.5) / math.log(m)),
        ),
        mistake(
            "a straight line",
            "You let the weight fall by the same amount each step. It falls by the same factor.",
            lambda m: 0.5 / (1 - m),
        ),
        mistake(
            "log m taken for m - 1",
            "log m is nearly m - 1 for a momentum near 1, no more. Divide by log m itself.",
            lambda m: math.log(2) / (1 - m),
        ),
        mistake(
            "1 - m for m",
            "1 - momentum is the student's share of a step. What stays of today's weights is momentum: take its log.",
            ("(momentum)", "(1 - momentum)"),
        ),
        mistake(
            "no logarithms",
            "n log m = log 1/2: you leave out both logs. Divide one log by the other.",
            ("math.log(0.5) / math.log(momentum)", "0.5 / momentum"),
        ),
        mistake(
            "no log of the momentum",
            "n log m = log 1/2: divide by the log of the momentum.",
            ("math.log(momentum)", "momentum"),
        ),
        mistake(
            "a share",
            "You give a share of weights. Asked for is the number of steps: solve m ** n = 1/2 for n.",
            lambda m: m**0.5,
            lambda m: m / 2,
        ),
        mistake(
            "log of the quotient",
            "log(1/2) / log(m) is not log(1/2 / m), which is a difference of logs. Divide one log by the other.",
            ("math.log(0.5) / math.log(momentum)", "math.log(0.5 / momentum)"),
        ),
    ),
)
