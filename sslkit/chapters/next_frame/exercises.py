# Generated from notebooks/08_next_frame.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
from torch import Tensor

from sslkit.chapters.next_frame.method import past_windows
from sslkit.checks.exercise import Task

def copy_last_ratio(prediction: Tensor, target: Tensor, last: Tensor) -> Tensor:
    """The mean squared error of a prediction, in units of that of copying the last frame.

    All three [M, C, H, W]. Returns one number: 1 is as good as copying.
    """
    return (prediction - target).square().mean() / (last - target).square().mean()


def extrapolate(x: Tensor, weights: Tensor, steps: int) -> Tensor:
    """Predict `steps` values, each from the P before it, the predicted ones included.

    x [N, T], T >= P, the past, newest last; weights [P]: the next value is the sum of the last P,
    each times its weight, oldest first. Returns [N, steps], the predicted ones only.
    weights (-1, 2) goes on in a straight line.
    """
    for _ in range(steps):
        x = torch.cat([x, (x[:, -len(weights) :] * weights).sum(1, keepdim=True)], dim=1)
    return x[:, -steps:]


def bounce(start: Tensor, velocity: Tensor, t: Tensor, low: float, high: float) -> Tensor:
    """Where balls are at times t that fly between two walls and are thrown back without loss.

    start [N] in low .. high, velocity [N] of either sign and any size, t [T] times, 0 or later.
    Returns [N, T].
    """
    width = high - low
    free = start[:, None] - low + velocity[:, None] * t  # as if there were no walls
    return high - (free.remainder(2 * width) - width).abs()


TASKS = {
    "past_windows": Task(
        title="A window that slides",
        difficulty=2,
        minutes=10,
        task="Write `past_windows(h, past)` without a loop: put the features of `past` frames in a row side by side, for every place of the clip where that many are there.",
        hints=(
            "The window that starts at frame t holds frames t, t + 1, ..., t + past - 1. The last one starts at T - past.",
            "`h.unfold(1, past, 1)` is [N, T - past + 1, D, past]. What is wrong with its order?",
            "Transpose the last two dimensions before you flatten them: `.transpose(2, 3).flatten(2)`.",
        ),
    ),
    "copy_last_ratio": Task(
        title="Error relative to copying · *optional*",
        difficulty=1,
        minutes=10,
        task="Write `copy_last_ratio(prediction, target, last)`: the mean squared error of the prediction, divided by the mean squared error of repeating the last frame. 1 means: as good as copying.",
        hints=(
            "Two mean squared errors with the same target. What is the prediction of somebody who copies?",
            "`(prediction - target).square().mean()` above, the same with `last` below.",
            "Take both means over everything first and divide then: a ratio for each image would let those count most in which nothing moves.",
        ),
    ),
    "extrapolate": Task(
        title="Roll it out",
        difficulty=2,
        minutes=10,
        task="Write `extrapolate(x, weights, steps)`: the next value is a weighted sum of the last P. Predict one, take it for the newest past value, predict the next from it, and so on.",
        hints=(
            "A loop over the steps is right: each prediction needs the one before.",
            "One prediction: `(x[:, -P:] * weights).sum(1, keepdim=True)`, with P = len(weights).",
            "Append it, `x = torch.cat([x, new], dim=1)`, and at the end return the last `steps` columns only.",
        ),
    ),
    "bounce": Task(
        title="Where is the ball?",
        difficulty=3,
        minutes=15,
        task="Write `bounce(start, velocity, t, low, high)`: the positions, at times `t`, of balls that fly at constant speed between two walls and bounce off them. Without a loop over steps: a ball may hit the walls many times.",
        hints=(
            "Unfold the room: a ball that bounces off a mirror-like wall is one that flies straight on into the mirrored room.",
            "Rooms repeat after twice the width: `(start - low + velocity * t).remainder(2 * width)` is in 0 .. 2 width.",
            "Up to `width` that is the place; beyond it the ball is on its way back. Both in one: `high - (free.remainder(2 * width) - width).abs()`.",
        ),
    ),
}
