"""The game of chapter 04: where does the second patch lie, or are both of one image? The reader against a network."""

import ipywidgets

from sslkit import plots
from sslkit.chapters.patches import figures
from sslkit.widgets import Panel, slider

WHERE = tuple("↖↑↗←→↙↓↘")  # the eight places in reading order
SAME = ("two images", "one image")
STRIP = 8  # puzzles of the static picture


def patch_game(first, second, answers, probabilities=None, images=None, guesses: dict | None = None) -> Panel:
    """A panel that shows pairs of patches one by one and asks for the answer; the first guess at each counts.

    first, second: patches [N, C, S, S]; answers [N]: the places 0 .. 7 in reading order, or 0 (two images) and 1 (one
    image) where there is no greater one. probabilities [N, 8] or [N, 2]: what a network says to each; without them the
    reader plays alone. images [N, C, H, W]: where the first patches come from, for the static picture. guesses {puzzle:
    answer} of an earlier panel on the same puzzles; the panel's `.guesses` fill up while one plays.
    """
    answers = [int(a) for a in plots.array(answers)]
    if not len(answers) or not len(answers) == len(first) == len(second):
        raise ValueError(f"the game needs as many patches as answers: {len(first)}, {len(second)}, {len(answers)}")
    said = None if probabilities is None else plots.array(probabilities)
    choices = WHERE if max(answers) > 1 or (said is not None and said.shape[1] == 8) else SAME
    if said is not None and said.shape != (len(answers), len(choices)):
        raise ValueError(f"probabilities must be [{len(answers)}, {len(choices)}], got {list(said.shape)}")
    guesses = {} if guesses is None else guesses
    asked = "Where does it belong?" if choices is WHERE else "Are both of one image?"
    puzzle = slider("puzzle", 0, 0, len(answers) - 1)
    options = ["?", *(f"{k} {arrow}" for k, arrow in enumerate(WHERE))] if choices is WHERE else ["?", *SAME]
    guess = ipywidgets.ToggleButtons(options=options, description="your guess", style={"button_width": "auto"})
    puzzle.observe(lambda _: setattr(guess, "value", "?"), names="value")  # a new puzzle: no guess yet

    def score() -> str:
        you = f"You: {sum(g == answers[i] for i, g in guesses.items())} of {len(guesses)}."
        if said is None:
            return you
        network = sum(said[i].argmax() == answers[i] for i in guesses)
        return f"{you} The network on the same: {network} of {len(guesses)}."

    def draw(puzzle: int, guess: str) -> plots.Picture:
        if guess != "?":
            guesses.setdefault(puzzle, options.index(guess) - 1)
        mine, words, shown = guesses.get(puzzle), "", None
        if mine is not None:
            words = f"{'Right' if mine == answers[puzzle] else 'No'}: {choices[answers[puzzle]]}."
            if said is not None:
                shown, top = said[puzzle], said[puzzle].argmax()
                words += f" The network says {choices[top]}, with {shown[top]:.0%}."
        words_of = {"title": f"Puzzle {puzzle}: {asked}", "caption": f"{words} {score()}".strip()}
        if choices is WHERE:
            answer = None if mine is None else answers[puzzle]
            return figures.places(first[puzzle], second[puzzle], shown, answer, mine, **words_of)
        both = [plots.array(x[puzzle]) for x in (first, second)]
        return plots.grid(both, ["first", "second"], 2, side=128, **words_of)

    def still() -> plots.Picture:
        n = min(STRIP, len(answers))
        rows, heads = {"first": first[:n], "second": second[:n]}, [str(i) for i in range(n)]
        caption = "Write down an answer to each: the network will be asked the same."
        if said is not None:
            short = [choice.split()[0] for choice in choices]  # what fits above an image
            right = sum(said[i].argmax() == answers[i] for i in range(len(answers)))
            rows |= {} if images is None else {"image": images[:n]}
            heads = [f"{short[answers[i]]}; net {short[said[i].argmax()]}" for i in range(n)]
            what = "where the second patch lies" if choices is WHERE else "of how many images"
            caption = f"Above: {what}, and what the network says (right in {right} of all {len(answers)})."
        return plots.rows(rows, heads, title=asked, caption=f"{caption} Run the notebook to play.", side=88)

    panel = Panel({"puzzle": puzzle, "guess": guess}, draw, still)
    panel.guesses = guesses
    return panel
