"""A finished figure as PNG bytes with alt text, and the frame that all share: title above, caption below.

A figure reaches the page as HTML: an <img> of twice the pixels, so that it is sharp on a dense screen, with its width and
its alt text. Of an output of type image/png neither JupyterLab nor nbconvert shows the alt text that stands in the
metadata. JupyterLab prefers HTML to a PNG (rank 50 against 90), shows data: URIs in notebooks that are not trusted too (its
sanitizer does not check `src`), and so do VS Code, Colab and nbviewer; GitHub shows them in HTML outputs, though not in Markdown
(atoti/notebooks#425, jupyter/notebook#789). So no second copy is kept beside it: it would double the files.

Figures are `matplotlib.figure.Figure`, never pyplot, and are drawn under one lock: JupyterLab may run a
widget's callback in a second thread while a cell draws, pyplot's global list of figures then loses some, and
matplotlib's font cache is shared. For the same reason colours and fonts are passed to each artist and not set
in the global rcParams.
"""

import base64
import functools
import html
import io
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .text import PLAIN, describe, wrap

LOCK = threading.RLock()
DPI = 100  # pixels of a page to an inch: what all sizes are reckoned in
SHARP = 2  # pixels of the picture to one of the page
WIDTH = 8.6  # inches: about the width of an output in JupyterLab and on GitHub
PAD = 0.1  # inches between the border and what is drawn
INK, FAINT, GRID = "#222222", "#5A5A5A", "#DDDDDD"
TITLE_SIZE, TEXT_SIZE, CAPTION_SIZE = 12, 9, 9.5

# Twelve colours, each with a contrast of 3:1 or more on white and on #111111 (WCAG 2.2; JupyterLab's dark theme), so that a class is seen
# on both. Found by search: a slot each for the hues that a reader can name, and the smallest distance of two of them in OKLab as large as
# can be, in normal, protan, deutan and tritan vision (Machado et al. 2009) alike.
COLOURS: tuple[str, ...] = (
    "#0068C0", "#C87000", "#389868", "#C02800", "#9838A0", "#7870F8", "#785868", "#207028", "#8018F8", "#B088A0", "#F85070", "#2098D8",
)  # fmt: skip
RIGHT, WRONG, NEUTRAL = COLOURS[0], COLOURS[3], "#808080"
PALE = "#7FA9D6"  # the strong blue's weaker sister: one bar among others


@dataclass(frozen=True)
class Picture:
    """PNG bytes and the words that stand for them; shows itself as the last value of a cell."""

    png: bytes = field(repr=False)
    alt: str

    @staticmethod
    def found(page: str) -> "Picture | None":
        """The first picture of a piece of HTML that `html` has written; None where there is none."""
        image = re.search(r'alt="([^"]*)" src="data:image/png;base64,([^"]+)"', page)
        return Picture(base64.b64decode(image[2]), html.unescape(image[1])) if image else None

    def save(self, path: str | Path) -> Path:
        """Write the PNG file, and its folder if need be."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.png)
        return path

    @property
    def width(self) -> int:
        """Pixels of the page that it takes."""
        return int.from_bytes(self.png[16:20], "big") // SHARP

    @property
    def html(self) -> str:
        """The picture as one <img>, complete in itself."""
        source = base64.b64encode(self.png).decode("ascii")
        alt = html.escape(self.alt)
        return f'<img width="{self.width}" style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{source}">'

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "text/plain": self.alt}, {}


_pass = threading.local()


@contextmanager
def for_a_moment():
    """Pictures drawn inside are looked at and not kept: their PNG is made in a quarter of the time, and is larger."""
    _pass.on = True
    try:
        yield
    finally:
        _pass.on = False


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
        fig.text(left, 1 - PAD / full_height, title, **look, **PLAIN)
    if caption:
        look = dict(size=CAPTION_SIZE, color=FAINT, va="bottom", linespacing=1.25)
        fig.text(left, PAD / full_height, caption, **look, **PLAIN)
    return fig, (left, (PAD + below) / full_height, width / full_width, height / full_height)


def drawn(fig: Figure) -> np.ndarray:
    """The figure as it stands, uint8 [SHARP height, SHARP width, 3]."""
    fig.set_dpi(SHARP * DPI)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def render(fig: Figure, title: str, caption: str, what: str = "", colours: int | None = None) -> Picture:
    """Draw the figure to PNG. Its alt text: what kind of figure it is, then title and caption.

    `colours`: the size of a palette to store it with, at a third of the size; 256 suit small images too. No date, no version: a
    rerun gives the same bytes.
    """
    alt = " ".join(describe(what, title, caption).split())
    image = Image.fromarray(drawn(fig))
    buffer = io.BytesIO()
    if getattr(_pass, "on", False):
        image.save(buffer, "png", compress_level=1)
        return Picture(buffer.getvalue(), alt)
    if colours:
        image = image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    image.save(buffer, "png")  # optimize=True would take ten times as long for 3 % fewer bytes
    return Picture(buffer.getvalue(), alt)


@drawing
def note(title: str, caption: str = "") -> Picture:
    """Words alone, in the look of the figures: where there is nothing to show yet."""
    fig, _ = frame(WIDTH, 0.02, title, caption)
    return render(fig, title, caption, colours=16)
