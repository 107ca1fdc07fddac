"""Images in rows and columns, with names, labels and frames: what all pictures made of pictures share."""

import numpy as np
from PIL import Image

from .picture import DPI, FAINT, INK, TEXT_SIZE, TITLE_SIZE, WIDTH, Picture, array, frame, render
from .text import PLAIN, shorten, text_width

GAP = 4  # pixels between images
LABEL_SIZE = 8
LINE = round(LABEL_SIZE * 1.35 * DPI / 72)  # pixels for a line of labels


def to_pixels(images) -> np.ndarray:
    """Images [N, 1 or 3, H, W], uint8 or float in [0, 1] (clipped), as uint8 [N, H, W, 3]."""
    x = array(images)
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"images must be [N, 1 or 3, H, W], got shape {list(x.shape)}; one image is x[None]")
    if x.dtype != np.uint8:
        if x.size and x.max() > 2:
            raise ValueError(f"float images must lie in [0, 1], not reach {x.max():.4g}: divide by 255")
        x = np.rint(np.nan_to_num(x.astype(np.float32)).clip(0, 1) * 255).astype(np.uint8)
    x = x.transpose(0, 2, 3, 1)
    return np.repeat(x, 3, axis=3) if x.shape[3] == 1 else x


def resize(pixels: np.ndarray, side: int) -> np.ndarray:
    """uint8 [N, H, W, 3] with the longer side brought to about `side` pixels.

    It grows by whole multiples only, so that pixels stay square, and shrinks by averaging.
    """
    longer = max(pixels.shape[1:3])
    times = side // longer
    if times >= 1:
        return pixels.repeat(times, axis=1).repeat(times, axis=2)
    height, width = (max(1, round(length * side / longer)) for length in pixels.shape[1:3])
    small = [Image.fromarray(one).resize((width, height), Image.Resampling.BOX) for one in pixels]
    return np.array([np.asarray(one) for one in small], np.uint8).reshape(len(small), height, width, 3)


def rgb(colour: str) -> list[int]:
    """A hex colour such as #0068C0 as three numbers, 0 to 255."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def draw_table(
    rows,
    title: str,
    caption: str,
    what: str,
    *,
    row_names=None,
    column_names=None,
    labels=None,
    frames=None,
    split: int = 0,
    side: int = 96,
) -> Picture:
    """Images in rows and columns as one Picture; what: the kind of figure, with which its alt text begins.

    rows: list of R uint8 arrays [K, H, W, 3], K may differ from row to row; row_names stand left,
    column_names above, labels[r][k] below each image, frames[r][k] is a colour around it (None: none);
    `split` leaves a gap after the first `split` columns; side: pixels of an image at the most.
    """
    columns = max(len(row) for row in rows)
    texts = [*(column_names or []), *(name for names in labels or [] for name in names)]
    longest = max((text_width(text, LABEL_SIZE) for text in texts), default=0)
    margin = round(DPI * (max(text_width(name, TEXT_SIZE) for name in row_names) + 0.1)) if row_names else 0
    gap, extra = GAP + (4 if frames else 0), 14 if split else 0
    side = max(4, min(side, (int(WIDTH * DPI) - margin - extra) // columns - gap))
    # 64 levels a channel look the same and save a quarter of the bytes.
    tiles = [np.minimum(255, (resize(row, side).astype(np.uint16) + 2) // 4 * 4) for row in rows]
    tile_h, tile_w = max(row.shape[1] for row in tiles), max(row.shape[2] for row in tiles)
    head = LINE if column_names else 0
    pitch = max(tile_w + gap, min(round(DPI * longest) + 6, (int(WIDTH * DPI) - margin - extra) // columns))
    left = [margin + (pitch - tile_w) // 2 + k * pitch + (extra if k >= split else 0) for k in range(columns)]
    top = [head + gap // 2 + r * (tile_h + gap + (LINE if labels else 0)) for r in range(len(rows))]
    height = top[-1] + tile_h + gap // 2 + (LINE if labels else 0)
    title_width = min(WIDTH, max(5.0, 1.05 * text_width(title, TITLE_SIZE, "bold")))
    width = max(left[-1] + (pitch + tile_w) // 2, round(title_width * DPI))

    canvas = np.full((height, width, 3), 255, np.uint8)
    for r, row in enumerate(tiles):
        for k, tile in enumerate(row):
            y, x = top[r], left[k]
            if frames and frames[r][k]:
                canvas[y - 3 : y + tile.shape[0] + 3, x - 3 : x + tile.shape[1] + 3] = rgb(frames[r][k])
            canvas[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    fig, body = frame(width / DPI, height / DPI, title, caption)
    ax = fig.add_axes(body)
    ax.axis("off")
    ax.imshow(canvas, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")

    def write(text, x, y, room, **look):
        ax.text(x, y, shorten(text, room / DPI, LABEL_SIZE), size=LABEL_SIZE, ha="center", **look, **PLAIN)

    for k, name in enumerate(column_names or []):
        write(name, left[k] + tile_w / 2, head - 1, pitch, color=FAINT, va="bottom")
    for r, names in enumerate(labels or []):
        for k, name in enumerate(names):
            colour = frames and frames[r][k] or FAINT
            free = 0  # columns at both sides that have no label of their own: a long name may reach into them
            while 0 <= k - free - 1 and k + free + 1 < len(names) and not names[k - free - 1] + names[k + free + 1]:
                free += 1
            room = pitch * (1 + free) - 2
            write(name, left[k] + tile_w / 2, top[r] + tile_h + 4, room, color=colour, va="top")
    for r, name in enumerate(row_names or []):
        ax.text(0, top[r] + tile_h / 2, name, size=TEXT_SIZE, color=INK, va="center", **PLAIN)
    return render(fig, title, caption, what, colours=256)
