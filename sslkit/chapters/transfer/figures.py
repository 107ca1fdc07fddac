"""Accuracy against labels: in several panels under one legend; with the labels between two curves; and confidence against truth."""

from typing import Any

import numpy as np

from sslkit.plots.axes import DASHED, Percent, log_ticks, name_lines, panels
from sslkit.plots.curves import band
from sslkit.plots.picture import COLOURS, INK, TEXT_SIZE, WIDTH, Picture, drawing, render

MARKS = "os^Dvp"


@drawing
def efficiency_panels(
    shown: dict[str, dict],
    chance: dict[str, float] | None = None,
    title: str = "",
    caption: str = "",
    xlabel: str = "labels per class",
    ylabel: str = "test accuracy",
) -> Picture:
    """Accuracy against labels per class side by side: {panel: {curve: {labels: accuracy, or [one a run]}}}.

    A curve has the same colour and mark in every panel; all panels share the vertical axis. Lines are means, bands go
    from the lowest to the highest run. chance: {panel: accuracy of guessing}, a dashed line.
    """
    names = list(dict.fromkeys(name for curves in shown.values() for name in curves))
    if not names:
        raise ValueError("nothing to draw: there is no curve")
    looks = {name: (COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]) for i, name in enumerate(names)}
    caption = f"{caption} Line: mean; band: lowest to highest run.".strip()
    fig, axes = panels(
        title, caption, 3.7, xlabel, ylabel, "both", heads=shown, sharey=True, w_pad=0.02, h_pad=0.02, wspace=0.03
    )
    layout: Any = fig.get_layout_engine()
    left, bottom, w, h = layout.get()["rect"]
    layout.set(rect=(left, bottom, w, h - 0.3 / fig.get_figheight()))  # a strip for the legend above the panels
    spoken: list[str] = []
    lines: dict[str, Any] = {}
    for ax, (panel, curves) in zip(axes, shown.items()):
        ends, ticks = [], set()
        for name, points in curves.items():
            if not any(np.size(values) for values in points.values()):
                continue
            counts, means, lines[name] = band(ax, points, *looks[name], size=4.5)
            ends.append(f"{name} {means[0]:.0%} with {counts[0]} to {means[-1]:.0%} with {counts[-1]} labels")
            ticks |= set(counts)
        if chance and panel in chance:
            lines["chance"] = ax.axhline(chance[panel], **DASHED)
        log_ticks(ax, sorted(ticks), rotation=45 if len(shown) > 1 else 0)
        ax.yaxis.set_major_formatter(Percent())
        spoken.append(f"{panel}: {'; '.join(ends) or 'no curve'}")
    look = dict(frameon=False, fontsize=TEXT_SIZE, labelcolor=INK)
    fig.legend(lines.values(), lines, loc="upper left", bbox_to_anchor=(left, bottom + h), ncols=len(lines), **look)
    return render(fig, title, caption, f"Accuracy against labels per class. {'. '.join(spoken)}", colours=96)


@drawing
def labels_between(
    curves: dict[str, dict],
    pairs: dict[int, float],
    chance: float | None = None,
    title: str = "",
    caption: str = "",
) -> Picture:
    """Two curves {name: {labels per class: [one a run]}}, and how far apart they are in labels: an arrow from each number of labels
    in `pairs` on the first curve to the number, its value, that the second needs for the same accuracy."""
    caption = f"{caption} Line: mean; band: lowest to highest run.".strip()
    fig, (ax,) = panels(title, caption, 3.6, "labels per class", "test accuracy", grid="both")
    counted: set[int] = set()
    for colour, mark, (name, points) in zip(COLOURS, MARKS, curves.items()):
        counted |= set(band(ax, points, colour, mark, name)[0])
    first = next(iter(curves.values()))
    for count, need in pairs.items():
        height = float(np.mean(first[count]))
        look = dict(arrowstyle="-|>", color=INK, linewidth=2, shrinkA=4, shrinkB=0)
        ax.annotate("", (need, height), (count, height), arrowprops=look)
    log_ticks(ax, sorted(counted))
    ax.yaxis.set_major_formatter(Percent())
    if chance is not None:
        ax.axhline(chance, label=f"chance {chance:.0%}", **DASHED)
    name_lines(ax)
    spoken = "; ".join(
        f"{count} labels on the first curve equal {need:.0f} on the second" for count, need in pairs.items()
    )
    what = f"Accuracy against labels per class of {', '.join(curves)}: {spoken}"
    return render(fig, title, caption, what, colours=96)


@drawing
def reliability(
    table: dict[str, dict[float, float]], title: str = "", caption: str = "", looks: dict[str, int] | None = None
) -> Picture:
    """How often a network is right by how sure it says it is: {network: {mean probability: share of right ones}}. The dashed line
    is where both are equal. looks: the number of each network's colour and mark, where other figures have given it one."""
    labels = "probability of the guess", "guesses that are right"
    fig, (ax,) = panels(title, caption, 3.6, *labels, grid="both", width=0.7 * WIDTH)
    ax.plot([0, 1], [0, 1], **DASHED, label="as right as it says")
    for number, (name, points) in enumerate(table.items()):
        k = (looks or {}).get(name, number)
        ax.plot(list(points), list(points.values()), color=COLOURS[k], marker=MARKS[k], linewidth=1.8, label=name)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(Percent())
    ax.legend(frameon=False, fontsize=TEXT_SIZE, labelcolor=INK, loc="upper left")
    spoken = "; ".join(
        f"{name} " + ", ".join(f"says {says:.0%}, is right {right:.0%}" for says, right in points.items())
        for name, points in table.items()
    )
    return render(fig, title, caption, f"Reliability. {spoken}", colours=96)
