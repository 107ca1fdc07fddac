"""Convolutional encoders. They take float images [N, C, H, W] in [0, 1]."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.nets.layers import conv


class PlainEncoder(nn.Module):
    """3 x 3 layers one after another, as wide and of such strides as given; features averaged over the image.

    [N, C, H, W] -> [N, widths[-1]]. The registry's "small7" starts at full resolution with few channels, which costs little
    and sees the details that half the resolution loses.
    """

    def __init__(self, channels: int, widths: Sequence[int], strides: Sequence[int]):
        super().__init__()
        self.layers = nn.Sequential(*map(conv, (channels, *widths[:-1]), widths, strides))
        self.dim, self.channels = widths[-1], channels

    def map(self, x: Tensor) -> Tensor:
        """Features of each place, [N, dim, H / 8, W / 8] where three strides are 2."""
        return self.layers((2 * x - 1).contiguous(memory_format=torch.channels_last))

    def forward(self, x: Tensor) -> Tensor:
        # self.map(x).mean((2, 3)) has a gradient that slows the layers below.
        return F.adaptive_avg_pool2d(self.map(x), 1).flatten(1)


class SmallEncoder(PlainEncoder):
    """A plain convolutional net for two laptop cores: six 3 x 3 layers, half the resolution at once.

    [N, C, 32, 32] -> [N, 8 width]. Chosen by measuring on two cores: see tests/benchmarks/README.md.
    """

    def __init__(self, channels: int = 3, width: int = 32):
        widths = [width * factor for factor in (1, 1, 2, 2, 4, 8)]
        super().__init__(channels, widths, strides=(2, 1, 2, 1, 2, 1))


class SpatialEncoder(SmallEncoder):
    """SmallEncoder's layers with a linear layer on their 4 x 4 map instead of its average: the features know where
    things are. [N, C, 32, 32] -> [N, 8 width]; larger maps are averaged down to 4 x 4."""

    def __init__(self, channels: int = 3, width: int = 32):
        super().__init__(channels, width)
        self.flat = nn.Linear(16 * self.dim, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.flat(F.adaptive_avg_pool2d(self.map(x), 4).flatten(1))


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
        self.dim, self.channels = 512, channels

    def map(self, x: Tensor) -> Tensor:
        """Features of each place, [N, 512, H / 8, W / 8]."""
        x = self.net.relu(self.net.bn1(self.net.conv1(2 * x - 1)))
        return self.net.layer4(self.net.layer3(self.net.layer2(self.net.layer1(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(2 * x - 1)
