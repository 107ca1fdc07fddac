"""What InfoNCE sees: each row's softmax over the other views, and where the gradient goes."""

from typing import Any

import numpy as np
import torch
from matplotlib.patches import Rectangle
from torch import Tensor

from sslkit.plots.axes import DASHED, Percent, plain_axes, plain_bar
from sslkit.plots.picture import (
    COLOURS,
    DPI,
    FAINT,
    INK,
    NEUTRAL,
    TEXT_SIZE,
    WIDTH,
    WRONG,
    Picture,
    array,
    drawing,
    frame,
    render,
)
from sslkit.plots.table import LABEL_SIZE, resize, to_pixels

SHOWN = 3  # hardest negatives shown as images


def info_nce_parts(z1, z2, temperature: float) -> dict:
    """What InfoNCE (NT-Xent; Chen et al. 2020, equation 1) computes on the way, in float64.

    z1, z2 [N, K]: projections of two views; rows i and N + i of what follows belong together. Returns
    similarity [2N, 2N] (cosine), softmax [2N, 2N] (each row's distribution over the others, 0 on the
    diagonal), positive [2N] (column of the partner), loss (mean over 2N), chance ln(2N - 1), and push
    [2N, 2N]: each row's gradient on the similarities to its negatives, as shares that add up to 1.
    """
    z1, z2 = array(z1).astype(np.float64), array(z2).astype(np.float64)
    if z1.ndim != 2 or z1.shape != z2.shape or len(z1) < 2:
        raise ValueError(f"z1 and z2 must both be [N, K] with N > 1, got {list(z1.shape)} and {list(z2.shape)}")
    if not temperature > 0:
        raise ValueError(f"the temperature must be above 0, got {temperature}")
    z = np.concatenate([z1, z2])
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
    n, similarity = len(z), z @ z.T
    logits = similarity / temperature
    np.fill_diagonal(logits, -np.inf)
    logits -= logits.max(axis=1, keepdims=True)
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    softmax = np.exp(log_softmax)
    rows, positive = np.arange(n), (np.arange(n) + n // 2) % n
    # d loss / d similarity(i, j) is softmax(i, j) / temperature for a negative j: what pushes j away from i.
    push = softmax.copy()
    push[rows, positive] = 0
    push /= np.maximum(push.sum(axis=1, keepdims=True), 1e-300)
    parts = dict(similarity=similarity, softmax=softmax, positive=positive, push=push)
    return parts | dict(loss=float(-log_softmax[rows, positive].mean()), chance=float(np.log(n - 1)))


def hardest(push: np.ndarray, share: float = 0.1) -> tuple[int, float]:
    """How many negatives are the most similar `share` of each row's, and their part of the push (mean of the
    rows).

    push [R, 2N] as info_nce_parts gives it: two entries of each row, itself and its positive, are no
    negatives.
    """
    count = max(1, round(share * (push.shape[1] - 2)))
    return count, float(-np.sort(-push, axis=1)[:, :count].sum(axis=1).mean())


@drawing
def similarity_matrix(z1, z2, temperature: float, row: int = 0, images=None) -> Picture:
    """The softmax matrix of InfoNCE at one temperature, and how one row's negatives share the push.

    z1, z2 [N, K]: projections of two views; images: the two batches of views (x1, x2), each [N, C, H, W].
    """
    parts = info_nce_parts(z1, z2, temperature)
    n, push = len(parts["softmax"]), parts["push"][row]
    count, share = hardest(push[None])
    title = f"Temperature {temperature:.3g}: {count} of {n - 2} negatives get {share:.0%} of the push"
    numbers = f"Loss {parts['loss']:.3f}; chance ln({n - 1}) = {parts['chance']:.3f}."
    left_words = f"Left: each row is a softmax over the other {n - 1} views; orange squares are the positives."
    caption = f"{numbers} {left_words} Framed and right: row {row}, how it pushes its negatives away."
    fig, (left, bottom, w, h) = frame(WIDTH, 4.3, title, caption)
    inch_w, inch_h = fig.get_size_inches()

    def axes(x, y, width, height):  # inches from the lower left corner of the body
        return fig.add_axes((left + x / inch_w, bottom + y / inch_h, width / inch_w, height / inch_h))

    ax = axes(0.45, 0.3, 3.7, 3.7)
    ax.add_patch(Rectangle((-0.5, row - 0.5), n, 1, fill=False, edgecolor=WRONG, linewidth=1.2, clip_on=False))
    bar = fig.colorbar(draw_softmax(ax, parts, "softmax of similarity / temperature"), cax=axes(4.25, 0.3, 0.12, 3.7))
    plain_bar(bar)
    draw_push(axes(5.4, 0.5, 3.1, 3.4 if images is None else 2.15), np.delete(push, [row, parts["positive"][row]]))
    if images is not None:
        views = np.concatenate([to_pixels(x) for x in images])
        chosen = [row, int(parts["positive"][row]), *np.argsort(-push)[:SHOWN]]
        draw_views(axes(4.95, 2.85, WIDTH - 4.95, 1.3), resize(views[chosen], 64), parts["similarity"][row, chosen])
    what = f"Matrix of {n} by {n} softmax values, and bars of gradient shares"
    return render(fig, title, caption, what, colours=128 if images is None else None)


@drawing
def temperature_strip(z1, z2, temperatures=(0.05, 0.1, 0.5, 2.0), title="") -> Picture:
    """The softmax matrices of InfoNCE side by side, each with its loss and what its hardest negatives get."""
    panel = (WIDTH - 0.3 * len(temperatures)) / len(temperatures)
    by = {t: info_nce_parts(z1, z2, t) for t in temperatures}
    n, chance = 2 * len(z1), next(iter(by.values()))["chance"]
    title = title or "Low temperatures sharpen each row, and push mostly at the hardest negatives"
    caption = (
        f"Each row is a softmax over the other {n - 1} views, from 0 (dark) to 1 (yellow); orange squares are the positives; chance "
        f"ln({n - 1}) = {chance:.3f}. Run the notebook to move the temperature."
    )
    fig, (left, bottom, w, h) = frame(WIDTH, panel + 0.95, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    spoken = []
    for k, (temperature, parts) in enumerate(by.items()):
        x = left + (0.28 + k * (panel + 0.3)) / inch_w
        ax = fig.add_axes((x, bottom + 0.62 / inch_h, panel / inch_w, panel / inch_h))
        draw_softmax(ax, parts, f"temperature {temperature:g}")
        count, share = hardest(parts["push"])
        ax.set_xlabel(f"loss {parts['loss']:.2f}\nhardest {count}: {share:.0%} of push", size=TEXT_SIZE, color=INK)
        spoken.append(f"temperature {temperature:g}: loss {parts['loss']:.2f}, hardest {count} negatives {share:.0%}")
    return render(fig, title, caption, "; ".join(spoken), colours=128)


def draw_softmax(ax, parts: dict, title: str):
    """The softmax matrix in cividis from 0 to 1 with its positives framed orange; returns matplotlib's
    image."""
    plain_axes(ax, title=title)
    n = len(parts["softmax"])
    image = ax.imshow(parts["softmax"], cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
    points = ax.get_position().width * ax.figure.get_size_inches()[0] * 72
    look = dict(marker="s", facecolors="none", edgecolors=COLOURS[1], linewidths=0.9)
    ax.scatter(parts["positive"], np.arange(n), s=(0.8 * points / n) ** 2, **look)
    ax.spines[:].set_visible(False)
    ax.set(xticks=[0, n // 2 - 1, n - 1], yticks=[0, n // 2 - 1, n - 1])
    return image


def draw_push(ax, push: np.ndarray):
    """Shares of the push on the negatives, hardest first, against an equal share."""
    order, equal = -np.sort(-push), 1 / len(push)
    plain_axes(ax, "negatives, most similar first", "share of the push", grid="y")
    ax.stairs(order, np.arange(len(order) + 1) + 0.5, fill=True, color=COLOURS[0])  # bars are an artist each
    ax.axhline(equal, **DASHED)
    ax.set_ylim(0, max(1.15 * order[0], 2.5 * equal))
    ax.text(len(order), 1.15 * equal, "equal share", ha="right", va="bottom", size=TEXT_SIZE, color=INK)
    ax.yaxis.set_major_formatter(Percent())
    ax.locator_params(axis="both", nbins=5)


def draw_views(ax, tiles: np.ndarray, cosines: np.ndarray):
    """A row's views side by side: itself, its positive, then its hardest negatives, with their cosine similarity.

    One Axes for all of them, in inches: an Axes for each view would take most of the time.
    """
    width, height = ax.get_position().size * ax.figure.get_size_inches()
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    tall, wide, bottom = tiles.shape[1] / DPI, tiles.shape[2] / DPI, 0.27
    words = dict(size=LABEL_SIZE, color=FAINT, va="bottom")
    for k, (tile, cosine) in enumerate(zip(tiles, cosines)):
        at = 0.7 * k + (0.1 if k > 1 else 0)
        ax.imshow(tile, interpolation="nearest", extent=(at, at + wide, bottom, bottom + tall), aspect="auto")
        border = {0: INK, 1: COLOURS[1]}.get(k, NEUTRAL)
        ax.add_patch(Rectangle((at, bottom), wide, tall, fill=False, edgecolor=border, linewidth=0.8))
        label = f"{cosine:.2f}" if k else "row"
        ax.text(at + wide / 2, bottom - 0.04, label, size=LABEL_SIZE, color=INK, ha="center", va="top")
        if k == 1:
            ax.text(at + wide / 2, bottom + tall + 0.04, "positive", ha="center", **words)
        if k == 2:
            ax.text(at, bottom + tall + 0.04, "hardest negatives (cosine)", **words)


def question(method: Any, x: Tensor, generator: torch.Generator, other: Tensor) -> tuple[str, Tensor]:
    """What the method asks of two images x and other [1, C, H, W]: words, and the pictures [4, C, H, W], two views of each, mixed."""
    first, second = method.pretext(torch.cat([x, other]), generator)
    return "SimCLR, MoCo: which two belong together?", torch.stack([first[0], second[1], first[1], second[0]])
