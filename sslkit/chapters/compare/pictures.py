"""The pictures of chapter 23 that stand still: the questions, what is read and what moves, who is alike."""

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
        "of this scene, two of another."
    )
    return plots.rows(asked, title=title, caption=caption, side=96)


def board(scores: dict[str, dict[str, float]], splits: Any) -> plots.Picture:
    """What each network's frozen features are worth, one run each."""
    caption = f"{len(splits[2]):,} validation scenes, {len(splits[0]):,} labelled ones to fit; one run each."
    title = "Frozen features before two judges, and how many directions they use"
    return plots.scoreboard(scores, title=title, caption=caption, highlight="")


def several_seeds(title: str) -> plots.Picture:
    """results/compare.json: each method before three judges, on the test split, the best by kNN first."""
    kept = evidence.results("compare")
    table = evidence.by_row({judged: kept["rows"][judged] for judged in ("kNN", "linear probe", "few labels")})
    table = dict(sorted(table.items(), key=lambda row: -mean(row[1]["kNN"])))
    seeds = f"seeds {', '.join(map(str, kept['seeds']))}"
    passes = f"{kept['passes']:,} image passes each (supervised: 64,000)"
    caption = f"scenes, {passes}, {seeds}; {kept['labelled']:,} labels, few labels: ten of each kind. Test split."
    return plots.scoreboard(
        {chapters.title(name): row for name, row in table.items()}, title=title, caption=caption, highlight=""
    )


def read(table: dict[str, dict[str, float]], splits: Any) -> plots.Picture:
    """How well a probe reads each factor, {title: {factor: score}}."""
    columns = list(next(iter(table.values())))
    return plots.heatmap(
        [[row[factor] for factor in columns] for row in table.values()],
        list(table),
        columns,
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
        columns,
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
        table[shown] = {"with another seed": kept["cka"][name][name], "with the nearest other method": others[nearest]}
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
def by_layer(networks: dict[str, Any], images: Tensor, anchor: str = "SimCLR") -> plots.Picture:
    """CKA of one network with the others, layer by layer, of those that are layers one after another."""
    means: dict[str, list[Tensor]] = {}
    for name, network in networks.items():
        x, means[name] = 2 * images.float() / 255 - 1, []
        for layer in getattr(network, "layers", []):
            x = layer(x)
            means[name].append(x.mean((2, 3)))
    same = [name for name, of in means.items() if name != anchor and of]
    curves = {
        f"{anchor} and {name}": {
            k + 1: cka(p, q, debiased=True) for k, (p, q) in enumerate(zip(means[anchor], means[name]))
        }
        for name in same
    }
    title = "Most alike in the first layer, and parted by the second"
    caption = f"Debiased linear CKA of the mean over places, {len(images)} validation scenes, layer by layer."
    return lines(curves, title=title, caption=caption, xlabel="layer", ylabel="CKA")
