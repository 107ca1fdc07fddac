"""Exercise of chapter 00: which pieces of the puzzle belong together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_rows, mistake


def partners_loop(z: Tensor) -> Tensor:
    found = []
    for row, one in enumerate(z.double()):
        best, best_cosine = -1, -2.0
        for other, another in enumerate(z.double()):
            cosine = (one * another).sum() / (one.square().sum().sqrt() * another.square().sum().sqrt())
            if other != row and cosine > best_cosine:
                best, best_cosine = other, cosine
        found.append(best)
    return torch.tensor(found)


def cosines(z: Tensor) -> Tensor:
    return (F.normalize(z, dim=1) @ F.normalize(z, dim=1).T).fill_diagonal_(-torch.inf)


def partners_trials() -> list[tuple]:
    alone = torch.tensor([[1.0, 0.2], [-1.0, 0.1], [-3.0, -0.9], [-0.2, 0.1]])  # the first is like none of the others
    return [(draw_rows(2, 4, 2),), (alone,), *((draw_rows(s, n, d),) for s, (n, d) in enumerate([(6, 3), (20, 5)], 8))]


PARTNERS = Exercise(
    "partners",
    partners_loop,
    partners_trials,
    mistakes=(
        mistake(
            "itself",
            "Each piece is most similar to itself, so it would be its own partner. Rule that out before the argmax.",
            (".fill_diagonal_(-torch.inf)", ""),
        ),
        mistake(
            "0 for itself",
            "A cosine can be below 0. Where a piece is like none of the others, your 0 on the diagonal is the greatest, and it is its own partner again. Fill in something smaller than any cosine.",
            ("-torch.inf", "0"),
        ),
        mistake(
            "no normalisation",
            "Long rows win because of their length. Scale each row to length 1 before the dot product.",
            ("F.normalize(z, dim=1)", "z"),
            lambda z: (z @ z.T).topk(2, dim=1).indices[:, 1],
        ),
        mistake(
            "Euclidean distance",
            "You compare distances of vectors of different lengths; cosine compares directions. Scale each row to length 1 first.",
            lambda z: torch.cdist(z, z).fill_diagonal_(torch.inf).argmin(1),
        ),
        mistake(
            "least similar",
            "You pick the least similar row. Similarity is greatest for the partner: argmax, not argmin.",
            lambda z: cosines(z).fill_diagonal_(torch.inf).argmin(1),
        ),
        mistake(
            "similarity instead of row",
            "You return how similar the partner is. Return which row it is: argmax, not max.",
            lambda z: cosines(z).max(1).values,
        ),
        mistake(
            "one answer for all",
            "argmax without dim looks at the whole table and gives one number. Add dim=1.",
            ("argmax(dim=1)", "argmax()"),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column of z to length 1. Scale each row: dim=1.",
            ("normalize(z, dim=1)", "normalize(z, dim=0)"),
        ),
        mistake(
            "numbered from 1",
            "You number the rows from 1, as the figure does. Tensors count from 0.",
            ("argmax(dim=1)", "argmax(dim=1) + 1"),
        ),
        mistake(
            "half way round",
            "You answer by place, without looking at z. The pieces come in any order.",
            lambda z: torch.arange(len(z)).roll(len(z) // 2),
        ),
        mistake(
            "itself and the partner",
            "topk(2) gives two rows for each: itself, then its partner. Return the second column alone.",
            lambda z: cosines(z).fill_diagonal_(2).topk(2, dim=1).indices,
        ),
        mistake(
            "without its sign",
            "You take the size of the cosine. A row that points the opposite way has -1: the least similar of all.",
            ("(z @ z.T)", "(z @ z.T).abs()"),
        ),
        mistake(
            "one side only",
            "You look for a partner among the rows on one side alone, later or earlier. Look at all other rows.",
            (".fill_diagonal_(-torch.inf)", ".masked_fill(torch.ones(len(z), len(z)).tril() > 0, -torch.inf)"),
            (".fill_diagonal_(-torch.inf)", ".masked_fill(torch.ones(len(z), len(z)).triu() > 0, -torch.inf)"),
        ),
    ),
)
