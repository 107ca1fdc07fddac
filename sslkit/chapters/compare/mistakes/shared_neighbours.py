"""Exercise of chapter 23: neighbours that two networks agree on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def shared_neighbours_loop(h1: Tensor, h2: Tensor, k: int) -> float:
    total = 0.0
    for i in range(len(h1)):
        near = []
        for h in (h1.double(), h2.double()):
            others = [j for j in range(len(h)) if j != i]
            cosine = {j: (h[i] @ h[j] / (h[i].norm() * h[j].norm())).item() for j in others}
            near.append(set(sorted(others, key=cosine.get, reverse=True)[:k]))
        total += len(near[0] & near[1]) / k
    return total / len(h1)


def lists_of(h: Tensor, k: int) -> Tensor:
    """Row numbers [N, k] of the neighbours."""
    h = F.normalize(h, dim=1)
    return (h @ h.T).fill_diagonal_(-1e9).topk(k).indices


def with_itself(h: Tensor, k: int) -> Tensor:
    """Row numbers [N, k + 1] of the neighbours, each image among its own."""
    h = F.normalize(h, dim=1)
    return (h @ h.T).topk(min(k + 1, len(h))).indices


def in_common(a: Tensor, b: Tensor) -> Tensor:
    """How many of the row numbers a [N, K1] stand in b [N, K2], for each row."""
    return (a[:, :, None] == b[:, None, :]).any(2).sum(1).float()


SHARED = Exercise(
    "shared_neighbours",
    shared_neighbours_loop,
    trials=lambda: [
        (torch.tensor([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0]]), torch.tensor([[1.0, 0.1], [0.0, 1.0], [1.0, 0.5]]), 1),
        (draw_rows(1, 6, 3), draw_rows(2, 6, 2), 2),
        (draw_rows(3, 12, 4), draw_rows(3, 12, 4) + draw(4, 12, 4, spread=0.7), 3),
        (draw_rows(5, 15, 3) + 1, draw_rows(6, 15, 5) + 1, 5),
    ],
    mistakes=(
        mistake(
            "itself counted",
            "Each image is its own nearest neighbour in both lists, which is no agreement. Overwrite the diagonal before topk.",
            ("(h @ h.T).fill_diagonal_(-2)", "h @ h.T"),
            lambda a, b, k: in_common(with_itself(a, k), with_itself(b, k)).mean() / (k + 1),
            lambda a, b, k: in_common(with_itself(a, k), with_itself(b, k)).mean() / k,
        ),
        mistake(
            "one neighbour more",
            "You take k + 1 neighbours, though the image itself is left out already. Take k.",
            ("topk(k)", "topk(k + 1)"),
        ),
        mistake(
            "one neighbour fewer",
            "You drop the image itself from k nearest, which leaves k - 1 others. Take k of them.",
            (("(h @ h.T).fill_diagonal_(-2)", "h @ h.T"), ("topk(k).indices", "topk(k).indices[:, 1:]")),
        ),
        mistake(
            "centred",
            "You take means off, so that you compare correlations. Take the cosine of the features as they are.",
            ("F.normalize(h, dim=1)", "F.normalize(h - h.mean(1, keepdim=True), dim=1)"),
            ("F.normalize(h, dim=1)", "F.normalize(h - h.mean(0), dim=1)"),
        ),
        mistake("h2 not used", "You compare h1 with itself.", ("(h1, h2)", "(h1, h1)")),
        mistake(
            "columns normalised",
            "You bring the columns to length 1. A cosine is one of two rows: dim=1.",
            ("(h, dim=1)", "(h, dim=0)"),
        ),
        mistake(
            "scalar products",
            "Neighbours by scalar product favour long features. Normalise each row first.",
            ("h = F.normalize(h, dim=1)", "pass"),
        ),
        mistake(
            "same place in the list",
            "You ask for the same neighbour at the same place. The order in the lists does not count.",
            lambda a, b, k: (lists_of(a, k) == lists_of(b, k)).float().mean(),
        ),
        mistake(
            "union",
            "You divide by the size of both lists together (Jaccard). Divide by k.",
            lambda a, b, k: (n := in_common(lists_of(a, k), lists_of(b, k))).div(2 * k - n).mean(),
        ),
        mistake(
            "never anything in common",
            "Nothing is ever shared in yours. Do you compare similarities (.values), or make a set of tensors, which looks at the objects and not at their numbers? Compare .indices, as numbers: .tolist().",
            lambda a, b, k: torch.tensor(0.0),
        ),
        mistake(
            "in anybody's list",
            "You ask whether a neighbour is in the list of any image, as torch.isin does with whole tables. Compare each image's two lists.",
            lambda a, b, k: torch.isin(lists_of(a, k), lists_of(b, k)).float().mean(),
        ),
        mistake(
            "the nearest left out",
            "The image itself is left out twice, so that its nearest neighbour is missing. Leave out one entry.",
            ("topk(k).indices", "topk(k + 1).indices[:, 1:]"),
        ),
        mistake(
            "farthest",
            "You take the least similar images. topk takes the largest values: give it similarities, not distances, or largest=False.",
            ("h @ h.T", "(1 - h @ h.T)"),
        ),
        mistake(
            "divided twice by k",
            "A mean over the table [N, k, k] divides by k twice. Count what is shared, over k.",
            lambda a, b, k: in_common(lists_of(a, k), lists_of(b, k)).mean() / k**2,
        ),
        mistake(
            "a count",
            "That is how many are shared. The share is that over k.",
            ("() / k", "()"),
            lambda a, b, k: in_common(lists_of(a, k), lists_of(b, k)).sum(),
        ),
        mistake(
            "diagonal 0",
            "A cosine can be below 0, and then an image is still among its own neighbours. Set the diagonal below -1, or to -inf.",
            ("fill_diagonal_(-2)", "fill_diagonal_(0)"),
        ),
        mistake(
            "Euclidean distance",
            "You compare distances of vectors of different lengths. Cosine compares directions: scale each row to length 1 first.",
            (
                ("h = F.normalize(h, dim=1)", "h = h * 1"),
                ("(h @ h.T).fill_diagonal_(-2)", "(-torch.cdist(h, h)).fill_diagonal_(-1e9)"),
            ),
        ),
        mistake(
            "one in common is enough",
            "You ask whether there is a common neighbour at all. Count how many are in both lists, over k.",
            (".sum(1).mean() / k", ".any(1).float().mean()"),
        ),
        mistake(
            "all in common",
            "You ask whether the two lists are the same. Count how many are in both lists, over k.",
            (".sum(1).mean() / k", ".sum(1).eq(k).float().mean()"),
        ),
    ),
)
