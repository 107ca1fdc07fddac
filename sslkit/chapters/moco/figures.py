"""A queue of keys made visible: how old each key is, and how much it still agrees with the present teacher."""

from math import ceil, sqrt

import numpy as np

from sslkit.plots.axes import plain_axes, plain_bar
from sslkit.plots.picture import COLOURS, FAINT, GRID, INK, TEXT_SIZE, WIDTH, Picture, array, drawing, frame, render

MOST = 65_536  # keys drawn, a cell each


def key_ages(queue: int, batch: int, step: int) -> np.ndarray:
    """How many steps ago each row of a ring of `queue` keys was made, int [queue], as step number `step` (0, 1, ...)
    meets them. Each step adds `batch` keys, and keys are at least one step old; the ring has been full all along."""
    newest = step * batch - 1  # keys are numbered as they come, key n lies in row n modulo queue
    return 1 + (newest - np.arange(queue)) % queue // batch


@drawing
def dictionary(agreement: dict, queue: int, batch: int, shown=None, step: int = 0, title="", caption="") -> Picture:
    """The rows of a queue as cells, coloured by how much keys of their age agree with the teacher of now; beside them
    the agreement by age that was measured.

    agreement: {name of a run: [2, A + 1]}, entry a the mean cosine of keys made a steps ago with keys made now: first of
    the same views, where entry 0 is 1, then of different ones; shown: the runs that get a picture of their queue, at most
    three, by default the first.
    queue, batch, step: as in key_ages. Keys older than the A steps measured are left grey.
    """
    curves = {str(name): array(values).astype(float) for name, values in agreement.items()}
    shown = [str(name) for name in shown] if shown is not None else list(curves)[:1]
    if not curves or not shown or not set(shown) <= set(curves) or len(shown) > 3:
        raise ValueError(f"one to three of the runs {', '.join(curves)} can be shown, not {', '.join(shown) or 'none'}")
    if not 1 <= queue <= MOST or batch < 1:
        raise ValueError(f"a queue of 1 to {MOST:,} keys and a batch of at least 1 are needed, got {queue} and {batch}")
    ages, oldest = key_ages(queue, batch, step), ceil(queue / batch)
    columns = next(
        (c for c in range(ceil(sqrt(queue)), 2 * ceil(sqrt(queue)) + 1) if queue % c == 0), ceil(sqrt(queue))
    )
    cells = np.full(columns * ceil(queue / columns), np.nan)
    side, across = (1.75, 1.3) if len(shown) > 1 else (2.6, 2.6)
    fig, (left, bottom, w, h) = frame(WIDTH, side + 0.75, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    colours, spoken = dict(zip(curves, COLOURS)), []
    for k, name in enumerate(shown):
        curve = np.append(curves[name][0], np.nan)
        cells[:queue] = curve[np.minimum(ages, len(curve) - 1)]
        box = (left + k * (across + 0.12) / inch_w, bottom + 0.4 / inch_h, across / inch_w, side / inch_h)
        ax = fig.add_axes(box)
        ax.set_title(name, size=TEXT_SIZE + 1, color=colours[name], loc="left", pad=4)
        ax.set(xticks=[], yticks=[], facecolor=GRID)
        ax.spines[:].set_color(FAINT)
        image = ax.imshow(
            cells.reshape(-1, columns), cmap="cividis", vmin=0, vmax=1, interpolation="nearest", aspect="auto"
        )
        at = step * batch % queue
        row, column = divmod(at, columns)
        ax.plot(column, row, "s", markersize=6, color="none", markeredgecolor=COLOURS[3], markeredgewidth=1.8)
        mean = np.nanmean(cells[:queue]) if np.isfinite(cells).any() else np.nan
        ax.set_xlabel(f"mean {mean:.2f}", size=TEXT_SIZE, color=INK)
        spoken.append(f"{name}: mean agreement {mean:.2f}")
    start = left + (len(shown) * (across + 0.12) + 0.1) / inch_w
    bar = fig.colorbar(image, cax=fig.add_axes((start, bottom + 0.4 / inch_h, 0.1 / inch_w, side / inch_h)))
    plain_bar(bar, size=TEXT_SIZE - 1)
    start += 0.95 / inch_w
    ax = fig.add_axes((start, bottom + 0.4 / inch_h, left + w - start - 1.1 / inch_w, side / inch_h))
    head = "agreement by age (dotted: other images)"
    draw_agreement(plain_axes(ax, "age of a key, in steps", "", head, grid="y"), curves, colours, shown, oldest)
    what = (
        f"A queue of {queue} keys, batch {batch}, oldest key {oldest} steps old; {'; '.join(spoken + in_words(curves))}"
    )
    return render(fig, title, caption, what, colours=256)


@drawing
def agreements(agreement: dict, oldest: int, title="", caption="") -> Picture:
    """The agreement by age of all runs, as in `dictionary`, without the queues; oldest: up to which age keys are in the queue."""
    curves = {str(name): array(values).astype(float) for name, values in agreement.items()}
    fig, (left, bottom, w, h) = frame(WIDTH, 3.4, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    ax = fig.add_axes((left + 0.55 / inch_w, bottom + 0.45 / inch_h, w - 1.75 / inch_w, h - 0.55 / inch_h))
    plain_axes(ax, "age of a key, in steps", "cosine with keys made now", grid="y")
    draw_agreement(ax, curves, dict(zip(curves, COLOURS)), list(curves), oldest)
    what = f"Lines of agreement by age, oldest key {oldest} steps old; {'; '.join(in_words(curves))}"
    return render(fig, title, caption, what, colours=128)


def in_words(curves: dict[str, np.ndarray]) -> list[str]:
    """What each run's keys agree at three ages."""
    return [
        f"{name} at age {age}: {c[0, age]:.2f}, other images {c[1, age]:.2f}"
        for age in (0, 32, 128)
        for name, c in curves.items()
        if age < c.shape[1]
    ]


def draw_agreement(ax, curves: dict, colours: dict, shown: list[str], oldest: int) -> None:
    """A line per run, named at its end, those not shown pale; dotted, for those shown, the keys of other images; the ages
    that are in the queue shaded."""
    ax.axvspan(1, oldest, color=GRID, alpha=0.6, linewidth=0)
    for name, (same, other) in curves.items():
        strong = dict(linewidth=2.2) if name in shown else dict(linewidth=1.1, alpha=0.6)
        ax.plot(np.arange(len(same)), same, color=colours[name], **strong)
        if name in shown:
            ax.plot(np.arange(len(other)), other, color=colours[name], linewidth=1.4, linestyle=":")
    low = min(0.0, min(np.nanmin(values) for values in curves.values()) - 0.03)  # no line lies on the axis
    ax.set(xlim=(0, max(values.shape[1] for values in curves.values()) - 1), ylim=(low, 1.02))
    gap = 1.5 * TEXT_SIZE / 72 / (ax.get_position().height * ax.figure.get_figheight()) * (1.02 - low)
    at = low
    for name in sorted(curves, key=lambda name: curves[name][0, -1]):  # from the lowest up, so that none covers another
        at = max(at, curves[name][0, -1])
        where = dict(xy=(1, at), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points")
        ax.annotate(name, va="center", size=TEXT_SIZE, color=colours[name], **where)
        at += gap
