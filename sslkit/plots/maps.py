"""t-SNE maps: points coloured by class, or the images themselves as points."""

import io
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from sslkit.progress import progress

from .picture import (
    COLOURS,
    DPI,
    FAINT,
    GRID,
    INK,
    NEUTRAL,
    SHARP,
    TEXT_SIZE,
    WIDTH,
    Picture,
    array,
    drawing,
    frame,
    render,
)
from .table import resize, rgb, to_pixels
from .text import PLAIN, class_names

ITERATIONS = 600
MARKERS = "os^D"  # twelve colours each: 48 classes can be told apart, the rest is grey


def subsample(n: int, most: int, seed: int = 0) -> np.ndarray:
    """At most `most` of n row numbers, drawn without replacement, ascending: h[pick], y[pick] for a map."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def tsne(h, perplexity: float = 30, seed: int = 0, init: str = "pca") -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008; scikit-learn's) of features h [N, D] to the plane [N, 2], after
    PCA to 50 dimensions.

    init "pca" keeps the large-scale layout, so that the seed hardly matters; "random" lets it. 600 iterations
    at angle 0.8 instead of scikit-learn's 1,000 at 0.5: half the time for a KL divergence 3 % higher (1,000
    images of `fashion`). The time grows with N: more than 5,000 points are refused; take subsample(len(h),
    1000) first, and say so in the caption.
    """
    from sklearn.decomposition import PCA  # scikit-learn takes a second to import: only who draws a map pays
    from sklearn.manifold import TSNE

    h = array(h).astype(np.float64)
    h = h.reshape(len(h), -1)
    if len(h) > 5000:
        raise ValueError(
            f"t-SNE of {len(h)} points takes minutes: pick = subsample({len(h)}, 1000), then tsne(h[pick])"
        )
    if not np.isfinite(h).all():
        raise ValueError("the features hold values that are not finite: training diverged before this map")
    if not 0 < perplexity < len(h):
        raise ValueError(f"perplexity must lie between 0 and the number of points ({len(h)}), got {perplexity}")
    if np.ptp(h, axis=0).max() == 0:
        raise ValueError(
            "all features are equal, there is nothing to map: the representation has collapsed to one point"
        )
    if min(h.shape) > 50:
        h = PCA(50, random_state=seed).fit_transform(h)
    if h.shape[1] == 1:
        h = np.concatenate([h, np.zeros_like(h)], axis=1)
    with redirect_stdout(Iterations(progress(f"t-SNE of {len(h):,} points", ITERATIONS, "iterations"))):
        return TSNE(
            perplexity=perplexity, init=init, random_state=seed, max_iter=ITERATIONS, angle=0.8, verbose=2
        ).fit_transform(h)


def forming(hs, perplexity: float = 30, seed: int = 0) -> np.ndarray:
    """The t-SNE map as it forms: features hs, T arrays [N, D] of the same N images at T moments of training, to maps [T, N, 2].

    Each map starts where the one before stands, and goes on from there without the early exaggeration that would tear it up: so points
    wander, and do not jump. Each is scaled to a spread of one.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    hs = [array(h).astype(np.float64).reshape(len(h), -1) for h in hs]
    if not hs or any(len(h) != len(hs[0]) for h in hs):
        raise ValueError(f"forming needs the same images at each moment, got {[len(h) for h in hs]}")
    maps = [tsne(hs[0], perplexity, seed)]
    show = progress(f"t-SNE at {len(hs)} moments", len(hs))
    for moment, h in enumerate(hs[1:], 1):
        show(moment)
        h = PCA(50, random_state=seed).fit_transform(h) if min(h.shape) > 50 else h
        settings = dict(perplexity=perplexity, random_state=seed, max_iter=300, angle=0.8, early_exaggeration=1.0)
        maps.append(TSNE(init=maps[-1].astype(np.float32), **settings).fit_transform(h))
    show(len(hs))
    return np.stack([(xy - xy.mean(0)) / max(xy.std(), 1e-12) for xy in maps])


class Iterations(io.TextIOBase):
    """What scikit-learn's t-SNE prints, of which only the iteration that it has reached is passed on."""

    def __init__(self, show):
        self.show, self.out = show, sys.stdout

    def write(self, text: str) -> int:
        if reached := re.search(r"Iteration (\d+)", text):
            with redirect_stdout(self.out):
                self.show(int(reached[1]))
        return len(text)


def class_style(classes: list[str]) -> list[tuple[str, str]]:
    """(colour, marker) for each class."""
    styled = [(colour, marker) for marker in MARKERS for colour in COLOURS]
    return [styled[k] if k < len(styled) else (NEUTRAL, "o") for k in range(len(classes))]


def unit_square(xy, room=(0.03, 0.03)) -> np.ndarray:
    """xy [N, 2] scaled per axis into [room, 1 - room]: a map fills its panel, since its distances are not to
    be measured anyway."""
    xy = array(xy).astype(np.float64)
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise ValueError(f"a map needs points [N, 2], got shape {list(xy.shape)}: use tsne(h)")
    low, span = xy.min(0), np.maximum(np.ptp(xy, axis=0), 1e-12)
    return np.array(room) + (xy - low) / span * (1 - 2 * np.array(room))


def thumbnail_canvas(xy, images, y, colours, side: int, width: int, height: int):
    """Images pasted at their points on a transparent uint8 canvas [height, width, 4], framed by class; those
    that would overlap are left out.

    xy [N, 2] in [0, 1], y axis up; colours: one hex colour a class. Returns the canvas and which rows are
    shown.
    """
    tiles = resize(to_pixels(images), side)
    th, tw = tiles.shape[1:3]
    canvas = np.zeros((height, width, 4), np.uint8)
    shown, rim = [], 3
    for i, (u, v) in enumerate(xy):
        x0 = int(np.clip(u * width - tw / 2, rim, width - tw - rim))
        y0 = int(np.clip((1 - v) * height - th / 2, rim, height - th - rim))
        place = canvas[y0 - rim : y0 + th + rim, x0 - rim : x0 + tw + rim]
        if place[..., 3].any():
            continue
        colour = colours[y[i]] if y is not None else FAINT
        place[...] = [*rgb(colour), 255]
        place[rim:-rim, rim:-rim, :3] = tiles[i] // 4 * 4
        shown.append(i)
    return canvas, np.array(shown, dtype=int)


def own_kind(xy, y, k: int = 25) -> np.ndarray:
    """For each point of a map the share of its k nearest points, itself among them, that are of its class: [N]."""
    xy, y = array(xy).astype(np.float64), array(y).astype(int)
    far = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    return (y[np.argsort(far, axis=1)[:, :k]] == y[:, None]).mean(axis=1)


def clump(xy, reach: float = 0.12) -> np.ndarray:
    """The points within reach of the one that has most of them around it."""
    near = np.linalg.norm(xy[:, None] - xy[None], axis=2) < reach
    return xy[near[near.sum(axis=1).argmax()]]


@drawing
def islands(maps, classes, images, title: str = "", caption: str = "", side: int = 20, share: float = 0.6) -> Picture:
    """Maps side by side of which only that is in colour which has its own kind around it; all else is a grey dot.

    maps: list of (title, xy [N, 2]); classes: (names, y [N]). An image is in colour, framed by class, where a share `share` of its
    25 nearest on the map are of its class; each class's name stands over the place where most of it has gathered.
    """
    names, y = classes[0], array(classes[1]).astype(int)
    style, n = class_style(list(names)), len(maps)
    panel = (WIDTH - 0.15 * (n - 1)) / n
    fig, (left, bottom, _, _) = frame(WIDTH, panel + 0.26, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    rim, counts = [withStroke(linewidth=4, foreground="white")], []
    look: dict[str, Any] = dict(size=12, weight="bold", ha="center", va="center", zorder=4, path_effects=rim)
    for k, (name, xy) in enumerate(maps):
        ax = fig.add_axes((left + k * (panel + 0.15) / inch_w, bottom, panel / inch_w, panel / inch_h))
        xy = unit_square(xy, (0.05, 0.05))
        own = own_kind(xy, y) >= share
        counts.append(f"{name} {own.mean():.0%}")
        ax.set_title(f"{name}: {own.mean():.0%}", size=TEXT_SIZE + 1, color=INK, loc="left", pad=4, **PLAIN)
        ax.scatter(xy[~own, 0], xy[~own, 1], s=5, color=GRID, linewidths=0)
        scatter(ax, xy[own], y[own], style, size=14)
        pixels = round(panel * DPI * SHARP)
        canvas, _ = thumbnail_canvas(xy[own], images[own], y[own], [c for c, _ in style], side * SHARP, pixels, pixels)
        ax.imshow(canvas, extent=(0, 1, 0, 1), aspect="auto", interpolation="nearest", zorder=3)
        taken = xy[own]
        for kind in (kind for kind in np.unique(y[own]) if (y[own] == kind).sum() >= 10):
            size = np.array([0.115 * len(names[kind]), 0.2]) / panel
            at = beside(clump(xy[own & (y == kind)]), size, taken, 0.5 * side / DPI / panel)
            ax.text(float(at[0]), float(at[1]), names[kind], color=style[kind][0], **look, **PLAIN)
            taken = np.concatenate([taken, at + size * np.array([[s, 0] for s in np.linspace(-0.5, 0.5, 25)])])
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1), facecolor="white")
        ax.spines[:].set_color(GRID)
    return render(
        fig, title, caption, f"{n} t-SNE maps of {len(y)} points, in colour: {', '.join(counts)}", colours=256
    )


def beside(clump, size, taken, margin: float) -> np.ndarray:
    """The middle of a name of `size` [2] above, below, left or right of a clump: where it covers fewest of the points `taken`."""
    (low, high), (w, h) = (clump.min(0) - margin, clump.max(0) + margin), np.array(size) / 2
    (x, y) = clump.mean(0)
    places = np.array([(x, high[1] + h), (x, low[1] - h), (low[0] - w, y), (high[0] + w, y)]).clip(
        (w, h), (1 - w, 1 - h)
    )
    covered = (np.abs(places[:, None] - taken[None]) < np.array([w, h]) + margin).all(axis=2).sum(axis=1)
    return places[covered.argmin()]


@drawing
def tsne_maps(
    maps,
    classes=None,
    images=None,
    title: str = "",
    caption: str = "",
    side: int = 24,
    colours: Sequence[str] | None = None,
    per_row: int | None = None,
) -> Picture:
    """Maps side by side with one legend.

    maps: list of (title, xy [N, 2], y [N] or None). With images ([N, C, H, W], or a list with one batch a
    map) thumbnails framed by class stand on their points, as many as fit without overlap. Axes carry no
    numbers: distances across a t-SNE map mean nothing. colours: one a class, where the classes have an order that the palette would
    hide; per_row: names in a row of the legend, which is filled column by column (by default as many as fit).
    """
    if not maps:
        raise ValueError("no map to draw: pass [(title, xy, y), ...]")
    labelled = [array(y) for _, _, y in maps if y is not None]
    names = class_names(classes, np.concatenate(labelled)) if labelled else []
    style = [(colour, MARKERS[0]) for colour in colours] if colours else class_style(names)
    per_map = images if isinstance(images, list) else [images] * len(maps)
    n = len(maps)
    panel = (WIDTH - 0.15 * (n - 1)) / n
    height = min(panel, 5.2)
    per_row = per_row or max(1, int(WIDTH / (0.35 + 0.085 * max(map(len, names), default=1))))
    legend_rows = -(-min(len(names), len(MARKERS) * len(COLOURS)) // per_row) if names else 0
    head, foot = 0.26, 0.21 * legend_rows + (0.14 if names else 0)
    fig, (left, bottom, w, h) = frame(WIDTH, height + head + foot, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    for k, (name, xy, y) in enumerate(maps):
        box = (left + k * (panel + 0.15) / inch_w, bottom + foot / inch_h, panel / inch_w, height / inch_h)
        ax = fig.add_axes(box)
        ax.set_title(name, size=TEXT_SIZE + 1, color=INK, loc="left", pad=4, **PLAIN)
        ax.set(xticks=[], yticks=[], facecolor="white")
        ax.spines[:].set_color(GRID)
        y = None if y is None else array(y).astype(int)
        room = 0.5 * side + 3 if per_map[k] is not None else 5
        xy = unit_square(xy, (room / panel / DPI, room / height / DPI))
        scatter(ax, xy, y, style, size=float(np.clip(9000 * panel / 4 / len(xy), 6, 26)))
        if per_map[k] is not None:
            pixels = round(panel * DPI * SHARP), round(height * DPI * SHARP)
            canvas, _ = thumbnail_canvas(xy, per_map[k], y, [c for c, _ in style], side * SHARP, *pixels)
            ax.imshow(canvas, extent=(0, 1, 0, 1), aspect="auto", interpolation="nearest", zorder=3)
        ax.set(xlim=(0, 1), ylim=(0, 1))
    if names:
        legend(fig, names, style, (left, bottom + 0.05 / inch_h), per_row)
    spoken = ", ".join(str(m[0]) for m in maps)
    what = f"{n} t-SNE {'maps' if n > 1 else 'map'} ({spoken}) of {len(maps[0][1])} points"
    return render(fig, title, caption, what, colours=256 if images is not None else 96)


def scatter(ax, xy, y, style, size):
    """Points of all classes, mixed in drawing order so that no class hides another."""
    if y is None:
        ax.scatter(*xy.T, s=size, color=FAINT, linewidths=0)
        return
    order = np.random.default_rng(0).permutation(len(xy))
    marks = np.array([m for _, m in style])[y]
    colours = np.array([c for c, _ in style])[y]
    for mark in sorted(set(marks)):
        pick = order[marks[order] == mark]
        ax.scatter(*xy[pick].T, s=size, c=colours[pick], marker=mark, linewidths=0.3, edgecolors="white")


def legend(fig, names, style, corner, per_row):
    """Names of the classes, the first forty, in rows of `per_row` from the lower left corner."""
    handles = [
        Line2D([], [], linestyle="", marker=mark, color=colour, markersize=6, label=name)
        for name, (colour, mark) in zip(names[:40], style)
    ]
    spacing = dict(handletextpad=0.1, columnspacing=1.0, borderpad=0, borderaxespad=0, labelspacing=0.4)
    look = dict(frameon=False, fontsize=TEXT_SIZE, labelcolor=INK, ncols=per_row, **spacing)
    for name in fig.legend(handles=handles, loc="lower left", bbox_to_anchor=corner, **look).get_texts():
        name.set(**PLAIN)
