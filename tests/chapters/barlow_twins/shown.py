"""Figures and widgets of this chapter, for what is tested of all of them."""

import torch

from sslkit.chapters.barlow_twins import pictures, widget
from sslkit.chapters.barlow_twins.method import cross_correlation

DRAW = torch.Generator().manual_seed(0)
MATRICES = {step: cross_correlation(*torch.randn(2, 30, 40, generator=DRAW)) for step in (1, 5, 20, 50)}

FIGURES = {
    "three networks": pictures.three_networks,
    "three matrices": lambda: pictures.three_matrices(cross_correlation),
    "one matrix": lambda: pictures.one_matrix(MATRICES[1], 1, 32),
    "matrices": lambda: pictures.matrices({"one": MATRICES[1], "two": MATRICES[5]}, "Title", "Caption"),
}
WIDGETS = {"turning": lambda: widget.turning(MATRICES)}
