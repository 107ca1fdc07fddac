"""Networks. Encoders take float images [N, C, H, W] in [0, 1], or tokens [N, T], and return features h [N, dim]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.transformer import TextEncoder, ViT

TEXT_ENCODERS = {  # causal ones are for GPT; "_base" for a GPU
    "text": {"norm_first": True, "sines": True, "near": True, "std": 0.06},
    "text_causal": {"causal": True, "eps": 1e-5, "gelu": "tanh", "std": 0.06},
    "text_base": {"norm_first": True, "sines": True, "near": True, "dim": 384, "depth": 6, "heads": 6, "dropout": 0.1},
    "text_causal_base": {
        "causal": True, "eps": 1e-5, "gelu": "tanh", "dim": 384, "depth": 6, "heads": 6, "dropout": 0.1
    },
}  # fmt: skip
ENCODERS = ("small", "spatial", "resnet18", "vit", "vit_tiny", *TEXT_ENCODERS)


def mlp(dims: list[int]) -> nn.Sequential:
    """Linear layers through `dims`, with batch norm and ReLU between them: [N, dims[0]] -> [N, dims[-1]]."""
    layers: list[nn.Module] = []
    for wide, narrow in zip(dims[:-2], dims[1:-1]):
        layers += [nn.Linear(wide, narrow, bias=False), nn.BatchNorm1d(narrow), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(dims[-2], dims[-1]))


def conv(channels_in: int, channels_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution, batch norm, ReLU; [N, C, H, W] -> [N, C', H / stride, W / stride]."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class SmallEncoder(nn.Module):
    """A plain convolutional net for two laptop cores: six 3 x 3 layers, half the resolution at once, features
    averaged over the image.

    [N, C, 32, 32] -> [N, 8 width]. Chosen by measuring on two cores: see tests/benchmarks/README.md.
    """

    def __init__(self, channels: int = 3, width: int = 32):
        super().__init__()
        w = width
        self.layers = nn.Sequential(
            conv(channels, w, 2), conv(w, w), conv(w, 2 * w, 2), conv(2 * w, 2 * w), conv(2 * w, 4 * w, 2), conv(4 * w, 8 * w)
        )  # fmt: skip
        self.dim = 8 * w

    def forward(self, x: Tensor) -> Tensor:
        x = (2 * x - 1).contiguous(memory_format=torch.channels_last)
        return F.adaptive_avg_pool2d(self.layers(x), 1).flatten(
            1
        )  # x.mean((2, 3)) has a gradient that slows the layers below


class SpatialEncoder(SmallEncoder):
    """SmallEncoder's layers with a linear layer on their 4 x 4 map instead of its average: the features know where
    things are. [N, C, 32, 32] -> [N, 8 width]; larger maps are averaged down to 4 x 4."""

    def __init__(self, channels: int = 3, width: int = 32):
        super().__init__(channels, width)
        self.flat = nn.Linear(16 * self.dim, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        x = (2 * x - 1).contiguous(memory_format=torch.channels_last)
        return self.flat(F.adaptive_avg_pool2d(self.layers(x), 4).flatten(1))


class ResNet18(nn.Module):
    """torchvision's ResNet-18 (He et al. 2016) with the stem that small images want: a 3 x 3 convolution of stride 1
    and no pooling (SimCLR, Chen et al. 2020, appendix B.9). [N, C, H, W] -> [N, 512]."""

    def __init__(self, channels: int = 3):
        super().__init__()
        from torchvision.models import resnet18  # a second to import, and no laptop recipe needs it

        self.net = resnet18()
        self.net.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        self.net.maxpool = nn.Identity()
        self.net.fc = nn.Identity()
        self.dim = 512

    def forward(self, x: Tensor) -> Tensor:
        return self.net(2 * x - 1)


def build_encoder(name: str = "small", channels: int = 3) -> nn.Module:
    """A new encoder: "small" for laptops, "spatial" where places matter, "resnet18" for a GPU, or a Vision Transformer
    with patches of 4 x 4: "vit" for laptops (0.8 million parameters), "vit_tiny" for a GPU (5.4 million, DeiT-Ti's width
    and depth); channels is 3 for colour, 1 for grey. Or one for text, where channels is the number of different tokens:
    "text" sees both sides, "text_causal" the past alone (1.1 million parameters), "text_base" and "text_causal_base" are
    for a GPU (11 million)."""
    if name not in ENCODERS:
        raise ValueError(f"no encoder {name!r}; there are {', '.join(ENCODERS)}")
    if name in TEXT_ENCODERS:
        return TextEncoder(channels, **TEXT_ENCODERS[name])
    if name == "vit":
        return ViT(channels)
    if name == "vit_tiny":
        return ViT(channels, dim=192, depth=12, heads=3)
    if name == "spatial":
        return SpatialEncoder(channels)
    return SmallEncoder(channels) if name == "small" else ResNet18(channels)


def parameter_count(module: nn.Module) -> int:
    """How many numbers the module learns."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
