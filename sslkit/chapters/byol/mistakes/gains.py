"""Exercise of chapter 12: the spectrum of a predictor."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def gains_loop(z: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvectors one after the other, by power iteration on what is left of the correlation."""
    z, p, strengths, slopes = z.double(), p.double(), [], []
    left = sum(torch.outer(row, row) for row in z) / len(z)
    for _ in range(z.shape[1]):
        u = left.sum(0) + left[0]
        for _ in range(3000):
            u = left @ u
            u = u / u.norm()
        strength = u @ left @ u
        left = left - strength * torch.outer(u, u)
        on_z, on_p = [row @ u for row in z], [row @ u for row in p]
        strengths.append(strength)
        slopes.append(sum(a * b for a, b in zip(on_z, on_p)) / sum(a * a for a in on_z))
    return torch.stack(strengths), torch.stack(slopes)


def stretched(seed: int, n: int, k: int) -> Tensor:
    """Rows whose directions differ clearly in strength, and do not lie along the axes."""
    turn = torch.linalg.qr(draw(seed + 90, k, k)).Q
    return (draw(seed, n, k) * 2.0 ** torch.arange(k - 1, -1, -1) @ turn).round(decimals=2)


def gains_along(z: Tensor, p: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The right strengths, beside the slopes along the columns of u."""
    a, b = z @ u, p @ u
    return torch.linalg.eigvalsh(z.T @ z / len(z)).flip(0), (a * b).sum(0) / (a * a).sum(0)


GAINS = Exercise(
    "gains",
    gains_loop,
    returns=("strengths", "gains"),
    trials=lambda: [
        (stretched(s, n, k), draw(s + 50, n, k, spread=2.0)) for s, (n, k) in enumerate([(6, 2), (12, 3), (30, 4)])
    ],
    mistakes=(
        mistake(
            "rising order",
            "`eigh` gives the weakest direction first. Turn both round.",
            ((".flip(0), ((", ", (("), (").sum(0)).flip(0)", ").sum(0))")),
        ),
        mistake(
            "only one turned round",
            "Strengths and gains are in opposite orders now. Turn both round, or the eigenvectors with them.",
            ("strength.flip(0)", "strength"),
            (").sum(0)).flip(0)", ").sum(0))"),
        ),
        mistake(
            "rows for eigenvectors",
            "The eigenvectors are the columns of u: `z @ u`, not `z @ u.T`.",
            ("z @ u, p @ u", "z @ u.T, p @ u.T"),
            lambda z, p: gains_along(z, p, torch.linalg.eigh(z.T @ z / len(z)).eigenvectors.flip(1).T),
        ),
        mistake(
            "centred",
            "You take the mean off first. The correlation here is the mean of z z' as it is.",
            ("z.T @ z / len(z)", "(z - z.mean(0)).T @ (z - z.mean(0)) / len(z)"),
            ("z.T @ z / len(z)", "z.T.cov(correction=0)"),
            ("z.T @ z / len(z)", "z.T.cov()"),
        ),
        mistake("not divided by N", "You add up z z'. Take the mean over the rows.", (" / len(z)", "")),
        mistake(
            "z predicted from p",
            "You predict z from p. The gain is the slope of p on z: divide by the squares of z.",
            ("(a * a)", "(b * b)"),
        ),
        mistake(
            "not divided",
            "That is how much z and p go together. A slope is that over the sum of squares of z.",
            (" / (a * a).sum(0)", " / len(z)"),
            (" / (a * a).sum(0)", ""),
        ),
        mistake(
            "correlation instead of slope",
            "You divide by both lengths, so the size of p is lost. Divide by the squares of z.",
            ("(a * a).sum(0)", "(a.norm(dim=0) * b.norm(dim=0))"),
        ),
        mistake(
            "sizes compared",
            "You divide the size of p by that of z, whether they go together or not. The slope needs their product, a * b.",
            ("(a * b).sum(0) / (a * a).sum(0)", "b.norm(dim=0) / a.norm(dim=0)"),
            ("(a * b).sum(0)", "(b * b).sum(0)"),
        ),
        mistake(
            "directions of p", "The directions are those of z, not of p.", ("z.T @ z / len(z)", "p.T @ p / len(z)")
        ),
        mistake(
            "rows turned round",
            "The eigenvectors are the columns of u: turn the columns round, u.flip(1), not the rows.",
            lambda z, p: gains_along(z, p, torch.linalg.eigh(z.T @ z / len(z)).eigenvectors.flip(0)),
        ),
        mistake(
            "summed along the rows",
            "You add up along each row. The slope of a direction takes all rows: sum(0).",
            (("(a * b).sum(0)", "(a * b).sum(1)"), ("(a * a).sum(0)", "(a * a).sum(1)")),
        ),
        mistake(
            "mean of ratios",
            "You divide row by row and average the ratios, in which those near 0 decide. Sum a b, sum a a, then divide.",
            ("(a * b).sum(0) / (a * a).sum(0)", "(b / a).mean(0)"),
        ),
        mistake(
            "divided by N - 1",
            "You divide by N - 1. Nothing is centred here: take the mean over the N rows.",
            ("/ len(z)", "/ (len(z) - 1)"),
        ),
        mistake(
            "a line with an intercept",
            "You take the means off before you fit the line. It goes through the origin.",
            ("z @ u, p @ u", "(z - z.mean(0)) @ u, (p - p.mean(0)) @ u"),
        ),
        mistake(
            "singular values",
            "You give the singular values of z. The strengths are their squares over N.",
            ("strength.flip(0)", "torch.linalg.svdvals(z)"),
        ),
    ),
)
