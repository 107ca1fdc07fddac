"""A player who knows nothing about pictures: it lays the second patch where the pixels at the seam differ least."""

from typing import Any

import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.patches.method import cut_patches, neighbour_offset, pair_corners
from sslkit.probes import accuracy

SETTINGS = {"touching": (0, 0), "gap 2": (2, 0), "gap 2, jitter 1": (2, 1)}


def seam_rule(first: Tensor, second: Tensor) -> Tensor:
    """The place [M] at which the pixels on both sides of the seam of two patches [M, C, S, S] differ least; at a corner
    one pixel is compared with one."""
    edge = {-1: (slice(0, 1), slice(-1, None)), 0: (slice(None), slice(None)), 1: (slice(-1, None), slice(0, 1))}
    costs = []
    for down, across in neighbour_offset(torch.arange(8), 1, 0).tolist():
        (r1, r2), (c1, c2) = edge[down], edge[across]
        costs.append((first[:, :, r1, c1].float() - second[:, :, r2, c2].float()).abs().mean((1, 2, 3)))
    return torch.stack(costs, dim=1).argmin(dim=1)


def pairs_of(x: Tensor, number: Tensor, setting: str, size: int = 8) -> tuple[Tensor, Tensor]:
    """First and second patches of images x, in one of SETTINGS."""
    gap, jitter = SETTINGS[setting]
    height, width = x.shape[2:]
    corners = pair_corners(number, height, width, size, gap, jitter, torch.Generator().manual_seed(3))
    first, second = (cut_patches(x, corner, size) for corner in corners)
    return first, second


def glued(x: Tensor) -> plots.Picture:
    """A patch of each image and its right neighbour, side by side."""
    right, white = torch.full((len(x),), 4), torch.full((len(x), 3, 8, 1), 255, dtype=torch.uint8)
    shown = {}
    for name in SETTINGS:
        first, second = pairs_of(x, right, name)
        shown[name] = torch.cat([first, white, second], dim=3)
    title = "Where patches touch, lines and colours run on across the seam"
    caption = "Validation scenes: a patch and its right neighbour, with a thin white line between them."
    return plots.rows(shown, title=title, caption=caption, side=102)


def worth(split: Any) -> plots.Picture:
    """How often the rule finds the place."""
    number = torch.arange(len(split)) % 8
    found = {name: accuracy(seam_rule(*pairs_of(split.x, number, name)), number) for name in SETTINGS}
    return plots.bars(
        found,
        title="Comparing the pixels at the seam finds many places, without any learning",
        caption=f"Share of {len(split):,} pairs of validation scenes whose place the rule finds.",
        xlabel="places found by the seam",
        chance=1 / 8,
        highlight="touching",
    )
