"""Bars with their runs, the scoreboard."""

from collections.abc import Collection

import numpy as np

from .axes import DASHED, Percent, panels
from .picture import COLOURS, GRID, INK, PALE, TEXT_SIZE, Picture, array, drawing, render
from .text import PLAIN
from .text import percent as in_percent


def as_runs(values: dict) -> dict[str, np.ndarray]:
    """{name: number or numbers} as {name: [R]}, one number a run."""
    if not values:
        raise ValueError("nothing to draw: the table is empty")
    return {str(name): np.atleast_1d(array(v)).astype(float) for name, v in values.items()}


def is_share(runs: dict) -> bool:
    """Whether the numbers look like accuracies: all within [0, 1]."""
    flat = np.concatenate(list(runs.values()))
    return bool(((flat >= 0) & (flat <= 1) | np.isnan(flat)).all())


def short(number: float) -> str:
    """Three digits, and no power of ten: 0.0234, 2.00, 12.3, 1,480; whole numbers as they are."""
    if abs(number) < 0.0005:
        return "0"
    whole = abs(number) >= 999.5 or number == round(number)
    return f"{number:,.0f}" if whole else f"{number:#.3g}".rstrip(".")


def draw_bars(
    ax,
    runs: dict,
    highlight: str | None,
    names: bool = True,
    room: float = 1.2,
    ticks: int = 5,
    percent: bool | None = None,
    reach: float | None = None,
    beside: Collection[str] = (),
):
    """Horizontal bars, first on top: the mean as bar and number, each run as a dot, one bar in strong blue.

    runs {name: [R]}; nan leaves a line empty; highlight None takes the highest mean, "" none; percent: whether to show percent, None: if
    the numbers are shares; reach: the number at the axis' end, None for the highest run; beside: bars in grey, of what the others
    are held against.
    """
    means = {name: r.mean() for name, r in runs.items()}
    if highlight is None:
        highlight = max(means, key=lambda name: np.nan_to_num(means[name], nan=-np.inf))
    share, at = is_share(runs) if percent is None else percent, np.arange(len(runs))[::-1]
    reach = reach or max(np.nanmax([r.max() for r in runs.values()]), 1e-9)
    dot = dict(marker="o", linestyle="", markersize=3.5, color="white", markeredgecolor=INK, markeredgewidth=0.8)
    for y, (name, r) in zip(at, runs.items()):
        if np.isnan(means[name]):
            continue
        strong = name == highlight
        ax.barh(y, means[name], height=0.62, color=COLOURS[0] if strong else GRID if name in beside else PALE)
        if len(r) > 1:
            ax.plot(r, np.full(len(r), y), **dot)
        text = in_percent(means[name], 1) if share else short(means[name])
        look = dict(va="center", size=TEXT_SIZE, color=INK, weight="bold" if strong else "normal")
        paper = dict(facecolor="white", edgecolor="none", pad=1)  # the dashed line does not run through a number
        ax.annotate(text, (max(r.max(), 0), y), (6, 0), textcoords="offset points", bbox=paper, **look)
    ax.set_xlim(min(0, np.nanmin(list(means.values()))), reach * room)
    ax.set_ylim(-0.6, len(runs) - 0.4)
    ax.set_yticks(at, list(runs) if names else [""] * len(at), **PLAIN)
    ax.tick_params(axis="y", length=0)
    if share:
        ax.xaxis.set_major_formatter(Percent())
    ax.locator_params(axis="x", nbins=ticks)


@drawing
def bars(values: dict, title="", caption="", xlabel="", chance: float | None = None, highlight=None) -> Picture:
    """Horizontal bars {name: number or [one number a run]}, `highlight` (by default the best) in strong blue.

    Numbers that all lie in [0, 1] are shown as percent.
    """
    runs = as_runs(values)
    fig, (ax,) = panels(title, caption, 0.34 * len(runs) + 0.65, xlabel, grid="x")
    highest = max(np.nanmax(r) for r in runs.values())
    draw_bars(ax, runs, highlight, reach=None if chance is None else max(chance, highest))
    if chance is not None:
        ax.axvline(chance, **DASHED)
        number = f"{100 * chance:.3g}%" if is_share(runs) else short(chance)
        ax.set_xlabel(f"{xlabel} (dashed: chance, {number})".strip())
    numbers = ", ".join(f"{name} {short(r.mean())}" for name, r in runs.items())
    return render(fig, title, caption, f"Bars: {numbers}", colours=64)


@drawing
def scoreboard(
    table: dict,
    title: str = "",
    caption: str = "",
    highlight: str | None = None,
    percent: bool | Collection[str] = True,
    beside: Collection[str] = (),
    dots: str = "single runs",
) -> Picture:
    """Methods by judges: {method: {judge: number or [one number a run]}}, one panel a judge.

    Methods keep their order; `highlight` (by default the best by each judge whose numbers are shares) is in strong blue, those in
    `beside`, which the others are held against, in grey. A method without a value leaves its line empty. Judges whose numbers
    all lie in [0, 1] are shown as percent, unless these are bits, or `percent` is off; or it names the judges that are. Shares
    have one axis, and so have judges that end with the same unit, such as "(MB)". dots: what each of several numbers comes from.
    """
    judges = list(dict.fromkeys(judge for row in table.values() for judge in row))
    if not judges:
        raise ValueError("nothing to draw: the table is empty")
    if any(np.size(value) > 1 for row in table.values() for value in row.values()):
        caption = f"{caption} Dots: {dots}.".strip()
    fig, axes = panels(title, caption, 0.34 * len(table) + 0.75, grid="x", heads=judges, w_pad=0.02, wspace=0.05)
    spoken = []
    columns = {judge: as_runs({method: row.get(judge, np.nan) for method, row in table.items()}) for judge in judges}
    if isinstance(percent, bool):
        percent = [judge for judge in judges if percent and "bits" not in judge and is_share(columns[judge])]
    shares = set(percent) & set(judges)
    units = {judge: judge.rpartition(" ")[2] if judge.endswith(")") else judge for judge in judges}
    units |= dict.fromkeys(shares, "%")
    reach: dict[str, float] = {}  # one quantity, one axis
    for judge, unit in units.items():
        numbers = [np.nanmax(r) for r in columns[judge].values() if not np.isnan(r).all()]
        reach[unit] = max([reach.get(unit, 0.0), *numbers])
    for ax, (judge, runs) in zip(axes, columns.items()):
        chosen = highlight if highlight or is_share(runs) else ""  # a high rank is no merit
        share, end = judge in shares, reach[units[judge]]
        draw_bars(ax, runs, chosen, judge == judges[0], room=1.5, ticks=2, percent=share, reach=end, beside=beside)
        means = ", ".join(f"{name} {short(r.mean())}" for name, r in runs.items() if not np.isnan(r).any())
        spoken.append(f"{judge}: {means}")
    return render(fig, title, caption, f"Scoreboard. {'; '.join(spoken)}", colours=64)
