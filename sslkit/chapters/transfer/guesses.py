"""Images with what was guessed of them, right or wrong at a glance."""

import numpy as np

from sslkit.plots.picture import RIGHT, WRONG, Picture, array, drawing
from sslkit.plots.table import draw_table, to_pixels


@drawing
def guesses(named: dict, title: str = "", caption: str = "", side: int = 64) -> Picture:
    """Rows of images framed blue where a guess is right and red where it is wrong, the guess below each.

    named: {row name: (images [K, C, H, W], K guesses as words, right bool [K])}; K may differ from row to row. One row
    named "" stands without a name.
    """
    if not named or not sum(len(images) for images, *_ in named.values()):
        raise ValueError("no image to show")
    rows, labels, frames = [], [], []
    for name, (images, words, right) in named.items():
        right = array(right).astype(bool)
        if not len(images) == len(words) == len(right):
            raise ValueError(f"row {name!r}: {len(images)} images, {len(words)} guesses, {len(right)} right or wrong")
        rows.append(to_pixels(images))
        labels.append([str(word) for word in words])
        frames.append([RIGHT if ok else WRONG for ok in right])
    total, good = sum(map(len, rows)), int(np.sum([frame.count(RIGHT) for frame in frames]))
    what = f"{total} images with guesses, {good} of them right"
    names = list(named) if any(named) else None
    return draw_table(rows, title, caption, what, row_names=names, labels=labels, frames=frames, side=side)
