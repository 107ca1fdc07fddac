"""The pictures of chapter 17: what is hidden, who paints it and how well, where a patch looks."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import evidence, plots
from sslkit.chapters.mae.method import copy_nearest, mae_loss, mean_colour, patchify, unpatchify, visible_patches
from sslkit.datasets import Split
from sslkit.nets import device_of, evaluating
from sslkit.transformer import attention_maps

PATCH = 4
HIDDEN = "75 % of the patches hidden"


def cover(x: Tensor, mask: Tensor, paint: Tensor | float = 0.5) -> Tensor:
    """Square images x [N, C, H, W] with the hidden patches of mask [N, L] in grey, or from the patches `paint` [N, L, D]."""
    patches = patchify(x, PATCH)
    paint = torch.full_like(patches, paint) if isinstance(paint, float) else paint.to(patches)
    return unpatchify(torch.where(mask[:, :, None], paint, patches), PATCH)


def masked(x: Tensor, ratio: float = 0.75, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The visible patches and the mask of images x; one seed hides more of the same as the ratio grows."""
    L = x.shape[2] * x.shape[3] // PATCH**2
    return visible_patches(torch.rand(len(x), L, generator=torch.Generator().manual_seed(seed)), ratio)


@torch.no_grad()
def painted(model: Any, x: Tensor, visible: Tensor) -> Tensor:
    """All patches [N, L, D] that a method paints for images x in [0, 1], on the CPU."""
    at = device_of(model)
    with evaluating(model):
        return model.paint(x.to(at), visible.to(at)).float().cpu()


def blend(x: Tensor, visible: Tensor, power: int = 4) -> Tensor:
    """Square images x [N, C, H, W] painted without learning, as patches [N, L, D]: every pixel is the mean of those in the visible
    patches, weighted by 1 / distance ** power. Of 2, 4 and 6, 4 errs least on validation scenes."""
    side = x.shape[2]
    seen = torch.zeros(len(x), (side // PATCH) ** 2).scatter(1, visible, 1.0)[:, :, None].expand(-1, -1, PATCH**2)
    seen = unpatchify(seen, PATCH).flatten(2)  # [N, 1, side * side]
    places = torch.cartesian_prod(torch.arange(float(side)), torch.arange(float(side)))
    weights = torch.cdist(places, places).clamp(min=0.5) ** -power
    return patchify(((x.flatten(2) * seen) @ weights / (seen @ weights)).view_as(x), PATCH)


def all_painters(x: Tensor, visible: Tensor, models: dict[str, nn.Module]) -> dict[str, Tensor]:
    """What the three tricks and each model paint for images x in [0, 1]: {name: patches [N, L, D]}."""
    patches, grid = patchify(x, PATCH), (x.shape[2] // PATCH, x.shape[3] // PATCH)
    tricks = {"mean colour": mean_colour(patches, visible), "copy the nearest": copy_nearest(patches, visible, grid)}
    tricks["blend the near"] = blend(x, visible)
    return tricks | {name: painted(model, x, visible) for name, model in models.items()}


def puzzle(images: Tensor) -> plots.Picture:
    """Six images uint8 with most of them hidden."""
    x = images / 255
    title = "Three quarters are hidden: what do these scenes show?"
    shown, names = cover(x, masked(x)[1]), [str(k + 1) for k in range(len(x))]
    return plots.grid(shown, names, columns=len(x), side=96, title=title, caption=f"Validation scenes, {HIDDEN}.")


def hide(x: Tensor, ratio: float, seed: int) -> dict[str, Tensor]:
    """For the slider: what the encoder gets to see of images x in [0, 1]."""
    return {"what is left": cover(x, masked(x, ratio, seed)[1])}


def filling(models: dict[str, nn.Module]) -> Callable[[Tensor, float, int], dict[str, Tensor]]:
    """For the slider: what is left, and what each model fills in."""

    def fill(x: Tensor, ratio: float, seed: int) -> dict[str, Tensor]:
        visible, mask = masked(x, ratio, seed)
        filled = {name: cover(x, mask, painted(model, x, visible)) for name, model in models.items()}
        return {"what is left": cover(x, mask), **filled, "original": x}

    return fill


def positions(at: Tensor, row: int, column: int) -> plots.Picture:
    """How alike the fingerprints at [64, D] of an 8 x 8 grid are to that of one place."""
    near = (at @ at.T / at.square().sum(1)).view(8, 8, 8, 8)[row, column]
    title = f"The fingerprint of row {row}, column {column} is most like those next door"
    caption = "Rows and columns count from 0."
    look = dict(label="dot product, 1 for the place itself", xlabel="column", ylabel="row", numbers=False)
    return plots.heatmap(near, title=title, caption=caption, **look)


def reconstructions(images: Tensor, models: dict[str, nn.Module]) -> plots.Picture:
    """Images uint8 with their hidden patches filled in by the three tricks and by each model."""
    x = images / 255
    visible, mask = masked(x)
    filled = {name: cover(x, mask, paint) for name, paint in all_painters(x, visible, models).items()}
    title = "The trained network paints blurred shapes, and so does a blend of what is near"
    caption = f"Validation scenes, {HIDDEN}; raw pixels. Visible patches are shown as they were."
    rows = {"what is left": cover(x, mask), **filled, "original": x}
    return plots.rows(rows, title=title, caption=caption, side=80)


def errors(split: Split, models: dict[str, nn.Module]) -> plots.Picture:
    """Typical error of a pixel in hidden patches, by painter."""
    x = split.x / 255
    visible, mask = masked(x)
    target = patchify(x, PATCH)
    found = {
        name: 255 * mae_loss(paint, target, mask, normalised=False).item() ** 0.5
        for name, paint in all_painters(x, visible, models).items()
    }
    title = "The trained network beats two of the tricks and only equals the third"
    caption = f"Root of the mean squared error; {len(x):,} test scenes, {HIDDEN}, one mask each. Chance: mid-grey."
    words = "typical error of a pixel, in levels of 255; less is better"
    grey = 255 * mae_loss(torch.full_like(target, 0.5), target, mask, normalised=False).item() ** 0.5
    return plots.bars(found, title=title, caption=caption, xlabel=words, chance=grey, highlight=list(models)[-1])


def two_settings(images: Tensor, raw: nn.Module, normalised: nn.Module) -> plots.Picture:
    """What a network says that learned from raw pixels, and one that learned from normalised ones."""
    x = images / 255
    visible, mask = masked(x)
    said, patches = painted(normalised, x, visible), patchify(x, PATCH)
    variance, mean = torch.var_mean(patches, dim=-1, keepdim=True, correction=0)
    rows = {
        "what is left": cover(x, mask),
        "raw pixels": cover(x, mask, painted(raw, x, visible)),
        "normalised, as it is": unpatchify(said / 6 + 0.5, PATCH),
        "normalised, lent": cover(x, mask, said * (variance + 1e-6).sqrt() + mean),
        "original": x,
    }
    title = "Raw pixels give a picture; normalised ones give patterns and hues"
    caption = (
        f"Validation scenes, {HIDDEN}. 'As it is': grey for 0. 'Lent': with each hidden patch's true mean and contrast."
    )
    return plots.rows(rows, title=title, caption=caption, side=80)


def without_positions(images: Tensor, model: nn.Module) -> plots.Picture:
    """What a trained model paints, and what is left of it when its decoder loses the positions."""
    x = images / 255
    visible, mask = masked(x)
    blind: Any = copy.deepcopy(model)
    blind.decoder.positions = lambda grid, like: torch.zeros(1, 1, device=like.device)
    names = {"with positions": painted(model, x, visible), "without": painted(blind, x, visible)}
    rows = {"what is left": cover(x, mask)} | {name: cover(x, mask, paint) for name, paint in names.items()}
    apart = max(patches[hidden].std(0).max().item() for patches, hidden in zip(names["without"], mask))
    title = "Without positions all hidden patches of an image are painted alike"
    caption = f"Validation scenes, {HIDDEN}. Largest standard deviation over an image's hidden patches without positions: {apart:.2g}."
    return plots.rows(rows, title=title, caption=caption, side=80)


def attention(models: dict[str, nn.Module], split: Split) -> plots.Picture:
    """Where each head of the last block looks, for the patch in the middle of the thing in each image of the split."""
    x, columns = split.x / 255, {}
    row, column = ((split.factors[axis] / PATCH).long().clamp(0, 7) for axis in ("y", "x"))
    asking, each = 8 * row + column, torch.arange(len(x))
    marked = patchify(x, PATCH).unflatten(2, (3, PATCH, PATCH)).clone()
    frame = torch.ones(PATCH, PATCH, dtype=torch.bool)
    frame[1:-1, 1:-1] = False
    for n, patch in enumerate(asking):
        marked[n, patch][:, frame] = torch.tensor([1.0, 0, 0])[:, None]
    for name, model in models.items():
        maps = looked_at(model, x, -1)[each, :, asking]  # [N, heads, L]
        light = (maps / maps.amax(-1, keepdim=True)).unflatten(-1, (8, 8))
        light = light.repeat_interleave(PATCH, -2).repeat_interleave(PATCH, -1)
        for head in range(light.shape[1]):
            columns[f"{name} {head + 1}"] = x * (0.12 + 0.88 * light[:, head, None])
    title = "Untrained heads look everywhere; trained ones look near the patch that asks"
    caption = (
        "Validation scenes, nothing hidden; last block, one column for each head. Bright: where the patch in red "
        "looks, each head scaled to its own maximum."
    )
    views, shown = list(columns.values()), unpatchify(marked.flatten(2), PATCH)
    return plots.strip(shown, views, list(columns), title=title, caption=caption, side=76)


def looked_at(model: Any, x: Tensor, layer: int) -> Tensor:
    """Weights of attention of a block for images x in [0, 1]: [N, heads, L, L], on the CPU."""
    return attention_maps(model.encoder, x.to(device_of(model)), layer).float().cpu()


def reach(models: dict[str, nn.Module], images: Tensor) -> plots.Picture:
    """How far away, in patches, a patch looks on average, by model and block."""
    places = torch.cartesian_prod(torch.arange(8), torch.arange(8)).float()
    apart = torch.cdist(places, places)  # [L, L]
    table: dict[str, dict] = {
        "all patches alike": {"first block (patches)": apart.mean().item(), "last block (patches)": apart.mean().item()}
    }
    for name, model in models.items():
        far = {
            block: (looked_at(model, images / 255, k) * apart).sum(-1)
            for block, k in (("first block (patches)", 0), ("last block (patches)", -1))
        }
        table[name] = {block: distance.mean().item() for block, distance in far.items()}
    title = "How far away a patch looks: after training the last block looks near by"
    caption = f"Mean distance, weighted by attention; {len(images)} validation scenes, all patches and heads."
    return plots.scoreboard(table, title=title, caption=caption, highlight=list(models)[-1])


@evidence.or_a_note
def four_judges(title: str) -> plots.Picture:
    """What results/mae_labels.json says of the longer MAE, beside a new network of its shape."""
    kept = evidence.results("mae_labels")
    recipe = kept["encoder"]["recipe"]
    caption = (
        f"MAE: one encoder, {recipe['steps']:,} steps of {recipe['batch']} images; fine-tuning on all labels: {kept['steps']} steps of "
        f"{kept['batch']}. {evidence.seeds_of(kept).capitalize()}; test split. {kept['command']}."
    )
    return plots.scoreboard(evidence.by_row(kept["rows"]), title, caption, highlight="MAE")
