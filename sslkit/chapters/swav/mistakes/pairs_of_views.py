"""The cross-entropies between the codes of some views and the scores of others."""

from __future__ import annotations

import torch
from torch import Tensor


def terms(scores: Tensor, codes: Tensor, temperature: float, keep=lambda a, v: a != v) -> Tensor:
    """The cross-entropy of each image for the pairs (a, v) that are kept, [pairs, N]."""
    log_p = (scores / temperature).log_softmax(2)
    pairs = [(a, v) for a in range(len(codes)) for v in range(len(scores)) if keep(a, v)]
    return torch.stack([-(codes[a].detach() * log_p[v]).sum(1) for a, v in pairs])


def exchanged(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """The cross-entropy with p for the label and q for the prediction."""
    p, log_q = (scores / temperature).softmax(2), codes.log()
    pairs = [(a, v) for a in range(len(codes)) for v in range(len(scores)) if a != v]
    return torch.stack([-(p[v] * log_q[a]).sum(1).mean() for a, v in pairs]).mean()
