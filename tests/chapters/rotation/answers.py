"""Answers to the exercises of rotation: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def rotate_in_groups(x, k):
    out = torch.empty_like(x)
    for turns in range(4):
        out[k == turns] = torch.rot90(x[k == turns], turns, (2, 3))
    return out


def rotate_by_flips(x, k):
    k = k.view(-1, 1, 1, 1)
    x = torch.where((k == 1) | (k == 3), x.transpose(2, 3).flip(2), x)
    return torch.where(k >= 2, x.flip(2, 3), x)


def flip_for_each(x, k):
    return torch.stack([torch.flip(a, [(), (1,), (1, 2), (2,)][int(t)]) for a, t in zip(x, k)])


def pretext_batch_loop(x):
    pairs = [(torch.rot90(image, turns, (1, 2)), turns) for turns in range(4) for image in x]
    return [torch.stack([view for view, _ in pairs]), torch.tensor([turns for _, turns in pairs])]


KNOWN = [
    ("rotation.rotate_batch", ([[[[1.0, 2.0], [3.0, 4.0]]]], [1]), [[[[2.0, 4.0], [1.0, 3.0]]]]),
    (
        "rotation.rotation_batch",
        ([[[[1.0, 2.0], [3.0, 4.0]]]],),
        (
            [
                [[[1.0, 2.0], [3.0, 4.0]]],
                [[[2.0, 4.0], [1.0, 3.0]]],
                [[[4.0, 3.0], [2.0, 1.0]]],
                [[[3.0, 1.0], [4.0, 2.0]]],
            ],
            [0, 1, 2, 3],
        ),
    ),
    ("rotation.rotation_loss", ([[0.0, 0.0, 0.0, 0.0]], [2]), math.log(4)),
    ("rotation.rotation_loss", ([[math.log(3.0), 0.0, 0.0, 0.0]], [0]), math.log(2)),
    ("rotation.chance_loss", (4,), math.log(4)),
]

RIGHT = {
    "rotation.rotate_batch": [
        rotate_in_groups,
        rotate_by_flips,
        lambda x, k: torch.stack([torch.rot90(a, int(t), (1, 2)) for a, t in zip(x, k)]),
        lambda x, k: np.stack([np.rot90(a.numpy(), int(t), (1, 2)) for a, t in zip(x, k)]),
    ],
    "rotation.rotation_batch": [
        pretext_batch_loop,
        lambda x: (
            torch.cat([x, x.transpose(2, 3).flip(2), x.flip(2, 3), x.flip(2).transpose(2, 3)]),
            torch.arange(4 * len(x)) // len(x),
        ),
    ],
    "rotation.rotation_loss": [
        lambda a, y: -a.log_softmax(1)[torch.arange(len(y)), y].mean(),
        lambda a, y: (a.logsumexp(1) - a.gather(1, y[:, None]).squeeze(1)).mean(),
        lambda a, y: -(F.one_hot(y, 4) * a.log_softmax(1)).sum(1).mean(),
        lambda a, y: sum(F.cross_entropy(a[i], y[i]) for i in range(len(y))) / len(y),
    ],
    "rotation.chance_loss": [
        lambda classes: -math.log(1 / classes),
        lambda classes: torch.log(torch.tensor(classes)),
        lambda classes: np.log(classes),
        lambda classes: F.cross_entropy(torch.zeros(1, classes), torch.tensor([0])),
    ],
}

NAMED = [
    ("rotation.rotation_loss", lambda a, y: F.nll_loss(a, y), "no softmax"),
    (
        "rotation.rotation_loss",
        lambda a, y: -(a.exp() / a.exp().sum(1, keepdim=True)).gather(1, y[:, None]).log().mean(),
        "overflow",
    ),
    ("rotation.rotation_loss", lambda a, y: F.cross_entropy(F.softmax(a, -1), y), "softmax twice"),
    ("rotation.rotate_batch", lambda x, k: rotate_in_groups(x, k).float(), "another dtype"),
    ("rotation.rotate_batch", lambda x, k: x.copy_(rotate_in_groups(x, k)), "changes its input"),
    ("rotation.rotate_batch", lambda x, k: rotate_in_groups(x, -k % 4), "clockwise"),
    ("rotation.rotate_batch", lambda x, k: flip_for_each(x, k), "mirrored"),
    ("rotation.rotate_batch", lambda x, k: rotate_in_groups(x, k) * (k > 0)[:, None, None, None], "an angle left out"),
    (
        "rotation.rotation_batch",
        lambda x: (pretext_batch_loop(x)[0], torch.arange(4 * len(x)) % len(x)),
        "labels name the image",
    ),
    (
        "rotation.rotation_batch",
        lambda x: (pretext_batch_loop(torch.rot90(x, 1, (2, 3)))[0], pretext_batch_loop(x)[1]),
        "one turn too far",
    ),
    ("rotation.rotation_loss", lambda a, y: F.nll_loss(a.log_softmax(1), a.argmax(1)), "the most probable turn"),
    ("rotation.rotation_loss", lambda a, y: a.log_softmax(1)[:, y].mean().neg(), "all labels for every row"),
    ("rotation.rotation_loss", lambda a, y: -torch.log(a.sigmoid())[torch.arange(len(y)), y].mean(), "sigmoid"),
    ("rotation.rotation_loss", lambda a, y: F.mse_loss(a.softmax(1), F.one_hot(y, 4).float()), "squared error"),
    ("rotation.chance_loss", lambda classes: -1 / classes * math.log(1 / classes), "one term of the entropy"),
    (
        "rotation.rotate_batch",
        lambda x, k: torch.stack([rotate_in_groups(x, torch.full_like(k, t)) for t in k]),
        "the whole batch for each image",
    ),
    (
        "rotation.rotate_batch",
        lambda x, k: rotate_in_groups(torch.where((k % 2 == 1)[:, None, None, None], x.mT, x), k // 2 * 2),
        "mirrored",
    ),
    (
        "rotation.rotation_batch",
        lambda x: (pretext_batch_loop(x.mT)[0].mT, torch.tensor([0, 1, 2, 3] * len(x))),
        "labels in another order and clockwise",
    ),
    (
        "rotation.rotate_batch",
        lambda x, k: torch.stack([a.flip(1) if t == 2 else torch.rot90(a, int(t), (1, 2)) for a, t in zip(x, k)]),
        "mirrored",
    ),
    (
        "rotation.rotation_batch",
        lambda x: (
            torch.cat([torch.rot90(x, t, (2, 3)) for t in range(1, 5)]),
            torch.arange(1, 5).repeat_interleave(len(x)),
        ),
        "one turn too far",
    ),
]

UNNAMED = []
