"""The pictures of chapter 16 that stand still: two collapses, and where a class token looks."""

import math
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit import evidence, plots
from sslkit.datasets import Dataset, Split
from sslkit.nets import device_of, evaluating, to_input
from sslkit.plots.axes import DASHED, name_lines, panels
from sslkit.plots.curves import band
from sslkit.plots.picture import COLOURS, FAINT, TEXT_SIZE, Picture, drawing, render
from sslkit.plots.table import draw_table, to_pixels
from sslkit.transformer import ViT
from sslkit.transformer.vision import attention_maps

THING = 0.4  # of its size: the radius around its middle that counts as the thing


@evidence.or_a_note
@drawing
def collapses(name: str, title: str) -> Picture:
    """Entropy of the teacher, KL of the student and spread of its scores while each run of results/NAME.json trains."""
    found = evidence.results(name)
    runs = {run: list(seeds.values()) for run, seeds in found["runs"].items()}
    knn = {run: mean(by["scores"]["kNN"] for by in seeds) for run, seeds in runs.items()}
    runs.pop("untrained")
    caption = (
        f"{found['recipe']['steps']} steps, {evidence.seeds_of(found)}, {found['command']}. kNN on val in the end: "
        f"{'; '.join(f'{run} {value:.0%}' for run, value in knn.items())}."
    )
    heads = {
        "entropy": "entropy of the teacher (nats)",
        "kl": "KL, student from teacher (nats)",
        "spread": "spread of the student's scores",
    }
    fig, axes = panels(title, caption, 3.2, "step", grid="y", heads=heads.values(), w_pad=0.05)
    for ax, key in zip(axes, heads):
        for colour, mark, (run, seeds) in zip(COLOURS, "os^D", runs.items()):
            points: dict[int, list[float]] = {}
            for by in seeds:
                for point in by["curve"]:
                    if point[key] is not None:  # spread is measured at every other point
                        points.setdefault(point["step"], []).append(point[key])
            band(ax, points, colour, mark, run, size=3)
        if key == "entropy":
            ceiling = math.log(found["prototypes"])
            ax.axhline(ceiling, **DASHED)
            ax.text(0, ceiling, "ln K", va="bottom", size=TEXT_SIZE, color=FAINT)
    ax.set_ylim(-0.04, 1)
    name_lines(ax, "upper right")  # above the last one's lines
    ends = {run: [mean(by["curve"][-1][key] for by in seeds) for key in heads] for run, seeds in runs.items()}
    what = "; ".join(
        f"{run}: entropy ends at {e:.2f}, KL at {kl:.2f}, spread at {s:.2f}" for run, (e, kl, s) in ends.items()
    )
    return render(fig, title, caption, what, colours=96)


def class_attention(vit: nn.Module, x: Tensor) -> Tensor:
    """Where the class token of the last layer looks among the patches: [N, heads, rows, columns], each adding up to 1."""
    assert isinstance(vit, ViT)
    with evaluating(vit):
        weights = attention_maps(vit, to_input(x, device_of(vit)))[:, :, 0, 1:].cpu()
    weights = weights / weights.sum(2, keepdim=True)
    return weights.unflatten(2, (x.shape[2] // vit.patch, x.shape[3] // vit.patch))


def attention(networks: dict[str, nn.Module], data: Dataset, count: int = 8) -> Picture:
    """A few validation scenes, and for each network where its class token looks, mean over the heads; black is nowhere."""
    some = data.val[:count]
    table = [to_pixels(some.x)]
    for vit in networks.values():
        looks = class_attention(vit, some.x).mean(1, keepdim=True)
        patch = some.x.shape[2] // looks.shape[2]
        shown = (looks * looks[0].numel() / 3).clamp(max=1)  # three times an even share is white
        table.append(to_pixels(shown.repeat_interleave(patch, 2).repeat_interleave(patch, 3)))
    title = "After 200 steps attention picks out places: because a thing is there?"
    caption = f"{count} validation scenes; last layer, mean over the heads. White: three times an even share, or more."
    names = ["scene", *networks]
    return draw_table(table, title, caption, f"Rows: {', '.join(names)}", row_names=names, side=88)


def on_the_thing(networks: dict[str, nn.Module], data: Dataset, count: int = 1000) -> Picture:
    """The share of the class token's attention that falls on the thing, a dot for each head, beside maps that know nothing of things."""
    some = data.val[:count]
    maps = {name: class_attention(vit, some.x) for name, vit in networks.items()}
    last = list(maps)[-1]
    on = things(some, maps[last].shape[-1])
    maps |= {f"{last}, on another scene": maps[last].roll(1, 0)} | know_nothing(some.x, maps[last].shape[-1])
    shares = {name: (each * on[:, None]).sum((2, 3)).mean(0).tolist() for name, each in maps.items()}
    area = on.mean().item()
    title = "Two maps that need no network beat the average head"
    caption = (
        f"{len(some):,} validation scenes; attention: last layer, a dot for each head. Another scene: each map laid on the next scene. "
        f"Edges, the middle quarter: maps that need no network. Chance: the thing's share of the area, {area:.0%}."
    )
    return plots.bars(shares, title=title, caption=caption, xlabel="share of the map", chance=area, highlight=last)


def things(some: Split, patches: int) -> Tensor:
    """Which patches lie on the thing, 1 or 0: [N, rows, columns], `patches` of each."""
    at = (torch.arange(patches) + 0.5) * some.x.shape[-1] / patches
    down = at[None, :, None] - some.factors["y"][:, None, None]
    across = at[None, None, :] - some.factors["x"][:, None, None]
    return ((down**2 + across**2).sqrt() < THING * some.factors["size"][:, None, None]).float()


def know_nothing(x: Tensor, patches: int) -> dict[str, Tensor]:
    """Maps of images x that need no network, [N, 1, rows, columns], each adding up to 1: their edges, and the same middle for all."""
    x = x.float()
    edges = F.pad(x.diff(dim=3).abs(), (1, 0)) + F.pad(x.diff(dim=2).abs(), (0, 0, 1, 0))
    inner = slice(patches // 4, patches - patches // 4)
    middle = torch.zeros(len(x), 1, patches, patches)
    middle[:, :, inner, inner] = 1
    maps = {"edges": F.adaptive_avg_pool2d(edges.mean(1, keepdim=True), patches), "the middle quarter": middle}
    return {name: each / each.sum((2, 3), keepdim=True) for name, each in maps.items()}
