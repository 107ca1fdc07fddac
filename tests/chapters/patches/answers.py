"""Answers to the exercises of patches: known numbers, right ones written differently, wrong ones."""

import math

import torch
import torch.nn.functional as F

PLACES = torch.tensor([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)])


def cut_with_unfold(x, corner, size):
    windows = x.unfold(2, size, 1).unfold(3, size, 1)  # [N, C, H', W', size, size]
    return windows[torch.arange(len(x)), :, corner[:, 0], corner[:, 1]]


def cut_by_index(x, corner, size):
    along, image = torch.arange(size), torch.arange(len(x))[:, None, None]
    rows, columns = (corner[:, :1] + along)[:, :, None], (corner[:, 1:] + along)[:, None, :]
    return x.permute(0, 2, 3, 1)[image, rows, columns].permute(0, 3, 1, 2)


def pairs_by_index(first, second):
    N = len(first)
    i = torch.arange(2 * N) % N
    labels = (torch.arange(2 * N) < N).long()
    return first[i], second[(i - 1 + labels) % N], labels


KNOWN = [
    ("patches.neighbour_offset", ([0, 4, 6], 9, 3), [[-12, -12], [0, 12], [12, 0]]),
    (
        "patches.cut_patches",
        ([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]], [[1, 0]], 2),
        [[[[4.0, 5.0], [7.0, 8.0]]]],
    ),
    (
        "patches.same_image_pairs",
        ([[[[1.0]]], [[[2.0]]]], [[[[3.0]]], [[[4.0]]]]),
        (
            [[[[1.0]]], [[[2.0]]], [[[1.0]]], [[[2.0]]]],
            [[[[3.0]]], [[[4.0]]], [[[4.0]]], [[[3.0]]]],
            [1, 1, 0, 0],
        ),
    ),
    ("patches.same_image_loss", ([0.0, 0.0], [0, 1]), math.log(2)),
    ("patches.same_image_loss", ([math.log(3.0), math.log(3.0)], [1, 0]), (math.log(4 / 3) + math.log(4)) / 2),
]

RIGHT = {
    "patches.neighbour_offset": [
        lambda k, size, gap: PLACES[k] * (size + gap),
        lambda k, size, gap: torch.stack([PLACES[i] * size + PLACES[i] * gap for i in k.tolist()]),
    ],
    "patches.cut_patches": [
        cut_with_unfold,
        cut_by_index,
        lambda x, corner, size: torch.stack(
            [a[:, t : t + size, c : c + size] for a, (t, c) in zip(x, corner.tolist())]
        ),
    ],
    "patches.same_image_pairs": [
        pairs_by_index,
        lambda a, b: (
            a.repeat(2, 1, 1, 1),
            torch.cat([b, b[-1:], b[:-1]]),
            torch.cat([torch.ones(len(a)), torch.zeros(len(a))]).long(),
        ),
    ],
    "patches.same_image_loss": [
        lambda a, y: -torch.where(y == 1, F.logsigmoid(a), F.logsigmoid(-a)).mean(),
        lambda a, y: F.softplus((1 - 2 * y) * a).mean(),
        lambda a, y: F.cross_entropy(torch.stack([torch.zeros_like(a), a], 1), y),
    ],
}

NAMED = [
    (
        "patches.neighbour_offset",
        lambda k, size, gap: torch.stack([PLACES[k][:, 1], PLACES[k][:, 0]], 1) * (size + gap),
        "across before down",
    ),
    ("patches.neighbour_offset", lambda k, size, gap: (PLACES[k] * (size + gap)).float(), "another dtype"),
    (
        "patches.cut_patches",
        lambda x, corner, size: cut_with_unfold(x, corner.flip(1), size),
        "rows and columns exchanged",
    ),
    ("patches.cut_patches", lambda x, corner, size: cut_with_unfold(x, corner, size).mT, "transposed"),
    ("patches.cut_patches", lambda x, corner, size: cut_by_index(x, corner, size).float(), "another dtype"),
    (
        "patches.same_image_pairs",
        lambda a, b: (*pairs_by_index(a, b)[:2], 1 - pairs_by_index(a, b)[2]),
        "labels exchanged",
    ),
    (
        "patches.same_image_loss",
        lambda a, y: F.binary_cross_entropy_with_logits(a.sigmoid(), y.float()),
        "sigmoid twice",
    ),
    ("patches.same_image_loss", lambda a, y: F.softplus((1 - 2 * y) * a).mean().detach(), "no gradient"),
    ("patches.same_image_loss", lambda a, y: F.binary_cross_entropy(a.sigmoid(), y.float()), "probabilities first"),
    (
        "patches.neighbour_offset",
        lambda k, size, gap: torch.stack([(k + 1) // 3 - 1, (k + 1) % 3 - 1], 1) * (size + gap),
        "the middle passed too early",
    ),
    ("patches.cut_patches", lambda x, corner, size: cut_by_index(x, corner[:, [0, 0]], size), "the row for both"),
    (
        "patches.same_image_pairs",
        lambda a, b: pairs_by_index(b, a)[1::-1] + pairs_by_index(a, b)[2:],
        "first patches rolled",
    ),
    (
        "patches.same_image_pairs",
        lambda a, b: (a.repeat(2, 1, 1, 1), torch.cat([b, b[range(len(b) - 1, -1, -1)]]), pairs_by_index(a, b)[2]),
        "reversed",
    ),
    ("patches.same_image_loss", lambda a, y: ((1 - 2 * y) * a).mean(), "no sigmoid"),
    (
        "patches.same_image_loss",
        lambda a, y: F.softplus(-a[y > 0]).mean() + F.softplus(a[y < 1]).mean(),
        "a mean for each kind",
    ),
    (
        "patches.neighbour_offset",
        lambda k, size, gap: PLACES[[0, 1, 2, 4, 7, 6, 5, 3]][k] * (size + gap),
        "clockwise",
    ),
    (
        "patches.cut_patches",
        lambda x, corner, size: torch.stack([x[0, :, r : r + size, c : c + size] for r, c in corner.tolist()]),
        "one image for all",
    ),
    (
        "patches.same_image_loss",
        lambda a, y: -torch.where(y == 1, a, 1 - a).log().mean(),
        "logits as probabilities",
    ),
    (
        "patches.same_image_loss",
        lambda a, y: F.binary_cross_entropy(a.clip(0, 1), y.float()),
        "logits as probabilities",
    ),
]

UNNAMED = [
    ("patches.same_image_loss", lambda a, y: F.softplus((1 - 2 * y) * 2 * a).mean()),
    ("patches.cut_patches", lambda x, corner, size: cut_with_unfold(x, corner, size).flip(3)),
]
