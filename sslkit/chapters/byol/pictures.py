"""The pictures of chapter 12: collapse as it happens, one number that lives or dies, the spectrum of a predictor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslkit import evidence
from sslkit.plots.axes import name_lines, panels
from sslkit.plots.curves import draw_losses
from sslkit.plots.picture import COLOURS, Picture, drawing, render

RESULTS = "ablations/byol_scenes"
PARTS = {
    "as it is": "BYOL",
    "SimSiam": "SimSiam",
    "no predictor": "no predictor",
    "teacher learns": "teacher learns",
    "no stop-gradient": "no stop-gradient",
    "nothing of the three": "nothing of the three",
}
# a part's colour is the same in all figures; the one-number world has two runs of its own, the first of them "nothing of the
# three" but for the rate
COLOUR = dict(zip(PARTS.values(), COLOURS)) | {"no predictor, no teacher": COLOURS[5], "slow predictor": COLOURS[6]}
CURVES = {  # runs in RESULTS, each with the name it is shown by, and a title
    "parts": (PARTS, "Four of six lose spread and rank, and have the lowest losses"),
    "bugs": (
        {
            "as it is": "as it should be",
            "same view twice": "A",
            "teacher forgotten": "B",
            "target has the predictor": "C",
        },
        "Three bugs: which is which?",
    ),
}
UNTRAINED = {"untrained": "untrained"}
TABLES = {  # the same, and the row in strong blue
    "ladder": (
        {
            "untrained": "the frozen teacher itself",
            "frozen teacher": "its student",
            "four teachers": "replaced three times",
            "as it is": "follows slowly (BYOL)",
            "SimSiam": "is the student (SimSiam)",
        },
        "A student outdoes its random teacher; 500 steps with a moving one add a little",
        "follows slowly (BYOL)",
    ),
    "left_over": (
        UNTRAINED | PARTS,
        "Without predictor or stop-gradient the probe finds no more than before training",
        "BYOL",
    ),
    "rates": (
        UNTRAINED
        | {
            "predictor rate 0": "rate 0",
            "predictor rate 1": "rate 1",
            "as it is": "rate 4",
            "predictor rate 10": "rate 10",
        },
        "A predictor that does not learn is of no use",
        "rate 4",
    ),
    "computed": (
        UNTRAINED
        | {
            "no predictor": "no predictor",
            "as it is": "two layers, trained",
            "linear predictor": "one matrix, trained",
            "direct predictor": "one matrix, computed",
        },
        "A matrix computed from the features is ahead of two trained layers",
        "one matrix, computed",
    ),
    "norms": (
        UNTRAINED
        | {
            "as it is": "batch norm",
            "group norm": "group norm",
            "group norm, no predictor": "group norm, no predictor",
            "no last norm": "z without batch norm",
            "no last norm, no predictor": "z without it, no predictor",
            "no norm": "no norm at all",
        },
        "With group norm and a predictor two runs of three still learn",
        "group norm",
    ),
}


@drawing
def side_by_side(shown: dict[str, dict], xlabel: str, title: str, caption: str, sharey: bool = False) -> Picture:
    """Panels of curves side by side, {what is shown: {name: (x, y)}}, with the names in the last, each in its COLOUR if it has
    one; sharey: one quantity in all."""
    fig, axes = panels(title, caption, 3.2, xlabel, grid="y", heads=shown, sharey=sharey, w_pad=0.04)
    for ax, (what, curves) in zip(axes, shown.items()):
        draw_losses(ax, curves, None, 1, [COLOUR.get(name, own) for name, own in zip(curves, COLOURS)])
        if what.endswith("log axis"):
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter("{x:g}")
        if what.startswith("spread"):
            ax.set_ylim(0, 1.05)
        if legend := ax.get_legend():
            legend.remove()
    name_lines(ax)
    ends = "; ".join(
        f"{what}: " + ", ".join(f"{name} {np.ravel(y)[-1]:.3g}" for name, (_, y) in curves.items())
        for what, curves in shown.items()
    )
    return render(fig, title, caption, f"Curves, at their ends {ends}", colours=128)


@evidence.or_a_note
def table(which: str) -> Picture:
    """One of TABLES: rows of the chapter's ablations, judged on val; those that were made."""
    rows, title, highlight = TABLES[which]
    made = evidence.results(RESULTS)["rows"]["kNN"]
    return evidence.scoreboard(RESULTS, {row: shown for row, shown in rows.items() if row in made}, title, highlight)


@evidence.or_a_note
def collapse(which: str) -> Picture:
    """Loss, spread and rank of z as some runs trained, seed 0: one of CURVES; those that were made."""
    runs, title = CURVES[which]
    found = evidence.results(RESULTS)
    loss = "loss" if which == "teachers" else "loss, log axis"
    panels: dict[str, dict[str, tuple]] = {loss: {}, "spread of z": {}, "effective rank of z": {}}
    for run, shown in runs.items():
        if made := found["runs"].get(run, {}).get("0"):
            step, spread, rank = zip(*made["spread"])
            panels[loss][shown] = tuple(zip(*made["curve"]))
            panels["spread of z"][shown], panels["effective rank of z"][shown] = (step, spread), (step, rank)
    if len(panels[loss]) < 2:
        raise evidence.NotMeasured(f"there are no runs of {which!r}")
    recipe = found["recipe"]
    caption = f"Seed 0, {recipe['steps']:,} steps of {recipe['batch']} images. Spread and rank: 256 projections of the training batch."
    return side_by_side(panels, "step", title, caption)


def one_number(paths: dict[str, list[float]], title: str) -> Picture:
    """|w| of the one-number world over the steps."""
    curves = {name: (range(1, len(path) + 1), path) for name, path in paths.items()}
    caption = (
        "One factor w for the student and one for the predictor, both 1 at first; noise of standard deviation 0.5. "
        'Colours as in section 7; "no predictor, no teacher" has that of "nothing of the three", which differs in speed alone.'
    )
    return side_by_side({"w: 0 is collapse": curves}, "step", title, caption)


def two_inputs(paths: dict[tuple[float, float], list[tuple[float, float]]]) -> Picture:
    """The weights of two inputs as they learn, {the noise of either: [(w_a, w_b), ...]}, a panel each."""
    panels = {}
    for (noise_a, noise_b), path in paths.items():
        a, b = np.transpose(path)
        lines = {"w_a": a, "w_b": b, "length": np.hypot(a, b)}
        panels[f"noise {noise_a:g} and {noise_b:g}"] = {name: (range(1, len(y) + 1), y) for name, y in lines.items()}
    caption = "A student with two inputs a and b and one predictor, always at its best. Length: the root of w_a squared plus w_b squared."
    return side_by_side(panels, "step", "Which input does the student turn to?", caption, sharey=True)


def other_view(z: Tensor) -> Tensor:
    """z [2N, K] of two views, with the views exchanged: row i is that of the other view of its image."""
    return torch.cat(z.chunk(2)[::-1])


def spectrum(extras: dict[str, dict[str, Tensor]], gains: Callable[[Tensor, Tensor], Any], most: int = 40) -> Picture:
    """Along the strongest directions of z, what the predictor passes on and what the two views share, {network: extras}.

    A cosine does not see how long p is, so the predictor's gains are scaled to agree with the shares on the whole (least squares).
    """
    panels = {}
    for network, seen in extras.items():
        z, p = seen["z"].float().cpu(), seen["p"].float().cpu()
        shared, passed = gains(z, other_view(z))[1][:most], gains(z, p)[1][:most]
        passed = passed * (passed @ shared) / (passed @ passed)
        x = range(1, len(shared) + 1)
        panels[network] = {
            "shared by the two views": (x, shared.tolist()),
            "passed on by the predictor": (x, passed.tolist()),
        }
    title = "The predictor learns how much of each direction the other view shares"
    caption = f"The {most} strongest directions of z on {len(z) // 2} validation scenes, two views each; gains up to one common factor."
    return side_by_side(panels, "direction, strongest first", title, caption, sharey=True)
