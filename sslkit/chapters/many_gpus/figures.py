"""Which negatives a process's loss sees, with each of four ways to bring processes together."""

import numpy as np

from sslkit.plots.picture import COLOURS, NEUTRAL, PALE, Picture
from sslkit.plots.table import draw_table, rgb

WAYS = ("local negatives", "plain, own anchors", "plain, all anchors", "differentiable gather")
SEEN, CONSTANT, PARTNER, ITSELF = PALE, COLOURS[1], COLOURS[0], NEUTRAL


def seen(batch: int, processes: int, process: int) -> np.ndarray:
    """For each way and each entry of the similarity matrix, whether the loss of `process` takes it as 0 not at all, 1 with
    the row that the anchor meets as a constant, 2 with a gradient to it: int [4, 2 batch, 2 batch].

    batch: images over all processes, two views each; rows i and batch + i belong together, and each process holds a run of
    consecutive images. The plain ways: anchors are its own rows alone, or all gathered ones.
    """
    if processes < 1 or batch % processes or not 0 <= process < processes:
        raise ValueError(
            f"process {process} of {processes} with {batch} images: they must share equally, and count from 0"
        )
    owner = np.arange(2 * batch) % batch // (batch // processes)
    own = owner == process
    own = own.astype(int)
    both, row = np.outer(own, own), np.outer(own, np.ones_like(own))
    return np.stack([2 * both, row + both, 1 + row.T, np.full_like(both, 2)])


def negatives(batch: int = 16, processes: int = 2, process: int = 0) -> Picture:
    """The similarity matrix of all views as the loss of one process sees it, in four ways side by side."""
    panels, n = [], 2 * batch
    for entries in seen(batch, processes, process):
        pixels = np.full((n, n, 3), 236, np.uint8)
        for value, colour in ((1, CONSTANT), (2, SEEN)):
            pixels[entries == value] = rgb(colour)
        rows = np.arange(n)
        for columns, colour in ((rows, ITSELF), ((rows + batch) % n, PARTNER)):
            met = entries[rows, columns] > 0
            pixels[rows[met], columns[met]] = rgb(colour)
        panels.append(pixels)
    few, many = 2 * batch // processes - 2, 2 * batch - 2
    title = f"{processes} process{'es' * (processes > 1)}: a view of process {process} meets {few}, {many}, {many} and {many} negatives"
    caption = (
        f"{batch} images, two views of each, {batch // processes} images per process. Rows: views as anchors; columns: whom they "
        f"meet. Pale: not in the loss of process {process}. Light blue: negatives that get a gradient. Orange: negatives that "
        "count as constants and are not pushed back. Dark blue: the partner. Grey: itself."
    )
    what = f"Four matrices, {', '.join(WAYS)}"
    return draw_table([np.stack(panels)], title, caption, what, column_names=list(WAYS), side=192)
