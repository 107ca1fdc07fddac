"""Which samples a step uses, and how they get to the device."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor


def batch_indices(n: int, batch: int, step: int, seed: int) -> Tensor:
    """Which of n samples step 0, 1, ... uses, int64 [batch]: all in a new random order each epoch, the last incomplete batch left
    out. ValueError for a batch of none, or of more than there are."""
    if not 1 <= batch <= n:
        raise ValueError(f"a batch of {batch} out of {n} samples: it takes 1 to {n}")
    epoch, place = divmod(step, n // batch)
    return _order(n, seed, epoch)[place * batch : (place + 1) * batch]


@lru_cache(maxsize=2)
def _order(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


RANKS = 1009  # more processes than any run has


def step_seed(seed: int, step: int, rank: int) -> int:
    """What seeds the random numbers of a step in process `rank` of a run."""
    return (seed * 1_000_003 + step) * RANKS + rank


def step_and_rank(number: int) -> tuple[int, int]:
    """What step_seed gave, as (the part that all processes share, the rank)."""
    return divmod(number, RANKS)


def to_device(batch: Any, device: torch.device) -> Any:
    """A batch on the device: a tensor, or a tuple of them (images and their labels, images and their texts)."""
    return tuple(to_device(part, device) for part in batch) if isinstance(batch, tuple) else batch.to(device)
