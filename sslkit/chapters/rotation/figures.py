"""What only this chapter draws."""

from typing import Any

import torch
from torch import Tensor


def question(method: Any, x: Tensor, generator: torch.Generator) -> tuple[str, Tensor]:
    """What the method asks of one image x [1, C, H, W]: words, and the pictures [M, C, H, W] that it shows."""
    return "rotation: which turn?", method.pretext(x, generator)[0]
