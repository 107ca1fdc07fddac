"""One table at the end: what each method is worth, what it keeps and forgets, what it costs, and what others published."""

from statistics import mean
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from sslkit import chapters, evidence
from sslkit.plots.picture import COLOURS, FAINT, INK, TEXT_SIZE, WIDTH, Picture, drawing, frame, render
from sslkit.plots.text import text_width

WORTH = {"kNN": "kNN", "linear probe": "linear", "few labels": "10 labels"}
FACTORS = {
    "kind": ("kind",),
    "place": ("x", "y"),
    "size": ("size",),
    "tilt": ("tilt",),
    "hue": ("hue",),
    "pattern": ("background",),
    "colour": ("mean colour",),
}
PUBLISHED = {"linear probe": "linear", "kNN": "kNN", "fine-tuned": "tuned"}
FULL = 0.5  # a change of R2 that takes a cell's full colour
ROW, HEAD = 0.27, 0.62  # inches


def factors(read: dict[str, list[float]]) -> list[float]:
    """What is read of each of FACTORS, mean over seeds and parts."""
    return [mean(mean(read[part]) for part in parts) for parts in FACTORS.values()]


def table() -> tuple[dict[str, list[str]], dict[str, list[float]]]:
    """{title: cells} of the closing table, and {title: change of each factor against an untrained network of its kind}, from
    results/compare.json and results/published.json. Every method that has been measured is in it."""
    kept, published = evidence.results("compare"), evidence.results("published")["rows"]
    cells, changes = {}, {}
    names = [
        *(n for n in kept["read"] if n.startswith("untrained")),
        *kept["methods"],
        "supervised",
        "supervised, as long",
    ]
    for name in (name for name in names if name in kept["read"]):
        facts, said = kept["methods"].get(name, {}), published.get(name, {})
        fresh = name if name.startswith("untrained") else facts.get("untrained", "untrained")
        values, start = factors(kept["read"][name]), factors(kept["read"][fresh])
        title = chapters.title(name)
        cells[title] = [f"{100 * mean(kept['rows'][judge][name]):.0f}" for judge in WORTH]
        cells[title] += [f"{value:.2f}".replace("-0.00", "0.00") for value in values]
        cells[title] += [f"{facts['core seconds']:.0f}" if "core seconds" in facts else ""]
        cells[title] += [f"{100 * said[judge]:.0f}" if judge in said else "" for judge in PUBLISHED]
        changes[title] = [value - first for value, first in zip(values, start)]
    return cells, changes


@drawing
def closing(title: str, caption: str = "") -> Picture:
    """The table as a figure. Blue: a factor is read better than from an untrained network of that kind, orange: worse."""
    cells, changes = table()
    groups = {"worth here, %": [*WORTH.values()], "what a probe reads, 0 to 1": [*FACTORS]}
    groups |= {"cost": ["core s"], "published, %": [*PUBLISHED.values()]}
    heads = [head for names in groups.values() for head in names]
    side = max(text_width(name, TEXT_SIZE) for name in cells) + 0.15
    step, height = (WIDTH - side) / len(heads), HEAD + ROW * len(cells)
    fig, (left, bottom, w, h) = frame(WIDTH, height, title, caption)
    ax = fig.add_axes((left, bottom, w, h), xlim=(0, WIDTH), ylim=(height, 0))
    ax.axis("off")
    at, first = side, len(WORTH)
    for group, names in groups.items():
        ax.text(at + step * len(names) / 2, 0.16, group, size=TEXT_SIZE, color=INK, ha="center", weight="bold")
        ax.plot([at + 0.06, at + step * len(names) - 0.06], [0.22, 0.22], color=FAINT, linewidth=0.8)
        at += step * len(names)
    for k, head in enumerate(heads):
        ax.text(side + (k + 0.5) * step, 0.45, head, size=TEXT_SIZE - 1, color=FAINT, ha="center")
    for r, (name, row) in enumerate(cells.items()):
        y = HEAD + (r + 0.5) * ROW
        ax.text(0, y, name, size=TEXT_SIZE, color=INK, va="center")
        for k, text in enumerate(row):
            x = side + k * step
            if 0 <= k - first < len(FACTORS):
                change = float(np.clip(changes[name][k - first] / FULL, -1, 1))
                look: dict[str, Any] = dict(color=COLOURS[0 if change > 0 else 1], alpha=0.6 * abs(change), linewidth=0)
                ax.add_patch(Rectangle((x + 0.02, y - ROW / 2 + 0.02), step - 0.04, ROW - 0.04, **look))
            ax.text(x + step / 2, y, text, size=TEXT_SIZE, color=INK, ha="center", va="center")
    spoken = "; ".join(
        f"{name}: {', '.join(f'{h} {c}' for h, c in zip(heads, row) if c)}" for name, row in cells.items()
    )
    return render(fig, title, caption, f"Table. {spoken}", colours=128)
