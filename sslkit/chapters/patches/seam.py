"""Players who know nothing about pictures: one lays the second patch where the pixels at the seam differ least, the other says "the
same image" where two patches have nearly the same mean colour."""

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


def colours_apart(first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """How far two patches [M, 3, S, S] are apart in colour, [M] each: their means, and the two pixels that are closest."""
    a, b = (patch.float().flatten(2).transpose(1, 2) for patch in (first, second))
    pairs = zip(a.split(500), b.split(500))
    closest = [torch.cdist(*both, compute_mode="donot_use_mm_for_euclid_dist").amin((1, 2)) for both in pairs]
    return {"mean colours": (a.mean(1) - b.mean(1)).norm(dim=1), "the two closest pixels": torch.cat(closest)}


def one_or_two(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """First and second patches of images x [N, C, H, W], and whether they are of one image, [2N] each: every first patch with the
    second of its own image, and with one cut there out of the image before."""
    number = torch.arange(len(x)) % 8
    (first, own), (_, other) = (pairs_of(images, number, "gap 2, jitter 1") for images in (x, x.roll(1, 0)))
    return torch.cat([first, first]), torch.cat([own, other]), torch.arange(2 * len(x)) < len(x)


def widest(apart: Tensor, same: Tensor) -> float:
    """The distance up to which "the same image" has to be said for the most right answers on these pairs."""
    apart, order = apart.sort()
    yes = same[order].long()
    right = yes.cumsum(0) - (1 - yes).cumsum(0)  # but for a constant: "yes" up to here, "no" beyond
    return apart[right.argmax()].item()


def by_colour(train: Tensor, val: Tensor) -> str:
    """How often colours alone tell whether two patches are of one image, on images uint8 [N, 3, H, W]; in words."""
    (a, b, learned), (first, second, same) = one_or_two(train), one_or_two(val)
    limits = {name: widest(apart, learned) for name, apart in colours_apart(a, b).items()}
    found = {name: ((apart <= limits[name]) == same) for name, apart in colours_apart(first, second).items()}
    shares = ", ".join(f"by {name} {right.float().mean():.1%}" for name, right in found.items())
    return f"The same image or not: {shares} of {len(same):,} pairs right."


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
