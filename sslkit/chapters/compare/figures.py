"""Many networks in one figure: small maps, named points, lines, and what moves when the image does."""

import numpy as np

from sslkit.plots.axes import DASHED, log_ticks, name_lines, panels, plain_axes
from sslkit.plots.bars import as_runs, draw_bars
from sslkit.plots.curves import band
from sslkit.plots.maps import class_style, legend, scatter, unit_square
from sslkit.plots.picture import COLOURS, DPI, GRID, INK, TEXT_SIZE, WIDTH, Picture, array, drawing, frame, render
from sslkit.plots.table import GAP, resize, to_pixels
from sslkit.plots.text import class_names, text_width

MARKS = "os^Dv*PX"


@drawing
def map_grid(maps, classes=None, title: str = "", caption: str = "", columns: int = 4) -> Picture:
    """Small t-SNE maps in rows of `columns`, with one legend.

    maps: list of (title, xy [N, 2], y); y are class numbers [N], or colours [N, 3] in [0, 1] to show each point in its
    own, without a legend. Axes carry no numbers: distances across a t-SNE map mean nothing.
    """
    if not maps:
        raise ValueError("no map to draw: pass [(title, xy, y), ...]")
    kinds = [array(y) for _, _, y in maps]
    labelled = [y.astype(int) for y in kinds if y.ndim == 1]
    names = class_names(classes, np.concatenate(labelled)) if labelled else []
    style, gap, head = class_style(names), 0.12, 0.24
    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    panel = min((WIDTH - gap * (columns - 1)) / columns, 3.0)
    per_row = max(1, int(WIDTH / (0.35 + 0.085 * max(map(len, names), default=1))))
    foot = 0.21 * -(-min(len(names), 40) // per_row) + 0.14 if names else 0
    fig, (left, bottom, _, _) = frame(WIDTH, rows * (panel + head) + foot, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    for k, ((name, xy, _), y) in enumerate(zip(maps, kinds)):
        across, down = left + k % columns * (panel + gap) / inch_w, rows - 1 - k // columns
        ax = fig.add_axes((across, bottom + (foot + down * (panel + head)) / inch_h, panel / inch_w, panel / inch_h))
        ax.set_title(name, size=TEXT_SIZE, color=INK, loc="left", pad=3)
        ax.set(xticks=[], yticks=[], facecolor="white", xlim=(0, 1), ylim=(0, 1))
        ax.spines[:].set_color(GRID)
        xy, size = unit_square(xy), float(np.clip(4500 * panel / 4 / len(xy), 4, 16))
        if y.ndim == 1:
            scatter(ax, xy, y.astype(int), style, size)
        else:
            ax.scatter(xy[:, 0], xy[:, 1], s=size, c=y.clip(0, 1), linewidths=0)
    if names:
        legend(fig, names, style, (left, bottom + 0.03 / inch_h), per_row)
    what = f"{len(maps)} t-SNE maps ({', '.join(str(m[0]) for m in maps)}) of {len(maps[0][1])} points"
    return render(fig, title, caption, what, colours=128)


@drawing
def named_points(points: dict, title="", caption="", xlabel="", ylabel="", marks: dict | None = None) -> Picture:
    """A point for each name with its name beside it: {name: (x, y)}. marks {name: group} gives all of a group one colour
    and mark."""
    if not points:
        raise ValueError("nothing to draw: there is no point")
    groups = list(dict.fromkeys((marks or {}).get(name, "") for name in points))
    fig, (ax,) = panels(title, caption, 3.6, xlabel, ylabel, grid="both", width=WIDTH * 0.8)
    for name, (x, y) in points.items():
        k = groups.index((marks or {}).get(name, ""))
        colour, mark = COLOURS[k % len(COLOURS)], MARKS[k % len(MARKS)]
        label = groups[k] if groups[k] not in ax.get_legend_handles_labels()[1] else None
        ax.plot([x], [y], mark, color=colour, markeredgecolor="white", markersize=9, label=label or None)
    ax.margins(0.14, 0.14)
    fig.canvas.draw()  # the places in pixels are known now
    at = {name: ax.transData.transform(xy) for name, xy in points.items()}
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in at.values()]
    for name, (x, y) in at.items():
        width = text_width(name, TEXT_SIZE) * DPI
        choices: list[tuple] = []
        for dx, dy in ((9, -5), (-9 - width, -5), (-width / 2, 9), (-width / 2, -19), (9, 9), (9, -19)):
            box = (x + dx, y + dy, x + dx + width, y + dy + 10)
            choices.append((sum(overlap(box, other) for other in taken), len(choices), dx, dy, box))
        _, _, dx, dy, box = min(choices)
        taken.append(box)
        place = (dx * 72 / DPI, dy * 72 / DPI)
        ax.annotate(name, points[name], place, textcoords="offset points", size=TEXT_SIZE, color=INK)
    if any(groups):
        name_lines(ax)
    spoken = ", ".join(f"{name} ({x:.3g}, {y:.3g})" for name, (x, y) in points.items())
    return render(fig, title, caption, f"Points, {xlabel} and {ylabel}: {spoken}", colours=128)


def overlap(a, b) -> float:
    """The common area of two boxes (left, low, right, high)."""
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


@drawing
def lines(curves: dict, title="", caption="", xlabel="", ylabel="", log: bool = False, level: float | None = None):
    """Lines with a mark for each value: {name: {x: number, or [one a run]}}; means, bands from low to high. log: of the
    horizontal axis; level: a dashed line across."""
    if not curves:
        raise ValueError("nothing to draw: there is no curve")
    fig, (ax,) = panels(title, caption, 3.2, xlabel, ylabel, grid="both")
    ends = []
    for k, (name, values) in enumerate(curves.items()):
        x, means, _ = band(ax, values, COLOURS[k % len(COLOURS)], MARKS[k % len(MARKS)], str(name), 4.5, 1.6)
        ends.append(f"{name} from {means[0]:.3g} at {x[0]:g} to {means[-1]:.3g} at {x[-1]:g}")
    if log:
        log_ticks(ax, sorted({at for values in curves.values() for at in values}))
    if level is not None:
        ax.axhline(level, **DASHED)
    name_lines(ax)
    return render(fig, title, caption, f"Lines: {'; '.join(ends)}", colours=128)


@drawing
def moved(before, after, values: dict, title="", caption="", xlabel="", full: float = 1.0, side: int = 64) -> Picture:
    """Images before a change above the same after it [N, C, H, W], and bars {name: number} of what they did to each
    network; the bars' axis reaches to `full` at least."""
    tiles = [resize(to_pixels(x), side) for x in (before, after)]
    th, tw = tiles[0].shape[1:3]
    n = min(len(tiles[0]), int((WIDTH - 0.6) * DPI) // (tw + GAP))
    canvas = np.full((2 * th + GAP, n * (tw + GAP) - GAP, 3), 255, np.uint8)
    for r, row in enumerate(tiles):
        for k in range(n):
            canvas[r * (th + GAP) :, k * (tw + GAP) :][:th, :tw] = row[k] // 4 * 4
    runs = as_runs(values)
    bars, images = 0.28 * len(runs) + 0.55, canvas.shape[0] / DPI
    fig, (left, bottom, w, h) = frame(WIDTH, bars + 0.15 + images, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    ax = fig.add_axes(
        (left + 0.6 / inch_w, bottom + (bars + 0.15) / inch_h, canvas.shape[1] / DPI / inch_w, images / inch_h)
    )
    ax.axis("off")
    ax.imshow(canvas, extent=(0, canvas.shape[1], canvas.shape[0], 0), interpolation="nearest", aspect="auto")
    for r, name in enumerate(("before", "after")):
        ax.text(-8, r * (th + GAP) + th / 2, name, size=TEXT_SIZE, color=INK, va="center", ha="right")
    fig.set_layout_engine("none")
    box = (left + 1.5 / inch_w, bottom + 0.45 / inch_h, w - 1.7 / inch_w, (bars - 0.45) / inch_h)
    draw_bars(plain_axes(ax := fig.add_axes(box), xlabel, grid="x"), runs, None)
    ax.set_xlim(0, max(full, 1.15 * max(r.max() for r in runs.values())))
    spoken = ", ".join(f"{name} {r.mean():.2g}" for name, r in runs.items())
    return render(fig, title, caption, f"Images before and after, and bars: {spoken}", colours=256)
