"""The optimiser: which parameters learn, how fast, and how far in one step."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from sslkit.train.muon import Muon
from sslkit.train.recipe import Recipe


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of step 0, 1, ...: a straight warm-up, then a half cosine to 0 (Loshchilov & Hutter 2017)."""
    warmup = max(1, round(recipe.warmup * recipe.steps))
    if step < warmup:
        return recipe.lr * (step + 1) / warmup
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, recipe.steps - warmup)))


def make_optimizer(method: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, AdamW, or Muon; no weight decay on biases and batch norm, as the papers do. Where Muon
    trains the weights, biases and norms have a tenth of the rate, since AdamW trains them.

    A method may set rates of its own by `parameter_groups()`: a list of dicts with "params", and "lr", the group's share
    of the learning rate (1); "constant": True for a rate without warm-up and cosine; "weight_decay" in place of the
    recipe's. What is in none of its groups learns as usual.
    """
    own_groups = getattr(method, "parameter_groups", list)
    own = [{**group, "params": trainable(group["params"])} for group in own_groups()]
    named = {id(p) for group in own for p in group["params"]}
    rest = [p for p in trainable(method.parameters()) if id(p) not in named]
    groups = with_and_without_decay(recipe, rest)
    groups += [part for group in own for part in with_and_without_decay(recipe, **group) if part["params"]]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr)
    if recipe.optimizer == "muon":
        return Muon(groups, lr=recipe.lr)
    raise ValueError(f"no optimizer {recipe.optimizer!r}; there are sgd, adamw and muon")


def trainable(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Those that are not frozen."""
    return [p for p in parameters if p.requires_grad]


def with_and_without_decay(
    recipe: Recipe,
    params: list[nn.Parameter],
    lr: float = 1.0,
    constant: bool = False,
    weight_decay: float | None = None,
) -> list[dict[str, Any]]:
    """Two groups of the optimiser: the weights, and the biases and norms, which do not decay."""
    decay = recipe.weight_decay if weight_decay is None else weight_decay
    weights, flat = [p for p in params if p.ndim > 1], [p for p in params if p.ndim <= 1]
    share = lr * (0.1 if recipe.optimizer == "muon" else 1)
    return [
        {"params": weights, "weight_decay": decay, "share": lr, "constant": constant},
        {"params": flat, "weight_decay": weight_decay or 0.0, "share": share, "constant": constant},
    ]


def moments_of(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> set[str]:
    """The names of what an optimiser remembers of a parameter."""
    adam = isinstance(optimizer, torch.optim.AdamW) or isinstance(optimizer, Muon) and parameter.ndim <= 1
    return {"step", "exp_avg", "exp_avg_sq"} if adam else {"momentum_buffer"}


def load_moments(optimizer: torch.optim.Optimizer, state: Any) -> None:
    """Give the optimiser the running means of a checkpoint's state_dict; rates and decays stay those of the recipe.
    ValueError where they are not those of its parameters."""
    mine = optimizer.state_dict()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    try:
        fits = [group["params"] for group in state["param_groups"]] == [g["params"] for g in mine["param_groups"]]
        for index, moments in state["state"].items():
            fits &= 0 <= index < len(parameters) and moments.keys() == moments_of(optimizer, parameters[index])
            for name, value in moments.items():
                fits &= value is None or value.shape == (() if name == "step" else parameters[index].shape)
    except (TypeError, KeyError, AttributeError, IndexError):
        fits = False
    if not fits:
        raise ValueError("the checkpoint's optimiser is not that of this method: it has other parameters, or is broken")
    optimizer.load_state_dict({**mine, "state": state["state"]})


def set_rates(optimizer: torch.optim.Optimizer, recipe: Recipe, step: int) -> float:
    """Give each group its rate for step 0, 1, ...; returns the one that all groups without their own have."""
    rate = learning_rate(recipe, step)
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * (recipe.lr if group["constant"] else rate)
    return rate


def limit_gradients(optimizer: torch.optim.Optimizer, limit: float | None) -> None:
    """Scale all gradients down together where their norm is above `limit`; None: never. On many processes they are the
    means over all of them by now, the same in each."""
    if limit is not None:
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], limit)
