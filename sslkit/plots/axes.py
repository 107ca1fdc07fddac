"""What figures with axes share: panels below one title, the look of an Axes, its ticks, its legend, its dashed line."""

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

from .picture import FAINT, GRID, INK, TEXT_SIZE, WIDTH, frame
from .text import PLAIN, percent

# The line of chance, or of what else a result is held against.
DASHED: dict[str, Any] = dict(color=FAINT, linewidth=1.2, linestyle=(0, (5, 3)))


def panels(
    title: str,
    caption: str,
    height: float,
    xlabel: str = "",
    ylabel: str = "",
    grid: str = "",
    *,
    heads: Iterable[str] = ("",),
    rows: int = 1,
    width: float = WIDTH,
    sharey: bool = False,
    **spacing: float,
) -> tuple[Figure, list[Axes]]:
    """A figure whose body is width x height inches, and its panels, one below each of `heads`, row by row.

    xlabel, ylabel and grid as in plain_axes, ylabel for the first panel of a row alone; spacing: w_pad, h_pad (inches that stay free
    around a panel, here 0 by default), wspace and hspace of matplotlib's constrained layout.
    """
    heads = list(heads)
    columns = len(heads) // rows
    fig, body = frame(width, height, title, caption)
    fig.set_layout_engine("constrained", rect=body, **{"w_pad": 0.0, "h_pad": 0.0} | spacing)
    axes = fig.subplots(rows, columns, squeeze=False, sharey=sharey).ravel().tolist()
    for k, (ax, head) in enumerate(zip(axes, heads)):
        plain_axes(ax, xlabel, "" if k % columns else ylabel, head, grid)
    return fig, axes


def plain_axes(ax, xlabel: str = "", ylabel: str = "", title: str = "", grid: str = ""):
    """The kit's look for one Axes: no box, thin grey grid along `grid` ("x", "y", "both" or none)."""
    ax.set_facecolor("white")
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)
    ax.tick_params(colors=FAINT, labelcolor=INK, labelsize=TEXT_SIZE, length=3)
    ax.set_xlabel(xlabel, size=TEXT_SIZE + 0.5, color=INK)
    ax.set_ylabel(ylabel, size=TEXT_SIZE + 0.5, color=INK)
    if title:
        ax.set_title(title, size=TEXT_SIZE + 1, color=INK, loc="left")
    if grid:
        ax.grid(axis=grid, color=GRID, linewidth=0.8)
        ax.set_axisbelow(True)
    return ax


class Percent(Formatter):
    """Shares as percent, with as many digits as it takes to say where the ticks of an axis are, and to tell them apart."""

    def __call__(self, x, pos=None) -> str:
        return percent(x)

    def format_ticks(self, values) -> list[str]:
        texts = {digits: [percent(value, digits) for value in values] for digits in range(5)}
        apart = [digits for digits in texts if len(set(texts[digits])) == len(values)] or [4]
        exact = [d for d in apart if d < 3 and all(abs(round(100 * v, d) - 100 * v) < 1e-3 for v in values)]
        return texts[(exact or apart)[0]]


def log_ticks(ax, ticks: Iterable[float], names: Iterable[str] | None = None, **look) -> None:
    """A logarithmic horizontal axis with ticks at these numbers alone; names: their texts, by default the numbers."""
    ticks = list(ticks)
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks] if names is None else list(names), **look)
    ax.minorticks_off()


def name_lines(ax, loc: str = "best") -> None:
    """The legend of one Axes: where it covers least, or at `loc`, on white, so that no dashed line runs through the names; more
    than three names stand beside the Axes."""
    place: dict[str, Any] = dict(loc=loc)
    if loc == "best" and len(ax.get_legend_handles_labels()[1]) > 3:
        place = dict(loc="upper left", bbox_to_anchor=(1, 1))
    names = ax.legend(framealpha=0.9, facecolor="white", edgecolor="none", fontsize=TEXT_SIZE, labelcolor=INK, **place)
    for name in names.get_texts():
        name.set(**PLAIN)


def plain_bar(bar, label: str = "", size: float = TEXT_SIZE) -> None:
    """The kit's look for a colour bar."""
    bar.set_label(label, size=TEXT_SIZE, color=INK)
    bar.ax.tick_params(labelsize=size, colors=FAINT, labelcolor=INK)
    bar.outline.set_visible(False)
