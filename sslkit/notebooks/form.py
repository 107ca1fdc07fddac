"""Whether the cells of a chapter keep to its form: short, narrow, and more of them teach than draw."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from sslkit.notebooks.cells import COLAB, marks, tagged

LINES = 15  # most lines of a cell that is not exported
COLUMNS = 100  # most columns
DRAWN = 0.35  # the largest share of all code lines that draw, in whole percents
# What is built or trained may be shown in the same cell.
TEACHES = re.compile(r"^(def|class) |\bin train\(", re.MULTILINE)
DRAWS = re.compile(r"\b(plots|pictures|looks|evidence|widgets?|figures|diagram|json)\.|\b(print|display)\(")


@dataclass(frozen=True)
class Form:
    """long: cells with too many lines, by the first of them; wide: lines with too many columns; drawn: the share of the code
    lines in cells that plot, print or read results."""

    long: list[str]
    wide: list[str]
    drawn: float


def form(nb: NotebookNode) -> Form:
    """What to shorten in a notebook. Empty lines and comments do not count."""
    cells = [cell for cell in nb.cells if cell.cell_type == "code" and not tagged(cell, COLAB)]
    own = [cell.source for cell in cells if not marks(cell)]  # neither exported nor an exercise
    wide = [line for cell in cells for line in cell.source.splitlines() if len(line) > COLUMNS]
    draw = sum(lines(source) for source in own if DRAWS.search(source) and not TEACHES.search(source))
    long = [source.splitlines()[0] for source in own if lines(source) > LINES]
    return Form(long, wide, draw / max(1, sum(lines(cell.source) for cell in cells)))


def lines(source: str) -> int:
    """Lines of code."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in source.splitlines())
