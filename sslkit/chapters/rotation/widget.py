"""The game of chapter 03: where does the top of this image point?"""

import ipywidgets

from sslkit import plots
from sslkit.widgets import Panel, slider

TURNS = ("↑ 0°", "← 90°", "↓ 180°", "→ 270°")  # counter-clockwise; the arrow: where the top points
STILL = 12  # images of the static picture


def turn_game(x, turns) -> Panel:
    """A panel that shows turned images x [N, C, S, S] one by one and asks for the turn; the first guess at each counts.

    turns [N]: the true ones, in quarter turns. The panel's `guesses` {image: turn} fill up while one plays.
    """
    turns = [int(turn) for turn in plots.array(turns)]
    guesses: dict[int, int] = {}
    image = slider("image", 0, 0, len(x) - 1)
    answer = ipywidgets.ToggleButtons(description="top points", options=["?", *TURNS])
    image.observe(lambda _: setattr(answer, "value", "?"), names="value")  # a new image: no answer yet

    def draw(image: int, answer: str) -> plots.Picture:
        if answer != "?":
            guesses.setdefault(image, TURNS.index(answer))
        words = "Where does the top of this image point?"
        if image in guesses:
            right = sum(guess == turns[i] for i, guess in guesses.items())
            verdict = "Right" if guesses[image] == turns[image] else "No"
            words = f"{verdict}: {TURNS[turns[image]]}. You: {right} of {len(guesses)}."
        return plots.grid(x[image][None], title=f"Image {image}", caption=words, side=256)

    def still() -> plots.Picture:
        title = "Where does the top of each image point?"
        names = range(1, min(STILL, len(x)) + 1)
        return plots.grid(x[:STILL], names, 6, title, "The answers stand below the training, in section 4.", side=110)

    panel = Panel({"image": image, "answer": answer}, draw, still)
    panel.guesses = guesses
    return panel
