"""Accuracy against labels in several panels, one a data set: lines with bands under one legend."""

from typing import Any

import numpy as np

from sslkit.plots.curves import CHANCE_STYLE, band
from sslkit.plots.picture import COLOURS, INK, TEXT_SIZE, WIDTH, Percent, Picture, drawing, frame, plain_axes, render
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
