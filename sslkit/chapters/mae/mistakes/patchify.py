"""Exercise of chapter 17: an image as a row of patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def patchify_loop(x: Tensor, size: int) -> Tensor:
    N, C, H, W = x.shape
    result = x.new_zeros(N, (H // size) * (W // size), C * size * size)
    for n in range(N):
        for c in range(C):
            for row in range(H):
                for column in range(W):
                    square = (row // size) * (W // size) + column // size
                    place = c * size * size + (row % size) * size + column % size
                    result[n, square, place] = x[n, c, row, column]
    return result


def cut(x: Tensor, height: int, width: int, *order: int) -> Tensor:
    """Split into [N, C, rows, height, columns, width], the axes after the first put in another order, and made into patches."""
    N, C, H, W = x.shape
    pieces = x.reshape(N, C, H // height, height, W // width, width)
    return pieces.permute(0, *order).flatten(3).flatten(1, 2)


KEPT = "permute(0, 2, 4, 1, 3, 5)"
PATCHIFY = Exercise(
    "patchify",
    patchify_loop,
    trials=lambda: [
        (torch.arange(16.0).view(1, 1, 4, 4), 2),
        (draw(1, 2, 3, 4, 4), 2),
        (draw(2, 2, 2, 6, 9), 3),
        (draw(3, 1, 3, 8, 4), 4),
    ],
    mistakes=(
        mistake(
            "reshaped only",
            "You reshape without moving axes, so each 'patch' is a run of pixels of one row and one colour. Split H and W first, then permute.",
            (f"{KEPT}.", ""),
            lambda x, size: x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1] * size * size),
        ),
        mistake(
            "strips of lines",
            "Each of your rows holds pieces of several squares. The axes of rows *and* columns both come before the axes within a square.",
            *((KEPT, f"permute(0, {order})") for order in ("2, 3, 4, 1, 5", "2, 1, 3, 4, 5", "2, 3, 1, 4, 5")),
        ),
        mistake(
            "channels last",
            "Inside a patch you put the channels last (as MAE's own code does). Here the order is channel, row, column.",
            *((KEPT, f"permute(0, {order})") for order in ("2, 4, 3, 5, 1", "4, 2, 3, 5, 1", "2, 4, 5, 3, 1")),
        ),
        mistake(
            "column by column",
            "Your patches go down the columns first. They go row by row, as one reads.",
            lambda x, size: cut(x, size, size, 4, 2, 1, 3, 5),
        ),
        mistake(
            "pixels transposed",
            "Inside a patch rows and columns are exchanged: keep the row's axis before the column's.",
            lambda x, size: cut(x, size, size, 2, 4, 1, 5, 3),
        ),
        mistake(
            "colours apart",
            "Each of your rows holds one colour alone, of several squares. Bring the channel's axis behind those of rows and columns: a patch has all its colours.",
            (KEPT, "permute(0, 1, 2, 4, 3, 5)"),
        ),
        mistake(
            "height and width exchanged",
            "An image is [N, C, H, W]: its height comes first.",
            ("N, C, H, W", "N, C, W, H"),
        ),
        mistake(
            "overlapping",
            "Your squares overlap. The next one begins where one ends: F.unfold takes stride=size.",
            lambda x, size: F.unfold(x, size).transpose(1, 2),
        ),
        mistake(
            "axes split the wrong way round",
            "You split H into (size, rows): that takes every size-th line. A patch is made of neighbouring lines: split into (rows, size).",
            lambda x, size: cut(x, x.shape[2] // size, x.shape[3] // size, 3, 5, 1, 2, 4),
        ),
    ),
)
