"""What only this chapter draws."""

import torch
from torch import Tensor, nn


def question(method: nn.Module, x: Tensor, generator: torch.Generator) -> tuple[str, Tensor]:
    """What the method asks of one image x [1, C, H, W]: words, and the pictures [M, C, H, W] that it shows."""
    return "rotation: which turn?", method.pretext(x, generator)[0]
