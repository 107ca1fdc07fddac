"""The pictures of chapter 02 that are no maps: neighbours, curves over k and C, peeking, rank, circles, collapse."""

import math
from typing import Any

import torch
from torch import Tensor

from sslkit import evidence, measures, plots, probes
from sslkit.plots.axes import DASHED, Percent, log_ticks, name_lines, panels
from sslkit.plots.picture import COLOURS, INK, drawing, render

GUESSING = DASHED | dict(label="guessing")
NAMES = ("pixels", "untrained", "SimCLR", "supervised")
COLOUR = dict(zip(NAMES, COLOURS))  # each contestant keeps its colour


def axes(title: str, caption: str, count: int = 1, height: float = 3.4):
    """A figure and its panels, side by side."""
    return panels(title, caption, height, grid="both", heads=[""] * count, w_pad=0.03)


def finish(fig, title: str, caption: str) -> plots.Picture:
    """Legends, and the figure as a picture."""
    for ax in fig.axes:
        if len(ax.get_legend_handles_labels()[1]) > 1:
            name_lines(ax)
    return render(fig, title, caption, colours=96)


def shares(ax, title: str = "validation accuracy") -> None:
    """Percent on the y axis, from zero."""
    ax.set_ylim(0, None)
    ax.set_ylabel(title)
    ax.yaxis.set_major_formatter(Percent())


def exam(split: Any, classes: list[str]) -> plots.Picture:
    """Two scenes of each kind."""
    some = torch.cat([(split.y == kind).nonzero()[:2, 0] for kind in range(len(classes))])
    return plots.grid(
        split.x[some],
        [classes[kind] for kind in split.y[some]],
        columns=10,
        side=72,
        title="Which kind of thing is it? Everything else is there to distract",
        caption=f"Two of {len(split):,} validation scenes for each kind. Guessing gets {1 / len(classes):.0%}.",
    )


def nearest(name: str, bank: Any, val: Any, bank_h: Tensor, val_h: Tensor, classes: list[str]) -> plots.Picture:
    """Four validation images and the eight training images nearest to each by one contestant's features."""
    asked = torch.stack([(val.y == kind).nonzero()[5, 0] for kind in (0, 3, 5, 9)])
    _, found = probes.neighbours(bank_h, val_h[asked], k=8)
    return plots.neighbours(
        val.x[asked],
        bank.x[found.flatten()].unflatten(0, found.shape),
        val.y[asked],
        bank.y[found],
        classes,
        title=f"The nearest images, by {name}: mostly the same {'colours' if name == 'pixels' else 'kind'}",
        caption=f"Four validation images, and the nearest of {len(bank):,} training images by cosine similarity. Here",
        side=64,
    )


@drawing
def by_k(curves: dict[str, Tensor], chance: float, caption: str) -> plots.Picture:
    """Accuracy of kNN for k = 1, 2, ...: {name: [k]}."""
    title = "The choice of features moves the accuracy by fifty points, k by about ten"
    fig, (ax,) = axes(title, caption)
    for name, curve in curves.items():
        ax.plot(range(1, len(curve) + 1), curve, color=COLOUR[name], linewidth=1.8, label=name)
    ax.axhline(chance, **GUESSING)
    ax.set_xlabel("k, how many neighbours vote")
    log_ticks(ax, [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500) if k <= len(curve)])
    shares(ax)
    return finish(fig, title, caption)


def templates(W: Tensor, shape: torch.Size, classes: list[str]) -> plots.Picture:
    """The weights [D, K] of a probe on pixels as K images."""
    images = W.T.unflatten(1, shape)
    return plots.grid(
        images / images.abs().amax(dim=(1, 2, 3), keepdim=True) / 2 + 0.5,
        classes,
        columns=10,
        side=72,
        title="What a linear probe on pixels looks for: one blurred template for each kind",
        caption="Weights of the probe, each image scaled to its largest; grey is 0. A bright or coloured place: more of that "
        "colour there speaks for the kind.",
    )


@drawing
def by_c(scores: dict[str, dict[float, tuple[float, float]]], chance: float, caption: str) -> plots.Picture:
    """{name: {C: (accuracy on the images fitted, on val)}}; a ring at the best on val."""
    title = "More freedom always fits the training images better, new ones only up to a point"
    fig, (ax,) = axes(title, caption, height=3.8)
    for name, row in scores.items():
        fitted, held_out = zip(*row.values())
        ax.plot(list(row), fitted, color=COLOUR[name], linewidth=1.3, linestyle=(0, (4, 2)))
        ax.plot(list(row), held_out, "o-", color=COLOUR[name], linewidth=1.8, markersize=4, label=name)
        best = max(row, key=lambda C: row[C][1])  # noqa: B023
        ax.plot(best, row[best][1], "o", color=COLOUR[name], markersize=11, markerfacecolor="none")
    ax.axhline(chance, **GUESSING)
    ax.set(xscale="log", xlabel="C (to the right: less regularisation)")
    shares(ax, "accuracy")
    return finish(fig, title, caption)


@drawing
def peeking(sizes: tuple[int, ...], gifts: dict[str, list[float]], caption: str) -> plots.Picture:
    """Reported minus real accuracy, in points, against the size of the split."""
    title = "Choosing on the test split is a gift of points, and a large one when the split is small"
    fig, (ax,) = axes(title, caption)
    for (name, gift), colour, mark in zip(gifts.items(), (COLOURS[3], COLOURS[1], COLOURS[0]), "Dos"):
        ax.plot(sizes, gift, f"{mark}-", color=colour, label=name)
    ax.set(xlabel="images in the test split", ylabel="reported minus real, in points")
    log_ticks(ax, sizes, [f"{n:,}" for n in sizes])
    return finish(fig, title, caption)


@drawing
def spectrum(some_h: dict[str, Tensor]) -> plots.Picture:
    """Shares of the singular values of features."""
    title = "The flatter the curve, the higher the effective rank"
    n = min(len(h) for h in some_h.values())
    caption = f"Singular values of the features of {n:,} validation images, not centred, so that the first direction is mostly the mean."
    fig, (ax,) = axes(title, caption)
    for name, h in some_h.items():
        s = torch.linalg.svdvals(h)
        label = f"{name}: effective rank {measures.effective_rank(h):.0f}"
        ax.plot(range(1, len(s) + 1), s / s.sum(), color=COLOUR[name], linewidth=1.8, label=label)
    ax.set(xscale="log", yscale="log", ylim=(1e-5, 1), xlabel="direction, the largest first", ylabel="share of the sum")
    return finish(fig, title, caption)


@drawing
def family(line: dict[int, dict], others: dict[str, dict], chance: float) -> plots.Picture:
    """Effective rank against linear probe: one family as a line, others as diamonds."""
    title = "Cut features down, and rank and probe fall together; elsewhere they need not"
    caption = (
        "Line: SimCLR's features, cut down to their first m directions (numbers). Diamonds: other features, three of "
        "them made by hand. Validation split."
    )
    fig, (ax,) = axes(title, caption, height=3.8)
    rows: dict[Any, dict] = {**line, **others}
    at = {name: (row["effective rank"], row["linear probe"]) for name, row in rows.items()}
    ax.plot(*zip(*(at[m] for m in line)), "o-", color=COLOUR["SimCLR"], markersize=5)
    look: dict[str, Any] = dict(textcoords="offset points", ha="center", size=8.5)
    for m in line:
        ax.annotate(str(m), at[m], (0, 7), color=COLOUR["SimCLR"], **look)
    for name in others:
        ax.plot(*at[name], "D", color=COLOUR.get(name, "#000000"), markersize=7)
        aside = 34 if name == "supervised" else 0  # clear of the line
        ax.annotate(name, at[name], (aside, -15), color=COLOUR.get(name, "#000000"), **look)
    ax.axhline(chance, **GUESSING)
    ax.set(xscale="log", xlabel="effective rank (needs no labels)")
    ax.margins(x=0.1)
    shares(ax, "linear probe, validation accuracy")
    return finish(fig, title, caption)


def go_together(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation of two lists of numbers [N]: that of their ranks, which equal numbers share."""
    ranks = [(v[:, None] > v).sum(1) + (v[:, None] == v).sum(1) / 2 for v in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


def runs_of(chapter: str) -> dict[bool, Tensor]:
    """Effective rank and linear probe of each run in a chapter's ablations, [2, R]: of the trained, and of the untrained."""
    runs = evidence.results(f"ablations/{chapter}_scenes")["runs"]
    found: dict[bool, list[list[float]]] = {True: [], False: []}
    for row, seeds in runs.items():
        found[row != "untrained"] += [[run["rank of h"], run["scores"]["linear probe"]] for run in seeds.values()]
    return {trained: torch.tensor(pairs).T for trained, pairs in found.items()}


@evidence.or_a_note
@drawing
def of_runs(methods: dict[str, str], title: str) -> plots.Picture:
    """Effective rank against linear probe, a dot for each run of a method's ablations, {chapter: shown as}: those in which the two
    go together best come first."""
    found = {shown: runs_of(chapter) for chapter, shown in methods.items()}
    together = {shown: go_together(*pairs[True]) for shown, pairs in found.items()}
    order = sorted(together, key=lambda shown: -together[shown])
    caption = (
        "Beside each name: Spearman's correlation over its runs (dots), all on scenes, some of them broken on purpose; untrained "
        "networks (open diamonds) are not counted. Validation split. tests/benchmarks/ablate.py."
    )
    columns = math.ceil(len(order) / 2)
    heads = [f"{shown} {together[shown]:.2f}" for shown in order] + [""] * (2 * columns - len(order))
    fig, axes = panels(
        title, caption, 4.2, "", "linear probe", "both", heads=heads, rows=2, sharey=True, w_pad=0.03, h_pad=0.03
    )
    for ax, shown in zip(axes, order):
        trained, untrained = found[shown][True], found[shown][False]
        ax.plot(*trained, "o", color=COLOURS[0], markersize=4, alpha=0.6, markeredgewidth=0)
        ax.plot(*untrained, "D", markerfacecolor="white", markeredgecolor=INK, markersize=5)
        log_ticks(ax, (3, 10, 30, 100))
        ax.set(xlim=(2.5, 190), ylim=(0, 0.8), xlabel="effective rank")
        ax.yaxis.set_major_formatter(Percent())
    for ax in axes[len(order) :]:
        ax.set_axis_off()
    said = ", ".join(f"{shown} {together[shown]:.2f} over {found[shown][True].shape[1]} runs" for shown in order)
    return render(fig, title, caption, f"Effective rank against linear probe, run by run: {said}", colours=64)


@drawing
def circles(cases: dict[str, tuple[Tensor, Tensor]]) -> plots.Picture:
    """Positive pairs [N, 2] on the unit circle, with their alignment and uniformity."""
    title = "Close pairs, or room for all? One is easy without the other"
    caption = "24 positive pairs: dot and triangle are two views of one image, joined by a line."
    fig, circled = axes(title, caption, len(cases))
    turn = torch.linspace(0, math.tau, 200)
    for ax, (name, (z1, z2)) in zip(circled, cases.items()):
        ax.grid(False)
        ax.plot(turn.cos(), turn.sin(), color="#DDDDDD", linewidth=1)
        for a, b in zip(z1, z2):
            ax.plot(*zip(a, b), color="#9A9A9A", linewidth=0.8)
        ax.scatter(*z1.T, s=26, color=COLOURS[0], zorder=3)
        ax.scatter(*z2.T, s=26, color=COLOURS[1], zorder=3, marker="^")
        ax.set(aspect="equal", xticks=[], yticks=[], xlim=(-1.15, 1.15), ylim=(-1.15, 1.15))
        ax.spines[:].set_visible(False)
        values = f"alignment {measures.alignment(z1, z2):.2f}, uniformity {measures.uniformity(z1):.2f}"
        ax.set_xlabel(f"{name}\n{values}", size=10)
    return finish(fig, title, caption)


@drawing
def perfect_loss(losses: list[float], seen: dict[int, dict], chance: float) -> plots.Picture:
    """A loss, and what the judges say of the network at some steps."""
    title = "The loss is nearly perfect, the rank rings the alarm, and the probes see only that nothing was learned"
    ends = (
        f"{name} {seen[min(seen)][name]:.1%} before, {seen[max(seen)][name]:.1%} after"
        for name in ("linear probe", "kNN")
    )
    caption = (
        f"A network trained for alignment alone, {max(seen)} steps, one seed; validation split: {', '.join(ends)}."
    )
    fig, (left, middle, right) = axes(title, caption, count=3, height=2.8)
    left.plot(losses, color=INK)
    left.set(xlabel="step", ylabel="loss (alignment)", yscale="log")
    for ax, name, line in ((middle, "effective rank", "-"), (right, "linear probe", "-"), (right, "kNN", ":")):
        ax.plot(list(seen), [row[name] for row in seen.values()], "o" + line, color=INK, label=name)
    middle.set(xlabel="step", ylabel="effective rank", ylim=(0, None))
    right.axhline(chance, **GUESSING)
    right.set_xlabel("step")
    shares(right)
    return finish(fig, title, caption)
