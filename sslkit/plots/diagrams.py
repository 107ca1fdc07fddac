"""A method as boxes and arrows, in one style for all chapters: what learns, what is compared, where the gradient stops.

A chapter says what there is and where it stands on a grid, and what goes where; sizes, colours, arrows, the key and the alt
text follow. Which arrows carry a gradient is worked out, not drawn by hand: it starts at what is compared, goes back
along the arrows, stops at `-|>`, and counts only where something that learns lies behind. An arrow that leaves what is
compared carries nothing else.

    boxes = {
        "image": Box("data", 0, 0.5),
        "view 1": Box("data", 1, 0),
        "view 2": Box("data", 1, 1),
        "student": Box("learns", 2, 0),
        "teacher": Box("fixed", 2, 1),
        "same?": Box("compared", 3, 0, rows=2),
    }
    arrows = ["image -> view 1 -> student -> same?", "image -> view 2 -> teacher -|> same?", "student ~> teacher"]
    diagram(boxes, arrows, "One learns, the other follows", "Paper, year.")
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from matplotlib.patches import FancyBboxPatch, Rectangle

from .picture import COLOURS, FAINT, INK, WIDTH, WRONG, Picture, drawing, frame, render
from .text import text_width

SIZE, KEY_SIZE = 13, 10.5  # points: text of the boxes, text of the key
PAD_X, PAD_Y = 0.14, 0.12  # inches between a text and its box
LINE = SIZE * 1.25 / 72  # inches of a line of text
GAP_X, WIDEST_GAP, GAP_Y = 0.4, 0.8, 0.4  # inches between columns, at the least and at the most; between rows
KEY = 0.5  # inches below the boxes for the key
HEAD = 0.14  # inches of an arrow's head

LOOKS = {  # kind: its word in the key, what fills it, its border, its text
    "data": ("data", "white", INK, INK),
    "hidden": ("hidden from the network", "white", FAINT, FAINT),
    "learns": ("learns", COLOURS[0], COLOURS[0], "white"),
    "fixed": ("learns nothing itself", "#6A6A6A", "#6A6A6A", "white"),
    "compared": ("compared: the loss", "#A85800", "#A85800", "white"),
}
ARROWS = {
    "->": "to",
    "-|>": "without gradient to",
    "~>": "whose weights are followed by",
    "=>": "whose weights are copied to",
}
LINKS = re.compile(r"\s(->|-\|>|~>|=>)\s")


@dataclass(frozen=True)
class Box:
    """One box: its kind (see LOOKS), its place on the grid, how many rows it spans, its text if that is not its name."""

    kind: str
    column: int
    row: float
    rows: int = 1
    text: str = ""


@dataclass(frozen=True)
class Rect:
    """Where a box stands, in inches; y runs upwards."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


@dataclass(frozen=True)
class Arrow:
    """From a point on one box to a point on another, in inches."""

    link: str
    source: str
    target: str
    start: tuple[float, float]
    end: tuple[float, float]
    gradient: bool


def links(arrows: list[str]) -> list[tuple[str, str, str]]:
    """Chains such as "a -> b -|> c" as single arrows (source, link, target), each once, in their order."""
    found: dict[tuple[str, str, str], None] = {}
    for chain in arrows:
        parts = LINKS.split(chain)
        for k in range(0, len(parts) - 2, 2):
            found[parts[k].strip(), parts[k + 1], parts[k + 2].strip()] = None
    return list(found)


def with_gradient(boxes: dict[str, Box], single: list[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """The arrows along which a gradient goes: from what is compared back to something that learns, past no stop, or on from there."""
    plain = [arrow for arrow in single if arrow[1] == "->"]

    def grown(names: set[str], start: int, end: int) -> set[str]:
        """What is reached from `names` when every arrow leads from its part `start` to its part `end`."""
        while more := {a[end] for a in plain if a[start] in names} - names:
            names = names | more
        return names

    losses = {name for name, box in boxes.items() if box.kind == "compared"}
    asked = grown(losses, 2, 0)
    trained = grown({name for name, box in boxes.items() if box.kind == "learns"}, 0, 2)
    return {arrow for arrow in plain if arrow[0] in trained and (arrow[2] in asked or arrow[0] in losses)}


def lay_out(boxes: dict[str, Box], arrows: list[str]) -> tuple[dict[str, Rect], list[Arrow], float]:
    """Places of boxes and arrows in inches, within WIDTH, and the height they take.

    ValueError for a kind or a name that does not exist, and for texts too wide to stand side by side.
    """
    for name, box in boxes.items():
        if box.kind not in LOOKS:
            raise ValueError(f"{name!r} is of no kind {box.kind!r}: there are {', '.join(LOOKS)}")
    single = links(arrows)
    if unknown := {name for a in single for name in (a[0], a[2])} - set(boxes):
        raise ValueError(f"arrows lead to or from {sorted(unknown)}, and there is no such box")
    texts = {name: (box.text or name).split("\n") for name, box in boxes.items()}
    columns = max(box.column for box in boxes.values()) + 1
    widths = [0.0] * columns
    for name, box in boxes.items():
        wide = max(text_width(line, SIZE, "bold") for line in texts[name]) + 2 * PAD_X
        widths[box.column] = max(widths[box.column], wide)
    free = WIDTH - sum(widths)
    if free < GAP_X * (columns - 1):
        raise ValueError(f"{-free + GAP_X * (columns - 1):.1f} inches too wide: break the texts into lines")
    gap = min(WIDEST_GAP, free / max(1, columns - 1))
    margin = (free - gap * (columns - 1)) / 2
    left = [margin + sum(widths[:k]) + k * gap for k in range(columns)]
    tall = max(len(lines) / boxes[name].rows for name, lines in texts.items()) * LINE + 2 * PAD_Y
    pitch = tall + GAP_Y
    height = max(box.row + box.rows for box in boxes.values()) * pitch - GAP_Y
    places = {}
    for name, box in boxes.items():
        top = height - box.row * pitch
        right = left[box.column] + widths[box.column]
        places[name] = Rect(left[box.column], top - box.rows * pitch + GAP_Y, right, top)
    carried = with_gradient(boxes, single)
    lines = [
        Arrow(link, a, b, *between(places[a], places[b]), gradient=(a, link, b) in carried) for a, link, b in single
    ]
    return places, lines, height


def between(a: Rect, b: Rect) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ends of an arrow from box a to box b: level where they stand side by side, upright within a column."""
    if a.left < b.right and b.left < a.right:
        x = max(a.left, b.left) / 2 + min(a.right, b.right) / 2
        return ((x, a.bottom), (x, b.top)) if a.bottom >= b.top else ((x, a.top), (x, b.bottom))
    low, high = max(a.bottom, b.bottom), min(a.top, b.top)
    if low < high:
        y = min(max(min(a, b, key=lambda box: box.top - box.bottom).middle[1], low), high)
        ys = (y, y)
    else:
        ys = (a.middle[1], b.middle[1])
    xs = (a.right, b.left) if a.right <= b.left else (a.left, b.right)
    return (xs[0], ys[0]), (xs[1], ys[1])


@drawing
def diagram(boxes: dict[str, Box], arrows: list[str], title: str = "", caption: str = "") -> Picture:
    """Boxes by their names, and chains of arrows between them: "a -> b" data, and gradient back where something learns;
    "a -|> b" data alone, the gradient stops; "a ~> b" the weights of b follow those of a; "a => b" b begins with them."""
    places, lines, height = lay_out(boxes, arrows)
    fig, body = frame(WIDTH, height + KEY, title, caption)
    ax = fig.add_axes(body)
    ax.axis("off")
    ax.set(xlim=(-0.02, WIDTH + 0.02), ylim=(-KEY, height + 0.02))
    for name, box in boxes.items():
        draw_box(ax, places[name], box.kind, box.text or name)
    for line in lines:
        draw_arrow(ax, line.start, line.end, line.link, line.gradient)
    draw_key(ax, [kind for kind in LOOKS if any(box.kind == kind for box in boxes.values())], lines)
    chains = "; ".join(LINKS.sub(lambda link: f" {ARROWS[link[1]]} ", chain) for chain in arrows)
    return render(fig, title, caption, f"Diagram: {chains}", colours=64)


def draw_box(ax, place: Rect, kind: str, text: str = "") -> None:
    """One box in the look of its kind, its text in the middle."""
    _, fill, border, ink = LOOKS[kind]
    size = place.right - place.left, place.top - place.bottom
    corner = f"round,pad=0,rounding_size={min(0.1, size[1] / 4)}"
    style = (0, (3, 2)) if kind == "hidden" else "solid"
    look: dict[str, Any] = dict(facecolor=fill, edgecolor=border, linewidth=1.6, linestyle=style)
    ax.add_patch(FancyBboxPatch((place.left, place.bottom), *size, boxstyle=corner, **look))
    ax.text(*place.middle, text, size=SIZE, weight="bold", color=ink, ha="center", va="center", linespacing=1.15)


def draw_arrow(ax, start, end, link: str, gradient: bool, bar: float = 0.13) -> None:
    """Blue where a gradient comes back, grey where data alone goes; dashed where weights go; two bars, `bar` to each
    side, where it stops."""
    colour = COLOURS[0] if gradient else FAINT
    style = dict(color=colour, linewidth=2.6 if gradient else 1.8, shrinkA=0, shrinkB=0)
    style |= dict(arrowstyle=f"-|>,head_length={HEAD * 3.6:.2f},head_width={HEAD * 1.8:.2f}", mutation_scale=20)
    if link in ("~>", "=>"):  # the dashes end at the head, which is drawn whole
        full = math.dist(start, end)
        neck = [e - (e - s) * HEAD / full for s, e in zip(start, end)]
        shaft = dict(color=style["color"], linewidth=style["linewidth"], linestyle=(0, (2.2, 1.4)))
        ax.plot(*zip(start, neck), **shaft, solid_capstyle="butt", dash_capstyle="butt", zorder=1)
        start = neck
    ax.annotate("", end, start, arrowprops=style)
    if link == "-|>":
        (x0, y0), (x1, y1) = start, end
        long = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        along = ((x1 - x0) / long, (y1 - y0) / long)
        for share in (-0.035, 0.035):
            x, y = (x0 + x1) / 2 - along[0] * (0.06 - share), (y0 + y1) / 2 - along[1] * (0.06 - share)
            dx, dy = -bar * along[1], bar * along[0]
            ax.plot([x - dx, x + dx], [y - dy, y + dy], color=WRONG, linewidth=3, solid_capstyle="butt")


def draw_key(ax, kinds: list[str], lines: list[Arrow]) -> None:
    """What the looks mean, in one or two lines below the boxes; only those that occur."""
    items = [(LOOKS[kind][0], kind) for kind in kinds if kind != "data"]
    if any(line.gradient for line in lines):
        items.append(("gradient comes back", "->"))
    if any(line.link == "-|>" for line in lines):
        items.append(("gradient stops", "-|>"))
    if any(line.link == "~>" for line in lines):
        items.append(("weights follow", "~>"))
    if any(line.link == "=>" for line in lines):
        items.append(("weights are copied", "=>"))
    x, y = 0.0, -0.22
    for words, look in items:
        swatch = 0.2 if look in LOOKS else 0.5
        wide = swatch + 0.08 + text_width(words, KEY_SIZE) + 0.22
        if x and x + wide - 0.22 > WIDTH:
            x, y = 0.0, y - 0.2
        if look in LOOKS:
            _, fill, border, _ = LOOKS[look]
            style = (0, (2, 1)) if look == "hidden" else "solid"
            ax.add_patch(Rectangle((x, y - 0.06), swatch, 0.12, facecolor=fill, edgecolor=border, linestyle=style))
        else:
            draw_arrow(ax, (x, y), (x + swatch, y), look, gradient=look == "->", bar=0.07)
        ax.text(x + swatch + 0.08, y, words, size=KEY_SIZE, color=INK, va="center_baseline")
        x += wide
