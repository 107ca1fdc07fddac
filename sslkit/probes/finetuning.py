"""Training with labels: fine-tuning on a few of them, and the supervised network that all of them would buy."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.probes.features import accuracy, backbone, device_of, features, is_text, reinitialised, to_input
from sslkit.probes.few import label_subset
from sslkit.train import Recipe, autocast, batch_indices, learning_rate, make_optimizer
from sslkit.views import RandomResizedCrop

VIEW = RandomResizedCrop(scale=(0.5, 1.0))  # mild: labels must survive it
CHOOSING = 1000  # val images that choose the learning rate
STATISTICS = 1000  # training images that batch norm is measured on, without their labels


@dataclass(frozen=True)
class FineTuned:
    """test: accuracy on the test split, touched once; val: {learning rate: accuracy on val}; lr: the one chosen."""

    test: float
    lr: float
    val: dict[float, float]
    per_class: int | None
    seed: int
    steps: int


def finetune(
    encoder: nn.Module,
    data,
    per_class: int | None = 10,
    seed: int = 0,
    *,
    steps: int = 120,
    batch: int | None = None,
    lrs: tuple[float, ...] = (3e-4, 2e-3),
    groups: Callable[[nn.Sequential], list[dict]] | None = None,
    dtype: torch.dtype | None = None,
) -> FineTuned:
    """Train a copy of the encoder and a new linear layer, end to end, on `per_class` labels of each class; None: on all.

    Pretrained or not, everything is the same but the learning rate: of `lrs` each network gets the one that is best
    on up to 1,000 val images. The labelled images are label_subset(train.y, per_class, seed); crops and mirroring are
    mild, text stays as it is; AdamW with a warm-up and a half cosine. Batch norm trains on the statistics of its
    batch, and those that it uses afterwards are measured anew on up to 1,000 training images without labels: a handful
    of labelled ones gives poor ones. dtype None is the precision that pays on this device. encoder may be a method.

    groups(network) -> parameter groups of AdamW whose "lr" is the group's share of the learning rate, for rates that
    differ from layer to layer; it may freeze parameters by requires_grad_(False). network: encoder, norm, linear layer.
    """
    check_labels(data)
    if not lrs or steps < 1:
        raise ValueError(f"fine-tuning needs a learning rate and a step at the least, got lrs={lrs}, steps={steps}")
    rows, judge = label_subset(data.train.y, per_class, seed), evenly(len(data.val), CHOOSING)
    x, y, networks, val = data.train.x[rows], data.train.y[rows], {}, {}
    for lr in lrs:
        recipe = labelled_recipe(data, steps, lr, batch)
        networks[lr] = classifier(copy.deepcopy(backbone(encoder)), x, y, data, recipe, seed, dtype, groups)
        val[lr] = accuracy(features(networks[lr], data.val.x[judge]).argmax(1), data.val.y[judge])
    best = max(val, key=val.get)
    test = accuracy(features(networks[best], data.test.x).argmax(1), data.test.y)
    return FineTuned(test, best, val, per_class, seed, steps)


def supervised(
    encoder: nn.Module,
    data,
    *,
    seed: int = 0,
    steps: int = 500,
    batch: int | None = None,
    lr: float = 2e-3,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    """A network of the encoder's architecture, from fresh weights, trained on all training labels: [0] is its encoder,
    [2] the linear layer. The same view, optimiser and treatment of batch norm as in `finetune`; one learning rate."""
    check_labels(data)
    recipe = labelled_recipe(data, steps, lr, batch)
    return classifier(reinitialised(backbone(encoder), seed), data.train.x, data.train.y, data, recipe, seed, dtype)


def labelled_recipe(data, steps: int, lr: float, batch: int | None) -> Recipe:
    """How all training with labels goes; batch None is 128 images, or 32 passages of text."""
    batch = batch or (32 if is_text(data.train.x) else 128)
    return Recipe(steps=steps, lr=lr, batch=batch, optimizer="adamw", weight_decay=0.05)


def classifier(
    encoder: nn.Module, x, y: Tensor, data, recipe: Recipe, seed: int, dtype: torch.dtype | None, groups=None
) -> nn.Sequential:
    """The encoder, changed in place, with a norm and a linear layer that starts at 0, trained on images x with labels
    y."""
    device = device_of(encoder)
    encoder.requires_grad_(True)
    width = features(encoder, x[torch.arange(1)]).shape[1]
    head = nn.Linear(width, len(data.classes)).to(device)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    # Without this norm, features of different encoders reach the new layer at different scales, and none suits one learning rate.
    network = nn.Sequential(encoder, nn.BatchNorm1d(width, affine=False).to(device), head).train()
    if groups:
        optimizer = torch.optim.AdamW(groups(network), weight_decay=recipe.weight_decay)
    else:
        optimizer = make_optimizer(network, recipe)
    shares = [group["lr"] if groups else 1.0 for group in optimizer.param_groups]
    generator = torch.Generator(device)
    size = min(recipe.batch, len(y))
    for step in range(recipe.steps):
        generator.manual_seed(seed * 1_000_003 + step)
        for group, share in zip(optimizer.param_groups, shares):
            group["lr"] = share * learning_rate(recipe, step)
        rows = batch_indices(len(y), size, step, seed)
        view = x[rows].to(device)
        if not is_text(view):  # text is read as it stands
            view = VIEW(view, generator)
        with autocast(device, dtype):
            loss = F.cross_entropy(network(view).float(), y[rows].to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    if not torch.isfinite(loss):
        raise FloatingPointError(f"training with labels diverged: loss {loss.item()} at learning rate {recipe.lr}")
    measure_batch_norm(network, data.train.x, dtype)
    return network.eval()


@torch.no_grad()
def measure_batch_norm(network: nn.Module, x, dtype: torch.dtype | None = None, n: int = STATISTICS) -> None:
    """Set the running statistics of every batch norm to those of up to n images of x, spread over all of it."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    momenta, device = [norm.momentum for norm in norms], device_of(network)
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    chosen = evenly(x.shape[0], n)
    for rows in chosen.chunk(max(1, len(chosen) // 250)):
        with autocast(device, dtype):
            network(to_input(x[rows], device))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


def evenly(n: int, limit: int) -> Tensor:
    """At most `limit` of n row numbers, evenly spread: a folder's images are sorted by class."""
    return torch.arange(n) if n <= limit else torch.arange(limit) * n // limit


def check_labels(data) -> None:
    """A ValueError that says how to get labels, unless all three splits have them."""
    if any(split.y is None for split in (data.train, data.val, data.test)):
        raise ValueError(
            f"the data set {data.name!r} has no labels, and judging features needs some: put the images into one "
            "subfolder per class (flowers/rose/1.jpg, flowers/tulip/2.jpg, ...) and load folder:flowers"
        )
