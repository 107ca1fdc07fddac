"""A run's settings, what follows from the scale at hand, and a new method made by them."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from textwrap import shorten
from typing import Any, TypeVar

import torch
from torch import nn

from sslkit.nets import build_encoder
from sslkit.train.hardware import device

SCALES = ("smoke", "demo", "laptop", "shelf", "gpu")

Network = TypeVar("Network", bound=nn.Module)

ALLOWED: dict[str, tuple[Any, Callable[[Any], bool], str]] = {  # settings: types, test, words
    "steps": (int, lambda v: v >= 1, "a whole number, 1 or more"),
    "lr": ((int, float), lambda v: 0 <= v < math.inf, "a number, 0 or more"),
    "batch": (int, lambda v: v >= 2, "a whole number, 2 or more"),
    "encoder": (str, bool, "a name"),
    "optimizer": (str, bool, "a name"),
    "weight_decay": ((int, float), lambda v: 0 <= v < math.inf, "a number, 0 or more"),
    "warmup": ((int, float), lambda v: 0 <= v <= 1, "a share, 0 to 1"),
    "clip": ((int, float, type(None)), lambda v: v is None or 0 < v < math.inf, "a number above 0, or None"),
    "small_views": ((int, type(None)), lambda v: v is None or v >= 8, "a number of pixels, 8 or more, or None"),
    "small_share": ((int, float), lambda v: 0 <= v <= 1, "a share, 0 to 1"),
    "options": (dict, lambda v: all(isinstance(key, str) for key in v), "a dict of names and values"),
}


@dataclass(frozen=True)
class Recipe:
    """All settings of a run. steps are optimiser steps; batch is images per step over all processes; warmup is a share
    of the steps, after which the learning rate falls to 0 along a half cosine; clip is the largest norm that all
    gradients together may have, None for any; small_views: for the first small_share of the steps random crops have so
    many pixels a side, None for the images' own; options go to the method's constructor.

    Small views cost less, so a run of the same time has more steps (progressive resizing: Howard et al. 2018 for
    DAWNBench; Tan & Le 2021, EfficientNetV2, section 4); tests/benchmarks/engine.py measures what they bring."""

    steps: int
    lr: float
    batch: int = 256
    encoder: str = "small"
    optimizer: str = "sgd"
    weight_decay: float = 5e-4
    warmup: float = 0.1
    clip: float | None = None
    small_views: int | None = None
    small_share: float = 0.7
    options: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        """ValueError for a setting that no run can have: from the command line, or from a forged checkpoint."""
        for name, (kinds, allowed, words) in ALLOWED.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kinds) or not allowed(value):
                raise ValueError(f"{name} must be {words}, not {value!r}")

    @staticmethod
    def read(values: Any) -> "Recipe":
        """The recipe in a checkpoint; ValueError if it does not describe one."""
        known = [setting.name for setting in fields(Recipe)]
        if not isinstance(values, dict) or not {"steps", "lr"} <= values.keys():
            raise ValueError(f"a recipe has at least steps and lr, this is {shorten(repr(values), 100)}")
        if unknown := [str(key) for key in values if key not in known]:
            raise ValueError(f"a recipe has no {', '.join(unknown)}; it has {', '.join(known)}")
        return Recipe(**values)

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some settings changed."""
        return replace(self, **changes)

    def side(self, step: int) -> int | None:
        """Pixels a side of the crops of step 0, 1, ...; None for the images' own."""
        return self.small_views if step < self.small_share * self.steps else None

    def smoke(self) -> "Recipe":
        """The same path through the code in seconds: enough to see that it runs, not to learn."""
        return self.but(steps=min(self.steps, 8), batch=min(self.batch, 64))

    def demo(self) -> "Recipe":
        """A fifth of it, for a talk: under half a minute where the whole takes two."""
        return self.but(steps=max(1, self.steps // 5))


def scale(wanted: str | None = None) -> str:
    """ "laptop" or, with a GPU, "gpu"; `wanted`, or else SSLKIT_SCALE, overrules the hardware."""
    chosen = wanted or os.environ.get("SSLKIT_SCALE") or ("gpu" if torch.cuda.is_available() else "laptop")
    if chosen not in SCALES:
        raise ValueError(f"no scale {chosen!r}; there are {', '.join(SCALES)}")
    return chosen


def choose(recipes: dict[str, Recipe], wanted: str | None = None) -> Recipe:
    """The recipe of a method for the scale at hand. ValueError where the method has none for it."""
    chosen = scale(wanted)
    if chosen == "smoke":
        return recipes["laptop"].smoke()
    if chosen == "demo":
        return recipes["laptop"].demo()
    if chosen not in recipes:
        raise ValueError(f"this method has no recipe for the scale {chosen!r}; it has {', '.join(recipes)}")
    return recipes[chosen]


def build(method_class: Callable[..., Network], recipe: Recipe, channels: int = 3, seed: int = 0) -> Network:
    """A new method with a new encoder on this process's device; the same seed gives the same weights."""
    torch.manual_seed(seed)
    method = method_class(build_encoder(recipe.encoder, channels), **recipe.options).to(device())
    return method.to(memory_format=torch.channels_last)  # convolutions are faster so, on CPUs and GPUs alike
