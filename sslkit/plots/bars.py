"""Bars with their runs, the scoreboard, histograms."""

import numpy as np

from .picture import COLOURS, FAINT, INK, TEXT_SIZE, WIDTH, Picture, array, drawing, frame, plain_axes, render
from .text import describe


def is_share(values) -> bool:
    """Whether numbers look like accuracies: all within [0, 1]."""
    return all(0 <= v <= 1 for v in values)


def draw_bars(
    ax, values: dict, best: bool, share: bool, names: bool = True, room: float = 1.2, ticks: int = 5
):
    """Horizontal bars {name: [one number a run]}, first on top: the mean as bar and number, each run as a
    dot, the best one in blue."""
    runs = [np.atleast_1d(array(v)).astype(float) for v in values.values()]
    means = np.array([r.mean() for r in runs])
    top = int(np.nanargmax(means)) if best and len(means) > 1 else -1
    at = np.arange(len(runs))[::-1]
    reach = np.nanmax([r.max() for r in runs] + [1e-9])
    for k, (r, mean) in enumerate(zip(runs, means)):
        ax.barh(
            at[k],
            mean,
            height=0.62,
            color=COLOURS[0] if k == top else COLOURS[5],
            alpha=1 if k == top else 0.75,
        )
        if len(r) > 1:
            ax.plot(
                r,
                np.full(len(r), at[k]),
                "o",
                markersize=3.5,
                color="white",
                markeredgecolor=INK,
                markeredgewidth=0.8,
            )
        if np.isfinite(mean):
            text = f"{mean:.1%}" if share else f"{mean:.3g}"
            ax.annotate(
                text,
                (np.nanmax([*r, 0]), at[k]),
                (6, 0),
                textcoords="offset points",
                va="center",
                size=TEXT_SIZE,
                color=INK,
                weight="bold" if k == top else "normal",
            )
    ax.set_xlim(min(0, np.nanmin(means)), reach * room)
    ax.set_ylim(-0.6, len(runs) - 0.4)
    ax.set_yticks(at, list(values) if names else [""] * len(at))
    ax.tick_params(axis="y", length=0)
    if share:
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    ax.locator_params(axis="x", nbins=ticks)


@drawing
def bars(
    values: dict,
    title: str = "",
    caption: str = "",
    xlabel: str = "",
    chance: float | None = None,
    best: bool = True,
) -> Picture:
    """Horizontal bars {name: number or [one number a run]}; numbers in [0, 1] are shown as percent; `best`
    marks the highest mean."""
    flat = np.concatenate([np.atleast_1d(array(v)).astype(float) for v in values.values()])
    fig, (left, bottom, w, h) = frame(WIDTH, 0.34 * len(values) + 0.65, title, caption)
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h), w_pad=0, h_pad=0)
    ax = plain_axes(fig.add_subplot(), xlabel, grid="x")
    draw_bars(ax, values, best, is_share(flat))
    if chance is not None:
        ax.axvline(chance, color=FAINT, linestyle=(0, (5, 3)), linewidth=1.2)
        number = f"{chance:.0%}" if is_share(flat) else f"{chance:.3g}"
        ax.set_xlabel(f"{xlabel} (dashed: chance, {number})".strip())
    numbers = ", ".join(f"{name} {np.mean(array(v)):.3g}" for name, v in values.items())
    return render(fig, describe(f"Bars: {numbers}", title, caption), colours=64)


@drawing
def scoreboard(table: dict, title: str = "", caption: str = "") -> Picture:
    """Methods by judges: {method: {judge: number or [one number a run]}}; one panel a judge, methods in the
    given order, the best in blue.

    A method without a value for a judge leaves its line empty. Judges whose numbers all lie in [0, 1] are
    shown as percent.
    """
    judges = list(dict.fromkeys(judge for row in table.values() for judge in row))
    fig, (left, bottom, w, h) = frame(
        WIDTH, 0.34 * len(table) + 0.75, title, f"{caption} Dots: single runs.".strip()
    )
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h), w_pad=0.02, h_pad=0, wspace=0.05)
    spoken = []
    for ax, judge in zip(fig.subplots(1, len(judges), squeeze=False)[0], judges):
        values = {method: row.get(judge, np.nan) for method, row in table.items()}
        flat = np.concatenate([np.atleast_1d(array(v)).astype(float) for v in values.values()])
        plain_axes(ax, title=judge, grid="x")
        draw_bars(
            ax, values, True, is_share(flat[np.isfinite(flat)]), names=judge == judges[0], room=1.5, ticks=2
        )
        spoken.append(
            f"{judge}: "
            + ", ".join(
                f"{m} {np.mean(array(v)):.3g}" for m, v in values.items() if np.isfinite(array(v)).all()
            )
        )
    return render(fig, describe(f"Scoreboard. {'; '.join(spoken)}", title, caption), colours=64)


@drawing
def histogram(
    values, bins: int = 40, title: str = "", caption: str = "", xlabel: str = "", ylabel: str = "density"
) -> Picture:
    """Histograms over each other: {name: numbers}, or one list; each has area 1, so that groups of different
    size compare."""
    values = values if isinstance(values, dict) else {"": values}
    groups = {name: array(v).astype(float).ravel() for name, v in values.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(groups.values())), bins)
    fig, (left, bottom, w, h) = frame(WIDTH, 3.0, title, caption)
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h), w_pad=0, h_pad=0)
    ax = plain_axes(fig.add_subplot(), xlabel, ylabel, grid="y")
    for colour, (name, numbers) in zip(COLOURS * 4, groups.items()):
        ax.hist(
            numbers, edges, density=True, histtype="stepfilled", color=colour, alpha=0.35, label=name or None
        )
        ax.hist(numbers, edges, density=True, histtype="step", color=colour, linewidth=1.4)
    if any(groups):
        ax.legend(frameon=False, fontsize=TEXT_SIZE, labelcolor=INK)
    means = ", ".join(f"{name or 'values'} mean {v.mean():.3g}" for name, v in groups.items())
    return render(fig, describe(f"Histogram: {means}", title, caption), colours=96)
