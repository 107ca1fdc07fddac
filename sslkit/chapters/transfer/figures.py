"""Accuracy against labels: in several panels under one legend; with the labels between two curves; and confidence against truth."""

from typing import Any

import numpy as np

from sslkit.plots.curves import CHANCE_STYLE, band
from sslkit.plots.picture import (
    COLOURS,
    INK,
    TEXT_SIZE,
    WIDTH,
    Percent,
    Picture,
    drawing,
    frame,
    name_lines,
    plain_axes,
    render,
)
from sslkit.plots.text import describe

MARKS = "os^Dvp"


@drawing
def efficiency_panels(
    panels: dict[str, dict],
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
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    if not names:
        raise ValueError("nothing to draw: there is no curve")
    looks = {name: (COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]) for i, name in enumerate(names)}
    caption = f"{caption} Line: mean; band: lowest to highest run.".strip()
    fig, (left, bottom, w, h) = frame(WIDTH, 3.7, title, caption)
    legend = 0.3 / fig.get_figheight()  # a strip for it above the panels
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h - legend), w_pad=0.02, h_pad=0.02, wspace=0.03)
    spoken: list[str] = []
    lines: dict[str, Any] = {}
    for ax, (panel, curves) in zip(fig.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels.items()):
        first = not spoken
        plain_axes(ax, xlabel, ylabel if first else "", title=panel, grid="both")
        ends, ticks = [], set()
        for name, points in curves.items():
            if not any(np.size(values) for values in points.values()):
                continue
            counts, means, lines[name] = band(ax, points, *looks[name], size=4.5)
            ends.append(f"{name} {means[0]:.0%} with {counts[0]} to {means[-1]:.0%} with {counts[-1]} labels")
            ticks |= set(counts)
        if chance and panel in chance:
            ax.axhline(chance[panel], **CHANCE_STYLE)
            lines["chance"] = ax.lines[-1]
        ax.set_xscale("log")
        ax.set_xticks(sorted(ticks), [f"{k:g}" for k in sorted(ticks)], rotation=45 if len(panels) > 1 else 0)
        ax.minorticks_off()
        ax.yaxis.set_major_formatter(Percent())
        spoken.append(f"{panel}: {'; '.join(ends) or 'no curve'}")
    look = dict(frameon=False, fontsize=TEXT_SIZE, labelcolor=INK)
    fig.legend(lines.values(), lines, loc="upper left", bbox_to_anchor=(left, bottom + h), ncols=len(lines), **look)
    return render(fig, describe(f"Accuracy against labels per class. {'. '.join(spoken)}", title, caption), colours=96)


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
    fig, (left, bottom, w, h) = frame(WIDTH, 3.6, title, caption)
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h), w_pad=0, h_pad=0)
    ax = plain_axes(fig.add_subplot(), "labels per class", "test accuracy", grid="both")
    counted: set[int] = set()
    for colour, mark, (name, points) in zip(COLOURS, MARKS, curves.items()):
        counted |= set(band(ax, points, colour, mark, name)[0])
    first = next(iter(curves.values()))
    for count, need in pairs.items():
        height = float(np.mean(first[count]))
        look = dict(arrowstyle="-|>", color=INK, linewidth=2, shrinkA=4, shrinkB=0)
        ax.annotate("", (need, height), (count, height), arrowprops=look)
    ax.set_xscale("log")
    ax.set_xticks(sorted(counted), [f"{k:g}" for k in sorted(counted)])
    ax.minorticks_off()
    ax.yaxis.set_major_formatter(Percent())
    if chance is not None:
        ax.axhline(chance, label=f"chance {chance:.0%}", **CHANCE_STYLE)
    name_lines(ax)
    spoken = "; ".join(
        f"{count} labels on the first curve equal {need:.0f} on the second" for count, need in pairs.items()
    )
    return render(
        fig, describe(f"Accuracy against labels per class of {', '.join(curves)}: {spoken}", title, caption), colours=96
    )


@drawing
def reliability(
    table: dict[str, dict[float, float]], title: str = "", caption: str = "", looks: dict[str, int] | None = None
) -> Picture:
    """How often a network is right by how sure it says it is: {network: {mean probability: share of right ones}}. The dashed line
    is where both are equal. looks: the number of each network's colour and mark, where other figures have given it one."""
    fig, (left, bottom, w, h) = frame(0.7 * WIDTH, 3.6, title, caption)
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h), w_pad=0, h_pad=0)
    ax = plain_axes(fig.add_subplot(), "probability of the guess", "guesses that are right", grid="both")
    ax.plot([0, 1], [0, 1], **CHANCE_STYLE, label="as right as it says")
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
    return render(fig, describe(f"Reliability. {spoken}", title, caption), colours=96)
