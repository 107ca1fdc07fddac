"""Answers to the exercises of swav: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F

HALF = math.log(1 + math.exp(-1.0))


def sinkhorn_of_the_authors(scores, epsilon, iterations):
    """As in Caron et al. 2020, with images as columns."""
    Q = torch.exp(scores / epsilon).T
    K, B = Q.shape
    Q = Q / Q.sum()
    for _ in range(iterations):
        Q = Q / Q.sum(dim=1, keepdim=True) / K
        Q = Q / Q.sum(dim=0, keepdim=True) / B
    return (Q * B).T


def sinkhorn_by_logarithms(scores, epsilon, iterations):
    log_q, (N, K) = scores / epsilon, scores.shape
    for _ in range(iterations):
        log_q = log_q - log_q.logsumexp(0, keepdim=True) + math.log(N / K)
        log_q = log_q - log_q.logsumexp(1, keepdim=True)
    return log_q.exp()


def sinkhorn_by_two_vectors(scores, epsilon, iterations):
    """diag(u) exp(S / epsilon) diag(v)."""
    E = np.exp(scores.double().numpy() / epsilon)
    u = np.ones(len(E))
    for _ in range(iterations):
        v = len(E) / E.shape[1] / (u @ E)
        u = 1 / (E @ v)
    return u[:, None] * E * v


def scaled_at_once(scores, epsilon, iterations):
    Q, (N, K) = (scores / epsilon).exp(), scores.shape
    for _ in range(iterations):
        columns, rows = Q.sum(0), Q.sum(1, keepdim=True)
        Q = Q * N / K / columns / rows
    return Q


def swapped_by_hand(scores, codes, temperature):
    p, losses = (scores / temperature).softmax(2), []
    for a in range(len(codes)):
        for v in range(len(scores)):
            if v != a:
                losses.append(-(codes[a].detach() * p[v].log()).sum() / scores.shape[1])
    return sum(losses) / len(losses)


def swapped_in_one_go(scores, codes, temperature):
    each = -torch.einsum("ank,vnk->av", codes.detach(), (scores / temperature).log_softmax(2)) / scores.shape[1]
    different = torch.arange(len(codes))[:, None] != torch.arange(len(scores))
    return each[different].mean()


def use_by_logsumexp(codes):
    p = codes.mean(0).clamp(min=1e-30)
    return torch.exp(-(p * p.log()).sum())


def use_by_numpy(codes):
    p = codes.numpy().mean(0)
    p = p[p > 0]
    return np.prod(p**-p)


def turn_by_index_add(h, centres):
    nearest = ((h[:, None] - centres[None]) ** 2).sum(2).argmin(1)
    total = torch.zeros_like(centres).index_add_(0, nearest, h)
    count = torch.bincount(nearest, minlength=len(centres))
    new = centres.clone()
    new[count > 0] = total[count > 0] / count[count > 0, None]
    return new


def turn_by_masks(h, centres):
    nearest = torch.cdist(h, centres).argmin(1)
    return torch.stack([h[nearest == k].mean(0) if (nearest == k).any() else c for k, c in enumerate(centres)])


def each_pair_once(scores, codes, temperature):
    later = [
        swapped_in_one_go(scores[[a, v]], codes[[a]], temperature)
        for a in range(len(codes))
        for v in range(a + 1, len(scores))
    ]
    return torch.stack(later).mean()


def one_pair(scores, codes, temperature):
    """Code 0 and view 1 alone."""
    return F.cross_entropy(scores[1] / temperature, codes[0].detach())


TWO = [[[0.0, 1.0]], [[1.0, 0.0]]]
KNOWN = [
    ("swav.sinkhorn", ([[1.0, 0.0], [1.0, 0.0]], 0.5, 3), [[0.5, 0.5], [0.5, 0.5]]),
    ("swav.sinkhorn", ([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], 1.0, 1), [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]),
    ("swav.swapped_loss", (TWO, [[[1.0, 0.0]], [[0.0, 1.0]]], 1.0), HALF),
    ("swav.prototypes_in_use", ([[1.0, 0.0], [0.0, 1.0]],), 2.0),
    ("swav.kmeans_turn", ([[0.0], [2.0], [9.0]], [[1.5], [8.0], [99.0]]), [[1.0], [9.0], [99.0]]),
]

RIGHT = {
    "swav.sinkhorn": [sinkhorn_of_the_authors, sinkhorn_by_logarithms, sinkhorn_by_two_vectors],
    "swav.swapped_loss": [swapped_by_hand, swapped_in_one_go],
    "swav.prototypes_in_use": [use_by_logsumexp, use_by_numpy],
    "swav.kmeans_turn": [turn_by_index_add, turn_by_masks],
}

NAMED = [
    ("swav.sinkhorn", lambda s, e, t: (s / e).softmax(1), "rows only"),
    ("swav.sinkhorn", lambda s, e, t: sinkhorn_of_the_authors(s, 1 / e, t), "epsilon multiplied"),
    ("swav.sinkhorn", lambda s, e, t: sinkhorn_by_logarithms(s, e, 1), "one turn"),
    ("swav.sinkhorn", lambda s, e, t: sinkhorn_of_the_authors(s, e, t) / len(s), "all sums to 1"),
    ("swav.swapped_loss", lambda s, c, t: swapped_in_one_go(s, c, 1 / t), "temperature multiplied"),
    ("swav.swapped_loss", lambda s, c, t: swapped_in_one_go(s[: len(c)], c, t), "small views left out"),
    ("swav.swapped_loss", lambda s, c, t: -swapped_by_hand(s, c, t), "sign"),
    ("swav.swapped_loss", lambda s, c, t: swapped_by_hand(s, c, t).detach(), "no gradient"),
    ("swav.prototypes_in_use", lambda c: use_by_logsumexp(c).log(), "no exponential"),
    ("swav.kmeans_turn", lambda h, c: turn_by_index_add(h, c) * (members(h, c) > 0), "empty centre to 0"),
    (
        "swav.sinkhorn",
        lambda s, e, t: sinkhorn_by_logarithms(s - e * (s / e).logsumexp(1, keepdim=True), e, t),
        "rows scaled at the start",
    ),
    ("swav.sinkhorn", lambda s, e, t: sinkhorn_by_logarithms(s, e, t + 1), "another number of turns"),
    ("swav.sinkhorn", lambda s, e, t: sinkhorn_of_the_authors(s, e, t) * len(s) / s.shape[1], "rows do not sum to 1"),
    ("swav.swapped_loss", one_pair, "the first pair alone"),
    ("swav.swapped_loss", each_pair_once, "each pair of views once"),
    ("swav.swapped_loss", lambda s, c, t: swapped_in_one_go((s / t).softmax(2), c, 1.0), "softmax twice"),
    ("swav.swapped_loss", lambda s, c, t: swapped_by_hand(s, c, t) / s.shape[2], "mean over the prototypes"),
    ("swav.prototypes_in_use", lambda c: (use_by_logsumexp(c).log() / c.shape[1]).exp(), "mean of the terms"),
    (
        "swav.prototypes_in_use",
        lambda c: torch.stack([use_by_logsumexp(row[None]) for row in c]).mean(),
        "mean of entropies",
    ),
    ("swav.kmeans_turn", lambda h, c: moved(h, c, (F.normalize(h) @ F.normalize(c).T).argmax(1)), "cosine"),
    ("swav.kmeans_turn", lambda h, c: moved(h, c, (h[:, None] - c).abs().sum(2).argmin(1)), "absolute differences"),
    ("swav.sinkhorn", scaled_at_once, "both at once"),
    ("swav.swapped_loss", lambda s, c, t: swapped_by_hand(s, (c / t).softmax(2), t), "codes as logits"),
    (
        "swav.swapped_loss",
        lambda s, c, t: sum(
            F.cross_entropy(s[v] / t, c[a].argmax(1)) for a in range(len(c)) for v in range(len(s)) if v != a
        ),
        "sum over pairs and hard labels",
    ),
    ("swav.prototypes_in_use", lambda c: c.mean(0).norm() ** -2, "squares instead of entropy"),
]


def moved(h, centres, nearest):
    """Each centre to the mean of the rows that take it for the nearest."""
    return torch.stack([h[nearest == k].mean(0) if (nearest == k).any() else c for k, c in enumerate(centres)])


def members(h, centres):
    return torch.bincount(torch.cdist(h, centres).argmin(1), minlength=len(centres))[:, None]


UNNAMED = [
    ("swav.sinkhorn", lambda s, e, t: sinkhorn_by_logarithms(s, e, t) ** 2),
    ("swav.swapped_loss", lambda s, c, t: swapped_by_hand(s, c, t) ** 1.5),
    ("swav.prototypes_in_use", lambda c: use_by_logsumexp(c) ** 1.5),
    ("swav.kmeans_turn", lambda h, c: (turn_by_masks(h, c) + c) / 2),
]
