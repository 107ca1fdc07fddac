"""Other ways to read off a curve of accuracies how many labels reach a target."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor


def saved_by(interpolate: Callable[[float, float, float], float], beyond: float | None = math.inf) -> Callable:
    """labels_saved with another way between two counts, or another answer where the target is not reached."""

    def form(counts: Tensor, accuracy: Tensor, target: float) -> float:
        if target <= accuracy[0]:
            return float(counts[0])
        if target > accuracy[-1]:
            return beyond if beyond is not None else float(counts[-1])
        i = int((accuracy >= target).nonzero()[0, 0])
        share = float((target - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1]))
        return float(interpolate(float(counts[i - 1]), float(counts[i]), share))

    return form


def log_straight(a: float, b: float, share: float) -> float:
    """On the way from a to b, in the logarithm."""
    return a * (b / a) ** share


as_asked = saved_by(log_straight)


def below(answer: Callable) -> Callable:
    """labels_saved with another answer where the first count is enough already."""

    def form(counts: Tensor, accuracy: Tensor, target: float) -> float:
        return (answer if target < accuracy[0] else as_asked)(counts, accuracy, target)

    return form


def on_the_line(counts: Tensor, accuracy: Tensor, target: float, one: int, other: int) -> float:
    """Where the straight line through two points of the curve reaches the target."""
    share = float((target - accuracy[one]) / (accuracy[other] - accuracy[one]))
    return log_straight(float(counts[one]), float(counts[other]), share)


def outward(counts: Tensor, accuracy: Tensor, target: float) -> float:
    """Along the first or the last piece where the target lies beyond the curve."""
    after = min(max(int((accuracy < target).sum()), 1), len(counts) - 1)
    return on_the_line(counts, accuracy, target, after - 1, after)


def log_of_accuracy(forth: Callable = Tensor.log, back: Callable = math.exp) -> Callable:
    """labels_saved on a curve of log accuracy over `forth` of the labels."""

    def form(counts: Tensor, accuracy: Tensor, target: float) -> float:
        if target <= accuracy[0] or target > accuracy[-1]:
            return as_asked(counts, accuracy, target)
        after = int((accuracy >= target).nonzero()[0, 0])
        piece = slice(after - 1, after + 1)
        (low, high), (a, b) = forth(counts[piece]).tolist(), accuracy[piece].log().tolist()
        return back(low + (math.log(target) - a) / (b - a) * (high - low))

    return form


def nearest(counts: Tensor, accuracy: Tensor, target: float) -> float:
    return math.inf if target > accuracy[-1] else float(counts[(accuracy - target).abs().argmin()])
