"""Exercise of chapter 10: all similarities at once."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.simclr.mistakes.variants import table
from sslkit.checks.exercise import Exercise, draw_rows, mistake


def similarity_matrix_loop(z: Tensor) -> Tensor:
    rows = []
    for i, a in enumerate(z.double()):
        cosines = [(a * b).sum() / (a.norm() * b.norm()) for b in z.double()]
        cosines[i] = a.new_tensor(-math.inf)
        rows.append(torch.stack(cosines))
    return torch.stack(rows)


SIMILARITY = Exercise(
    "similarity_matrix",
    similarity_matrix_loop,
    grad=True,
    trials=lambda: [(draw_rows(s, m, d),) for s, (m, d) in enumerate([(3, 2), (4, 3), (10, 5)])],
    mistakes=(
        mistake(
            "no normalisation",
            "These are dot products. Scale each row to length 1 first.",
            ("z = F.normalize(z, dim=1)", "pass"),
        ),
        mistake(
            "one length for the whole table",
            "You divide the whole table by one length. Each row has its own: .norm(dim=1, keepdim=True).",
            ("F.normalize(z, dim=1)", "z / z.norm()"),
        ),
        mistake(
            "each row with itself alone",
            "You compare row i with row i alone. The table has every row with every other: [M, M].",
            lambda z: F.cosine_similarity(z, z),
            lambda z: (F.normalize(z) * F.normalize(z)).sum(1),
        ),
        mistake(
            "cosine along another axis",
            "F.cosine_similarity takes dim=1 unless told otherwise. Of z[:, None] and z[None] the features are the last axis: dim=2.",
            lambda z: F.cosine_similarity(z[:, None], z[None]),
        ),
        mistake(
            "diagonal left in",
            "The diagonal still holds each view's similarity with itself. Set it to -inf.",
            ('(z @ z.T).masked_fill(itself, float("-inf"))', "z @ z.T"),
        ),
        mistake(
            "diagonal 0",
            "exp(0) is 1, so softmax would still give each view weight on itself. Set the diagonal to -inf.",
            ('float("-inf")', "0.0"),
        ),
        mistake(
            "diagonal +inf",
            "With +inf softmax would give each view all weight on itself. It must be -inf.",
            ("-inf", "inf"),
        ),
        mistake(
            "a large negative number",
            "A large negative number works in float32, but overflows in half precision. Use float('-inf').",
            *[lambda z, own=own: table(z, own=own) for own in (-1e9, -1e10, -1e4, -9e15)],
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            ("dim=1", "dim=0"),
        ),
        mistake(
            "distance",
            "You return distances. Similarity is the cosine, 1 for equal directions.",
            lambda z: torch.cdist(F.normalize(z), F.normalize(z)),
            lambda z: torch.cdist(z, z),
            lambda z: (-torch.cdist(F.normalize(z), F.normalize(z))).fill_diagonal_(-math.inf),
            lambda z: (-torch.cdist(z, z)).fill_diagonal_(-math.inf),
        ),
        mistake(
            "numbers instead of views",
            "z.T @ z compares the D columns. The table is one of the M rows: z @ z.T, [M, M].",
            lambda z: F.normalize(z).T @ F.normalize(z),
            lambda z: table(F.normalize(z).T, dim=None),
        ),
        mistake(
            "one side normalised",
            "Only one of the two factors has rows of length 1. A cosine needs both.",
            lambda z: (F.normalize(z) @ z.T).fill_diagonal_(-math.inf),
            lambda z: (z @ F.normalize(z).T).fill_diagonal_(-math.inf),
        ),
        mistake(
            "diagonal -1",
            "exp(-1) is not 0, so softmax would still give each view weight on itself. Set the diagonal to -inf.",
            ('float("-inf")', "-1.0"),
        ),
        mistake(
            "-inf times 0",
            "You multiply by -inf, and 0 * inf is NaN: so it is everywhere off the diagonal. Fill -inf in on the diagonal alone: masked_fill.",
            ('(z @ z.T).masked_fill(itself, float("-inf"))', 'z @ z.T + itself * float("-inf")'),
        ),
        mistake(
            "mask the wrong way round",
            "You set everything but the diagonal to -inf. masked_fill fills where the mask is True: torch.eye as it is.",
            ("(itself,", "(~itself,"),
        ),
        mistake(
            "divided by the squared length",
            "You divide each row by the square of its length. Divide by the length itself.",
            ("F.normalize(z, dim=1)", "z / z.square().sum(1, keepdim=True)"),
        ),
    ),
)
