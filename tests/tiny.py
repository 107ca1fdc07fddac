"""Small inputs and encoders that fit each method, for the tests that all methods share.

What a method needs follows from the kind of data it learns from. One that needs more brings tests/chapters/NAME/tiny.py, with
`encoder(channels)` where the encoder must be of one architecture, and `DICE = False` where its pretext task draws no random numbers.
"""

from collections.abc import Callable

import torch
from parts import parts
from torch import Tensor, nn

from sslkit.chapters import get, kind_of
from sslkit.transformer import TextEncoder

N = 8  # samples
SIDE, FRAMES = 32, 5  # of images; of a clip
TOKENS, CONTEXT = 40, 12  # different ones; in a passage


class TinyEncoder(nn.Module):
    """Smooth, and without batch norm, whose statistics would be each process's own. [N, C, H, W] -> [N, 6]."""

    def __init__(self, channels: int = 3):
        super().__init__()
        self.dim, self.channels = 6, channels
        self.net = nn.Sequential(nn.Conv2d(channels, self.dim, 3, stride=2), nn.Tanh())

    def map(self, x: Tensor) -> Tensor:
        return self.net(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x).mean((2, 3))


def reader(tokens: int = TOKENS, causal: bool = False) -> TextEncoder:
    """A tiny encoder of text."""
    return TextEncoder(tokens, CONTEXT, dim=16, depth=1, heads=2, causal=causal)


ENCODERS: dict[str, Callable] = {"images": TinyEncoder, "clips": TinyEncoder, "tokens": reader}


def takes_any_encoder(name: str) -> bool:
    """Whether a method trains any encoder of its kind of data."""
    return not hasattr(OWN.get(name), "encoder")


def draws(name: str) -> bool:
    """Whether a method's pretext task has random numbers in it."""
    return getattr(OWN.get(name), "DICE", True)


def inputs(name: str, n: int = N, channels: int = 3) -> Tensor:
    """n samples of noise as the method takes them: uint8 images [N, C, H, W] or clips [N, T, C, H, W]; or tokens [N, T], the rows
    ever shorter and filled up with <pad>."""
    generator, kind = torch.Generator().manual_seed(1), kind_of(name)
    if kind == "tokens":
        tokens = torch.randint(3, TOKENS, (n, CONTEXT), generator=generator)
        return tokens * (torch.arange(CONTEXT) < CONTEXT - torch.arange(n)[:, None] % (CONTEXT // 2))
    frames = (FRAMES,) if kind == "clips" else ()
    return torch.randint(256, (n, *frames, channels, SIDE, SIDE), dtype=torch.uint8, generator=generator)


def tiny(name: str, channels: int = 3) -> nn.Module:
    """The method with the options of its laptop recipe on a tiny encoder, in float64, without batch norm."""
    torch.manual_seed(0)
    module = get(name)
    make = getattr(OWN.get(name), "encoder", ENCODERS[kind_of(name)])
    method = module.METHOD(make(channels_of(name, channels)), **module.RECIPES["laptop"].options)
    return without_batch_norm(method).double()


def channels_of(name: str, channels: int = 3) -> int:
    """What `build` asks for: the channels of images, or how many different tokens there are."""
    return TOKENS if kind_of(name) == "tokens" else channels


def without_batch_norm(module: nn.Module) -> nn.Module:
    """The module with every batch norm replaced by nothing."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, nn.Identity())
        else:
            without_batch_norm(child)
    return module


def part(task, index: int, of: int):
    """One of `of` equal parts of a task: of every tensor in it, cut along the first dimension."""
    if isinstance(task, Tensor):
        assert len(task) % of == 0, f"{list(task.shape)} cannot be cut into {of}"
        return task.chunk(of)[index]
    if isinstance(task, dict):
        return {name: part(value, index, of) for name, value in task.items()}
    return type(task)(part(value, index, of) for value in task)


OWN = parts("tiny")  # last: they import from here
