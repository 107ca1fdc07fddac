"""The t-SNE maps of chapter 02, most of which mislead on purpose."""

import numpy as np
import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.judging.pictures import axes, finish
from sslkit.plots.picture import drawing


def nearest_on(xy: np.ndarray, k: int = 10) -> Tensor:
    """Row numbers [N, k] of each point's nearest on a map [N, 2]."""
    points = torch.as_tensor(np.asarray(xy))
    return torch.cdist(points, points).topk(k + 1, largest=False).indices[:, 1:]


def kept(a: np.ndarray, b: np.ndarray) -> float:
    """Share of a point's 10 nearest on map a that are among its 10 nearest on map b."""
    return (nearest_on(a)[:, :, None] == nearest_on(b)[:, None, :]).any(2).float().mean().item()


def perplexities(h: Tensor, kinds: Tensor, classes: list[str]) -> plots.Picture:
    """The same features at three perplexities."""
    return plots.tsne_maps(
        [(f"perplexity {p}", plots.tsne(h, perplexity=p), kinds) for p in (3, 30, len(h) // 3)],
        classes,
        title="One set of features, three perplexities: how many clusters are there?",
        caption=f"SimCLR's features of {len(h)} validation images, seed 0.",
    )


def seeds(h: Tensor, kinds: Tensor, classes: list[str]) -> plots.Picture:
    """The same features from three random starts, and how many neighbours survive."""
    xy = [plots.tsne(h, perplexity=30, seed=seed, init="random") for seed in range(3)]
    stay = np.mean([kept(xy[a], xy[b]) for a, b in ((0, 1), (0, 2), (1, 2))])
    return plots.tsne_maps(
        [(f"seed {seed}", one, kinds) for seed, one in enumerate(xy)],
        classes,
        title="One set of features, three seeds: three maps",
        caption=f"Perplexity 30, random start, {len(h)} validation images. Of a point's 10 nearest on one map, {stay:.0%} are "
        f"among its 10 nearest on another (by chance {10 / (len(h) - 1):.0%}).",
    )


def islands(truth: Tensor, group: Tensor) -> plots.Picture:
    """Seven groups in a row, and three maps of them."""
    maps = [plots.tsne(truth, perplexity=30, seed=seed, init="random") for seed in range(3)]
    return plots.tsne_maps(
        [("the data itself", truth, group), *[(f"seed {seed}", xy, group) for seed, xy in enumerate(maps)]],
        ["1", "2", "3", "4: ten times as wide", "5", "6", "7: far away"],
        title="Islands in a row: the map keeps the islands, and loses their size, order and distance",
        caption=f"{len(truth)} points in the plane (left, its height stretched) and three maps of them, perplexity 30.",
    )


def noise(points: Tensor) -> plots.Picture:
    """One normal distribution at three perplexities."""
    return plots.tsne_maps(
        [(f"perplexity {p}", plots.tsne(points, perplexity=p), None) for p in (2, 5, 30)],
        title="Clumps and threads in pure noise",
        caption=f"{len(points)} points of one normal distribution in {points.shape[1]} dimensions.",
    )


def by_kind(maps: dict[str, np.ndarray], kinds: Tensor, classes: list[str]) -> plots.Picture:
    """Maps coloured by kind."""
    same = {name: (kinds[nearest_on(xy)] == kinds[:, None]).float().mean() for name, xy in maps.items()}
    numbers = ", ".join(f"{name} {share:.0%}" for name, share in same.items())
    return plots.tsne_maps(
        [(name, xy, kinds) for name, xy in maps.items()],
        classes,
        title="Coloured by kind: what is in the picture?",
        caption=f"How many of a point's 10 nearest on the map are of its kind: {numbers}; by chance {1 / len(classes):.0%}. "
        f"{len(kinds)} validation images, perplexity 30.",
    )


@drawing
def by_colour(maps: dict[str, np.ndarray], colours: Tensor) -> plots.Picture:
    """The same maps, each point in the mean colour [N, 3] of its image."""
    total = (colours - colours.mean(0)).square().sum()
    numbers = []
    for name, xy in maps.items():
        left = (colours - colours[nearest_on(xy)].mean(1)).square().sum() / total
        numbers.append(f"{name} {max(0, 1 - left):.0%}")
    title = "Coloured by the image's mean colour: this is what sorted the first map"
    caption = (
        f"The same maps. How much of the differences in colour a point's 10 nearest explain: {', '.join(numbers)}."
    )
    fig, panels = axes(title, caption, len(maps), height=3.0)
    for ax, (name, xy) in zip(panels, maps.items()):
        ax.scatter(*np.asarray(xy).T, s=18, color=colours.numpy(), linewidths=0)
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, size=10, loc="left")
    return finish(fig, title, caption)
