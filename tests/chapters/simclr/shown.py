"""Figures and widgets of this chapter, for what is tested of all of them."""

import numpy as np
import torch

from sslkit.chapters.simclr import figures, widget

IMAGES = torch.randint(256, (16, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
Z = np.random.default_rng(0).normal(size=(2, 8, 5))

FIGURES = {
    "similarity": lambda: figures.similarity_matrix(*Z, 0.1, 3, (IMAGES[:8], IMAGES[8:])),
    "similarity without images": lambda: figures.similarity_matrix(*Z, 0.1),
    "temperatures": lambda: figures.temperature_strip(*Z),
}
WIDGETS = {"similarity": lambda: widget.similarity(*Z, images=(IMAGES[:8], IMAGES[8:]))}
