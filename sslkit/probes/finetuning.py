"""Training with labels: fine-tuning on a few of them, and the supervised network that all of them would buy."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.datasets import Dataset
from sslkit.nets import device_of, to_input
from sslkit.probes.features import accuracy, backbone, evenly, features, labels_of, reinitialised
from sslkit.probes.few import label_subset
from sslkit.progress import progress
from sslkit.train import Recipe, autocast, train
from sslkit.train.batches import step_and_rank
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
    data: Dataset,
    per_class: int | None = 10,
    seed: int = 0,
    *,
    steps: int = 120,
    batch: int | None = None,
    lrs: tuple[float, ...] = (3e-4, 2e-3),
    groups: Callable[[nn.Sequential], list[dict]] | None = None,
    dtype: torch.dtype | None = None,
    out: str | Path | None = None,
    resume: bool = False,
) -> FineTuned:
    """Train a copy of the encoder and a new linear layer, end to end, on `per_class` labels of each class; None: on all.

    Pretrained or not, everything is the same but the learning rate: of `lrs` each network gets the one that is best
    on up to 1,000 val images. The labelled images are label_subset(train.y, per_class, seed); crops and mirroring are
    mild, text stays as it is; AdamW with a warm-up and a half cosine. Batch norm trains on the statistics of its
    batch, and those that it uses afterwards are measured anew on up to 1,000 training images without labels: a handful
    of labelled ones gives poor ones. dtype None is the precision that pays on this device. encoder may be a method.

    groups(network) -> parameter groups as in sslkit.train.make_optimizer, whose "lr" is the group's share of the learning
    rate, for rates that differ from layer to layer; it may freeze parameters by requires_grad_(False). network: encoder,
    norm, linear layer.

    With `out` each training keeps its checkpoints in out/lr-RATE, and resume=True goes on with those that are there.
    Under torchrun all processes train together. Stopped, a KeyboardInterrupt, where it was interrupted.
    """
    data = data.judged
    y, y_val, y_test = labels_of(data)
    if not lrs or steps < 1:
        raise ValueError(f"fine-tuning needs at least one learning rate and one step, got lrs={lrs}, steps={steps}")
    rows, judge = label_subset(y, per_class, seed), evenly(len(data.val), CHOOSING)
    labelled, networks, val = Labelled(data.train.x[rows], y[rows]), {}, {}
    show = progress(f"fine-tuning, {len(lrs)} learning rates", len(lrs) * steps, "steps")
    for done, lr in enumerate(lrs):
        recipe = labelled_recipe(data, steps, lr, batch)
        method = Classifier(copy.deepcopy(backbone(encoder)), labelled.x, len(data.classes), data.kind.crops, groups)

        def so_far(step: float, before: int = done * steps) -> None:
            show(before + step)

        networks[lr] = fit(
            method,
            labelled,
            recipe,
            data=data,
            seed=seed,
            dtype=dtype,
            out=Path(out) / f"lr-{lr:g}" if out else None,
            resume=resume,
            show=so_far,
        )
        val[lr] = accuracy(features(networks[lr], data.val.x[judge]).argmax(1), y_val[judge])
    best = max(val, key=lambda lr: val[lr])
    test = accuracy(features(networks[best], data.test.x).argmax(1), y_test)
    return FineTuned(test, best, val, per_class, seed, steps)


def supervised(
    encoder: nn.Module,
    data: Dataset,
    *,
    seed: int = 0,
    steps: int = 500,
    batch: int | None = None,
    lr: float = 2e-3,
    dtype: torch.dtype | None = None,
    out: str | Path | None = None,
    resume: bool = False,
) -> nn.Sequential:
    """A network of the encoder's architecture, from fresh weights, trained on all training labels: [0] is its encoder,
    [2] the linear layer. The same view, optimiser, treatment of batch norm and checkpoints as in `finetune`; one
    learning rate."""
    data = data.judged
    labelled, recipe = Labelled(data.train.x, labels_of(data)[0]), labelled_recipe(data, steps, lr, batch)
    method = Classifier(reinitialised(backbone(encoder), seed), labelled.x, len(data.classes), data.kind.crops)
    kept = Path(out) if out else None
    return fit(method, labelled, recipe, data=data, seed=seed, dtype=dtype, out=kept, resume=resume)


def labelled_recipe(data: Dataset, steps: int, lr: float, batch: int | None) -> Recipe:
    """How all training with labels goes; batch None is 128 images, or 32 passages of text."""
    batch = batch or data.kind.batch
    return Recipe(steps=steps, lr=lr, batch=batch, optimizer="adamw", weight_decay=0.05)


class Labelled:
    """Images or tokens x with their labels y [N]: an index gives both."""

    def __init__(self, x: Any, y: Tensor):
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Tensor) -> tuple[Any, Tensor]:
        return self.x[index], self.y[index]


class Classifier(nn.Module):
    """An encoder with a norm and a linear layer that starts at 0, trained on labels: `network` is the three of them.

    x: inputs of its kind, to see how wide its features are; classes: how many; crops: whether it sees a mild view of them;
    groups: see `finetune`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        x: Any,
        classes: int,
        crops: bool = True,
        groups: Callable[[nn.Sequential], list[dict]] | None = None,
    ):
        super().__init__()
        width = features(encoder.requires_grad_(True), x[torch.arange(1)]).shape[1]
        head = nn.Linear(width, classes)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        # Without this norm, features of different encoders reach the new layer at different scales, and none suits one learning rate.
        self.network = nn.Sequential(encoder, nn.BatchNorm1d(width, affine=False), head).to(device_of(encoder))
        self.classes, self.crops = classes, crops
        if groups:
            self.parameter_groups = partial(groups, self.network)

    def pretext(self, labelled: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A mild view of each image; text stays as it is."""
        x, y = labelled
        if not self.crops:
            return x, y
        # Process 0 draws from the stream that results/ was drawn from, which is older than training on several processes.
        number, process = step_and_rank(generator.initial_seed())
        return VIEW(x, generator if process else generator.manual_seed(number)), y

    def forward(self, task: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of views and labels."""
        view, y = task
        return F.cross_entropy(self.network(view).float(), y), {}

    def chance(self, batch_size: int) -> float:
        """The loss of a network that gives each class the same probability, as this one does at first."""
        return math.log(self.classes)


def fit(
    method: Classifier,
    labelled: Labelled,
    recipe: Recipe,
    *,
    data: Dataset,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    out: Path | None = None,
    resume: bool = False,
    show: Callable[[float], None] | None = None,
) -> nn.Sequential:
    """Train the classifier on what is labelled; its network, with batch norm measured on the training split of `data`.

    resume: go on from the checkpoint in `out` if there is one; show(steps that are done) is called after each.
    """
    resume = out is not None and resume and (out / "checkpoint.pt").exists()
    about = {"data": data.name}
    show = show or progress("training on labels", recipe.steps, "steps")
    for record in train(method, labelled, recipe, seed=seed, out=out, resume=resume, about=about, dtype=dtype):
        show(record.step)
    measure_batch_norm(method.network, data.train.x, dtype)
    return method.network.eval()


@torch.no_grad()
def measure_batch_norm(network: nn.Module, x: Any, dtype: torch.dtype | None = None, n: int = STATISTICS) -> None:
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
