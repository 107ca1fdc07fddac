"""The pictures of chapter 23 that stand still: the questions, what is read and what moves, who is alike."""

from collections.abc import Iterable
from inspect import signature
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from sslkit import chapters, evidence, plots
from sslkit.chapters.compare.figures import lines, map_grid, named_points
from sslkit.chapters.compare.lineup import Lineup
from sslkit.datasets import Split
from sslkit.measures import alignment, cka, uniformity
from sslkit.probes import standardise
from sslkit.train import build

Features = dict[str, list[Tensor]]  # by title: of the images to fit, to choose, to judge
SPOKEN = {"x": "place x", "y": "place y", "background": "pattern"}  # factors whose names the text does not use
REFERENCES = ("pixels", "untrained", "supervised")  # how the rows begin that methods are held against


def held_against(names: Iterable[str]) -> list[str]:
    """Those that are no method: pixels, untrained networks, supervised ones."""
    return [name for name in names if name.startswith(REFERENCES)]


def questions(data: Any, kind: str = "vehicle") -> plots.Picture:
    """One scene, and what each method asks of it: every chapter whose figures.py has a `question`; one that compares images also
    gets a scene of another kind, as `other`."""
    alike = data.val.y == data.classes.index(kind)
    scene, other = (data.val.x[rows.nonzero()[0]] for rows in (alike, ~alike))  # [1, 3, 32, 32]
    asked = {}
    for name in chapters.methods():
        module, ask = chapters.get(name), getattr(chapters.part(name, "figures"), "question", None)
        if ask:
            method = build(module.METHOD, module.RECIPES["laptop"], data.channels)
            more = {"other": other} if "other" in signature(ask).parameters else {}
            words, shown = ask(method, scene, torch.Generator().manual_seed(4), **more)
            asked[words] = shown
    title = "One scene (SimCLR: two), and what each method asks of it"
    caption = (
        "Each method's own pretext, with its laptop settings. MAE: what the network sees, and the answer beside it. SimCLR: two views "
        "of this scene, two of another. BYOL, MAE and patches: two pairs each."
    )
    return plots.rows(asked, title=title, caption=caption, side=96)


def board(scores: dict[str, dict[str, float]], splits: Any) -> plots.Picture:
    """What each network's frozen features are worth, one run each."""
    caption = (
        f"{len(splits[2]):,} validation scenes, {len(splits[0]):,} labelled ones to fit; one run each. Grey: no method."
    )
    title = "Frozen features before two judges, and how many directions they use"
    return plots.scoreboard(scores, title=title, caption=caption, highlight="", beside=held_against(scores))


def several_seeds(title: str) -> plots.Picture:
    """results/compare.json: each method before three judges, on the test split, the best by kNN first; among them SimCLR with
    views of full size throughout, once it was measured."""
    kept, judges = evidence.results("compare"), ("kNN", "linear probe", "few labels")
    table = evidence.by_row({judged: kept["rows"][judged] for judged in judges})
    if control := measured("compare_whole"):
        table["SimCLR, whole views"] = {judged: control["rows"][judged] for judged in judges}
    table = dict(sorted(table.items(), key=lambda row: -mean(row[1]["kNN"])))
    seeds = f"seeds {', '.join(map(str, kept['seeds']))}"
    passes = f"{kept['passes']:,} image passes each (supervised: 64,000)"
    caption = f"scenes, {passes}, {seeds}; {kept['labelled']:,} labels, few labels: ten of each kind. Test split. Grey: no method."
    rows = {chapters.title(name): row for name, row in table.items()}
    return plots.scoreboard(rows, title=title, caption=caption, highlight="", beside=held_against(rows))


def measured(name: str) -> dict[str, Any]:
    """results/NAME.json, or nothing where there is none yet."""
    try:
        return evidence.results(name)
    except evidence.NotMeasured:
        return {}


def one_thing_changes(scenes: Tensor, changed: dict[str, Tensor]) -> plots.Picture:
    """Scenes as they are, and below the same with one factor drawn anew, a row for each."""
    return plots.rows(
        {"as it is": scenes} | {SPOKEN.get(factor, factor): x[: len(scenes)] for factor, x in changed.items()},
        title="One thing changes in each row, all else stays",
        caption="Scenes drawn for this chapter: first as they are, then with one factor drawn anew.",
        side=56,
    )


def read(table: dict[str, dict[str, float]], splits: Any) -> plots.Picture:
    """How well a probe reads each factor, {title: {factor: score}}."""
    columns = list(next(iter(table.values())))
    return plots.heatmap(
        [[row[factor] for factor in columns] for row in table.values()],
        list(table),
        [SPOKEN.get(factor, factor) for factor in columns],
        title="What a linear probe reads of each factor from frozen features",
        caption=f"Ridge probes on {len(splits[0]):,} scenes, judged on {len(splits[2]):,} of the validation split; one run each. "
        "0: chance; 1: exactly. hue: that of the thing; mean colour: of the whole image.",
        label="score",
        numbers=True,
        limits=(0, 1),
    )


def moved(table: dict[str, dict[str, float]], pairs: int) -> plots.Picture:
    """How far the features move with each factor, {title: {factor: share}}."""
    columns = list(next(iter(table.values())))
    return plots.heatmap(
        [[row[factor] for factor in columns] for row in table.values()],
        list(table),
        [SPOKEN.get(factor, factor) for factor in columns],
        title="How far the features move when one factor alone changes",
        caption=f"{pairs} pairs of scenes for each factor; one run each. 0: the features do not notice; 1: "
        "as if the whole scene were another.",
        label="share",
        numbers=True,
        limits=(0, 1),
    )


def alike(h: Features) -> plots.Picture:
    """CKA of all with all."""
    names = list(h)
    return plots.heatmap(
        [[cka(h[a][2], h[b][2], debiased=True) for b in names] for a in names],
        names,
        names,
        title="CKA: which networks find the same images alike?",
        caption=f"Debiased linear CKA, {len(h[names[0]][2]):,} validation scenes, one run each. "
        "1: alike but for a turn and a scale; 0: nothing in common.",
        label="CKA",
        numbers=True,
        limits=(0, 1),
    )


def yardstick(title: str) -> plots.Picture:
    """CKA of each method with itself from another seed, and with the other method that is nearest, by results/compare.json."""
    kept = evidence.results("compare")
    table = {}
    for name in (name for name in kept["methods"] if len(kept["rows"]["kNN"][name]) > 1):  # one seed has no other
        others = {chapters.title(m): kept["cka"][name][m] for m in kept["methods"] if m != name}
        nearest = max(others, key=lambda other: mean(others[other]))
        shown = f"{chapters.title(name)} (nearest: {nearest})"
        table[shown] = {  # one unit, one axis
            "with another seed (CKA)": kept["cka"][name][name],
            "with the nearest other method (CKA)": others[nearest],
        }
    caption = f"Debiased linear CKA on validation scenes, seed 0 against the others of {len(kept['seeds'])} seeds."
    return plots.scoreboard(table, title=title, caption=caption, highlight="", percent=False)


def colours(h: Features, split: Split, n: int = 500) -> plots.Picture:
    """Maps of the same scenes by each network, each scene in its own mean colour."""
    pick = plots.subsample(len(split), n)
    colour = (split.x[pick].float() / 255).mean((2, 3))
    vivid = (0.5 + 1.6 * (colour - colour.mean(0))).clamp(0, 1)  # stronger, to be seen in a dot
    return map_grid(
        [(name, plots.tsne(parts[2][pick]), vivid) for name, parts in h.items()],
        title="Each scene in its own mean colour: who sorts by colour?",
        caption=f"t-SNE of {len(pick)} validation scenes, perplexity 30, seed 0. Colours are strengthened around their mean.",
    )


def shape(h: Features, views: dict[str, tuple[Tensor, Tensor]], line: Lineup) -> plots.Picture:
    """Alignment of two views and uniformity, features standardised. views: {title: features of both}."""
    points, groups = {}, {}
    for name, pair in views.items():
        centre, spread = standardise(h[name][2])
        first, second, whole = ((z - centre) / spread for z in (*pair, h[name][2]))
        points[name] = alignment(first, second), uniformity(whole)
        groups[name] = (
            "without labels" if name in line.trained else "with labels" if name == "supervised" else "nothing learned"
        )
    return named_points(
        points,
        title="Two views of one scene: how close are they, and how evenly do all spread?",
        caption=f"{len(h[name][2]):,} validation scenes, two of SimCLR's views of each. Two unrelated images: alignment 2.",
        xlabel="alignment: mean squared distance of two views (less is closer)",
        ylabel="uniformity (less is more even)",
        marks=groups,
    )


@torch.no_grad()
def layer_means(network: Any, images: Tensor) -> list[Tensor]:
    """What each layer makes of images [N, 3, H, W], mean over places: [N, D] of each; empty for a network that is no row of layers."""
    x, means = 2 * images.float() / 255 - 1, []
    for layer in getattr(network, "layers", []):
        x = layer(x)
        means.append(x.mean((2, 3)))
    return means


def layer_by_layer(first: Any, second: Any, images: Tensor) -> dict[int, float]:
    """CKA of two networks of one architecture, by layer, from 1 on."""
    pairs = zip(layer_means(first, images), layer_means(second, images))
    return {k: cka(p, q, debiased=True) for k, (p, q) in enumerate(pairs, 1)}


def by_layer(networks: dict[str, Any], images: Tensor, anchor: str = "SimCLR") -> plots.Picture:
    """CKA of one network with the others, layer by layer, of those that are layers one after another; beside them, once it was
    measured, with itself from another seed."""
    found = {name: layer_by_layer(networks[anchor], networks[name], images) for name in networks if name != anchor}
    curves = {f"{anchor} and {name}": by for name, by in found.items() if by}
    if another := measured("compare_layers"):
        curves[f"{anchor} and another seed"] = {int(layer): value for layer, value in another["CKA"].items()}
    title = "Most alike in the first layer, much less from the second on"
    caption = f"Debiased linear CKA of the mean over places, {len(images)} validation scenes, layer by layer."
    if left_out := [name for name, by in found.items() if not by]:
        caption += f" Not here, since it has other layers: {', '.join(left_out)}."
    return lines(curves, title=title, caption=caption, xlabel="layer", ylabel="CKA")
