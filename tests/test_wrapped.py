"""Networks of other libraries and a reader's own as encoders: wrapped in a line, trained, judged, saved, read again."""

import copy

import pytest
import torch
import torchvision
from states import same, weights
from torch import nn

from sslkit import chapters
from sslkit.datasets import load
from sslkit.nets import build_encoder, wrap
from sslkit.probes import features, finetune, reinitialised, scoreboard
from sslkit.runs import load_encoder, load_run
from sslkit.train import Recipe, build, train

timm = pytest.importorskip("timm")
pytestmark = pytest.mark.usefixtures("plain_precision", "smoke_scale")

VIT = "timm:vit_tiny_patch16_224,img_size=32,patch_size=4,embed_dim=24,depth=2,num_heads=2"
CONVNEXT = "timm:convnext_atto,depths=(1,1,1,1),dims=(8,16,24,32)"
NAMES = {"torchvision:resnet18": 512, VIT: 24, "timm:convnext_femto": 384}
IMAGES = [name for name in chapters.methods() if chapters.kind_of(name) == "images" and name != "mae"]


class Own(nn.Module):
    """A reader's network: a map, and a parameter that no layer resets."""

    def __init__(self, width=6):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, width, 3, 2), nn.BatchNorm2d(width), nn.ReLU())
        self.scale = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, x):
        return self.scale * self.layers(x)


@pytest.fixture(scope="module")
def data():
    return load("scenes", limit=64)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_what_every_encoder_promises(name, channels):
    encoder, x = build_encoder(name, channels).eval(), torch.rand(2, channels, 32, 32)
    assert (encoder.dim, encoder.channels, encoder.name) == (NAMES[name], channels, name)
    h, places = encoder(x), encoder.map(x)
    assert h.shape == (2, encoder.dim) and h.isfinite().all()
    assert places.ndim == 4 and places.shape[:2] == (2, encoder.dim)
    assert all(p.grad_fn is None for p in encoder.parameters())
