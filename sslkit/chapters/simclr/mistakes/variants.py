"""Variants of the table of similarities and of InfoNCE, of which this chapter's mistakes are made."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.simclr.exercises import positive_index


def table(z: Tensor, own: float | None = -math.inf, dim: int | None = 1) -> Tensor:
    """The solution with the diagonal set to own (None: left), and dim normalised (None: nothing)."""
    z = z if dim is None else F.normalize(z, dim=dim)
    return z @ z.T if own is None else (z @ z.T).masked_fill(torch.eye(len(z), dtype=torch.bool), own)


def nce_rows(
    z1: Tensor, z2: Tensor, t: float, dim: int | None = 1, own: float = -math.inf, partner: Tensor | None = None
) -> Tensor:
    """The loss of each of the 2 N anchors with one thing changed."""
    logits = table(torch.cat([z1, z2]), own=None, dim=dim) / t
    logits = logits.masked_fill(torch.eye(len(logits), dtype=torch.bool), own)
    return F.cross_entropy(logits, positive_index(len(z1)) if partner is None else partner, reduction="none")


def decoupled(z1: Tensor, z2: Tensor, t: float) -> Tensor:
    logits, partner = table(torch.cat([z1, z2])) / t, positive_index(len(z1))
    taken = F.one_hot(partner, len(logits)).bool()
    return (logits.masked_fill(taken, -math.inf).logsumexp(1) - logits[taken]).mean()


def across(z1: Tensor, z2: Tensor, t: float) -> Tensor:
    """N x N: each view of z1 picks its partner among the views of z2 only."""
    return F.cross_entropy(F.normalize(z1) @ F.normalize(z2).T / t, torch.arange(len(z1)))


def one_side(z1: Tensor, z2: Tensor, above: float, below: float) -> Tensor:
    """The loss with one temperature for the positives and one for the denominator."""
    cosines = table(torch.cat([z1, z2]))
    partner = positive_index(len(z1))
    return ((cosines / below).logsumexp(1) - cosines.gather(1, partner[:, None]).squeeze(1) / above).mean()
