"""The pictures of chapter 10 that stand still: views and partners, cosines, angles, who is pushed."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit import looks, plots
from sslkit.chapters.simclr.method import simclr_views
from sslkit.datasets import Split
from sslkit.looks import first_of
from sslkit.plots.picture import NEUTRAL
from sslkit.plots.table import draw_table, to_pixels


def partners(split: Split, classes: list[str]) -> plots.Picture:
    """Three anchors, each with its partner and the views of two other images."""
    three = first_of(split, [0, 7, 4])
    view = simclr_views()
    first, second = view(torch.cat([three.x, three.x]), torch.Generator().manual_seed(9)).chunk(2)
    table, frames = [], []
    for i in range(3):
        others = [k for k in range(3) if k != i]
        table.append(to_pixels(torch.cat([first[i : i + 1], second[i : i + 1], first[others], second[others]])))
        frames.append([None] + [plots.COLOURS[1]] + [NEUTRAL] * 4)
    title = "Each view must find its partner (orange) among views of other images"
    which = ", ".join(classes[k] for k in three.y)
    caption = f"Three scenes of the validation split ({which}), two random views of each, drawn as in training."
    heads = ["anchor", "pull", *["push"] * 4]
    what = "3 anchors, each with its partner and 4 views of other images"
    return draw_table(table, title, caption, what, column_names=heads, frames=frames, split=1)


def wanted(n: int = 3) -> plots.Picture:
    """The similarities that a perfect network gives 2n views."""
    itself = torch.eye(2 * n, dtype=torch.bool)
    names = [f"image {i + 1}, view {view}" for view in (1, 2) for i in range(n)]
    return plots.heatmap(
        torch.eye(n).repeat(2, 2).masked_fill(itself, math.nan),
        names,
        names,
        title=f"What the network should make of these {2 * n} views",
        caption=f"Rows: anchors; columns: what they meet. Framed: the {2 * n} positives. Dark: the negatives. White: left out.",
        label="similarity",
        numbers=False,
        limits=(0, 1),
        marks=[(i, (i + n) % (2 * n)) for i in range(2 * n)],
    )


def kinds(split: Any, classes: list[str]) -> plots.Picture:
    """Two scenes of each kind."""
    some = split[torch.cat([(split.y == k).nonzero()[:2, 0] for k in range(len(classes))])]
    return plots.grid(
        some.x,
        [classes[k] for k in some.y],
        columns=10,
        title="Ten kinds; place, size, tilt, hue and background say nothing about the kind",
        caption=f"Two scenes of each kind out of {len(split):,} in the training split, 32 x 32 pixels.",
        side=64,
    )


def seven_views(images: Tensor, view: Any, seed: int = 1) -> plots.Picture:
    """Seven random views of each image."""
    generator = torch.Generator().manual_seed(seed)
    return plots.strip(
        images,
        [view(images, generator) for _ in range(7)],
        title="Seven random views of the same image: you still see what it is, mostly",
        caption="Every view is drawn anew at every step, so the network never sees the same pair twice.",
        side=72,
    )


def cosines(z: Tensor) -> plots.Picture:
    """All cosines of 2n unit vectors, first views above second views."""
    n = len(z) // 2
    return plots.heatmap(
        z @ z.T,
        title="Off the diagonal, the two views of one image are the most alike (framed)",
        caption=f"Made-up vectors: rows 0 to {n - 1} are first views, rows {n} to {2 * n - 1} second views of the same images.",
        label="cosine",
        marks=[(i, (i + n) % (2 * n)) for i in range(2 * n)],
    )


def share_of_push(z1: Tensor, z2: Tensor, label: Tensor, temperature: float) -> tuple[float, float]:
    """How many of the negatives have the anchor's label, and how much of the push falls on them."""
    n = len(z1)
    z = F.normalize(torch.cat([z1, z2]).float().cpu(), dim=1)
    image, label = torch.arange(n).repeat(2), label.repeat(2)
    negative = image[:, None] != image[None, :]  # neither the view itself nor its positive
    false = negative & (label[:, None] == label[None, :])
    push = (z @ z.T / temperature).masked_fill(~negative, -math.inf).softmax(1)
    return (false.sum() / negative.sum()).item(), (push * false).sum(1).mean().item()


def hardest_negatives(views: tuple, extras: dict, batch: Any, classes: list[str], temperature: float) -> plots.Picture:
    """For a few views of a batch the seven negatives that are pushed hardest; red: those of the view's own kind."""
    z1, z2 = extras["z1"], extras["z2"]
    z, together = F.normalize(torch.cat([z1, z2]).float().cpu(), dim=1), torch.cat(views).cpu()
    image, kind = torch.arange(len(batch)).repeat(2), batch.y.repeat(2)
    near = (z @ z.T).masked_fill(image[:, None] == image[None, :], -math.inf).topk(7).indices
    rows = torch.tensor([[k, *near[k].tolist()] for k in ((batch.y == y).nonzero()[0, 0].item() for y in (0, 4, 7, 9))])
    count, push = share_of_push(z1, z2, batch.y, temperature)
    hardest = (kind[near] == kind[:, None]).float().mean()
    caption = (
        f"A view and, of the {len(z) - 2} negatives in its batch, the seven most similar. In the whole batch {count:.1%} of the "
        f"negatives are false, and {push:.1%} of the push falls on them; of the seven most similar "
        f"{hardest:.0%} are false."
    )
    title = "The negatives that are pushed hardest: those framed red are false"
    return looks.pushed(together[rows], kind[rows], classes, title, caption, "anchor")


def angles(models: dict[str, nn.Module], look: Any) -> plots.Picture:
    """Angles between the z of partners, and of different images; and how many directions z uses. look: from a model to the
    extras of a batch. "pull alone", of which the title speaks, is in strong blue."""
    from sslkit.measures import effective_rank

    table = {}
    for name, model in models.items():
        z1, z2 = (F.normalize(look(model)[key].float(), dim=1).cpu() for key in ("z1", "z2"))
        angle = (z1 @ z2.T).clamp(-1, 1).acos().rad2deg()
        other = ~torch.eye(len(angle), dtype=torch.bool)
        table[name] = {
            "angle, partners (°)": angle.diagonal().mean().item(),
            "angle, different images (°)": angle[other].mean().item(),
            "effective rank of z": effective_rank(torch.cat([z1, z2])),
        }
    title = "Pull alone: after 60 steps all images get almost the same vector"
    caption = (
        "Mean angle between the z of two views in a batch: of one image (partners), and of different images. "
        f"Effective rank: about how many of its {z1.shape[1]} directions z uses."
    )
    return plots.scoreboard(table, title=title, caption=caption, highlight="pull alone")
