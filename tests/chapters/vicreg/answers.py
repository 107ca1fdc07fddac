"""Answers to the exercises of vicreg: known numbers, right ones written differently, wrong ones."""

import torch
import torch.nn.functional as F

WIDE = [[2.0, 0.1], [-2.0, -0.1]]  # deviations 2.83 and 0.1414 over N - 1
CROSS = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]
SAME = [[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]]


def variance_clamped(z, eps):
    return (1 - torch.sqrt(((z - z.mean(0)) ** 2).sum(0) / (len(z) - 1) + eps)).clamp(min=0).mean()


def variance_maximum(z, eps):
    deviation = (z.std(0) ** 2 + eps) ** 0.5
    return torch.maximum(torch.zeros_like(deviation), 1 - deviation).sum() / z.shape[1]


def covariance_torch(z):
    c = torch.cov(z.T)
    return (c.square().sum() - c.diagonal().square().sum()) / len(c)


def covariance_masked(z):
    a = z - z.mean(dim=0, keepdim=True)
    c = torch.einsum("ni,nj->ij", a, a) / (len(z) - 1)
    return c[~torch.eye(z.shape[1], dtype=torch.bool)].pow(2).sum() / z.shape[1]


def covariance_of_authors(z):
    z = z - z.mean(0)
    c, k = z.T @ z / (z.shape[0] - 1), z.shape[1]
    return c.flatten()[:-1].view(k - 1, k + 1)[:, 1:].pow(2).sum().div(k)


def terms(z1, z2, c=covariance_masked):
    variance = (variance_clamped(z1, 1e-4) + variance_clamped(z2, 1e-4)) / 2
    return (z1 - z2).pow(2).mean(), variance, c(z1) + c(z2)


def stacked(z1, z2):
    z = torch.cat([z1, z2])
    return F.mse_loss(z1, z2), variance_clamped(z, 1e-4), covariance_torch(z)


def pairs_blocks(z):
    """A block of rows at a time."""
    total = 0.0
    for n, row in enumerate(z):
        total = total + (z @ row).square().sum() - row.square().sum().square() + 0 * n
    return total


def pairs_singular(z):
    return torch.linalg.svdvals(z).pow(4).sum() - z.norm(dim=1).pow(4).sum()


KNOWN = [
    ("vicreg.variance_loss", (WIDE, 1e-9), (1 - 0.02**0.5) / 2),
    ("vicreg.variance_loss", ([[3.0], [3.0]], 0.25), 0.5),
    ("vicreg.covariance_loss", (CROSS,), 0.0),
    ("vicreg.covariance_loss", (SAME,), (4 / 3) ** 2),
    ("vicreg.vicreg_terms", (CROSS, SAME), (1.0, 0.0, (4 / 3) ** 2)),
    ("vicreg.pair_penalty", ([[1.0, 2.0], [3.0, 1.0]],), 50.0),
]

RIGHT = {
    "vicreg.variance_loss": [variance_clamped, variance_maximum],
    "vicreg.covariance_loss": [covariance_torch, covariance_masked, covariance_of_authors],
    "vicreg.vicreg_terms": [terms, lambda a, b: terms(a, b, covariance_torch)],
    "vicreg.pair_penalty": [pairs_blocks, pairs_singular],
}

NAMED = [
    ("vicreg.variance_loss", lambda z, eps: F.relu(1 - z.std(0)).mean(), "eps forgotten"),
    ("vicreg.variance_loss", lambda z, eps: (1 - (z.var(0) + eps).sqrt()).mean(), "no hinge"),
    (
        "vicreg.covariance_loss",
        lambda z: torch.corrcoef(z.T).fill_diagonal_(0).pow(2).sum() / z.shape[1],
        "correlations",
    ),
    ("vicreg.covariance_loss", lambda z: torch.cov(z.T).pow(2).sum() / z.shape[1], "diagonal charged"),
    ("vicreg.vicreg_terms", lambda a, b: terms(a, b.detach()), "one view without gradient"),
    ("vicreg.pair_penalty", lambda z: (z @ z.T).fill_diagonal_(0).square().sum(), ""),  # right, by a table [N, N]
    ("vicreg.pair_penalty", lambda z: (z @ z.T).square().sum(), "a row with itself"),
    ("vicreg.pair_penalty", lambda z: (z @ z.T).triu(1).square().sum(), "each pair once"),
    (
        "vicreg.covariance_loss",
        lambda z: (torch.cov(z.T) - torch.eye(z.shape[1])).square().sum() / z.shape[1],
        "the identity taken off",
    ),
    ("vicreg.vicreg_terms", lambda a, b: (terms(a, b)[1], terms(a, b)[0], terms(a, b)[2]), "order of the three"),
    ("vicreg.vicreg_terms", lambda a, b: terms(F.normalize(a), F.normalize(b)), "cosine"),
    ("vicreg.vicreg_terms", stacked, "branches stacked"),
    ("vicreg.pair_penalty", lambda z: (z.T @ z).square().sum() - (z**4).sum(), "fourth powers of the numbers"),
    (
        "vicreg.covariance_loss",
        lambda z: (torch.cov(z) * (1 - torch.eye(len(z)))).pow(2).sum() / z.shape[1],
        "images instead of numbers",
    ),
    (
        "vicreg.covariance_loss",
        lambda z: (torch.cov(z.T).sum() - z.var(0).sum()) ** 2 / z.shape[1],
        "square of the sum",
    ),
    ("vicreg.vicreg_terms", lambda a, b: tuple(w * v for w, v in zip((25, 25, 1), terms(a, b))), "weighted"),
]

UNNAMED = [
    ("vicreg.variance_loss", lambda z, eps: variance_clamped(z, eps) + 0.1),
    ("vicreg.covariance_loss", lambda z: covariance_torch(z) + 0.1),
    ("vicreg.pair_penalty", lambda z: z.sum()),
]
