# Generated from notebooks/02_judging.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 02 · Judging: what are these features worth? ---
import math

import torch
from torch import Tensor


# --- 8 t-SNE: a map, built ---
def affinities(h: Tensor, perplexity: float = 30.0) -> Tensor:
    """How likely each pair are neighbours: features h [N, D] to p [N, N], symmetric, sum 1.

    The width of each image's bell curve is searched so that exp(entropy) is the perplexity.
    Source: van der Maaten & Hinton 2008, section 2 and eq. 1.
    """
    squared = torch.cdist(h, h).square().fill_diagonal_(math.inf)  # nobody neighbours itself
    low, high = h.new_full((len(h), 1), -50.0), h.new_full((len(h), 1), 50.0)  # log 1 / (2 width^2)
    for _ in range(60):
        middle = (low + high) / 2
        p = (-squared * middle.exp()).softmax(dim=1)
        too_many = torch.special.entr(p).sum(dim=1, keepdim=True).exp() > perplexity
        low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
    return (p + p.T) / (2 * len(h))


# --- 8 t-SNE: a map, built ---
def tsne_gradient(P: Tensor, xy: Tensor) -> Tensor:
    """The gradient [N, 2] of t-SNE's loss at a map xy [N, 2], for neighbours P [N, N]."""
    gap = xy[:, None] - xy[None]  # [N, N, 2]
    closeness = (1 / (1 + gap.square().sum(dim=2))).fill_diagonal_(0)
    pull = (P - closeness / closeness.sum()) * closeness
    return 4 * (pull[:, :, None] * gap).sum(dim=1)


# --- 8 t-SNE: a map, built ---
def tsne(h: Tensor, perplexity: float = 30.0, steps: int = 500, seed: int = 0) -> Tensor:
    """A map [N, 2] of features h [N, D] by gradient descent; time and memory grow with N^2.

    Source: van der Maaten & Hinton 2008, algorithm 1. The learning rate is N over the exaggeration
    (Belkina et al. 2019, but their gradient leaves out the 4, so steps here are 4 times longer).
    """
    P, generator = affinities(h.double(), perplexity), torch.Generator().manual_seed(seed)
    xy = 1e-4 * torch.randn(len(h), 2, generator=generator, dtype=torch.float64)
    speed = torch.zeros_like(xy)
    for step in range(steps):
        early = step < 100
        gradient = tsne_gradient(4 * P if early else P, xy)
        speed = (0.5 if early else 0.8) * speed - len(h) / 4 * gradient
        xy = xy + speed
    return xy
