"""The eight places around a patch, and a second patch that belongs to one of them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslkit.plots.picture import COLOURS, RIGHT, WRONG, Picture, array, drawing
from sslkit.plots.table import draw_table, rgb, to_pixels

EMPTY = 232  # grey of a place that nothing is known of


@drawing
def places(
    first,
    second,
    probabilities=None,
    answer: int | None = None,
    guess: int | None = None,
    title: str = "",
    caption: str = "",
    side: int = 88,
) -> Picture:
    """A second patch on the left, and on the right the first one with the eight places around it, 0 to 7 in reading order.

    first, second: one image each, [C, H, W]. probabilities [8]: shades and numbers of the places. With `answer` (0 to 7)
    the second patch lies at its place, framed blue; another `guess` is framed red.
    """
    first, second = (to_pixels(array(x)[None])[0] for x in (first, second))
    if probabilities is not None and array(probabilities).shape != (8,):
        raise ValueError(f"probabilities are one for each of the eight places, got {list(array(probabilities).shape)}")
    white = np.full_like(first, 255)
    table = [[white, None, None, None], [second, None, first, None], [white, None, None, None]]
    labels = [[""] * 4, ["second", "", "first", ""], [""] * 4]
    frames: list[list[str | None]] = [[None] * 4 for _ in range(3)]
    for k in range(8):
        row, column = divmod(k + (k >= 4), 3)
        p = None if probabilities is None else float(array(probabilities)[k])
        table[row][column + 1] = second if k == answer else np.full_like(first, EMPTY) if p is None else shade(first, p)
        labels[row][column + 1] = f"{k}: {p:.0%}" if p is not None else f"{k}" if k == answer else f"{k} ?"
        if answer is not None and k in (answer, guess):
            frames[row][column + 1] = RIGHT if k == answer else WRONG
    what = "Two patches and the eight places around the first"
    if answer is not None:
        what += f"; the second belongs to place {answer}"
    rows = [np.stack(row) for row in table]
    return draw_table(rows, title, caption, what, labels=labels, frames=frames, split=1, side=side)


def shade(like: np.ndarray, p: float) -> np.ndarray:
    """A tile [H, W, 3] between pale grey (p = 0) and strong blue (p = 1)."""
    colour = EMPTY + p * (np.array(rgb(COLOURS[0])) - EMPTY)
    return np.broadcast_to(colour.astype(np.uint8), like.shape).copy()


def question(method: Any, x: Tensor, generator: torch.Generator) -> tuple[str, Tensor]:
    """What the method asks of one image x [1, C, H, W]: words, and the pictures [M, C, H, W], two patches of each pair."""
    first, second = method.pretext(x, generator)[:2]
    return "patches: where does the second lie?", torch.stack([first, second], 1).flatten(0, 1)
