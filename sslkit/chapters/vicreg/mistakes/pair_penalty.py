"""Exercise of chapter 14: all pairs of images, without a table of them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def pair_penalty_loop(z: Tensor) -> Tensor:
    z, total = z.double(), 0.0
    for n, a in enumerate(z):
        for m, b in enumerate(z):
            if n != m:
                total = total + sum(p * q for p, q in zip(a, b)) ** 2
    return total


class Long(Tensor):
    """30 rows in place of a million: a table of rows with rows is refused."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, Tensor) and result.numel() >= 30 * 30:
            raise MemoryError("a table [N, N], of which no million rows would fit into the memory")
        return result


OWN = " - z.square().sum(1).square().sum()"
PAIRS = Exercise(
    "pair_penalty",
    pair_penalty_loop,
    grad=True,
    trials=lambda: (
        [(draw(s, n, k),) for s, (n, k) in enumerate([(2, 2), (3, 2), (5, 3), (4, 6)])]
        + [(draw(4, 30, 2).as_subclass(Long),)]
    ),
    mistakes=(
        mistake("a row with itself", "Your sum holds each row with itself, |z_n|^4. Take those off.", (OWN, "")),
        mistake(
            "columns instead of rows",
            "You take the columns' own squares off, |c_k|^4: that leaves pairs of numbers, not of images.",
            (OWN, " - z.square().sum(0).square().sum()"),
            lambda z: (z.T @ z).square().sum() - (z.T @ z).diagonal().square().sum(),
        ),
        mistake(
            "length instead of its square",
            "A row's dot product with itself is |z_n|^2, and its square |z_n|^4. You take off less.",
            (OWN, " - z.square().sum()"),
        ),
        mistake(
            "lengths taken for 1",
            "You take 1 off for each row, as if rows had length 1. A row with itself is |z_n|^4.",
            (OWN, " - len(z)"),
        ),
        mistake(
            "fourth powers of the numbers",
            "You take off each number to the fourth. A row with itself is |z_n|^4: add up its squares first, then square.",
            (OWN, " - z.pow(4).sum()"),
        ),
        mistake(
            "each pair once",
            "You count each pair once. The sum runs over n, m and m, n.",
            ("(z.T @ z).square().sum()" + OWN, f"((z.T @ z).square().sum(){OWN}) / 2"),
        ),
        mistake(
            "not squared",
            "You add the dot products up without squaring them.",
            lambda z: z.sum(0).square().sum() - z.square().sum(),
            lambda z: (z @ z.T).fill_diagonal_(0).sum(),
            lambda z: (z.T @ z).sum() - z.square().sum(),
        ),
        mistake(
            "cosines",
            "You scale the rows to length 1. The task leaves them as they are.",
            lambda z: (F.normalize(z, dim=1) @ F.normalize(z, dim=1).T).square().sum() - len(z),
        ),
        mistake(
            "centred",
            "You take the columns' means off. The task leaves z as it is.",
            ("return", "z = z - z.mean(0); return"),
            lambda z: pair_penalty_loop(z - z.mean(1, keepdim=True)),
        ),
        mistake(
            "mean instead of sum",
            "You take a mean. The task asks for the sum over pairs.",
            lambda z: pair_penalty_loop(z) / (len(z) * (len(z) - 1)),
            lambda z: pair_penalty_loop(z) / len(z) ** 2,
        ),
    ),
)
