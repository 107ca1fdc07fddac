"""Exercise of chapter 08: the error relative to copying."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def copy_last_ratio_loop(prediction: Tensor, target: Tensor, last: Tensor) -> Tensor:
    above, below = torch.zeros((), dtype=torch.float64), 0.0
    for p, t, before in zip(prediction.double().flatten(), target.double().flatten(), last.double().flatten()):
        above = above + (p - t) ** 2
        below += (before.item() - t.item()) ** 2
    return above / below


def frames_of(seed: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Prediction, target and last frame; images differ in how much changes."""
    target, spread = draw(seed, n, 2, 3, 3), torch.linspace(0.3, 2.0, n)[:, None, None, None]
    return target + 0.5 * draw(seed + 50, n, 2, 3, 3), target, (target + spread * draw(seed + 90, n, 2, 3, 3))


COPY_LAST = Exercise(
    "copy_last_ratio",
    copy_last_ratio_loop,
    trials=lambda: [
        (torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([[[[0.0, -1.0]]]])),
        frames_of(1, 2),
        frames_of(2, 5),
        frames_of(3, 3),
    ],
    mistakes=(
        mistake(
            "upside down",
            "You divide the wrong way round: a better prediction must give a smaller number.",
            (
                ("return (prediction", "return (copied"),
                ("/ (last", "/ (prediction"),
                ("return (copied", "return (last"),
            ),
        ),
        mistake(
            "not divided",
            "That is the plain squared error. Divide it by that of copying.",
            ("() / (last - target).square().mean()", "()"),
        ),
        mistake(
            "compared with the last frame",
            "Your lower part is how far the prediction is from the last frame. Copying is judged by the target too.",
            ("last - target", "last - prediction"),
        ),
        mistake(
            "how far from the last frame",
            "Your upper part is how far the prediction is from the last frame. Judge it by the target.",
            ("prediction - target", "prediction - last"),
        ),
        mistake(
            "in units of the picture",
            "You divide by how bright or how varied the frames are. The unit asked for is the error of copying: last against target.",
            ("(last - target).square().mean()", "target.square().mean()"),
            ("(last - target).square().mean()", "last.square().mean()"),
            ("(last - target).square().mean()", "target.var()"),
            ("(last - target).square().mean()", "target.var(correction=0)"),
            ("(last - target).square().mean()", "target.var(0, correction=0).mean()"),
        ),
        mistake(
            "absolute error",
            "You take absolute differences. Square them.",
            (
                ("prediction - target).square()", "prediction - target).abs()"),
                ("last - target).square()", "last - target).abs()"),
            ),
        ),
        mistake(
            "mean of ratios",
            "You divide image by image, or pixel by pixel. Take both means over everything, then divide once.",
            lambda p, t, b: ((p - t).square().mean((1, 2, 3)) / (b - t).square().mean((1, 2, 3))).mean(),
            lambda p, t, b: (p - t).square().mean((1, 2, 3)) / (b - t).square().mean((1, 2, 3)),
            lambda p, t, b: ((p - t).square() / (b - t).square()).mean(),
            lambda p, t, b: ((p - t).flatten(1).norm(dim=1) / (b - t).flatten(1).norm(dim=1)).mean(),
        ),
        mistake(
            "root",
            "You take a root. The ratio is one of squared errors.",
            (
                "prediction - target).square().mean() / (last - target).square().mean(",
                "(prediction - target).square().mean() / (last - target).square().mean()).sqrt(",
            ),
            lambda p, t, b: (b - t).norm() / (p - t).norm(),
        ),
        mistake(
            "difference",
            "You subtract the two errors. Divide: then the unit of the pixels drops out.",
            lambda p, t, b: (p - t).square().mean() - (b - t).square().mean(),
        ),
        mistake(
            "not squared",
            "You average the errors with their signs, so they cancel. Square each of them first.",
            lambda p, t, b: (p - t).mean() / (b - t).mean(),
            lambda p, t, b: (p - t).mean() / (t - b).mean(),
        ),
        mistake(
            "squared after the mean",
            "You take the mean first, in which errors of opposite sign cancel. Square each error first.",
            lambda p, t, b: ((p - t).mean() / (b - t).mean()).square(),
        ),
    ),
)
