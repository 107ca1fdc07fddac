"""Exercise of chapter 17: the loss on hidden patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.mae.exercises import visible_patches
from sslkit.chapters.mae.mistakes.noise import noise
from sslkit.checks.exercise import Exercise, draw, mistake


def hidden_mse_loop(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    for n in range(len(mask)):
        for i in range(mask.shape[1]):
            if mask[n, i]:
                for d in range(target.shape[2]):
                    total = total + (prediction[n, i, d].double() - target[n, i, d].double()) ** 2
                    count += 1
    return total / count


def masks(seed: int, N: int, L: int, ratio: float) -> Tensor:
    return visible_patches(noise(seed, N, L), ratio)[1]


def per_patch(p: Tensor, t: Tensor) -> Tensor:
    return (p - t).square().mean(2)


HIDDEN_MSE = Exercise(
    "hidden_mse",
    hidden_mse_loop,
    grad=True,
    trials=lambda: [
        (draw(1, 1, 2, 2), draw(2, 1, 2, 2), torch.tensor([[True, False]])),
        (draw(3, 2, 4, 3), draw(4, 2, 4, 3), masks(1, 2, 4, 0.75)),
        (draw(5, 3, 8, 5), draw(6, 3, 8, 5), masks(2, 3, 8, 0.25)),
        (draw(7, 2, 6, 2), draw(8, 2, 6, 2), torch.tensor([[True] * 6, [True] + [False] * 5])),
    ],
    mistakes=(
        mistake(
            "all patches",
            "You take the mean over all patches. The visible ones need no guessing: leave them out.",
            ("dim=2", ""),
        ),
        mistake(
            "visible patches",
            "You take the error on the visible patches. True in the mask means hidden.",
            ("error =", "mask = ~mask; error ="),
        ),
        mistake(
            "divided by all",
            "You add up the hidden patches' errors and divide by the number of all. Divide by how many are hidden.",
            ("mask.sum()", "mask.numel()"),
        ),
        mistake(
            "prediction masked, not the error",
            "You set the visible patches of the prediction to 0, so they still differ from the target. Leave their errors out.",
            lambda p, t, m: F.mse_loss(p * m[:, :, None], t),
            lambda p, t, m: per_patch(p * m[:, :, None], t).sum() / m.sum(),
        ),
        mistake("sum", "You add up the hidden patches. Divide by how many there are.", ("() / mask.sum()", "()")),
        mistake(
            "sum over the numbers of a patch",
            "You add up the numbers of a patch. Take their mean, or the loss grows with the size of a patch.",
            ("mean", "sum"),
        ),
        mistake("absolute error", "You take the absolute difference. Take its square.", ("square", "abs")),
        mistake(
            "mean of the images' means",
            "You take each image's mean first and then the mean of those: a patch of an image with few hidden ones counts more. All hidden patches count the same.",
            lambda p, t, m: ((per_patch(p, t) * m).sum(1) / m.sum(1)).mean(),
        ),
        mistake(
            "divided by the images",
            "You divide by the number of images. Divide by how many patches are hidden: mask.sum().",
            ("mask.sum()", "len(mask)"),
        ),
        mistake(
            "length of the differences",
            "You take the length of each patch's difference, a root of squares. Take the mean of the squares.",
            lambda p, t, m: (p - t)[m].norm(dim=1).mean(),
        ),
        mistake(
            "75 % hidden",
            "You count on three quarters of the patches. Divide by how many are hidden: mask.sum().",
            ("mask.sum()", "(0.75 * mask.numel())"),
        ),
        mistake(
            "target normalised",
            "You normalise each patch of the target, as a variant in the paper does. Here it stays as it is.",
            lambda p, t, m: F.mse_loss(p[m], ((t - t.mean(2, keepdim=True)) / t.std(2, keepdim=True))[m]),
            lambda p, t, m: F.mse_loss(
                p[m], ((t - t.mean(2, keepdim=True)) / (t.var(2, keepdim=True) + 1e-6).sqrt())[m]
            ),
        ),
        mistake(
            "root",
            "You take the root of the mean squared error. The loss is the mean square itself.",
            ("error * mask).sum() / mask.sum(", "(error * mask).sum() / mask.sum()).sqrt("),
        ),
        mistake(
            "no gradient to the prediction",
            "You detach the prediction, so that nothing is learned from it.",
            ("prediction -", "prediction.detach() -"),
        ),
    ),
)
