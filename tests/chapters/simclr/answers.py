"""Answers to the exercises of simclr: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from answers import unit

EYE = torch.eye(2)


def nce_logsumexp(z1, z2, temperature):
    z = unit(torch.cat([z1, z2]))
    n = len(z1)
    similarity = z @ z.T / temperature
    others = similarity[~torch.eye(2 * n, dtype=torch.bool)].view(2 * n, 2 * n - 1)
    positive = torch.cat([similarity.diagonal(n), similarity.diagonal(-n)])
    return (others.logsumexp(1) - positive).mean()


def nce_exp_sums(z1, z2, temperature):
    a, b = F.normalize(z1), F.normalize(z2)
    aa, bb, ab = [(x @ y.T / temperature).exp() for x, y in ((a, a), (b, b), (a, b))]
    first = ab.diagonal() / (aa.sum(1) - aa.diagonal() + ab.sum(1))
    second = ab.diagonal() / (bb.sum(1) - bb.diagonal() + ab.sum(0))
    return -0.5 * (first.log().mean() + second.log().mean())


def nce_alternating(z1, z2, temperature):
    """Views stacked alternately, with the partner at i ^ 1: another order, the same loss."""
    z = unit(torch.stack([z1, z2], dim=1).flatten(0, 1))
    logits = z @ z.T / temperature - torch.diag(torch.full((len(z),), 1e9))
    return F.nll_loss(logits.log_softmax(1), torch.arange(len(z)) ^ 1)


def nce_loop(z1, z2, temperature):
    z, n, losses = torch.cat([z1, z2]), len(z1), []
    for i in range(2 * n):
        s = F.cosine_similarity(z[i : i + 1], z, dim=1) / temperature
        keep = [j for j in range(2 * n) if j != i]
        losses.append(-s[(i + n) % (2 * n)] + torch.log(torch.exp(s[keep]).sum()))
    return sum(losses) / len(losses)


def similarity_in_place(z):
    s = unit(z) @ unit(z).T
    s.fill_diagonal_(-math.inf)
    return s


def similarity_where(z):
    s = F.cosine_similarity(z[:, None], z[None], dim=2)
    return torch.where(torch.eye(len(z)) == 1, torch.tensor(-torch.inf), s)


def false_negatives_loop(y):
    y = y.tolist()
    return np.mean([np.mean([y[j] == y[i] for j in range(len(y)) if j != i]) for i in range(len(y))])


def false_negatives_counts(y):
    counts = torch.bincount(y)
    return (counts * (counts - 1)).sum().item() / (len(y) * (len(y) - 1))


def false_negatives_of_views(y):
    views, image = y.repeat(2), torch.arange(len(y)).repeat(2)
    negative = image[:, None] != image[None]
    return ((views[:, None] == views[None]) & negative).sum() / negative.sum()


def nce_self_kept(z1, z2, temperature):
    z, n = unit(torch.cat([z1, z2])), len(z1)
    e = (z @ z.T / temperature).exp()
    return -(torch.cat([e.diagonal(n), e.diagonal(-n)]) / e.sum(1)).log().mean()


def nce_masked_by_multiplying(z1, z2, temperature):
    z, n = unit(torch.cat([z1, z2])), len(z1)
    logits = z @ z.T / temperature * (1 - torch.eye(2 * n))
    return F.cross_entropy(logits, torch.cat([torch.arange(n) + n, torch.arange(n)]))


def nce_clip(z1, z2, temperature):
    logits, labels = unit(z1) @ unit(z2).T / temperature, torch.arange(len(z1))
    return 0.5 * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels))


KNOWN = [
    ("simclr.positive_index", (2,), [2, 3, 0, 1]),
    ("simclr.similarity_matrix", ([[3.0, 0.0], [0.0, 2.0]],), [[-math.inf, 0.0], [0.0, -math.inf]]),
    ("simclr.info_nce", (EYE * 5, EYE, 1.0), math.log(1 + 2 / math.e)),
    ("simclr.info_nce", (EYE, EYE.flip(0), 0.5), math.log(2 + math.exp(2))),
    ("simclr.false_negative_rate", ([0, 0, 1],), 1 / 3),
]

RIGHT = {
    "simclr.positive_index": [
        lambda n: torch.cat([torch.arange(n) + n, torch.arange(n)]),
        lambda n: [(i + n) % (2 * n) for i in range(2 * n)],
        lambda n: np.roll(np.arange(2 * n), n),
    ],
    "simclr.similarity_matrix": [similarity_in_place, similarity_where],
    "simclr.info_nce": [nce_logsumexp, nce_exp_sums, nce_alternating, nce_loop],
    "simclr.false_negative_rate": [false_negatives_loop, false_negatives_counts, false_negatives_of_views],
}

NAMED = [
    ("simclr.info_nce", nce_self_kept, "self-similarity in the denominator"),
    ("simclr.info_nce", nce_masked_by_multiplying, "diagonal 0 instead of -inf"),
    ("simclr.info_nce", nce_clip, "negatives from the other view only"),
    ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, 1 / t), "temperature multiplied"),
    ("simclr.info_nce", lambda a, b, t: -nce_exp_sums(a, b, t), "sign"),
    ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t) * 2 * len(a), "sum instead of mean"),
    ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t).item(), "no gradient"),
    ("simclr.info_nce", lambda a, b, t: nce_loop(a.detach(), b.detach(), t), "no gradient"),
    ("simclr.info_nce", lambda a, b, t: nce_logsumexp(a, b.detach(), t), "one view without gradient"),
    ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t).detach() + 0 * a.sum(), "no gradient to z1"),
    ("simclr.similarity_matrix", lambda z: torch.einsum("nd,ne->de", unit(z), unit(z)), "numbers instead of views"),
    ("simclr.similarity_matrix", lambda z: similarity_in_place(z) * z.norm(dim=1), "one side normalised"),
    ("simclr.similarity_matrix", lambda z: similarity_in_place(z).clamp(min=-1), "diagonal -1"),
    (
        "simclr.info_nce",
        lambda a, b, t: F.cross_entropy(similarity_in_place(torch.cat([a, b])) / t, torch.arange(len(a)).repeat(2)),
        "diagonal in the loss",
    ),
    (
        "simclr.false_negative_rate",
        lambda y: (y.repeat(2)[None] == y[:, None]).sum(1).sub(1).float().mean() / (2 * len(y) - 2),
        "the partner left above the line",
    ),
    ("simclr.false_negative_rate", lambda y: false_negatives_counts(y) / 2, "half of the pairs"),
    (
        "simclr.similarity_matrix",
        lambda z: (unit(z)[:, None] - unit(z)[None]).norm(dim=2).neg().masked_fill(torch.eye(len(z)) == 1, -torch.inf),
        "distance",
    ),
]

UNNAMED = [
    ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t) + 0.01),
    ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, 0.5)),
    ("simclr.info_nce", lambda a, b, t: a.sum()),
    ("simclr.similarity_matrix", lambda z: unit(z) @ unit(z).T - 3 * torch.eye(len(z))),
]
