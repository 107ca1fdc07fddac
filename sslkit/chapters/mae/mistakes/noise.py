"""The noise by which patches are drawn, for trials."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import generator


def noise(seed: int, N: int, L: int) -> Tensor:
    """All different, so that every sort gives the same order."""
    dice = generator(seed)
    return torch.stack([torch.randperm(L, generator=dice) for _ in range(N)]) / L
