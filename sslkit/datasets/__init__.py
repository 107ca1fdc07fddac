"""Data sets, each in three parts behind one small contract: `data = load("scenes")`, then data.train.x, data.val,
data.test."""

import warnings
from dataclasses import replace
from importlib import import_module
from inspect import signature
from typing import Any

import torch

from sslkit.datasets.contract import Dataset, Info, Split
from sslkit.datasets.counts import remarks
from sslkit.datasets.kinds import Kind, Pairs
from sslkit.datasets.listing import image_files
from sslkit.datasets.root import data_root, in_home

__all__ = ["Dataset", "Info", "Kind", "Pairs", "Split", "available", "data_root", "is_text", "load"]

SHIPPED = ("emoji", "scenes", "moving", "fashion", "text")
GENERATED = ("scenes", "moving")
LEAST = {"size": 8, "frames": 2, "every": 1}
# Pixels and frames beyond which the kit's networks would learn nothing in a lifetime.
MOST = {"size": 512, "frames": 128}
PUBLISHED = ("cifar10", "cifar100", "stl10", "imagenette", "fashion-full")


def load(source: Any, *, limit: int | None = None, channels: int | None = None, **options: Any) -> Dataset:
    """A data set by name: emoji, scenes, moving, fashion, text; cifar10, cifar100, stl10, imagenette, fashion-full; or
    "folder:PATH" (images of your own, or .txt files), "video:PATH" (films of your own), "text:PATH" (.txt files). Or one that is in
    memory: images x, (x, y), a torchvision data set (see given.py).

    limit keeps only that many samples of each split, evenly spread, for a quick look. channels 1 or 3 turns colour into
    grey or repeats grey three times; without it, images and films of your own have 3, grey ones too. Other options go to
    the set's own load(): size (working resolution), frames (of a clip), artist, test_artist, root ... An unknown name is a
    ValueError that lists what exists. A warning names files of your own that are left out, and classes missing from a split.
    """
    check_numbers(limit=limit, channels=channels, **{key: options.get(key) for key in LEAST})
    module, first = _module(source) if isinstance(source, str) else (import_module("sslkit.datasets.given"), (source,))
    name, takes = source if isinstance(source, str) else "in memory", signature(module.load).parameters
    if "channels" in takes:  # decoded so at once
        options["channels"] = channels or 3
    if name in GENERATED and limit:  # drawn no more than asked for, and no more than there are
        options = {part: min(limit, takes[part].default) for part in ("train", "val", "test")} | options
    if "options" not in takes and (unknown := set(options) - set(takes)):
        known = ", ".join(key for key in takes if key not in ("name", "path", "source"))
        raise ValueError(f"the data set {name} has no option {', '.join(sorted(unknown))}; it has {known or 'none'}")
    data = module.load(*first, **options)
    for remark in remarks(data) if ":" in name else ():  # a reader's own files
        warnings.warn(remark, stacklevel=2)
    if channels and data.kind.channels is None:
        raise ValueError(f"{name} is text, which has no channels")
    if limit:
        data = replace(data, **{part: evenly(s, limit) for part, s in data.splits.items()})
    if channels and channels != data.kind.channels:
        parts = {part: replace(s, x=to_channels(s.x, channels)) for part, s in data.splits.items()}
        data = replace(data, **parts)
    return data


def _module(name: str):
    """The module that loads a set, and the first arguments of its load()."""
    kind, _, path = name.partition(":")
    if kind == "text" and path or kind == "folder" and holds_text(path):
        return import_module("sslkit.datasets.text"), (path,)
    if name.startswith("folder:"):
        return import_module("sslkit.datasets.folder"), (path,)
    if name.startswith("video:"):
        return import_module("sslkit.datasets.video"), (path,)
    if name in SHIPPED:
        return import_module(f"sslkit.datasets.{name}"), ()
    if name in PUBLISHED:
        return import_module("sslkit.datasets.torchvision_sets"), (name,)
    raise ValueError(
        f"no data set {name!r}; there are {', '.join(SHIPPED + PUBLISHED)}, folder:PATH for images of your own, "
        "text:PATH for .txt files, and video:PATH for films"
    )


def is_text(name: str) -> bool:
    """Whether load(name) returns passages of tokens."""
    return _module(name)[0].__name__ == "sslkit.datasets.text"


def evenly(split: Split, limit: int) -> Split:
    """At most `limit` samples of a split, evenly spread over it."""
    return split[torch.arange(limit) * len(split) // limit] if len(split) > limit else split


def check_numbers(**numbers: int | None) -> None:
    """ValueError for a number, where it is given, that no set can be made with."""
    for name, value in numbers.items():
        if value is None:
            continue
        if name == "channels" and value not in (1, 3):
            raise ValueError(f"channels is {value!r}: 1 for grey, 3 for colour")
        least, most = LEAST.get(name, 1), MOST.get(name)
        if not isinstance(value, int) or value < least or (most and value > most):
            raise ValueError(f"{name} is {value!r}: a whole number from {least} {f'to {most}' if most else 'on'}")


def holds_text(path: str) -> bool:
    """Whether a folder holds .txt files and no images."""
    folder = in_home(path)
    return folder.is_dir() and any(folder.rglob("*.txt")) and not image_files(folder)[0]


def to_channels(x: Any, channels: int) -> Any:
    """uint8 images or clips [..., 1 or 3, H, W], or the images of Pairs, with 1 channel (the mean of the colours) or 3 (grey
    three times)."""
    if isinstance(x, Pairs):
        return Pairs(to_channels(x.images, channels), x.tokens)
    if channels == 1:
        return x.float().mean(-3, keepdim=True).round().to(torch.uint8)
    return x.expand(*x.shape[:-3], 3, -1, -1)


def available() -> list[Info]:
    """What load() knows: the shipped and generated sets, then the published ones with what is on disk."""
    shipped = [import_module(f"sslkit.datasets.{name}").INFO for name in SHIPPED]
    return shipped + import_module("sslkit.datasets.torchvision_sets").infos()
