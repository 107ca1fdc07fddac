"""Batches on which the exercises of chapter 13 are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import draw


def columns(seed: int, n: int, k: int) -> Tensor:
    """Rows [n, k] whose columns have clearly different means and deviations."""
    place, size = torch.linspace(-1, 2, k), torch.linspace(0.5, 3, k)
    return (draw(seed, n, k) * size + place).round(decimals=2)


def pairs(*sizes: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
    """Two views of each size (n, k); the second ones resemble the first."""
    return [
        (columns(s, n, k), (columns(s, n, k) + draw(s + 50, n, k)).round(decimals=2)) for s, (n, k) in enumerate(sizes)
    ]
