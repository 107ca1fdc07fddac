"""Layers that several networks are made of."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def mlp(dims: list[int], bias: bool = True) -> nn.Sequential:
    """Linear layers through `dims`, with batch norm and ReLU between them: [N, dims[0]] -> [N, dims[-1]]; bias: of the last one."""
    layers: list[nn.Module] = []
    for wide, narrow in zip(dims[:-2], dims[1:-1]):
        layers += [nn.Linear(wide, narrow, bias=False), nn.BatchNorm1d(narrow), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(dims[-2], dims[-1], bias=bias))


def conv(channels_in: int, channels_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution, batch norm, ReLU; [N, C, H, W] -> [N, C', H / stride, W / stride]."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def parameter_count(module: nn.Module) -> int:
    """How many numbers the module learns."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision to float32; float32 and float64 stay: what a loss is computed in."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def full_precision(x: Tensor) -> AbstractContextManager:
    """A context without autocast on x's device: bfloat16 keeps 8 bits of a cosine, too few for a loss."""
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


def check_views(z1: Tensor, z2: Tensor, least: int = 1) -> None:
    """ValueError unless z1 and z2 are [N, K] of one shape, with N at least `least`: row n of both is to be of image n."""
    if z1.ndim != 2 or z1.shape != z2.shape or len(z1) < least:
        got = f"{list(z1.shape)} and {list(z2.shape)}"
        raise ValueError(f"this loss needs [N, K] twice, of one shape, N at least {least}; got {got}")
