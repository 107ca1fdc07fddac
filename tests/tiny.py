"""Small inputs and encoders that fit each method, for the tests that all methods share."""

import torch
from torch import Tensor, nn

from sslkit.chapters import get
from sslkit.transformer import TextEncoder, ViT

N = 8  # images


class TinyEncoder(nn.Module):
    """Smooth, and without batch norm, whose statistics would be each process's own. [N, C, H, W] -> [N, 6]."""

    def __init__(self, channels: int = 3):
        super().__init__()
        self.dim = 6
        self.net = nn.Sequential(
            nn.Conv2d(channels, self.dim, 3, stride=2), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


ENCODERS: dict[str, callable] = {  # where TinyEncoder does not fit: {method: channels -> encoder}
    "mae": lambda channels: ViT(channels, patch=8, dim=16, depth=1, heads=2),
}
# Of what is not an image: {method: shape without channels}.
SHAPES: dict[str, tuple[int, ...]] = {"next_frame": (5, 32, 32)}
SHAPE = (32, 32)
TEXT = {"bert": False, "gpt": True}  # methods of tokens: whether they are causal
TOKENS, CONTEXT = 40, 12  # different ones; in a passage


def inputs(name: str, n: int = N, channels: int = 3) -> Tensor:
    """n samples of noise as the method eats them: uint8 [N, C, H, W] unless SHAPES says otherwise, or tokens [N, T], the
    rows ever shorter and filled up with <pad>."""
    *before, height, width = SHAPES.get(name, SHAPE)
    generator = torch.Generator().manual_seed(1)
    if name in TEXT:
        tokens = torch.randint(3, TOKENS, (n, CONTEXT), generator=generator)
        return tokens * (torch.arange(CONTEXT) < CONTEXT - torch.arange(n)[:, None] % (CONTEXT // 2))
    return torch.randint(256, (n, *before, channels, height, width), dtype=torch.uint8, generator=generator)


def tiny(name: str, channels: int = 3) -> nn.Module:
    """The method with the options of its laptop recipe on a tiny encoder, in float64, without batch norm."""
    torch.manual_seed(0)
    module = get(name)
    if name in TEXT:
        encoder = TextEncoder(TOKENS, CONTEXT, dim=16, depth=1, heads=2, causal=TEXT[name])
    else:
        encoder = ENCODERS.get(name, TinyEncoder)(channels)
    method = module.METHOD(encoder, **module.RECIPES["laptop"].options)
    return without_batch_norm(method).double()


def channels_of(name: str, channels: int = 3) -> int:
    """What `build` asks for: the channels of images, or how many different tokens there are."""
    return TOKENS if name in TEXT else channels


def without_batch_norm(module: nn.Module) -> nn.Module:
    """The module with every batch norm replaced by nothing."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, nn.Identity())
        else:
            without_batch_norm(child)
    return module


def part(batch, index: int, of: int):
    """One of `of` equal parts of a batch: of every tensor in it, cut along the first dimension."""
    if isinstance(batch, Tensor):
        assert len(batch) % of == 0, f"{list(batch.shape)} cannot be cut into {of}"
        return batch.chunk(of)[index]
    if isinstance(batch, dict):
        return {name: part(value, index, of) for name, value in batch.items()}
    return type(batch)(part(value, index, of) for value in batch)
