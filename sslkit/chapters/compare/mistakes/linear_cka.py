"""Exercise of chapter 23: linear CKA."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.compare.exercises import linear_cka
from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def linear_cka_loop(x: Tensor, y: Tensor) -> float:
    """By the N x N matrices of scalar products, entry by entry."""
    x, y = x.double(), y.double()
    N = len(x)
    mean_x, mean_y = sum(x) / N, sum(y) / N
    kl = kk = ll = 0.0
    for i in range(N):
        for j in range(N):
            k = ((x[i] - mean_x) * (x[j] - mean_x)).sum().item()
            m = ((y[i] - mean_y) * (y[j] - mean_y)).sum().item()
            kl, kk, ll = kl + k * m, kk + k * k, ll + m * m
    return kl / (kk * ll) ** 0.5


def aligned(x: Tensor, y: Tensor) -> Tensor:
    """linear_cka of what comes, not centred."""
    return (x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())


def by_columns(x: Tensor) -> Tensor:
    return x - x.mean(0)


def linear_cka_norm(x: Tensor, y: Tensor) -> Tensor:
    xy, xx, yy = (torch.linalg.matrix_norm(a.T @ b, 2) for a, b in ((x, y), (x, x), (y, y)))
    return xy.square() / (xx * yy)


CKA = Exercise(
    "linear_cka",
    linear_cka_loop,
    trials=lambda: [
        (torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]), torch.tensor([[1.0], [3.0], [2.0]])),
        (draw_rows(1, 5, 3) + 1, draw_rows(2, 5, 2)),
        (draw_rows(3, 8, 4) - 0.5, draw_rows(4, 8, 6) + 2),
        (draw(5, 12, 3), draw(5, 12, 3) @ torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0], [3.0, 0.0, 0.0]])),
    ],
    mistakes=(
        mistake(
            "not centred",
            "The columns are not centred: features that all lie on one side of the origin look alike for that alone. Take from each column its mean over the images.",
            ("x, y = x - x.mean(0), y - y.mean(0)", "pass"),
        ),
        mistake(
            "rows centred",
            "You take from each image the mean of its own numbers. Take from each column its mean over the images: x.mean(0).",
            lambda x, y: aligned(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)),
        ),
        mistake(
            "one side centred",
            "Both x and y must be centred, above and below the line.",
            ("y - y.mean(0)", "y"),
            ("x, y", "y, y"),
        ),
        mistake(
            "square missing",
            "Above the line stands the sum of the squared entries, not its root: CKA of x with x must be 1.",
            ("square().sum", "norm"),
        ),
        mistake(
            "root of it",
            "You take the root of the whole. The definition has none: check that half-alike features are not called more.",
            (
                "x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm()",
                "(x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())).sqrt(",
            ),
        ),
        mistake(
            "divided by the features' lengths",
            "Below the line stand the norms of x^T x and of y^T y, not those of x and y, squared or not: with those, even x with itself does not give 1.",
            (("(x.T @ x).norm()", "x.square().sum()"), ("(y.T @ y).norm()", "y.square().sum()")),
            (("(x.T @ x).norm()", "x.norm()"), ("(y.T @ y).norm()", "y.norm()")),
        ),
        mistake(
            "sums below",
            "Below the line stand the norms of x^T x and y^T y. You take the sums of their entries.",
            (("(x.T @ x).norm()", "(x.T @ x).sum()"), ("(y.T @ y).norm()", "(y.T @ y).sum()")),
        ),
        mistake(
            "x twice below", "Below the line stands x^T x twice. One of them is y^T y.", ("(y.T @ y)", "(x.T @ x)")
        ),
        mistake(
            "squares below too",
            "Below the line stand the norms of x^T x and y^T y, not their squares: CKA of x with x must be 1.",
            (("(x.T @ x).norm()", "(x.T @ x).square().sum()"), ("(y.T @ y).norm()", "(y.T @ y).square().sum()")),
        ),
        mistake(
            "images normalised",
            "You bring each image's features to length 1, which is another measure. CKA only centres.",
            lambda x, y: linear_cka(F.normalize(x, dim=1), F.normalize(y, dim=1)),
            lambda x, y: linear_cka(F.normalize(by_columns(x), dim=1), F.normalize(by_columns(y), dim=1)),
            lambda x, y: aligned(F.normalize(by_columns(x), dim=1), F.normalize(by_columns(y), dim=1)),
        ),
        mistake(
            "brackets",
            "`/ a * b` divides by a and multiplies by b. Put the product below the line in brackets.",
            ("/ ((x.T @ x).norm() * (y.T @ y).norm())", "/ (x.T @ x).norm() * (y.T @ y).norm()"),
        ),
        mistake(
            "columns standardised",
            "You divide each column by its standard deviation. In CKA a direction counts by its variance: only centre.",
            lambda x, y: linear_cka(
                by_columns(x) / x.std(0, correction=0), by_columns(y) / y.std(0, correction=0).clamp_min(1e-9)
            ),
        ),
        mistake(
            "one mean for all",
            "You take one mean of all the numbers off. Each column has its own: x.mean(0).",
            ("x - x.mean(0), y - y.mean(0)", "x - x.mean(), y - y.mean()"),
        ),
        mistake(
            "another norm",
            "|.| is the root of the sum of all squared entries, .norm(). You take the largest singular value.",
            lambda x, y: linear_cka_norm(x - x.mean(0), y - y.mean(0)),
            (
                ("(x.T @ x).norm()", "torch.linalg.matrix_norm(x.T @ x, 2)"),
                ("(y.T @ y).norm()", "torch.linalg.matrix_norm(y.T @ y, 2)"),
            ),
        ),
    ),
)
