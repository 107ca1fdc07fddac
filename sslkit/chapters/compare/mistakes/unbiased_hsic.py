"""Exercise of chapter 23: the unbiased estimator behind CKA."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def unbiased_hsic_loop(K: Tensor, L: Tensor) -> float:
    """The mean over all choices of four different images (a U-statistic)."""
    K, L, values = K.double(), L.double(), []
    for i, j, q, r in itertools.permutations(range(len(K)), 4):
        values.append((K[i, j] * L[i, j] + K[i, j] * L[q, r] - 2 * K[i, j] * L[i, q]).item())
    return sum(values) / len(values)


def off(K: Tensor) -> Tensor:
    """K without its diagonal."""
    return K * (1 - torch.eye(len(K)))


def formula(K: Tensor, L: Tensor, scale: Callable[[int], int] = lambda N: N * (N - 3)) -> Tensor:
    """unbiased_hsic, divided by another number."""
    N, K, L = len(K), off(K), off(L)
    return ((K * L).sum() + K.sum() * L.sum() / ((N - 1) * (N - 2)) - 2 * (K @ L).sum() / (N - 2)) / scale(N)


def biased_hsic(K: Tensor, L: Tensor, scale: Callable[[int], int]) -> Tensor:
    N = len(K)
    H = torch.eye(N) - 1 / N
    return (H @ K @ H * L).sum() / scale(N)


def kernel(seed: int, N: int, D: int) -> Tensor:
    x = draw(seed, N, D) + 0.5
    return (x @ x.T).round(decimals=2)


HSIC = Exercise(
    "unbiased_hsic",
    unbiased_hsic_loop,
    trials=lambda: [
        (kernel(1, 4, 2), kernel(2, 4, 1)),
        (kernel(3, 5, 2), kernel(4, 5, 3)),
        (kernel(5, 7, 3), kernel(6, 7, 2)),
        (kernel(7, 6, 2), kernel(7, 6, 2)),
    ],
    mistakes=(
        mistake(
            "diagonal left in",
            "The diagonals still count: an image with itself. Set them to 0 in both matrices first.",
            ("1 - torch.eye(N)", "1"),
        ),
        mistake(
            "the biased estimate",
            "This is the usual, biased estimate with centred matrices. It counts each image with itself; follow the formula.",
            lambda K, L: biased_hsic(K, L, lambda N: (N - 1) ** 2),
            lambda K, L: biased_hsic(K, L, lambda N: N**2),
            lambda K, L: biased_hsic(K, L, lambda N: 1),
        ),
        mistake("factor 2 missing", "The last term, sum(K @ L) / (N - 2), is taken off twice.", ("2 * (", "(")),
        mistake(
            "one sum for two",
            "The second term is sum(K) times sum(L), two numbers. You add up the products of the entries.",
            ("K.sum() * L.sum()", "(K * L).sum()"),
        ),
        mistake(
            "means in place of sums",
            "You take means. All three terms are sums over all entries.",
            (
                ("(K * L).sum()", "(K * L).mean()"),
                ("K.sum() * L.sum()", "K.mean() * L.mean()"),
                ("(K @ L).sum()", "(K @ L).mean()"),
            ),
        ),
        mistake(
            "the first term alone",
            "You return the first of the three terms, over N (N - 3). Two more correct it.",
            ("total / (N", "(K * L).sum() / (N"),
        ),
        mistake("sign of the last term", "The last term is taken off, not added.", ("- 2 *", "+ 2 *")),
        mistake("not divided", "The whole is divided by N (N - 3) at the end.", ("total / (N * (N - 3))", "total")),
        mistake(
            "divided by another number",
            "The whole is divided by N (N - 3).",
            ("- 3", "- 1"),
            ("N - 3", "N"),
            lambda K, L: formula(K, L, lambda N: (N - 1) ** 2),
        ),
        mistake(
            "matrix product in place of entries",
            "The first term multiplies entry by entry, K * L, and adds up. K @ L belongs in the last term alone.",
            lambda K, L: formula(K, L) + ((off(K) @ off(L)).sum() - (off(K) * off(L)).sum()) / (len(K) * (len(K) - 3)),
        ),
        mistake(
            "entries in place of the matrix product",
            "The last term holds the matrix product K @ L, not K * L.",
            ("(K @ L)", "(K * L)"),
        ),
        mistake(
            "one diagonal left in",
            "Only one of the two diagonals is 0. Set both.",
            ("K * other, L * other", "K * other, L"),
            ("K * other, L * other", "K, L * other"),
        ),
        mistake(
            "only the last term divided",
            "You divide the last term alone by N (N - 3). Put all three in brackets.",
            (
                ("2 * (K @ L).sum() / (N - 2)", "2 * (K @ L).sum() / (N - 2) / (N * (N - 3))"),
                ("total / (N * (N - 3))", "total"),
            ),
        ),
        mistake(
            "half of the table",
            "You keep what is above the diagonal alone. Both (i, j) and (j, i) count.",
            ("K * other, L * other", "K.triu(1), L.triu(1)"),
        ),
        mistake(
            "only the diagonal",
            "You keep the diagonals and set all else to 0. It is the other way round.",
            ("1 - torch.eye(N)", "torch.eye(N)"),
        ),
        mistake(
            "1 off the diagonal",
            "You take 1 off the diagonals. Set them to 0, whatever stands there.",
            ("K * other, L * other", "K - torch.eye(N), L - torch.eye(N)"),
        ),
        mistake(
            "brackets",
            "`/ a * b` divides by a and multiplies by b. Put the product below the line in brackets.",
            ("/ (N * (N - 3))", "/ N * (N - 3)"),
            ("/ ((N - 1) * (N - 2))", "/ (N - 1) * (N - 2)"),
            (("/ (N * (N - 3))", "/ N * (N - 3)"), ("/ ((N - 1) * (N - 2))", "/ (N - 1) * (N - 2)")),
        ),
    ),
)
