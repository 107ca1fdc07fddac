"""Figures of this chapter, for what is tested of all of them."""

import torch

from sslkit.chapters.vicreg import pictures
from sslkit.chapters.vicreg.method import variance_loss, vicreg_terms

Z = {
    name: size * torch.randn(80, 20, generator=torch.Generator().manual_seed(0))
    for name, size in (("a", 1.0), ("b", 0.01))
}

FIGURES = {
    "four clouds": pictures.four_clouds,
    "terms of clouds": lambda: pictures.terms_of_clouds(vicreg_terms),
    "hinges": lambda: pictures.hinges(variance_loss),
    "falling": lambda: pictures.falling(
        [[1, 2, 3], [0.5, 1, 3]], {"invariance": 1.0, "variance": 1.0, "covariance": 0.04}
    ),
    "fates": lambda: pictures.fates(Z),
}
WIDGETS: dict = {}
