"""What every data set looks like: a `Dataset` of three `Split`s, held in memory as uint8 tensors or streamed.

`splits.py` has the helpers that cut a set into splits which never change and share no image.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from sslkit.datasets.kinds import Kind, Pairs, describe, kind_of
from sslkit.tokenizer import BytePair


@dataclass(repr=False, eq=False)
class Split:
    """N samples that belong together.

    x        uint8 images [N, C, H, W], clips [N, T, C, H, W], int64 tokens [N, T] or Pairs; or a streamed object with
             `.shape`, indexable in the same way, whose `.subset(index)` gives a part of it without decoding (see
             streamed.py)
    y        int64 [N], the class of each, or None where nobody labelled them
    factors  what else is known of each sample, by name, each a tensor of length N
    names    one string per sample, or None
    """

    x: Any
    y: Tensor | None = None
    factors: dict[str, Tensor] = field(default_factory=dict)
    names: list[str] | None = None

    def __post_init__(self):
        kind_of(self.x)  # raises for what cannot be samples
        n = self.x.shape[0]
        if self.y is not None and (self.y.dtype != torch.int64 or self.y.dim() != 1):
            raise ValueError(f"y must be int64 [N], got {describe(self.y)}; use y.long()")
        factors = {f"factors[{name!r}]": values for name, values in self.factors.items()}
        columns = {"y": self.y, "names": self.names, **factors}
        for name, column in columns.items():
            if column is not None and len(column) != n:
                raise ValueError(f"{name} has {len(column)} entries for {n} samples")

    def __len__(self) -> int:
        return self.x.shape[0]

    def __getitem__(self, index) -> Split:
        """The chosen samples, labels, factors and names. `index`: slice, LongTensor, mask, list or int.

        A slice of a tensor shares its memory, the rest copies. Streamed images are not decoded by this.
        """
        index = index if isinstance(index, slice) else as_index(index, len(self))
        numbers = range(len(self))[index] if isinstance(index, slice) else index.tolist()
        return Split(
            x=self.x.subset(index) if hasattr(self.x, "subset") else _take(self.x, index),
            y=None if self.y is None else _take(self.y, index),
            factors={name: _take(values, index) for name, values in self.factors.items()},
            names=None if self.names is None else [self.names[i] for i in numbers],
        )

    def __repr__(self) -> str:
        known = ["unlabelled" if self.y is None else "y", *self.factors, *(["names"] if self.names else [])]
        return f"Split({len(self)} x {list(self.x.shape[1:])}, {', '.join(known)})"


@dataclass(repr=False, eq=False)
class Dataset:
    """A named set in three parts. Choose settings on `val`; report `test` once.

    classes     the name of each class, `classes[y]`; empty where nothing is labelled
    unlabelled  further samples without labels, for pretraining
    about       origin, licence, paper, and how the splits were made
    skipped     "file: reason" for what was found but not used
    tokenizer   of text: what turned it into tokens (sslkit.tokenizer.BytePair)
    """

    name: str
    train: Split
    val: Split
    test: Split
    classes: list[str]
    unlabelled: Split | None = None
    about: str = ""
    skipped: list[str] = field(default_factory=list)
    tokenizer: BytePair | None = None

    def __post_init__(self):
        shape = list(self.train.x.shape[1:])
        for part, split in self.splits.items():
            here = f"{self.name}: {part}"
            if list(split.x.shape[1:]) != shape:
                raise ValueError(f"{here} holds samples of shape {list(split.x.shape[1:])}, train of {shape}")
            if part != "unlabelled" and (split.y is None) == bool(self.classes):
                raise ValueError(
                    f"{here} has {'no ' if split.y is None else ''}labels, but there are "
                    f"{len(self.classes)} classes; label all three splits or none"
                )
            if split.y is not None and len(split):
                low, high = int(split.y.min()), int(split.y.max())
                if low < 0 or high >= len(self.classes):
                    raise ValueError(f"{here}.y runs from {low} to {high}, for {len(self.classes)} classes")

    @property
    def splits(self) -> dict[str, Split]:
        """train, val, test and, where there is one, unlabelled."""
        parts = {"train": self.train, "val": self.val, "test": self.test, "unlabelled": self.unlabelled}
        return {name: split for name, split in parts.items() if split is not None}

    @property
    def pretrain(self) -> Tensor:
        """The samples to pretrain on: the unlabelled ones where there are any, else those of train."""
        return self.train.x if self.unlabelled is None else self.unlabelled.x

    @property
    def kind(self) -> Kind:
        """What the samples are, and what follows from it."""
        return kind_of(self.train.x, None if self.tokenizer is None else len(self.tokenizer))

    @property
    def channels(self) -> int:
        """1 for grey images or clips, 3 for colour; the number of different tokens for text. What `build` asks."""
        return self.kind.inputs

    @property
    def judged(self) -> Dataset:
        """The set as the judges see it: of pairs the images alone."""
        if not isinstance(self.train.x, Pairs):
            return self
        parts: dict[str, Any] = {part: replace(s, x=s.x.images) for part, s in self.splits.items()}
        return replace(self, tokenizer=None, **parts)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(split)}" for name, split in self.splits.items())
        return f"Dataset({self.name}: {sizes}; {list(self.train.x.shape[1:])}; {len(self.classes)} classes)"


@dataclass(frozen=True)
class Info:
    """One line of the list of sets. `where`: "bundled", "generated", "on disk" or "to download".

    `classes` is how many there are, `megabytes` what it takes on disk.
    """

    name: str
    about: str
    licence: str
    where: str
    megabytes: float
    classes: int


def as_index(index, n: int) -> Tensor:
    """Any index but a slice as int64 [K] within 0..n-1; IndexError or TypeError for any other."""
    index = torch.as_tensor(index)
    if index.numel() == 0:
        return torch.zeros(0, dtype=torch.int64)
    if index.dtype == torch.bool:
        if index.shape != (n,):
            raise IndexError(f"a mask has one entry per sample: got {list(index.shape)} for {n} samples")
        return index.nonzero().flatten()
    if index.is_floating_point() or index.is_complex() or index.dim() > 1:
        raise TypeError(f"an index must be whole numbers [K], got {describe(index)}")
    index = index.reshape(-1).long()
    low, high = int(index.min()), int(index.max())
    if low < -n or high >= n:
        raise IndexError(f"index {high if high >= n else low} is outside the {n} samples")
    return index % n


def _take(values: Tensor, index) -> Tensor:
    return values[index if isinstance(index, slice) else index.to(values.device)]
