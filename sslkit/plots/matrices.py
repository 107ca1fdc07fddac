"""Matrices as heat maps."""

from typing import Any

import numpy as np

from .axes import panels, plain_bar
from .picture import COLOURS, INK, TEXT_SIZE, WIDTH, Picture, array, drawing, render
from .text import PLAIN, class_names, text_width


@drawing
def heatmap(
    matrix,
    row_names=None,
    column_names=None,
    title: str = "",
    caption: str = "",
    label: str = "",
    numbers: bool | None = None,
    limits: tuple[float, float] | None = None,
    xlabel: str = "",
    ylabel: str = "",
    marks=None,
    colours: str = "cividis",
) -> Picture:
    """A matrix [R, C] in matplotlib's `colours` with a colour bar named `label`; `numbers` writes the values (by default up
    to 12 columns).

    limits fixes the colour range; marks: list of (row, column) to frame orange, e.g. the positive pairs.
    """
    m = array(matrix).astype(float)
    if m.ndim != 2:
        raise ValueError(f"a heat map needs a matrix [R, C], got shape {list(m.shape)}")
    cell = min(0.6, 5.6 / m.shape[1], 5.0 / m.shape[0])
    side = max((text_width(str(name), TEXT_SIZE) for name in row_names), default=0) if row_names is not None else 0.3
    width = min(WIDTH, max(5.5, cell * m.shape[1] + side + 1.5))
    height = max(2.4, cell * m.shape[0] + 0.9)
    fig, (ax,) = panels(title, caption, height, xlabel, ylabel, width=width)
    low, high = limits or (np.nanmin(m), np.nanmax(m))
    image = ax.imshow(m, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    plain_bar(fig.colorbar(image, ax=ax, shrink=0.9, pad=0.02), label)
    ax.spines[:].set_visible(False)
    if column_names is not None:
        turn = 40 if max(map(len, map(str, column_names))) * 0.085 > cell else 0
        look: dict[str, Any] = dict(rotation=turn, ha="right" if turn else "center", rotation_mode="anchor")
        ax.set_xticks(range(m.shape[1]), column_names, **look, **PLAIN)
    if row_names is not None:
        ax.set_yticks(range(m.shape[0]), row_names, **PLAIN)
    if numbers if numbers is not None else m.shape[1] <= 12 and cell >= 0.4:
        style = ".2f" if np.nanmax(abs(m)) <= 1 else ".3g"
        for (r, c), value in np.ndenumerate(m):
            dark = (value - low) / max(high - low, 1e-12) < 0.55
            text = f"{value:{style}}".replace("-0.00", "0.00") if value else "0"
            ax.text(c, r, text, ha="center", va="center", size=8, color="white" if dark else INK)
    if marks:
        rows, columns = zip(*marks)
        frames = dict(marker="s", s=(cell * 60) ** 2, facecolors="none", edgecolors=COLOURS[1], linewidths=1.8)
        ax.scatter(columns, rows, **frames)
    span = f"from {np.nanmin(m):.3g} to {np.nanmax(m):.3g}"
    what = f"Heat map, {m.shape[0]} by {m.shape[1]}, {span} {label}".strip()
    return render(fig, title, caption, what, colours=256)


def confusion(predicted, y, classes=None, title: str = "", caption: str = "") -> Picture:
    """Confusion matrix: rows are the true class, columns the prediction, cells the share of the row; both [N]
    class numbers."""
    predicted, y = array(predicted).astype(int), array(y).astype(int)
    names = class_names(classes, np.concatenate([predicted, y]))
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (y, predicted), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    caption = f"{caption} Accuracy {np.mean(predicted == y):.1%} of {len(y)}; each row adds up to 1.".strip()
    look: dict[str, Any] = dict(label="share of the true class", limits=(0, 1), xlabel="predicted", ylabel="true")
    return heatmap(shares, names, names, title, caption, **look)
