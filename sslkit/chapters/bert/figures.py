"""Text on figures: passages word by word in boxes, shaded by a number each or coloured by kind, and guesses of a word."""

from typing import Any

from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from sslkit.plots.axes import plain_axes
from sslkit.plots.picture import COLOURS, INK, NEUTRAL, TEXT_SIZE, WIDTH, Picture, array, drawing, frame, render
from sslkit.plots.text import drawable, shorten, text_width

LINE, SIZE = 0.24, TEXT_SIZE + 1  # inches from one line to the next; points


def token_labels(tokenizer, tokens) -> list[str]:
    """Each of tokens [T] as it can be seen, see `BytePair.shown`."""
    return [drawable(tokenizer.shown(token)) for token in array(tokens).tolist()]


def width_of(word: str) -> float:
    """Inches of a word."""
    return text_width(word, SIZE)


def tint(colour: str, share: float) -> tuple[float, float, float]:
    """White at 0, the colour at 1."""
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def lines_of(texts: list[str], fills: list, marks, width: float, top: float) -> tuple[list[tuple], float]:
    """Running text: boxes (x, y, word, its width, fill or None, whether framed) from `top` on, and where the next line is."""
    boxes, x = [], 0.0
    for i, (word, fill) in enumerate(zip(texts, fills)):
        word = drawable(word)
        if width_of(word) > width - 0.1:
            word = shorten(word, width - 0.1, SIZE)
        wide = width_of(word) + 0.05
        if x and x + wide > width:
            x, top = 0.0, top + LINE
        boxes.append((x, top, word, wide, fill, i in marks))
        x += wide + 0.02
    return boxes, top + LINE


def draw_boxes(ax, boxes: list[tuple]) -> None:
    """The boxes of lines_of on axes in inches, y downwards."""
    for x, top, word, wide, fill, mark in boxes:
        if fill or mark:
            edge: dict[str, Any] = dict(edgecolor=COLOURS[3] if mark else NEUTRAL, linewidth=1.8 if mark else 0.0)
            ax.add_patch(Rectangle((x, top + 0.02), wide, LINE - 0.05, facecolor=fill or "white", **edge))
        dark = fill is not None and sum(fill) < 1.5
        style = dict(size=SIZE, color="white" if dark else INK, va="center", parse_math=False)
        ax.text(x + 0.025, top + LINE / 2, word, **style)


@drawing
def words(passages: dict, kinds=(), framed: dict | None = None, title="", caption="", width: float = WIDTH) -> Picture:
    """Passages {name: (words, values)} as running text in boxes, one block each.

    values: a number in [0, 1] for each word (its box is so blue), or the name of its kind out of `kinds` ("" for a
    word of no kind), which get a colour each and a legend. framed {name: [places]} draws a frame around those words.
    width in inches. ValueError for another number of values than words, or a kind that is not listed.
    """
    if not passages or not any(len(text) for text, _ in passages.values()):
        raise ValueError("no words to show")
    fill = {kind: tint(colour, 0.5) for kind, colour in zip(kinds, COLOURS[1:] * 4)}
    boxes: list[tuple] = []
    names, y, said = [], 0.0, []
    if kinds:
        boxes, y = lines_of(list(kinds), [fill[kind] for kind in kinds], (), width, 0.0)
        y += 0.4 * LINE
    for name, (text, values) in passages.items():
        values = list(values) if kinds else array(values).tolist()
        if len(values) != len(text):
            raise ValueError(f"{name!r}: {len(text)} words, but {len(values)} values")
        if unknown := {str(v) for v in values if kinds and v and v not in fill}:
            raise ValueError(f"{name!r}: no kind {', '.join(sorted(unknown))}; there are {', '.join(kinds)}")
        if name:
            names.append((y, name))
            y += LINE
        fills = [fill.get(v) if kinds else tint(COLOURS[0], 0.8 * min(max(v, 0.0), 1.0)) for v in values]
        new, y = lines_of(list(text), fills, (framed or {}).get(name, ()), width, y)
        boxes, y = boxes + new, y + 0.4 * LINE
        said.append((f"{name}: " if name else "") + " ".join(map(drawable, text)))
    fig, place = frame(width, y, title, caption)
    ax = fig.add_axes(place, xlim=(0, width), ylim=(y, 0))
    ax.axis("off")
    for top, name in names:
        ax.text(0, top + LINE / 2, name, size=SIZE, color=INK, va="center", weight="bold")
    draw_boxes(ax, boxes)
    what = "Text in boxes coloured by kind" if kinds else "Text shaded word by word"
    return render(fig, title, f"{caption} {' / '.join(said)[:300]}", what, colours=128)


@drawing
def word_guesses(text, hidden, guesses: list, title="", caption="", width: float = WIDTH) -> Picture:
    """A sentence whose `hidden` words (their places) are framed, and below it what was guessed: [(truth, [(guess,
    probability), ...]), ...], a panel of bars for each truth, the bar of a right guess in strong blue."""
    boxes, y = lines_of(list(text), [None] * len(text), set(hidden), width, 0.0)
    most = max((len(rows) for _, rows in guesses), default=0)
    tall = 0.24 * most + 0.35
    fig, (left, bottom, w, h) = frame(width, y + 0.1 + tall, title, caption)
    share = tall / (y + 0.1 + tall)
    ax = fig.add_axes((left, bottom + h * share, w, h * (1 - share)), xlim=(0, width), ylim=(y + 0.1, 0))
    ax.axis("off")
    draw_boxes(ax, boxes)
    said = []
    for k, (truth, rows) in enumerate(guesses):
        wide = w / len(guesses)
        names = 0.28 * w / max(len(guesses), 2)  # room for the guesses
        panel = plain_axes(fig.add_axes((left + k * wide + names, bottom, 0.88 * wide - names, h * share * 0.82)))
        at = range(len(rows))[::-1]
        colours = [COLOURS[0] if guess == truth else tint(COLOURS[0], 0.45) for guess, _ in rows]
        panel.barh(at, [p for _, p in rows], color=colours, height=0.72)
        panel.set(xlim=(0, 1), xticks=[])
        panel.set_yticks(at, [drawable(guess)[:16] for guess, _ in rows], parse_math=False)
        panel.spines["bottom"].set_visible(False)
        for y_, (_, p) in zip(at, rows):
            panel.text(min(p, 0.8) + 0.02, y_, f"{p:.0%}", va="center", size=TEXT_SIZE, color=INK)
        panel.set_title(f"hidden: {drawable(truth)}", size=SIZE, color=INK, loc="left", pad=3, parse_math=False)
        said.append(f"hidden {truth}: " + ", ".join(f"{guess} {p:.0%}" for guess, p in rows))
    return render(fig, title, f"{'; '.join(said)}. {caption}", "Text with guesses of a hidden word", colours=128)
