"""Exercise of chapter 22: how many labels reach an accuracy."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.chapters.transfer.mistakes.readings import (
    as_asked,
    below,
    log_of_accuracy,
    log_straight,
    nearest,
    on_the_line,
    outward,
    saved_by,
)
from sslkit.checks.exercise import Exercise, mistake


def labels_saved_loop(counts: Tensor, accuracy: Tensor, target: float) -> Tensor:
    """Walks along the logarithm by bisection on the curve itself."""
    points = [(math.log(c), a) for c, a in zip(counts.double().tolist(), accuracy.double().tolist())]

    def curve(at: float) -> float:
        for (x0, a0), (x1, a1) in zip(points, points[1:]):
            if at <= x1:
                return a0 + (a1 - a0) * (at - x0) / (x1 - x0)
        return points[-1][1]

    if target <= points[0][1]:
        return torch.tensor(math.exp(points[0][0]), dtype=torch.float64)
    if target > points[-1][1]:
        return torch.tensor(math.inf, dtype=torch.float64)
    low, high = points[0][0], points[-1][0]
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if curve(middle) < target else (low, middle)
    return torch.tensor(math.exp(high), dtype=torch.float64)


CURVE = (torch.tensor([1.0, 10.0, 100.0]), torch.tensor([0.1, 0.3, 0.7]))
LONGER = (torch.tensor([2.0, 3.0, 5.0, 10.0, 50.0]), torch.tensor([0.12, 0.2, 0.26, 0.5, 0.55]))
EXACT = (torch.tensor([1.0, 10.0]), torch.tensor([0.25, 0.75]))  # alike in float32 and float64
SAVED = Exercise(
    "labels_saved",
    labels_saved_loop,
    trials=lambda: [
        (*CURVE, 0.5),
        (*CURVE, 0.3),
        (*LONGER, 0.4),
        (*LONGER, 0.05),
        (*LONGER, 0.6),
        (*LONGER, 0.22),
        (*EXACT, 0.75),
    ],
    mistakes=(
        mistake(
            "straight in the labels",
            "You interpolate over the labels themselves. Over their logarithm the curve is closer to a straight line.",
            saved_by(lambda a, b, s: a + s * (b - a)),
        ),
        mistake(
            "the next count",
            "You return the first measured count that reaches the target. Go on between the counts.",
            ("counts[after - 1]", "counts[after]"),
        ),
        mistake(
            "the count before",
            "You return the last count below the target. That many labels are not enough.",
            ("after])", "after - 1])"),
        ),
        mistake(
            "share upside down",
            "You go the remaining share of the way. The share is (target - accuracy before) / (accuracy after - accuracy before).",
            ("low, high", "high, low"),
        ),
        mistake(
            "enough already",
            "Where the first count reaches the target, there is no count before it: return counts[0].",
            below(lambda c, a, t: on_the_line(c, a, t, -1, 0)),
            below(lambda c, a, t: on_the_line(c, a, t, 0, 1)),
            below(lambda c, a, t: 0.0),
            below(lambda c, a, t: math.inf),
            below(lambda c, a, t: math.nan),
        ),
        mistake(
            "the nearest count",
            "You return the measured count whose accuracy is nearest to the target. Go on between the counts.",
            nearest,
        ),
        mistake(
            "logarithm of the accuracy",
            "You take the logarithm of the accuracy. Take that of the number of labels; the accuracy stays as it is.",
            log_of_accuracy(),
            log_of_accuracy(lambda counts: counts, lambda found: found),
        ),
        mistake(
            "two logarithms",
            "You take one logarithm and undo another: exp undoes math.log, 10 ** undoes math.log10, 2 ** undoes math.log2.",
            saved_by(lambda a, b, s: math.exp(math.log10(a) + s * (math.log10(b) - math.log10(a)))),
            saved_by(lambda a, b, s: math.exp(math.log2(a) + s * (math.log2(b) - math.log2(a)))),
        ),
        mistake(
            "never reached",
            "A target that the curve never reaches needs more labels than were measured: return infinity (math.inf).",
            saved_by(log_straight, beyond=None),
            saved_by(log_straight, beyond=-1.0),
            saved_by(log_straight, beyond=0.0),
            saved_by(log_straight, beyond=math.nan),
            lambda c, a, t: on_the_line(c, a, t, -2, -1) if t > a[-1] else as_asked(c, a, t),
        ),
        mistake(
            "the ends not treated",
            "You go on along the line beyond both ends of the curve. Before the first count return counts[0], beyond the last one infinity.",
            outward,
        ),
        mistake(
            "whole labels",
            "You round to a whole number of labels. Return the number as it is.",
            *(saved_by(lambda a, b, s, whole=whole: whole(log_straight(a, b, s))) for whole in (math.ceil, round, int)),
        ),
        mistake(
            "relative to the first count",
            "You divide by the first count, or take it off. Return the number of labels itself.",
            lambda c, a, t: as_asked(c, a, t) / float(c[0]),
            lambda c, a, t: as_asked(c, a, t) - float(c[0]),
        ),
        mistake(
            "reached at the end",
            "The last count reaches the target exactly, and you return infinity. That is for targets above it.",
            ("target > accuracy[-1]", "target >= accuracy[-1]"),
        ),
        mistake(
            "an interval too late",
            "You interpolate after the first count that reaches the target. It lies before it.",
            ("[0, 0])", "[0, 0]) + (target > accuracy[0] and target <= accuracy[-2])"),
        ),
        mistake(
            "half of the way",
            "You go half of the way between the counts. The share is (target - accuracy before) / (accuracy after - accuracy before).",
            ("float(share)", "0.5"),
        ),
        mistake(
            "one line for all",
            "You draw one line from the first count to the last. Interpolate between the two counts around the target.",
            lambda c, a, t: on_the_line(c, a, t, 0, -1) if a[0] < t <= a[-1] else as_asked(c, a, t),
        ),
        mistake(
            "logarithm not undone",
            "You return the logarithm of the number of labels: take exp of it.",
            ("math.exp(low + float(share) * (high - low))", "low + float(share) * (high - low)"),
        ),
    ),
)
