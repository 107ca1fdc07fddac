"""Exercise of chapter 14: what two numbers have in common."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.barlow_twins.mistakes.batches import columns
from sslkit.chapters.vicreg.exercises import covariance_loss
from sslkit.checks.exercise import Exercise, mistake


def covariance_loss_loop(z: Tensor) -> Tensor:
    z, total = z.double(), 0.0
    n, k = z.shape
    for i in range(k):
        for j in range(k):
            if i != j:
                a, b = z[:, i] - sum(z[:, i]) / n, z[:, j] - sum(z[:, j]) / n
                total = total + (sum(p * q for p, q in zip(a, b)) / (n - 1)) ** 2
    return total / k


REST = "(c - torch.diag(c.diagonal())).square().sum()"
COVARIANCE = Exercise(
    "covariance_loss",
    covariance_loss_loop,
    grad=True,
    trials=lambda: [(columns(s, n, k),) for s, (n, k) in enumerate([(3, 2), (5, 4), (6, 3), (4, 6)])],
    mistakes=(
        mistake(
            "not centred",
            "Products of numbers that are not centred are no covariances. Take the mean of each column off.",
            ("z = z - z.mean(0)", "pass"),
        ),
        mistake(
            "centred by rows",
            "You take the mean of each image off. Take the mean of each column, over the batch.",
            ("z.mean(0)", "z.mean(1, keepdim=True)"),
        ),
        mistake(
            "one mean for all",
            "You take one mean of all the numbers off. Each column has its own, over the batch.",
            ("z.mean(0)", "z.mean()"),
        ),
        mistake(
            "divided after squaring",
            "You square the sums and divide by N - 1 afterwards. A covariance is divided first, then squared.",
            (" / (len(z) - 1)", " / (len(z) - 1) ** 0.5"),
        ),
        mistake(
            "diagonal charged",
            "You charge the variances too, on the diagonal: the numbers would shrink. Take it out.",
            ("(c - torch.diag(c.diagonal()))", "c"),
        ),
        mistake(
            "images instead of numbers",
            "That is a table of images. A row of C is a number: z.T @ z, or torch.cov(z.T).",
            ("z.T @ z", "z @ z.T"),
            lambda z: torch.cov(z).fill_diagonal_(0).square().sum() / z.shape[1],
        ),
        mistake("divided by N", "Here the covariance divides by N - 1.", ("(len(z) - 1)", "len(z)")),
        mistake("not divided by N - 1", "You add up over the images. Divide by N - 1.", (" / (len(z) - 1)", "")),
        mistake("not divided by K", "Divide the sum by K, the number of columns.", (" / z.shape[1]", "")),
        mistake(
            "divided by N at the end",
            "Divide the sum by K, the number of columns, not by the number of images.",
            (" / z.shape[1]", " / len(z)"),
        ),
        mistake(
            "divided by the cells",
            "You take the mean over the cells. The paper divides the sum by K.",
            (" / z.shape[1]", " / (z.shape[1] * (z.shape[1] - 1))"),
            (".sum() / z.shape[1]", ".mean()"),
        ),
        mistake(
            "correlations",
            "You divide by the deviations, as Barlow Twins does. Here the scale is left in.",
            lambda z: covariance_loss((z - z.mean(0)) / z.std(0)),
        ),
        mistake(
            "not squared",
            "Square the entries: else a covariance of -1 is better than none.",
            (".square().sum()", ".sum()"),
        ),
        mistake(
            "square of the sum",
            "You square the sum of the covariances, in which they may cancel. Square each, then add up.",
            (".square().sum()", ".sum().square()"),
        ),
        mistake(
            "sizes instead of squares",
            "You add up absolute values. The paper squares them.",
            (".square().sum()", ".abs().sum()"),
        ),
        mistake(
            "the identity taken off",
            "You take 1 off the diagonal, as Barlow Twins does. Here the diagonal does not count at all.",
            ("torch.diag(c.diagonal())", "torch.eye(len(c))"),
        ),
        mistake(
            "half of the cells",
            "You count each pair once. Both (i, j) and (j, i) count.",
            (REST, "c.triu(1).square().sum()"),
        ),
    ),
)
