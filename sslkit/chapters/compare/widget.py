"""One factor of a scene under the reader's hand, and how far each network's features move."""

import torch

from sslkit import plots
from sslkit.chapters.compare.figures import moved
from sslkit.datasets.controlled import SLIDES, render, sample, slide
from sslkit.probes.factors import total_effect
from sslkit.probes.features import features
from sslkit.widgets import Panel, choice, slider


def factor_slider(encoders: dict, n: int = 48, seed: int = 0, factor: str = "hue", shown: int = 10) -> Panel:
    """A panel with a factor of `scenes` to choose, a slider that moves it in all of n scenes, and a bar for each network
    in encoders {name: network}.

    A bar is total_effect, in percent, against the same scenes at the start of the slider: 0 = the features stay where they
    are, 100 = they move as far as to another scene. Without a kernel: each factor from one end to the other.
    """
    if not encoders:
        raise ValueError("the slider needs a network at least")
    scenes = sample(n, torch.Generator().manual_seed(seed))
    x = render(scenes, seed)
    reference = {name: features(network, x) for name, network in encoders.items()}
    starts: dict[str, tuple] = {}  # factor: images and features at the start, computed once

    def start(factor: str):
        if factor not in starts:
            x = render(slide(scenes, factor, 0.0), seed)
            starts[factor] = x, {name: features(network, x) for name, network in encoders.items()}
        return starts[factor]

    def effects(factor: str, at: float):
        (_, h), after = start(factor), render(slide(scenes, factor, at), seed)
        moves = {
            name: 100 * total_effect(h[name], features(net, after), reference[name]) for name, net in encoders.items()
        }
        return after, moves

    def draw(factor: str, at: float) -> plots.Picture:
        after, moves = effects(factor, at)
        caption = f"{n} scenes, {shown} shown. 0: the features stay; 100: as far as to another scene."
        before = start(factor)[0]
        title = f"{factor} moved by {at:.0%} of its range: whose features follow?"
        return moved(before[:shown], after[:shown], moves, title, caption, "how far the features move, %", full=100)

    def fallback() -> plots.Picture:
        table: dict[str, dict[str, float]] = {name: {} for name in encoders}
        for one in SLIDES:
            for name, move in effects(one, 1.0)[1].items():
                table[name][one] = move / 100
        caption = (
            f"{n} scenes, each factor from one end of its range to the other, hues by half a turn. "
            "0 %: the features stay; 100 %: they move as far as to another scene. "
            "Run the notebook to choose a factor, move it and see the scenes."
        )
        title = "How far each network's features move with each factor"
        return plots.scoreboard(table, title=title, caption=caption, highlight="", percent=list(SLIDES))

    amount = slider("from one end to the other", 1.0, 0.0, 1.0)
    amount.step = 0.05
    return Panel({"factor": choice("factor", SLIDES, factor), "at": amount}, draw, fallback)
