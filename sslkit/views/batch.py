"""What all views share: images as float, random numbers for each of them, one view after another."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


def to_float(x: Tensor) -> Tensor:
    """uint8 [N, C, H, W] to float32 in [0, 1]; what is decimal already becomes float32. ValueError for anything else."""
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(
            f"views need images [N, 1 or 3, H, W], got a tensor of shape {list(x.shape)}; one image is x[None]"
        )
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise ValueError(f"views need images as uint8, or as decimal numbers in 0 .. 1, got {x.dtype}")
    return x.float().div_(255) if x.dtype == torch.uint8 else x.float()


def uniform(n: int, low: float, high: float, x: Tensor, generator: torch.Generator | None) -> Tensor:
    """n numbers, uniform in [low, high), on x's device."""
    return torch.rand(n, device=x.device, generator=generator) * (high - low) + low


@dataclass
class Compose:
    """Views one after another."""

    views: list = field(default_factory=list)

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        for view in self.views:
            x = view(x, generator)
        return x
