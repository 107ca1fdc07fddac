"""A finished figure as PNG bytes with alt text, and the frame that all share: title above, caption below.

Figures are `matplotlib.figure.Figure`, never pyplot, and are drawn under one lock: JupyterLab may run a
widget's callback in a second thread while a cell draws, pyplot's global list of figures then loses some, and
matplotlib's font cache is shared. For the same reason colours and fonts are passed to each artist and not set
in the global rcParams.
"""

import base64
import functools
import io
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .text import wrap

LOCK = threading.RLock()
DPI = 100
WIDTH = 8.6  # inches: about the width of an output in JupyterLab and on GitHub
PAD = 0.1  # inches between the border and what is drawn
INK, FAINT, GRID = "#222222", "#5A5A5A", "#DDDDDD"
TITLE_SIZE, TEXT_SIZE, CAPTION_SIZE = 12, 9, 9.5

# Okabe and Ito (2008), black last, plus brown and indigo: of 4,096 candidates the pair furthest from these
# eight and white in OKLab, in the worst of normal, protan, deutan and tritan vision (Machado et al. 2009).
COLOURS: tuple[str, ...]
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#772200", "#F0E442", "#332288", "#000000")
RIGHT, WRONG, NEUTRAL = COLOURS[0], COLOURS[3], "#9A9A9A"


@dataclass(frozen=True)
class Picture:
    """PNG bytes and the words that stand for them; shows itself as the last value of a cell."""

    png: bytes = field(repr=False)
    alt: str

    def save(self, path: str | Path) -> Path:
        """Write the PNG file, and its folder if need be."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.png)
        return path

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": base64.b64encode(self.png).decode("ascii"), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


def drawing(function):
    """Decorator: one figure at a time, see above."""

    @functools.wraps(function)
    def locked(*args, **kwargs):
        with LOCK:
            return function(*args, **kwargs)

    return locked


def array(x) -> np.ndarray:
    """A tensor (on any device), array or list as a numpy array."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        if str(x.dtype) == "torch.bfloat16":  # numpy has no such type
            x = x.float()
    return np.asarray(x)


def frame(width: float, height: float, title: str, caption: str) -> tuple[Figure, tuple[float, float, float, float]]:
    """A figure whose body is width x height inches, with the title above it and the caption below.

    Returns the figure, and the body as (left, bottom, width, height) in figure fractions.
    """
    fig = Figure(dpi=DPI, facecolor="white")
    FigureCanvasAgg(fig)
    title = wrap(title, width, TITLE_SIZE, "bold") if title else ""
    caption = wrap(caption, width, CAPTION_SIZE) if caption else ""
    above = (title.count("\n") + 1) * TITLE_SIZE * 1.25 / 72 + 0.08 if title else 0.0
    below = (caption.count("\n") + 1) * CAPTION_SIZE * 1.35 / 72 + 0.08 if caption else 0.0
    full_width, full_height = width + 2 * PAD, height + above + below + 2 * PAD
    fig.set_size_inches(full_width, full_height)
    left = PAD / full_width
    if title:
        look: dict[str, Any] = dict(size=TITLE_SIZE, weight="bold", color=INK, va="top", linespacing=1.15)
        fig.text(left, 1 - PAD / full_height, title, **look)
    if caption:
        look = dict(size=CAPTION_SIZE, color=FAINT, va="bottom", linespacing=1.25)
        fig.text(left, PAD / full_height, caption, **look)
    return fig, (left, (PAD + below) / full_height, width / full_width, height / full_height)


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


def name_lines(ax) -> None:
    """The legend of one Axes: where it covers least, on white, so that no dashed line runs through the names; more than
    four names stand beside the Axes."""
    beside = dict(loc="upper left", bbox_to_anchor=(1, 1)) if len(ax.get_legend_handles_labels()[1]) > 4 else {}
    ax.legend(framealpha=0.9, facecolor="white", edgecolor="none", fontsize=TEXT_SIZE, labelcolor=INK, **beside)


def drawn(fig: Figure) -> np.ndarray:
    """The figure as it stands, uint8 [height, width, 3]."""
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def render(fig: Figure, alt: str, colours: int | None = None) -> Picture:
    """Draw the figure to PNG. `colours`: the size of a palette to store it with, at a third of the size.

    A palette of 256 suits small images too. No date, no version: a rerun gives the same bytes.
    """
    image = Image.fromarray(drawn(fig))
    if colours:
        image = image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, "png")  # optimize=True would take ten times as long for 3 % fewer bytes
    return Picture(buffer.getvalue(), " ".join(alt.split()))


@drawing
def note(title: str, caption: str = "") -> Picture:
    """Words alone, in the look of the figures: where there is nothing to show yet."""
    fig, _ = frame(WIDTH, 0.02, title, caption)
    return render(fig, f"{title}. {caption}", colours=16)
