"""Exercise of chapter 12: a predictor from the features."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.chapters.byol.mistakes.gains import stretched
from sslkit.checks.exercise import Exercise, draw, mistake


def direct_predictor_loop(z: Tensor, floor: float) -> Tensor:
    strengths, columns = [], []
    left = sum(torch.outer(row, row) for row in z.double()) / len(z)
    for _ in range(z.shape[1]):
        if left.trace() < 1e-9:  # z has no further direction
            break
        u = left.sum(0) + left[0]
        for _ in range(3000):
            u = left @ u
            u = u / u.norm()
        strengths.append((u @ left @ u).item())
        columns.append(u)
        left = left - strengths[-1] * torch.outer(u, u)
    gained = sum(math.sqrt(s / strengths[0]) * torch.outer(u, u) for s, u in zip(strengths, columns))
    return gained + floor * torch.eye(z.shape[1], dtype=torch.float64)


DIRECT = Exercise(
    "direct_predictor",
    direct_predictor_loop,
    trials=lambda: [
        *((stretched(s, n, k), floor) for s, n, k, floor in [(10, 6, 2, 0.1), (11, 12, 3, 0.0), (12, 30, 4, 0.3)]),
        (draw(20, 20, 2) @ draw(21, 2, 8), 0.2),  # two directions of eight
    ],
    mistakes=(
        mistake("no square root", "You take the strengths themselves. The gain is their square root.", (".sqrt()", "")),
        mistake(
            "not over the largest",
            "Divide each strength by the largest, so that the strongest direction has gain 1 + floor.",
            ("strength / strength.max()", "strength"),
        ),
        mistake(
            "over the sum",
            "Divide by the largest strength, not by the sum of all.",
            ("strength.max()", "strength.sum()"),
        ),
        mistake(
            "floor forgotten",
            "The floor is missing: the weakest directions would get no prediction at all.",
            (" + floor", ""),
        ),
        mistake(
            "floor everywhere",
            "You add the floor to all entries of the matrix. Add it to the gains, along the eigenvectors.",
            ((" + floor", ""), ("@ u.T", "@ u.T + floor")),
        ),
        mistake(
            "floor under the root", "Add the floor after the square root.", (").sqrt() + floor", " + floor).sqrt()")
        ),
        mistake(
            "rows for eigenvectors",
            "The eigenvectors are the columns of u: the matrix is u diag(g) u', not u' diag(g) u.",
            ("(u * gain) @ u.T", "(u.T * gain) @ u"),
        ),
        mistake(
            "not turned back",
            "You scale along the eigenvectors and do not turn back: multiply by u' at the end.",
            ("@ u.T", "@ torch.eye(len(u))"),
        ),
        mistake(
            "only the gains",
            "You give the gains along the axes of z. They belong along the eigenvectors.",
            ("(u * gain) @ u.T", "torch.diag(gain)"),
        ),
        mistake(
            "the inverse",
            "You give weak directions the larger gain; that would whiten. Strong ones are passed on more.",
            (".sqrt() + floor", ".rsqrt() + floor"),
        ),
        mistake(
            "centred",
            "You take the mean off first. The correlation here is the mean of z z' as it is.",
            ("z.T @ z / len(z)", "(z - z.mean(0)).T @ (z - z.mean(0)) / len(z)"),
            ("z.T @ z / len(z)", "z.T.cov(correction=0)"),
        ),
        mistake(
            "over the weakest",
            "You divide by the weakest strength. eigh gives the weakest first, so the largest is the last.",
            ("strength.max()", "strength[0].clamp_min(1e-9)"),
        ),
        mistake(
            "root of a negative number",
            "Rounding makes strengths of 0 slightly negative, and their root is NaN: clamp_min(0) first.",
            ("strength = strength.clamp_min(0)", "strength = strength * 1"),
        ),
        mistake(
            "floor as a minimum",
            "You raise what is small to the floor. Add it to all gains.",
            (".sqrt() + floor", ".sqrt().clamp_min(floor)"),
            (("clamp_min(0)", "clamp_min(floor)"), (" + floor", "")),
        ),
        mistake(
            "applied to z",
            "You return what the predictor makes of z. Return its matrix alone, [K, K].",
            ("(u * gain) @ u.T", "z @ ((u * gain) @ u.T)"),
        ),
        mistake(
            "only one turned round",
            "You turn the strengths round and leave the eigenvectors in rising order. Turn both or neither.",
            ("strength.max())", "strength.max()).flip(0)"),
        ),
    ),
)
