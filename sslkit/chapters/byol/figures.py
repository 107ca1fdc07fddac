"""What only this chapter draws for chapter 23: its question."""

from typing import Any

import torch
from torch import Tensor


def question(method: Any, x: Tensor, generator: torch.Generator) -> tuple[str, Tensor]:
    """What the method asks of one image x [1, C, H, W], twice: words, and the pictures [4, C, H, W], two views each."""
    views = method.pretext(x.repeat(2, 1, 1, 1), generator)
    return "BYOL and its kin: do the two say the same?", torch.stack(views, 1).flatten(0, 1)
