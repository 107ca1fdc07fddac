"""Exercise of chapter 17: which patches stay visible."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sslkit.chapters.mae.exercises import visible_patches
from sslkit.chapters.mae.mistakes.noise import noise
from sslkit.checks.exercise import Exercise, mistake


def visible_patches_loop(noise: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    N, L = noise.shape
    keep = round(L * (1 - ratio))
    rows, mask = [], torch.ones(N, L, dtype=torch.bool)
    for n in range(N):
        left = {i: noise[n, i].item() for i in range(L)}
        chosen = []
        for _ in range(keep):
            least = min(left, key=left.get)
            chosen.append(least)
            del left[least]
            mask[n, least] = False
        rows.append(chosen)
    return torch.tensor(rows), mask


def with_mask(visible: Tensor, L: int) -> tuple[Tensor, Tensor]:
    return visible, torch.ones(len(visible), L, dtype=torch.bool).scatter(1, visible, False)


def kept(x: Tensor, ratio: float) -> int:
    return round(x.shape[1] * (1 - ratio))


def masked_by(rule: Callable[[Tensor, float], Tensor]) -> Callable:
    """The right patches, another mask."""
    return lambda noise, ratio: (visible_patches(noise, ratio)[0], rule(noise, ratio))


VISIBLE = Exercise(
    "visible_patches",
    visible_patches_loop,
    returns=("visible", "mask"),
    trials=lambda: [
        (torch.tensor([[0.6, 0.1, 0.8, 0.3]]), 0.5),
        (noise(1, 3, 8), 0.75),
        (noise(2, 4, 10), 0.6),
        (noise(3, 2, 16), 0.25),
        (noise(4, 2, 10), 0.63),  # 3.7 patches and 3.3: to round is neither up nor down
        (noise(5, 2, 10), 0.67),
    ],
    mistakes=(
        mistake(
            "keeps the share to hide",
            "ratio is the share that is hidden; you keep that share. Keep round(L * (1 - ratio)).",
            ("(1 - ratio)", "ratio"),
        ),
        mistake(
            "rounded down",
            "You round the number of visible patches down. Take the nearest whole number: round.",
            ("round(", "int("),
        ),
        mistake(
            "mask inverted",
            "Your mask is True where the patch is visible. In this course True means hidden.",
            (
                "torch.ones_like(noise, dtype=torch.bool).scatter(1, visible, False)",
                "torch.zeros_like(noise, dtype=torch.bool).scatter(1, visible, True)",
            ),
        ),
        mistake(
            "keeps the most noise",
            "You keep the patches of most noise. (As random as the other way, but the least was asked for.)",
            ("[:,", ".flip(1)[:,"),
            lambda x, r: with_mask(x.argsort(1)[:, -kept(x, r) :], x.shape[1]),
        ),
        mistake(
            "ranks instead of numbers",
            "argsort twice gives the rank of each patch. Its numbers in order are what one argsort gives.",
            lambda x, r: with_mask(x.argsort(1).argsort(1)[:, : kept(x, r)], x.shape[1]),
            lambda x, r: (x.argsort(1).argsort(1)[:, : kept(x, r)], visible_patches(x, r)[1]),
        ),
        mistake(
            "noise instead of numbers",
            "You return the noise itself. Return the numbers of the patches: argsort, or the indices that sort gives.",
            lambda x, r: (x.sort(1).values[:, : kept(x, r)], visible_patches(x, r)[1]),
        ),
        mistake(
            "one order for all images",
            "You use the order of one image for the whole batch. Sort each row by its own noise (dim=1).",
            ("noise.argsort(dim=1)", "noise[:1].argsort(dim=1).expand_as(noise)"),
        ),
        mistake(
            "visible sorted by place",
            "Your visible patches are the right ones, put in the order of their places. Leave them in the order of their noise, least first.",
            (" * (1 - ratio))]", " * (1 - ratio))].sort(dim=1).values"),
        ),
        mistake(
            "noise against the ratio",
            "You compare the noise with a number, so that another count is hidden in each image. Exactly K stay: those of least noise.",
            masked_by(lambda noise, ratio: noise > 1 - ratio),
            masked_by(lambda noise, ratio: noise >= 1 - ratio),
        ),
        mistake(
            "order taken for ranks",
            "You compare argsort's result with K. It says which patch comes first, second ..., not which rank a patch has: argsort once more, or scatter.",
            masked_by(lambda x, r: x.argsort(1) >= kept(x, r)),
        ),
        mistake(
            "mask in the order of the noise",
            "Your mask is False in its first K places. It goes by patch: False at the places in `visible`.",
            masked_by(lambda x, r: (torch.arange(x.shape[1]) >= kept(x, r)).expand(x.shape)),
        ),
        mistake(
            "one mask for all images",
            "mask[:, visible] = False writes the places of every image into every row of the mask. Each row has its own: scatter.",
            masked_by(lambda x, r: visible_patches(x, r)[1].all(0).expand(x.shape)),
        ),
        mistake(
            "sorted along the images",
            "You sort each column, over the images. Each image has its own order: dim=1.",
            lambda x, r: with_mask(x.argsort(0)[:, : kept(x, r)], x.shape[1]),
        ),
    ),
)
