"""Answers to the exercises of barlow_twins: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F

EYE = torch.eye(2)
CROSS = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]  # two columns that do not correlate
SAME = [[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]]  # one column, twice
CONSTANT = [[2.0, 2.0], [2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]


def by_batch_norm(z, eps):
    return F.batch_norm(z, None, None, training=True, eps=eps)


def by_hand(z, eps):
    centred = z - z.sum(0) / len(z)
    return centred * torch.rsqrt((centred**2).mean(dim=0, keepdim=True) + eps)


def by_einsum(z1, z2):
    a, b = by_batch_norm(z1, 1e-5), by_batch_norm(z2, 1e-5)
    return torch.einsum("ni,nj->ij", a, b) / len(a)


def by_means(z1, z2):
    a, b = by_hand(z1, 1e-5), by_hand(z2, 1e-5)
    return (a[:, :, None] * b[:, None, :]).mean(0)


def loss_masked(z1, z2, weight):
    c = by_einsum(z1, z2)
    eye = torch.eye(len(c), dtype=torch.bool)
    return ((c[eye] - 1) ** 2).sum() + weight * (c[~eye] ** 2).sum()


def loss_of_authors(z1, z2, weight):
    """As the authors' code has it: add_(-1) on the diagonal, the rest flattened."""
    c = by_means(z1, z2)
    n = len(c)
    rest = c.flatten()[:-1].view(n - 1, n + 1)[:, 1:].flatten()
    return (c.diagonal() - 1).pow(2).sum() + weight * rest.pow(2).sum()


def loss_weighted_table(z1, z2, weight):
    c = by_einsum(z1, z2)
    eye = torch.eye(len(c))
    return ((c - eye) ** 2 * (eye + weight * (1 - eye))).sum()


def bits_by_eigenvalues(z):
    return -0.5 * torch.linalg.eigvalsh(torch.corrcoef(z.T)).log2().sum()


def bits_by_slogdet(z):
    return -0.5 * torch.linalg.slogdet(by_means(z, z)).logabsdet / math.log(2)


def whole_loop(n, sums, squares, product):
    total = sum(int(count) for count in n)
    s, q, p = (sum(part.double() for part in parts) / total for parts in (sums, squares, product))
    out = np.zeros(p.shape)
    for i in range(len(p)):
        for j in range(len(p)):
            spread = math.sqrt((q[0, i] - s[0, i] ** 2) * (q[1, j] - s[1, j] ** 2))
            out[i, j] = (p[i, j] - s[0, i] * s[1, j]) / spread
    return out


def whole_einsum(n, sums, squares, product):
    m, q, p = (torch.einsum("p...->...", part) / n.sum() for part in (sums, squares, product))
    scale = torch.rsqrt(q - m**2)
    return (p - m[0][:, None] * m[1][None]) * scale[0][:, None] * scale[1][None]


KNOWN = [
    ("barlow_twins.standardise", ([[1.0, 5.0], [3.0, 5.0]], 0.0 + 1e-9), [[-1.0, 0.0], [1.0, 0.0]]),
    ("barlow_twins.standardise", ([[0.0], [4.0]], 5.0), [[-2 / 3], [2 / 3]]),
    ("barlow_twins.cross_correlation", (CROSS, CROSS), [[0.99999, 0.0], [0.0, 0.99999]]),
    ("barlow_twins.cross_correlation", (CONSTANT, CROSS), [[0.0, 0.0], [0.0, 0.0]]),
    ("barlow_twins.barlow_loss", (CONSTANT, CONSTANT, 0.5), 2.0),
    ("barlow_twins.barlow_loss", (SAME, SAME, 0.5), 0.99998),
    ("barlow_twins.barlow_loss", (CROSS, CROSS, 0.5), 0.0),
    ("barlow_twins.redundancy", (CROSS,), 1e-5 / math.log(2)),
    (
        "barlow_twins.whole_correlation",
        (torch.tensor([1, 3]), [[[1.0], [2.0]], [[-1.0], [2.0]]], [[[1.0], [4.0]], [[3.0], [12.0]]], [[[2.0]], [[2.0]]]),
        [[4 / 4 / math.sqrt(1 * (4 - 1))]],
    ),
]  # fmt: skip

RIGHT = {
    "barlow_twins.standardise": [by_batch_norm, by_hand],
    "barlow_twins.cross_correlation": [by_einsum, by_means],
    "barlow_twins.barlow_loss": [loss_masked, loss_of_authors, loss_weighted_table],
    "barlow_twins.redundancy": [bits_by_eigenvalues, bits_by_slogdet],
    "barlow_twins.whole_correlation": [whole_loop, whole_einsum],
}

NAMED = [
    ("barlow_twins.standardise", lambda z, eps: (z - z.mean(0)) / (z.var(0) + eps) ** 0.5, "variance over N - 1"),
    ("barlow_twins.standardise", lambda z, eps: z - z.mean(0), "not divided"),
    ("barlow_twins.standardise", lambda z, eps: F.layer_norm(z, z.shape[1:], eps=eps), "rows instead of columns"),
    (
        "barlow_twins.cross_correlation",
        lambda a, b: by_hand(a, 1e-5) @ by_hand(b, 1e-5).T / len(a),
        "images instead of numbers",
    ),
    ("barlow_twins.cross_correlation", lambda a, b: a.T @ b / len(a), "not standardised"),
    ("barlow_twins.cross_correlation", lambda a, b: by_einsum(b, a), "transposed"),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a, b, 1.0), "weight forgotten"),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a, b, 1 / w), "divided by the weight"),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a.detach(), b, w), "one view without gradient"),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a, b, w).item(), "no gradient"),
    ("barlow_twins.redundancy", lambda z: -0.5 * torch.logdet(torch.corrcoef(z.T)), "nats"),
    ("barlow_twins.standardise", lambda z, eps: z - z.mean(0) / (z.var(0, unbiased=False) + eps).sqrt(), "brackets"),
    (
        "barlow_twins.standardise",
        lambda z, eps: (z - z.mean(0)) * torch.rsqrt((z * z).mean(0) + eps),
        "mean square as variance",
    ),
    ("barlow_twins.cross_correlation", lambda a, b: (a / a.norm(dim=0)).T @ (b / b.norm(dim=0)), "not centred"),
    (
        "barlow_twins.cross_correlation",
        lambda a, b: torch.tensor(np.corrcoef(a.numpy(force=True), b.numpy(force=True), rowvar=False)),
        "both views in one table",
    ),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a, b, w**2), "weight squared"),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a, b, -w), "subtracted"),
    (
        "barlow_twins.barlow_loss",
        lambda a, b, w: loss_masked(a, b, w / (a.shape[1] * (a.shape[1] - 1))),
        "means instead of sums",
    ),
    ("barlow_twins.redundancy", lambda z: bits_by_slogdet(z) * math.log10(2), "log to base 10"),
    ("barlow_twins.redundancy", lambda z: -torch.logdet(z.T @ z / len(z)) / math.log(4), "not standardised"),
    (
        "barlow_twins.whole_correlation",
        lambda n, s, q, p: whole_einsum(torch.ones_like(n), *(v / n.view(-1, *[1] * (v.ndim - 1)) for v in (s, q, p))),
        "every process the same",
    ),
    (
        "barlow_twins.whole_correlation",
        lambda n, s, q, p: whole_einsum(n, s, q, p) * ((n.sum() - 1) / n.sum()),
        "variance over N - 1",
    ),
    (
        "barlow_twins.barlow_loss",
        lambda a, b, w: (
            (by_einsum(a, b).diagonal() - 1).square().sum()
            + w * (by_means(a, b) - torch.eye(a.shape[1])).square().sum()
        ),
        "diagonal charged twice",
    ),
    (
        "barlow_twins.barlow_loss",
        lambda a, b, w: loss_masked(a, b, w / (a.shape[1] - 1)) / a.shape[1],
        "means instead of sums",
    ),
    (
        "barlow_twins.barlow_loss",
        lambda a, b, w: loss_masked(a, b, 0.0) + loss_masked(a, a, w),
        "one view with itself",
    ),
    (
        "barlow_twins.whole_correlation",
        lambda n, s, q, p: whole_einsum(n, s.flip(1), q.flip(1), p),
        "views mixed up",
    ),
]

UNNAMED = [
    ("barlow_twins.standardise", lambda z, eps: 1.3 * by_hand(z, eps) + 0.1),
    ("barlow_twins.barlow_loss", lambda a, b, w: loss_masked(a, b, w) + 0.01),
    ("barlow_twins.redundancy", lambda z: bits_by_slogdet(z) + 0.1),
]
