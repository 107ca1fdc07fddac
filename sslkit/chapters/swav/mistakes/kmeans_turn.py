"""Exercise of chapter 15: a turn of k-means."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_rows, mistake


def kmeans_turn_loop(h: Tensor, centres: Tensor) -> Tensor:
    groups: list[list[Tensor]] = [[] for _ in centres]
    for point in h.double():
        distances = [((point - centre) ** 2).sum().item() for centre in centres.double()]
        groups[distances.index(min(distances))].append(point)
    return torch.stack([sum(g) / len(g) if g else centre for g, centre in zip(groups, centres.double())])


def members(h: Tensor, centres: Tensor) -> Tensor:
    """Who belongs to whom, [N, K] of 0 and 1."""
    return F.one_hot(torch.cdist(h, centres).argmin(1), len(centres)).to(h)


def kmeans_trials() -> list[tuple]:
    found = []
    for s, (n, k, d) in enumerate([(4, 2, 1), (6, 3, 2), (12, 4, 3)]):
        centres = draw_rows(s + 9, k, d)
        centres[-1] += 30.0  # nobody's nearest
        found.append((draw_rows(s, n, d), centres))
    return [*found, (draw_rows(7, 20, 2), draw_rows(8, 3, 2))]


KMEANS = Exercise(
    "kmeans_turn",
    kmeans_turn_loop,
    trials=kmeans_trials,
    mistakes=(
        mistake(
            "empty centre to 0",
            "A centre without rows goes to the origin. It must stay where it is.",
            ("torch.where(count > 0, member.T @ h / count.clamp(min=1), centres)", "member.T @ h / count.clamp(min=1)"),
        ),
        mistake(
            "empty centre not a number",
            "A centre without rows divides 0 by 0. It must stay where it is.",
            lambda h, c: members(h, c).T @ h / members(h, c).sum(0)[:, None],
        ),
        mistake(
            "empty centre dropped",
            "You leave out a centre without rows, so that there are fewer. It stays where it is.",
            lambda h, c: torch.stack(
                [h[near == k].mean(0) for near in [torch.cdist(h, c).argmin(1)] for k in near.unique()]
            ),
        ),
        mistake(
            "one number for a centre",
            "mean() without dim makes one number of all the rows' numbers. Take the mean over the rows: dim=0.",
            ("member.T @ h / count.clamp(min=1)", "(member.T @ h / count.clamp(min=1)).mean(1, keepdim=True)"),
        ),
        mistake(
            "empty centre elsewhere",
            "A centre without rows goes to the mean of all. It must stay where it is.",
            ("clamp(min=1), centres)", "clamp(min=1), h.mean(0))"),
        ),
        mistake(
            "the number of centres guessed",
            "F.one_hot makes as many columns as the largest number needs. Tell it how many there are: F.one_hot(nearest, K).",
            ("nearest, len(centres)", "nearest"),
        ),
        mistake(
            "the old centre counted",
            "You count the old centre as one of the rows. The new one is the mean of the rows alone.",
            lambda h, c: (members(h, c).T @ h + c) / (members(h, c).sum(0)[:, None] + 1),
        ),
        mistake(
            "shared by all centres",
            "Each of your rows belongs to all centres, more to the near ones. In k-means it belongs to the nearest alone.",
            lambda h, c: (w := (-torch.cdist(h, c)).softmax(1).T) @ h / w.sum(1, keepdim=True),
            lambda h, c: (w := (-torch.cdist(h, c).square()).softmax(1).T) @ h / w.sum(1, keepdim=True),
        ),
        mistake(
            "sum instead of mean",
            "You add up the rows of a centre. Divide by how many there are.",
            (" / count.clamp(min=1)", ""),
        ),
        mistake(
            "divided by N",
            "You divide by all N rows. Divide by the rows of the centre.",
            ("count.clamp(min=1)", "len(h)"),
            ("torch.where(count > 0, member.T @ h / count.clamp(min=1), centres)", "member.T @ h / len(h)"),
        ),
        mistake("farthest", "You assign each row to the farthest centre.", ("argmin", "argmax")),
        mistake(
            "dot product",
            "You take the largest dot product. k-means takes the smallest Euclidean distance.",
            ("torch.cdist(h, centres).argmin(dim=1)", "(h @ centres.T).argmax(dim=1)"),
        ),
        mistake(
            "cosine",
            "You compare directions. k-means takes the smallest Euclidean distance.",
            ("torch.cdist(h, centres).argmin(dim=1)", "F.cosine_similarity(h[:, None], centres, dim=2).argmax(dim=1)"),
        ),
        mistake(
            "absolute differences",
            "You add up absolute differences. The Euclidean distance adds up squares.",
            ("torch.cdist(h, centres)", "torch.cdist(h, centres, p=1)"),
        ),
        mistake(
            "nearest row of each centre",
            "You look for the nearest row of each centre. Each row looks for its nearest centre: dim=1.",
            lambda h, c: h[torch.cdist(h, c).argmin(0)],
        ),
        mistake(
            "assignments returned",
            "You return who belongs to whom. Return the new centres.",
            lambda h, c: torch.cdist(h, c).argmin(1),
        ),
        mistake(
            "centres not moved", "The centres are where they were. Move each to the mean of its rows.", lambda h, c: c
        ),
    ),
)
