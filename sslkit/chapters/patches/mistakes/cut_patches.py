"""Exercise of chapter 04: cutting a patch out of each image."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def cut_patches_loop(x: Tensor, corner: Tensor, size: int) -> Tensor:
    result = torch.zeros(len(x), x.shape[1], size, size, dtype=x.dtype)
    for i in range(len(x)):
        for row in range(size):
            for column in range(size):
                result[i, :, row, column] = x[i, :, corner[i, 0] + row, corner[i, 1] + column]
    return result


def one_by_one(x: Tensor, corner: Tensor, size: int) -> Tensor:
    return torch.stack([image[:, t : t + size, c : c + size] for image, (t, c) in zip(x, corner.tolist())])


def put(x: Tensor, size: int, cuts: list[Tensor]) -> Tensor:
    """Each cut put into the place of a patch, as torch does it: what is too small is repeated, or an error."""
    out = torch.zeros(len(x), x.shape[1], size, size, dtype=x.dtype)
    for i, cut in enumerate(cuts):
        out[i] = cut
    return out


def corners(seed: int, count: int, most: int) -> Tensor:
    return draw_labels(seed, 2 * count, most).unflatten(0, (count, 2))


CUT = Exercise(
    "cut_patches",
    cut_patches_loop,
    returns=("patches",),
    trials=lambda: [
        (torch.arange(16.0).view(1, 1, 4, 4), torch.tensor([[1, 0]]), 2),
        (draw(1, 3, 2, 6, 6), torch.tensor([[2, 0], [0, 2], [1, 2]]), 3),
        ((draw(2, 4, 3, 7, 9) * 40 + 128).clamp(0, 255).to(torch.uint8), corners(3, 4, 3), 4),
    ],
    mistakes=(
        mistake(
            "rows and columns exchanged",
            "You count corner[:, 0] along the columns and corner[:, 1] along the rows. Images are [N, C, H, W]: rows come first.",
            ("corner[:, :1] + along, corner[:, 1:] + along", "corner[:, 1:] + along, corner[:, :1] + along"),
        ),
        mistake(
            "transposed",
            "Your patches come from the right place but are mirrored: their rows have become columns.",
            lambda x, corner, size: one_by_one(x, corner, size).transpose(2, 3),
        ),
        mistake(
            "centre instead of corner",
            "You take the place as the patch's centre. It is its upper left pixel.",
            lambda x, corner, size: one_by_one(x, (corner - size // 2).clamp(0), size),
        ),
        mistake(
            "one place for all",
            "You cut all images at the place of the first. Each has its own corner[i].",
            lambda x, corner, size: one_by_one(x, corner[:1].expand(len(x), 2), size),
        ),
        mistake(
            "one image for all",
            "You cut all patches out of the first image. Patch i comes from image i.",
            lambda x, corner, size: one_by_one(x[:1].expand_as(x), corner, size),
        ),
        mistake(
            "always the corner",
            "You cut at the upper left corner of each image. Add corner[i].",
            lambda x, corner, size: x[:, :, :size, :size].clone(),
        ),
        mistake(
            "one pixel more",
            "Your patches have size + 1 pixels. A slice ends before its end: top : top + size.",
            lambda x, corner, size: one_by_one(x, corner, size + 1),
        ),
        mistake(
            "the size as the end",
            "Your slices end at `size`. A patch ends `size` pixels after its own corner: top : top + size.",
            lambda x, corner, size: torch.stack([a[:, t:size, c:size] for a, (t, c) in zip(x, corner.tolist())]),
            lambda x, corner, size: put(x, size, [a[:, t:size, c:size] for a, (t, c) in zip(x, corner.tolist())]),
        ),
        mistake(
            "the diagonal alone",
            "You pair the first row with the first column, the second with the second: that is the diagonal. Every row meets every column: rows [M, size, 1], columns [M, 1, size].",
            lambda x, corner, size: one_by_one(x, corner, size).diagonal(0, 2, 3),
            lambda x, corner, size: one_by_one(x, corner, size).diagonal(0, 2, 3).transpose(1, 2),
        ),
        mistake(
            "one pixel off",
            "Your patches start one pixel too late. Rows and columns count from 0.",
            ("(size, device=x.device)", "(size, device=x.device) + 1"),
        ),
        mistake(
            "height for width",
            "A row of the image has W pixels: the pixel in row r and column c is number r * W + c.",
            ("* W +", "* H +"),
        ),
        mistake(
            "size for width",
            "You count pixels as in the patch. A row of the image has W pixels: the pixel in row r and column c is number r * W + c.",
            ("* W +", "* size +"),
        ),
        mistake(
            "one channel for all",
            "You fetch the same channel for all of them. Each channel has its own pixels.",
            ("x.flatten(2).gather", "x.flatten(2)[:, :1].expand(-1, C, -1).gather"),
        ),
        mistake(
            "channels forgotten",
            "Your first slice cuts the channels. An image is [C, H, W]: all channels, then rows, then columns.",
            lambda x, corner, size: torch.stack(
                [a[t : t + size, c : c + size] for a, (t, c) in zip(x, corner.tolist())]
            ),
        ),
        mistake(
            "one channel alone",
            "You cut one channel. A patch has all channels of its image.",
            lambda x, corner, size: one_by_one(x, corner, size)[:, 0],
            lambda x, corner, size: one_by_one(x, corner, size)[:, :1],
        ),
        mistake(
            "every image at every place",
            "You cut every image at every place. Patch i comes from image i at corner[i] alone.",
            lambda x, corner, size: torch.cat([x[:, :, t : t + size, c : c + size] for t, c in corner.tolist()]),
            lambda x, corner, size: torch.stack([x[:, :, t : t + size, c : c + size] for t, c in corner.tolist()]),
        ),
        mistake(
            "places counted in patches",
            "You multiply the place by the size. It is in pixels already.",
            lambda x, corner, size: one_by_one(x, corner * size, size),
        ),
        mistake(
            "the row for both",
            "You use corner[:, 0] for rows and columns. The column is corner[:, 1].",
            ("corner[:, 1:]", "corner[:, :1]"),
        ),
    ),
)
