"""Passages of tokens, and which places of them are hidden, for trials."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import draw_labels, generator


def text(seed: int, N: int, T: int, vocabulary: int = 30) -> Tensor:
    return 3 + draw_labels(seed, N * T, vocabulary - 3).view(N, T)


def hide(seed: int, N: int, T: int, share: float = 0.5) -> Tensor:
    """A mask with at least one hidden place and one that is not in each row; rows hide different numbers."""
    noise = torch.rand(N, T, generator=generator(seed))
    mask = noise < share
    mask[:, 0], mask[:, -1] = True, False
    return mask
