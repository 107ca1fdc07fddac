"""Images that a few steps tell apart, and a small network and method that do: for the tests of probes."""

import torch
from torch import nn

from sslkit.datasets import Dataset, Split


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())

    def forward(self, x):
        return self.layers(2 * x - 1).mean((2, 3))


class Method(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.projector = Net(), nn.Linear(8, 2)

    def encode(self, x):
        return self.encoder(x)


class Watched:
    """Images that count how often each was read."""

    def __init__(self, x):
        self.x, self.shape, self.reads = x, x.shape, torch.zeros(len(x), dtype=torch.long)

    def __getitem__(self, index):
        self.reads += torch.bincount(index, minlength=len(self.x))
        return self.x[index]

    def subset(self, index):
        return Watched(self.x[index])


def split(n, seed, classes=3):
    """Noise with a tint: class c is brighter in channel c."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = torch.randint(0, 200, (n, 3, 12, 12), generator=g)
    x[torch.arange(n), y] += 12
    return Split(Watched(x.to(torch.uint8)), y)


def tinted():
    return Dataset(
        name="tints", train=split(90, 0), val=split(30, 1), test=split(60, 2), classes=["red", "green", "blue"]
    )
