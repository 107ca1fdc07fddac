"""Exercise of chapter 04: where neighbour k lies."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.patches.method import neighbour_offset
from sslkit.checks.exercise import Exercise, draw_labels, mistake


def neighbour_offset_loop(k: Tensor, size: int, gap: int) -> Tensor:
    places = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if (down, across) != (0, 0)]
    result = torch.zeros(len(k), 2, dtype=torch.int64)
    for i in range(len(k)):
        down, across = places[k[i].item()]
        result[i, 0], result[i, 1] = down * (size + gap), across * (size + gap)
    return result


def offsets(k: Tensor, step: int) -> Tensor:
    return neighbour_offset(k, step, 0)


NEIGHBOUR = Exercise(
    "neighbour_offset",
    neighbour_offset_loop,
    returns=("offset",),
    trials=lambda: [(torch.tensor([4]), 9, 3), (torch.arange(8), 10, 2), (draw_labels(1, 12, 8), 7, 0)],
    mistakes=(
        mistake(
            "across before down",
            "You give (across, down). Rows come first here, as in an image tensor: (down, across).",
            (") * (", ").flip(1) * ("),
        ),
        mistake(
            "gap forgotten",
            "You go `size` pixels: the patches touch, and an edge runs on from one into the other. Go size + gap.",
            ("size + gap", "size"),
        ),
        mistake(
            "gap alone",
            "You go `gap` pixels, so the patches overlap. From corner to corner it is size + gap.",
            ("size + gap", "gap"),
        ),
        mistake(
            "gap twice",
            "You count the gap twice. Between two neighbours there is one gap.",
            lambda k, size, gap: offsets(k, size + 2 * gap),
        ),
        mistake(
            "middle counted",
            "You count the middle of the grid as a neighbour, so numbers from 4 on are one place too early. Number 4 lies to the right.",
            ("k + (k >= 4)", "k"),
        ),
        mistake(
            "sign",
            "Your offsets point from the neighbour to the first patch. Down and right are positive.",
            ("(size", "-(size"),
        ),
        mistake(
            "in patches, not pixels",
            "You count in patches. One patch further is size + gap pixels.",
            (") * (size + gap)", ")"),
        ),
        mistake(
            "the middle taken for number 4",
            "Number 4 is right of the first patch. From k = 4 on the middle has been passed: >=, not >.",
            (">= 4", "> 4"),
        ),
        mistake(
            "counted from the corner",
            "You count rows and columns from the corner of the grid. The first patch stands in its middle: take 1 off.",
            lambda k, size, gap: offsets(k, size + gap) + size + gap,
        ),
        mistake(
            "gap added on its own",
            "You multiply by the size and add the gap once, in the same direction everywhere. A step is (size + gap), in brackets.",
            lambda k, size, gap: offsets(k, size) + gap,
        ),
        mistake(
            "clockwise",
            "You number the neighbours clockwise. Reading order goes row by row: 3 lies left, 4 right, 5 lower left.",
            lambda k, size, gap: offsets(torch.tensor([0, 1, 2, 4, 7, 6, 5, 3])[k], size + gap),
        ),
        mistake(
            "brackets",
            "Python adds before it compares, so yours asks whether 2 k is at least 4. Put brackets round the comparison.",
            ("k + (k >= 4)", "(k + k >= 4)"),
        ),
        mistake(
            "the row for both",
            "You use one of the two for both. The row is place // 3, the column place % 3.",
            ("place % 3", "place // 3"),
            ("place // 3", "place % 3"),
        ),
        mistake(
            "the middle passed too early",
            "You skip the middle for all numbers. 0 to 3 come before it: add 1 from k = 4 on only.",
            ("k + (k >= 4)", "k + 1"),
        ),
        mistake(
            "division with a rest",
            "Row numbers are whole: divide with `//`, not with `/`.",
            ("place // 3", "place / 3"),
            (("return torch", "return (torch"), ("place // 3", "place / 3"), ("+ gap)", "+ gap)).long()")),
        ),
        mistake(
            "upwards positive",
            "Your rows count upwards. In an image they count downwards: up is negative.",
            ("place // 3 - 1", "1 - place // 3"),
        ),
    ),
)
