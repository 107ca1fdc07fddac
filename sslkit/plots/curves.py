"""Losses against their chance level, and accuracy against the number of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .axes import DASHED, Percent, log_ticks, name_lines, panels
from .picture import COLOURS, FAINT, TEXT_SIZE, Picture, array, drawing, render


def smooth(values, window: int) -> np.ndarray:
    """Mean over the last `window` values, but over no more than the last fifth of those so far: where a loss falls steeply, at the
    start, a mean over all of them would lie far above it. [N] in, [N] out. It looks back only, so nothing shows before it happens."""
    total = np.cumsum(np.concatenate([[0.0], array(values).astype(float)]))
    end = np.arange(1, len(total))
    width = np.clip(end // 5, 1, window)
    return (total[end] - total[end - width]) / width


def verdict(
    losses,
    chance: float | None,
    tolerance: float = 0.02,
    done: bool = True,
    record: Any = None,
    level: str = "chance",
) -> str:
    """In words whether the last tenth of the losses lies at chance level: within `tolerance` of it (a share),
    or above it. Without a chance level: whether the features have collapsed, by
    their spread and effective rank in the last Record that has them. level: what is held against, if not chance."""
    values = array(losses).astype(float)
    if not len(values):
        return ""
    if not np.isfinite(values[-1]):
        return "The loss is not finite: training has diverged; try a smaller learning rate."
    if chance is None:
        return spread_words(record)
    last = values[-max(1, len(values) // 10) :].mean()
    digits = f"{last:#.3g}".rstrip(".")  # 3.00, no bare 3
    level = "chance level" if level == "chance" else f"the level of {level}"
    if last > chance - tolerance * abs(chance):
        so_far = "ended at" if done else "is at"
        return f"The loss {so_far} {digits}, no better than {level} ({chance:.3g})."
    if values[0] < chance - tolerance * abs(chance):  # MoCo's queue is not full at first
        return f"The loss is at {digits}, below {level} ({chance:.3g})."
    return f"The loss has come down from {level} ({chance:.3g}) to {digits} (mean of the last tenth)."


def spread_words(record: Any) -> str:
    """What a Record's spread and effective rank say of a method whose loss has no chance level; nothing for None."""
    if record is None:
        return ""
    numbers = f"spread {record.spread:.2f}, effective rank {record.rank:.1f}"
    if record.collapsed:
        return f"Collapsed: the features hardly tell images apart ({numbers}), so a low loss means nothing."
    return f"Not collapsed: features differ from image to image ({numbers}); this loss has no chance level."


def draw_losses(
    ax, curves: dict, chance: float | None, window: int | None = None, colours: Any = COLOURS * 4, level: str = "chance"
):
    """Raw losses pale, their running mean strong, the chance level as a dashed line with its name, `level`."""
    for colour, (name, points) in zip(colours, curves.items()):
        steps, values = points if isinstance(points, tuple) else (range(1, len(points) + 1), points)
        steps, values = array(steps).astype(float), array(values).astype(float)
        if len(values) > 60:
            ax.plot(steps, values, color=colour, alpha=0.25, linewidth=0.7)
        running = smooth(values, window or max(1, len(values) // 30))
        ax.plot(steps, running, color=colour, linewidth=1.8, label=name)
    if chance is not None:
        many = len(curves) > 3  # then the names stand beside the panel, and chance among them
        ax.axhline(chance, label=f"{level} {chance:.3g}" if many else None, **DASHED)
        if not many:  # no curve gets there
            where = dict(xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points")
            ax.annotate(f"{level}\n{chance:.3g}", (1, chance), size=TEXT_SIZE, color=FAINT, va="center", **where)
        low, high = ax.get_ylim()
        # Noise about the chance level is not to fill the panel: it would look like learning.
        low = min(low, chance - 0.15 * abs(chance))
        ax.set_ylim(low, max(high, chance + 0.09 * (max(high, chance) - low)))
    if len(curves) > 1:
        name_lines(ax)


@drawing
def losses(
    curves,
    chance: float | None = None,
    window: int | None = None,
    title: str = "",
    caption: str = "",
    ylabel: str = "loss",
    xlabel: str = "step",
    colours: Sequence[str] | None = None,
    level: str = "chance",
):
    """Loss curves: {name: losses or (steps, losses)}, or one list; or those of what `ylabel` names. `window` steps are averaged
    (default: a thirtieth of the run), fewer at the start; colours: one a curve, else in the order of the palette; level: the name
    of the line at `chance`."""
    curves = curves if isinstance(curves, dict) else {ylabel: curves}
    fig, (ax,) = panels(title, caption, 3.2, xlabel, ylabel, grid="y")
    draw_losses(ax, curves, chance, window, colours or COLOURS * 4, level)
    drawn = "Loss curves" if ylabel == "loss" else f"Curves of {ylabel}"
    return render(fig, title, caption, f"{drawn}: {', '.join(map(str, curves))}", colours=128)


def band(ax, points: dict, colour: str, mark: str, label: str | None = None, size: float = 5, width: float = 1.8):
    """A line through the means of {x: number, or [one a run]}, with a mark for each x, on a band from the lowest to the highest
    run. Returns the sorted x, the means, and the line."""
    x = sorted(at for at, values in points.items() if np.size(values))
    runs = [np.atleast_1d(array(points[at])).astype(float) for at in x]
    means = [r.mean() for r in runs]
    ax.fill_between(x, [r.min() for r in runs], [r.max() for r in runs], color=colour, alpha=0.18, linewidth=0)
    (line,) = ax.plot(x, means, color=colour, marker=mark, markersize=size, linewidth=width, label=label)
    return x, means, line


@drawing
def label_efficiency(
    curves: dict,
    chance: float | None = None,
    title: str = "",
    caption: str = "",
    xlabel: str = "labels per class",
    ylabel: str = "test accuracy",
    looks: dict[str, int] | None = None,
    limits: tuple[float, float] | None = None,
) -> Picture:
    """Accuracy against labels per class: {name: {labels: accuracy, or [one a run]}}; means, bands low to
    high. looks: the number of a curve's colour and mark, where it is not its place; limits: of the upright axis."""
    if any(np.size(values) > 1 for points in curves.values() for values in points.values()):
        caption = f"{caption} Line: mean; band: lowest to highest run.".strip()
    fig, (ax,) = panels(title, caption, 3.6, xlabel, ylabel, grid="both")
    ends: list[str] = []
    counted: set[int] = set()
    for place, (name, points) in enumerate(curves.items()):
        if not points:  # nothing yet: its colour waits for it
            continue
        number = (looks or {}).get(name, place)
        colour, mark = COLOURS[number % len(COLOURS)], "os^Dv"[number % 5]
        counts, means, _ = band(ax, points, colour, mark, name)
        ends.append(f"{name} {means[0]:.0%} at {counts[0]:g} to {means[-1]:.0%} at {counts[-1]:g}")
        counted |= set(counts)
    log_ticks(ax, sorted(counted))
    ax.yaxis.set_major_formatter(Percent())
    if limits:
        ax.set_ylim(*limits)
    if chance is not None:
        ax.axhline(chance, label=f"chance {chance:.0%}", **DASHED)
    name_lines(ax)
    return render(fig, title, caption, f"{ylabel} against {xlabel}: {'; '.join(ends)}", colours=96)
