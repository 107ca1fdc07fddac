"""The pictures of chapter 16 that stand still: two collapses, and where a class token looks."""

import math
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import evidence, plots
from sslkit.nets import device_of, evaluating, to_input
from sslkit.plots.curves import CHANCE_STYLE, band
from sslkit.plots.picture import (
    COLOURS,
    FAINT,
    TEXT_SIZE,
    WIDTH,
    Picture,
    drawing,
    frame,
    name_lines,
    plain_axes,
    render,
)
from sslkit.plots.table import draw_table, to_pixels
from sslkit.plots.text import describe
from sslkit.transformer import ViT
from sslkit.transformer.vision import attention_maps

THING = 0.4  # of its size: the radius around its middle that counts as the thing


@evidence.or_a_note
@drawing
def collapses(name: str, title: str) -> Picture:
    """Entropy of the teacher and KL of the student while each run of results/NAME.json trains."""
    found = evidence.results(name)
    runs = {run: list(seeds.values()) for run, seeds in found["runs"].items()}
    knn = {run: mean(by["scores"]["kNN"] for by in seeds) for run, seeds in runs.items()}
    runs.pop("untrained")
    caption = (
        f"{found['recipe']['steps']} steps, {evidence.seeds_of(found)}, {found['command']}. kNN on val in the end: "
        f"{'; '.join(f'{run} {value:.0%}' for run, value in knn.items())}."
    )
    fig, (left, bottom, w, h) = frame(WIDTH, 3.2, title, caption)
    fig.set_layout_engine("constrained", rect=(left, bottom, w, h), w_pad=0.05, h_pad=0)
    for k, (ax, key, words) in enumerate(
        zip(fig.subplots(1, 2), ("entropy", "kl"), ("entropy of the teacher", "KL, student from teacher"))
    ):
        plain_axes(ax, "step", words + " (nats)", grid="y")
        for colour, mark, (run, seeds) in zip(COLOURS, "os^D", runs.items()):
            points: dict[int, list[float]] = {}
            for by in seeds:
                for point in by["curve"]:
                    points.setdefault(point["step"], []).append(point[key])
            band(ax, points, colour, mark, run, size=3)
        if not k:
            ceiling = math.log(found["prototypes"])
            ax.axhline(ceiling, **CHANCE_STYLE)
            ax.text(0, ceiling, "ln K", va="bottom", size=TEXT_SIZE, color=FAINT)
    name_lines(ax)  # there is room in the right one
    ends = {run: mean(by["curve"][-1]["entropy"] for by in seeds) for run, seeds in runs.items()}
    alt = "; ".join(f"{run}: entropy ends at {value:.2f}" for run, value in ends.items())
    return render(fig, describe(alt, title, caption), colours=96)


def class_attention(vit: nn.Module, x: Tensor) -> Tensor:
    """Where the class token of the last layer looks among the patches: [N, heads, rows, columns], each adding up to 1."""
    assert isinstance(vit, ViT)
    with evaluating(vit):
        weights = attention_maps(vit, to_input(x, device_of(vit)))[:, :, 0, 1:].cpu()
    weights = weights / weights.sum(2, keepdim=True)
    return weights.unflatten(2, (x.shape[2] // vit.patch, x.shape[3] // vit.patch))


def attention(networks: dict[str, nn.Module], data: Any, count: int = 8) -> Picture:
    """A few validation scenes, and for each network where its class token looks, mean over the heads; black is nowhere."""
    some = data.val[:count]
    table = [to_pixels(some.x)]
    for vit in networks.values():
        looks = class_attention(vit, some.x).mean(1, keepdim=True)
        patch = some.x.shape[2] // looks.shape[2]
        shown = (looks * looks[0].numel() / 3).clamp(max=1)  # three times an even share is white
        table.append(to_pixels(shown.repeat_interleave(patch, 2).repeat_interleave(patch, 3)))
    title = "Where the class token looks: before training, and after"
    caption = f"{count} validation scenes; last layer, mean over the heads. White: three times an even share, or more."
    names = ["scene", *networks]
    return draw_table(table, title, caption, describe(f"Rows: {', '.join(names)}", title, caption), names, side=88)


def share_on_thing(vit: nn.Module, some: Any) -> tuple[list[float], float]:
    """How much of each head's attention falls on the thing, and how much of the image's area it fills: means over scenes."""
    maps, side = class_attention(vit, some.x), some.x.shape[-1]
    rows, columns = maps.shape[2:]
    down = (torch.arange(rows) + 0.5)[None, :, None] * side / rows - some.factors["y"][:, None, None]
    across = (torch.arange(columns) + 0.5)[None, None, :] * side / columns - some.factors["x"][:, None, None]
    on = ((down**2 + across**2).sqrt() < THING * some.factors["size"][:, None, None]).float()
    return (maps * on[:, None]).sum((2, 3)).mean(0).tolist(), on.mean().item()


def on_the_thing(networks: dict[str, nn.Module], data: Any, count: int = 1000) -> Picture:
    """The share of the class token's attention that falls on the thing, a dot for each head, against the thing's area."""
    some = data.val[:count]
    found = {name: share_on_thing(vit, some) for name, vit in networks.items()}
    area = next(iter(found.values()))[1]
    title = "How much of the attention falls on the thing"
    caption = f"{len(some):,} validation scenes, last layer, a dot for each head. Chance: the thing's share of the area, {area:.0%}."
    shares = {name: heads for name, (heads, _) in found.items()}
    return plots.bars(shares, title=title, caption=caption, xlabel="share of the attention", chance=area)
