"""Exercise of chapter 10: where the positive is."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, mistake


def positive_index_loop(n: int) -> Tensor:
    images = [*range(n), *range(n)]
    partner = []
    for row, image in enumerate(images):
        partner += [other for other, its_image in enumerate(images) if its_image == image and other != row]
    return torch.tensor(partner)


POSITIVE = Exercise(
    "positive_index",
    positive_index_loop,
    trials=lambda: [(3,), (2,), (4,), (7,)],
    mistakes=(
        mistake(
            "the row itself",
            "You point each row at itself. The positive is the other view of the same image.",
            (") + n", ")"),
        ),
        mistake(
            "modulo n",
            "Your first views point at themselves, as they do modulo n. There are 2 n rows: take the sum modulo 2 n.",
            ("% (2 * n)", "% (n)"),
        ),
        mistake(
            "off by one",
            "You are off by one row: row 0 belongs to row n.",
            ("+ n", "+ n + 1"),
            ("+ n", "+ n - 1"),
            lambda n: (torch.arange(2 * n) + 1) % (2 * n),
            lambda n: torch.arange(2 * n).roll(1),
        ),
        mistake(
            "neighbours as pairs",
            "You pair rows 0 and 1, 2 and 3, ...: that is for views stacked alternately. Here all first views come before all second views.",
            lambda n: torch.arange(2 * n).view(n, 2).flip(1).flatten(),
        ),
        mistake(
            "only the first views",
            "You answer for the n first views. The second views are anchors too: 2 n entries.",
            ("(2 * n) +", "(n) +"),
        ),
        mistake(
            "past the end",
            "For the second views you point past the last row. They belong to rows 0 .. n - 1.",
            ("(torch.arange(2 * n) + n) % (2 * n)", "torch.arange(2 * n) + n"),
        ),
        mistake(
            "brackets",
            "`%` and `*` go from left to right, so yours takes modulo 2 first. Put 2 * n in brackets.",
            ("% (2 * n)", "% 2 * n"),
        ),
        mistake(
            "mirrored",
            "You pair the first row with the last. Row i belongs to row i + n.",
            lambda n: torch.arange(2 * n).flip(0),
        ),
        mistake(
            "second views for all",
            "You point all rows at second views. Those of the second views are the first ones, 0 .. n - 1.",
            lambda n: torch.arange(n, 2 * n).repeat(2),
        ),
    ),
)
