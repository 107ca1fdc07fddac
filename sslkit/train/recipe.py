"""A run's settings, and what follows from them alone: the scale at hand, the learning rate, the optimiser."""

import math
import os
from dataclasses import dataclass, field, replace

import torch
from torch import nn

SCALES = ("smoke", "laptop", "gpu")


@dataclass(frozen=True)
class Recipe:
    """All settings of a run. steps are optimiser steps; batch is images a step over all processes; warmup is a share
    of the steps, after which the learning rate falls to 0 along a half cosine; options go to the method's
    constructor."""

    steps: int
    lr: float
    batch: int = 256
    encoder: str = "small"
    optimizer: str = "sgd"
    weight_decay: float = 5e-4
    warmup: float = 0.1
    options: dict = field(default_factory=dict)

    def but(self, **changes) -> "Recipe":
        """The same recipe with some settings changed."""
        return replace(self, **changes)

    def smoke(self) -> "Recipe":
        """The same path through the code in seconds: enough to see that it runs, not to learn."""
        return self.but(steps=min(self.steps, 8), batch=min(self.batch, 64))


def scale(wanted: str | None = None) -> str:
    """ "laptop" or, with a GPU, "gpu"; `wanted`, or else SSLKIT_SCALE, overrules the hardware."""
    chosen = wanted or os.environ.get("SSLKIT_SCALE") or ("gpu" if torch.cuda.is_available() else "laptop")
    if chosen not in SCALES:
        raise ValueError(f"no scale {chosen!r}; there are {', '.join(SCALES)}")
    return chosen


def choose(recipes: dict[str, Recipe], wanted: str | None = None) -> Recipe:
    """The recipe of a method for the scale at hand."""
    chosen = scale(wanted)
    return recipes["laptop"].smoke() if chosen == "smoke" else recipes[chosen]


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of step 0, 1, ...: a straight warm-up, then a half cosine to 0 (Loshchilov & Hutter 2017)."""
    warmup = max(1, round(recipe.warmup * recipe.steps))
    if step < warmup:
        return recipe.lr * (step + 1) / warmup
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, recipe.steps - warmup)))


def make_optimizer(method: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, or AdamW; no weight decay on biases and batch norm, as the papers do."""
    learned = [p for p in method.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr)
    raise ValueError(f"no optimizer {recipe.optimizer!r}; there are sgd and adamw")
