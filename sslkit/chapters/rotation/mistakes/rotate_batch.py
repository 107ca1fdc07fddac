"""Exercise of chapter 03: turning each image by its own angle."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def rotate_batch_loop(x: Tensor, k: Tensor) -> Tensor:
    result, size = x.clone(), x.shape[2]
    for i in range(len(x)):
        for _ in range(k[i].item()):
            before = result[i].clone()
            for row in range(size):
                for column in range(size):
                    result[i, :, row, column] = before[:, column, size - 1 - row]
    return result


def one_by_one(turn: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A form that turns each image [C, H, W] by its own k."""
    return lambda x, k: torch.stack([turn(image, turns) for image, turns in zip(x, k.tolist())])


def filled(x: Tensor, k: Tensor, turns: Iterable[int], dims: tuple[int, int] = (2, 3)) -> Tensor:
    """Zeros, filled for some of the four turns only."""
    out = torch.zeros_like(x)
    for t in turns:
        out[k == t] = torch.rot90(x[k == t], t, dims)
    return out


def images(seed: int, count: int, channels: int, size: int) -> Tensor:
    return (draw(seed, count, channels, size, size) * 40 + 128).clamp(0, 255).to(torch.uint8)


ROTATE = Exercise(
    "rotate_batch",
    rotate_batch_loop,
    trials=lambda: [
        (torch.arange(4.0).view(1, 1, 2, 2), torch.tensor([1])),
        (torch.arange(12.0).view(3, 1, 2, 2), torch.tensor([3, 0, 2])),
        (draw(1, 6, 3, 4, 4), torch.tensor([2, 0, 3, 1, 1, 2])),
        (images(2, 9, 3, 5), draw_labels(2, 9, 4)),
        (images(3, 5, 1, 4), torch.tensor([3, 3, 1, 2, 0])),
    ],
    mistakes=(
        mistake(
            "clockwise",
            "You turn clockwise. Counter-clockwise is torch.rot90(..., dims=(2, 3)), in this order of dims.",
            ("= k", "= -k"),
        ),
        mistake(
            "one angle for all",
            "You turn the whole batch by the angle of one image. Each image has its own k[i].",
            lambda x, k: torch.rot90(x, k[0].item(), (2, 3)),
            lambda x, k: torch.rot90(x, k[-1].item(), (2, 3)),
        ),
        mistake(
            "images in another order",
            "You turn the images group by group and leave them grouped. Put each back in its place: image i must stay image i.",
            lambda x, k: torch.cat([torch.rot90(x[k == t], t, (2, 3)) for t in range(4)]),
        ),
        mistake(
            "mirrored",
            "Transposing or flipping alone mirrors the image. A quarter turn is both: transpose, then flip the rows; a half turn flips both axes.",
            one_by_one(lambda a, t: (a, a.mT, a.flip(1), a.mT.flip(1, 2))[t]),
            one_by_one(lambda a, t: (a, a.flip(1), a.flip(1, 2), a.flip(2))[t]),
            one_by_one(lambda a, t: (a, a.mT, a.flip(1, 2), a.mT.flip(1, 2))[t]),  # the half turn is right
            one_by_one(lambda a, t: a.flip(1) if t == 2 else a.rot90(t, (1, 2))),  # the quarter turns are right
            one_by_one(lambda a, t: a.mT if t % 2 else a),
            one_by_one(lambda a, t: (a, a.flip(1), a.flip(2), a.flip(1, 2))[t]),
        ),
        mistake(
            "one turn off",
            "You turn each image by one quarter too many, or too few. One with k[i] = 0 stays as it is.",
            ("= k[", "= (k + 1)["),
            ("= k[", "= (k - 1)["),
        ),
        mistake(
            "half turns",
            "You turn by k half turns. A step of k is a quarter turn.",
            one_by_one(lambda a, t: torch.rot90(a, 2 * t, (1, 2))),
        ),
        mistake(
            "turned at most once",
            "You turn by one quarter wherever k is not 0. Turn k[i] times.",
            one_by_one(lambda a, t: torch.rot90(a, min(t, 1), (1, 2))),
        ),
        mistake(
            "an angle left out",
            "One of the four angles is missing: k[i] may be 0, 1, 2 or 3, so go over range(4). An image with k[i] = 0 is there too, as it was.",
            lambda x, k: filled(x, k, (1, 2, 3)),
            lambda x, k: filled(x, k, (0, 1, 2)),
            lambda x, k: torch.where((k < 3)[:, None, None, None], filled(x, k, range(4)), x),
        ),
        mistake(
            "no dims",
            "Without dims, torch.rot90 turns the first two axes, which are not height and width. Those are the last two: dims=(2, 3) of a batch, (1, 2) of one image.",
            one_by_one(torch.rot90),
            lambda x, k: filled(x, k, range(4), dims=(0, 1)),
            lambda x, k: torch.stack([torch.rot90(a, int(t)) for a, t in zip(x, k)]),
            lambda x, k: torch.stack([torch.rot90(x, t) for t in range(4)])[k, torch.arange(len(x))],
        ),
        mistake(
            "not turned",
            "The images come back as they were: rot90 returns a new tensor, it does not change x.",
            lambda x, k: x.clone(),
        ),
        mistake(
            "the whole batch for each image",
            "For each image you give the whole batch, turned k[i] times. Take image i of it alone: stack[k, torch.arange(len(x))].",
            lambda x, k: torch.stack([torch.rot90(x, t, (2, 3)) for t in range(4)])[k],
        ),
    ),
)
