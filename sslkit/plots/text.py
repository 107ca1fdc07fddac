"""Text on figures: its width before it is drawn, line breaks, alt text, class names."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

PLAIN: dict[str, Any] = {"parse_math": False}  # for texts that a reader's data may be part of


@lru_cache(4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches of a line of text. Dollars are dollars: names of classes and files are no formulas (PLAIN)."""
    prop = FontProperties(size=size, weight=weight)
    return 1.03 * text_to_path.get_text_width_height_descent(text, prop, False)[0] / 72  # hinting widens by up to 3 %


def percent(share: float, digits: int = 0) -> str:
    """A share in percent. What rounds to zero has no sign: 0.0%, where plain formatting says -0.0%."""
    text = f"{share:.{digits}%}"
    return text.lstrip("-") if not text.strip("-0.%") else text


def wrap(text: str, width: float, size: float, weight: str = "normal") -> str:
    """Break text into lines of at most `width` inches, at blanks; line breaks that are there stay."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and text_width(longer, size, weight) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


def shorten(text: str, width: float, size: float) -> str:
    """Text cut off with an ellipsis so that it is at most `width` inches wide."""
    text = str(text)
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


@lru_cache
def glyphs() -> frozenset[int]:
    """The characters that matplotlib's font can draw."""
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def drawable(text: str) -> str:
    """A text as a figure can hold it: a sign for what has no shape or is not in the font (日), ∅ for no text at all."""
    return "".join(c if c.isprintable() and ord(c) in glyphs() else "�" for c in str(text)) or "∅"


def describe(what: str, title: str, caption: str) -> str:
    """Alt text: what kind of figure, then its title and caption as sentences."""
    parts = (part.strip() for part in (what, title, caption))
    return " ".join(part if part[-1] in ".!?" else part + "." for part in parts if part)


def class_names(classes, y) -> list[str]:
    """Names of the classes 0..n-1; numbers where there are none."""
    n = int(np.max(y)) + 1 if len(y) else 0
    if classes is None:
        return [str(k) for k in range(n)]
    if len(classes) < n:
        raise ValueError(f"labels reach {n - 1} but only {len(classes)} class names were given: pass data.classes")
    return [str(name) for name in classes]
