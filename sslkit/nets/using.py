"""A network in use: its device, its input, and its features in evaluation mode."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's first parameter; the CPU for a model without any."""
    parameter = next(model.parameters(), None)
    return parameter.device if parameter is not None else torch.device("cpu")


def to_input(x: Tensor, device: torch.device) -> Tensor:
    """What an encoder takes, on the device: uint8 images become float32 in [0, 1], anything else (tokens too) stays."""
    x = x.to(device)
    return x.float().div_(255) if x.dtype == torch.uint8 else x


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """model.eval() for a while; each submodule gets its own training mode back, whatever happens."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@torch.no_grad()
def evaluated(model: nn.Module, x: Tensor) -> Tensor:
    """What a method encodes, or any other network gives, for one batch x, in evaluation mode and without gradient."""
    encode = getattr(model, "encode", model)
    with evaluating(model):
        return encode(to_input(x, device_of(model)))
