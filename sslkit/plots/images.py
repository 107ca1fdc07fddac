"""Pictures made of pictures: grids, rows of views, nearest neighbours."""

import numpy as np

from .picture import RIGHT, WRONG, Picture, array, drawing
from .table import draw_table, to_pixels
from .text import class_names


@drawing
def grid(
    images,
    titles=None,
    columns: int | None = None,
    title: str = "",
    caption: str = "",
    side: int = 96,
    column_names=None,
) -> Picture:
    """Images [N, C, H, W] in reading order, `columns` a row (by default the fewest rows of 8 to 16); titles:
    N short texts below them; column_names: `columns` texts above the first row."""
    x = to_pixels(images)
    if not len(x):
        raise ValueError("no image to show")
    if titles is not None and len(titles) != len(x):
        raise ValueError(f"{len(titles)} titles for {len(x)} images: give one each")
    columns = columns or (min(len(x), 8) if len(x) <= 32 else 16)
    starts = range(0, len(x), columns)
    labels = [list(map(str, titles[s : s + columns])) for s in starts] if titles is not None else None
    rows = [x[s : s + columns] for s in starts]
    return draw_table(rows, title, caption, f"{len(x)} images", column_names=column_names, labels=labels, side=side)


@drawing
def rows(named: dict, column_names=None, title: str = "", caption: str = "", side: int = 96) -> Picture:
    """One named row of images each: {"original": x, "masked": m, "reconstruction": r}, every value [K, C, H,
    W]."""
    what = f"Rows of images: {', '.join(map(str, named))}"
    images = [to_pixels(x) for x in named.values()]
    names = list(map(str, named))
    return draw_table(images, title, caption, what, row_names=names, column_names=column_names, side=side)


def pairs(a, b, names=("view 1", "view 2"), title: str = "", caption: str = "", side: int = 96) -> Picture:
    """Two batches [N, C, H, W] above each other: each column is a pair."""
    if len(a) != len(b):
        raise ValueError(f"pairs need two batches of one length, got {len(a)} and {len(b)}")
    return rows({names[0]: a, names[1]: b}, title=title, caption=caption, side=side)


@drawing
def strip(originals, views, names=None, title: str = "", caption: str = "", side: int = 96) -> Picture:
    """One row an image: the original, a gap, then its views.

    originals [N, C, H, W]; views [N, V, C, H, W], or a list of V batches [N, C, H, W]; names: V texts above
    the views.
    """
    first = to_pixels(originals)
    views = array(views) if hasattr(views, "ndim") else np.stack([array(v) for v in views], axis=1)
    if views.ndim != 5 or len(views) != len(first):
        raise ValueError(
            f"views must be [{len(first)}, V, C, H, W], one row an original, got shape {list(views.shape)}"
        )
    table = [np.concatenate([first[n : n + 1], to_pixels(views[n])]) for n in range(len(first))]
    heads = ["original", *(names or [f"view {v + 1}" for v in range(views.shape[1])])]
    what = f"{len(first)} images, each with {views.shape[1]} views of it"
    return draw_table(table, title, caption, what, column_names=heads, split=1, side=side)


@drawing
def neighbours(
    queries,
    found,
    query_labels=None,
    found_labels=None,
    classes=None,
    title: str = "",
    caption: str = "",
    side=72,
):
    """Each query image followed by its nearest neighbours, framed blue where the class is the query's, red
    with its name where not.

    queries [Q, C, H, W]; found [Q, K, C, H, W], nearest first (train.x[indices] with indices [Q, K]);
    query_labels [Q] and found_labels [Q, K] are class numbers, `classes` their names. With labels the caption
    ends with the share of right ones.
    """
    first, found = to_pixels(queries), array(found)
    if found.ndim != 5 or len(found) != len(first):
        shape = list(found.shape)
        raise ValueError(f"found must be [{len(first)}, K, C, H, W], like train.x[indices], not {shape}")
    table = [np.concatenate([one[None], to_pixels(others)]) for one, others in zip(first, found)]
    heads = ["query", *(f"{k + 1}." for k in range(found.shape[1]))]
    what = f"{len(first)} query images, each with its {found.shape[1]} nearest neighbours"
    labels = frames = None
    if query_labels is not None and found_labels is not None:
        y, near = array(query_labels), array(found_labels)
        if near.shape != found.shape[:2]:
            raise ValueError(
                f"found_labels must be {list(found.shape[:2])}, got {list(near.shape)}: use train.y[indices]"
            )
        names = class_names(classes, np.concatenate([y, near.ravel()]))
        right = near == y[:, None]
        labels = [[names[y[q]], *("" if ok else names[c] for c, ok in zip(near[q], right[q]))] for q in range(len(y))]
        frames = [[None, *(RIGHT if ok else WRONG for ok in right[q])] for q in range(len(y))]
        share = f"{right.sum()} of {right.size} neighbours ({right.mean():.0%}) have the query's class"
        caption = f"{caption} {share}: blue frame; others: red, named.".strip()
    look = dict(column_names=heads, labels=labels, frames=frames, split=1, side=side)
    return draw_table(table, title, caption, what, **look)
