"""When an answer counts as the expected one."""

from __future__ import annotations

import torch
from torch import Tensor


def agree(mine: tuple[Tensor, ...] | None, theirs: tuple[Tensor, ...] | None, tolerance: float) -> bool:
    """Equal shapes, and entries that differ by at most tolerance times the largest finite expected entry."""
    if mine is None or theirs is None:
        return mine is theirs
    return len(mine) == len(theirs) and all(
        a.shape == b.shape and not differs(a, b, tolerance).any() for a, b in zip(mine, theirs)
    )


def differs(got: Tensor, expected: Tensor, tolerance: float) -> Tensor:
    """Where two tensors of one shape differ."""
    finite = expected[torch.isfinite(expected)].abs()
    scale = max(finite.max().item() if len(finite) else 0.0, 0.01)
    return ~torch.isclose(got, expected, rtol=0, atol=tolerance * scale, equal_nan=True)
