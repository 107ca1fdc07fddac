"""Encoders by name, as recipes and the command line have them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from sslkit.nets.encoders import PlainEncoder, ResNet18, SmallEncoder, SpatialEncoder
from sslkit.nets.wrapped import LIBRARIES, wrap
from sslkit.transformer import TextEncoder, ViT


@dataclass(frozen=True)
class Architecture:
    """make(channels): a new encoder, for images of that many channels or that many different tokens; reads: "images" or
    "tokens"."""

    make: Callable[[int], nn.Module]
    reads: str = "images"


BOTH_SIDES: dict[str, Any] = {"norm_first": True, "sines": True, "near": True}  # as BERT wants it
PAST_ALONE: dict[str, Any] = {"causal": True, "eps": 1e-5, "gelu": "tanh"}  # as GPT wants it
SEVEN: dict[str, Any] = {"widths": (16, 32, 32, 64, 64, 128, 256), "strides": (1, 2, 1, 2, 1, 2, 1)}
FINE: dict[str, Any] = SEVEN | {"strides": (1, 2, 1, 2, 1, 1, 1)}
BASE: dict[str, Any] = {"dim": 384, "depth": 6, "heads": 6, "dropout": 0.1}

ENCODERS: dict[str, Architecture] = {
    "small": Architecture(SmallEncoder),
    "small7": Architecture(partial(PlainEncoder, **SEVEN)),
    "fine7": Architecture(partial(PlainEncoder, **FINE)),
    "spatial": Architecture(SpatialEncoder),
    "resnet18": Architecture(ResNet18),
    "vit": Architecture(ViT),
    "vit_tiny": Architecture(partial(ViT, dim=192, depth=12, heads=3)),
    "text": Architecture(partial(TextEncoder, **BOTH_SIDES, std=0.06), "tokens"),
    "text_causal": Architecture(partial(TextEncoder, **PAST_ALONE, std=0.06), "tokens"),
    "text_base": Architecture(partial(TextEncoder, **BOTH_SIDES, **BASE), "tokens"),
    "text_causal_base": Architecture(partial(TextEncoder, **PAST_ALONE, **BASE), "tokens"),
}


def architecture(name: str) -> Architecture:
    """The architecture of that name; ValueError for an unknown one. A name with a colon is that of another library:
    "timm:convnext_atto", see `wrap`."""
    if isinstance(name, str) and ":" in name:
        return Architecture(partial(wrap, name))
    if name not in ENCODERS:
        others = " or ".join(f"{library}:NAME" for library in LIBRARIES)
        raise ValueError(f"no encoder {name!r}; there are {', '.join(ENCODERS)}, and {others}")
    return ENCODERS[name]


def build_encoder(name: str = "small", channels: int = 3) -> nn.Module:
    """A new encoder by name; ValueError for an unknown one. channels: 3 for colour, 1 for grey; for text, how many different
    tokens there are.

    small, small7, fine7         plain convolutional nets for laptops: small7's first layer works at full resolution, fine7
                                 halves the resolution only twice, for small patches
    spatial                      small, with features that know where things are
    resnet18                     for a GPU
    vit, vit_tiny                Vision Transformers with patches of 4 x 4: for laptops (0.8 million parameters), for a GPU
                                 (5.4 million, DeiT-Ti's width and depth)
    text, text_causal            for tokens: sees both sides, sees the past alone (1.1 million)
    text_base, text_causal_base  the same for a GPU (11 million)
    timm:NAME, torchvision:NAME  of another library, as "timm:convnext_atto": see `wrap`
    """
    return architecture(name).make(channels)
