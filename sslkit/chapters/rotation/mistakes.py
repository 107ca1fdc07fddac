"""Exercises of chapter 03: rotating a batch, the pretext batch, its loss, the loss of guessing."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def rotate_batch(x: Tensor, k: Tensor) -> Tensor:
    """Image i turned counter-clockwise by k[i] quarter turns.

    x: square images [N, C, S, S], any dtype; k: int64 [N] in 0 .. 3. Returns a new tensor; x stays as it is.
    """
    turned = torch.stack([torch.rot90(x, turns, dims=(2, 3)) for turns in range(4)])  # [4, N, C, S, S]
    return turned[k, torch.arange(len(x), device=x.device)]


def rotate_batch_loop(x: Tensor, k: Tensor) -> Tensor:
    result, size = x.clone(), x.shape[2]
    for i in range(len(x)):
        for _ in range(k[i].item()):
            before = result[i].clone()
            for row in range(size):
                for column in range(size):
                    result[i, :, row, column] = before[:, column, size - 1 - row]
    return result


def one_by_one(x: Tensor, k: Tensor, turn) -> Tensor:
    return torch.stack([turn(image, turns) for image, turns in zip(x, k.tolist())])


def mirror(image: Tensor, turns: int) -> Tensor:
    """What looks like a rotation on one example: transposed or flipped, but mirrored."""
    return [image, image.transpose(1, 2), image.flip(1), image.transpose(1, 2).flip(1, 2)][turns]


def images(seed: int, count: int, channels: int, size: int) -> Tensor:
    return (draw(seed, count, channels, size, size) * 40 + 128).clamp(0, 255).to(torch.uint8)


ROTATE = Exercise(
    rotate_batch,
    rotate_batch_loop,
    title="Turn each image by its own angle",
    difficulty=2,
    minutes=15,
    trials=lambda: [
        (torch.arange(4.0).view(1, 1, 2, 2), torch.tensor([1])),
        (torch.arange(12.0).view(3, 1, 2, 2), torch.tensor([3, 0, 2])),
        (draw(1, 6, 3, 4, 4), torch.tensor([2, 0, 3, 1, 1, 2])),
        (images(2, 9, 3, 5), draw_labels(2, 9, 4)),
        (images(3, 5, 1, 4), torch.tensor([3, 3, 1, 2, 0])),
    ],
    task="Write `rotate_batch(x, k)`: image i of the batch turned counter-clockwise by `k[i]` quarter turns, "
    "in a new tensor. No loop over pixels.",
    hints=(
        "There are only four angles. Turning the whole batch by one of them is a single call.",
        "`torch.rot90(x, turns, dims=(2, 3))` turns all images counter-clockwise; dims 2 and 3 are height and width.",
        "Either fill `out = torch.empty_like(x)` with `out[k == turns] = torch.rot90(x[k == turns], "
        "turns, (2, 3))` for the four angles, or stack the four turned batches and pick `stack[k, "
        "torch.arange(len(x))]`.",
    ),
    mistakes=(
        mistake(
            "clockwise",
            "You turn clockwise. Counter-clockwise is torch.rot90(..., dims=(2, 3)), in this order of dims.",
            lambda x, k: one_by_one(x, k, lambda a, t: torch.rot90(a, -t, (1, 2))),
        ),
        mistake(
            "one angle for all",
            "You turn the whole batch by the angle of one image. Each image has its own k[i].",
            lambda x, k: torch.rot90(x, k[0].item(), (2, 3)),
            lambda x, k: torch.rot90(x, k[-1].item(), (2, 3)),
        ),
        mistake(
            "images in another order",
            "You turn the images group by group and leave them grouped. Put "
            "each back in its place: image i must stay image i.",
            lambda x, k: torch.cat([torch.rot90(x[k == t], t, (2, 3)) for t in range(4)]),
        ),
        mistake(
            "mirrored",
            "Transposing or flipping alone mirrors the image. A quarter turn is both: "
            "transpose, then flip the rows; a half turn flips both axes.",
            lambda x, k: one_by_one(x, k, mirror),
        ),
        mistake(
            "half turns",
            "You turn by k half turns. A step of k is a quarter turn.",
            lambda x, k: one_by_one(x, k, lambda a, t: torch.rot90(a, 2 * t, (1, 2))),
        ),
        mistake(
            "turned at most once",
            "You turn by one quarter wherever k is not 0. Turn k[i] times.",
            lambda x, k: one_by_one(x, k, lambda a, t: torch.rot90(a, min(t, 1), (1, 2))),
        ),
        mistake(
            "not turned",
            "The images come back as they were: rot90 returns a new tensor, it does not change x.",
            lambda x, k: x.clone(),
        ),
    ),
)


def rotation_batch(x: Tensor) -> tuple[Tensor, Tensor]:
    """All four turns of every image, and which turn it is.

    x: square images [N, C, S, S]. Returns views [4 N, C, S, S] and labels int64 [4 N], angle by angle: view
    t * N + i is image i turned counter-clockwise by t quarter turns, and its label is t.
    Source: Gidaris et al. 2018.
    """
    views = torch.cat([torch.rot90(x, turns, dims=(2, 3)) for turns in range(4)])
    return views, torch.arange(4, device=x.device).repeat_interleave(len(x))


def rotation_batch_loop(x: Tensor) -> tuple[Tensor, Tensor]:
    views, labels = [], []
    for turns in range(4):
        for image in x:
            views.append(rotate_batch_loop(image[None], torch.tensor([turns]))[0])
            labels.append(turns)
    return torch.stack(views), torch.tensor(labels)


def all_turns(x: Tensor, turns=(0, 1, 2, 3)) -> Tensor:
    return torch.cat([torch.rot90(x, t, (2, 3)) for t in turns])


def by_angle(x: Tensor, labels=(0, 1, 2, 3)) -> Tensor:
    return torch.tensor(labels).repeat_interleave(len(x))


def flips(x: Tensor) -> Tensor:
    return torch.cat([x, x.flip(2), x.flip(3), x.flip(2, 3)])


ROTATION_BATCH = Exercise(
    rotation_batch,
    rotation_batch_loop,
    title="The pretext batch",
    difficulty=2,
    minutes=10,
    returns=("views", "labels"),
    trials=lambda: [(torch.arange(8.0).view(2, 1, 2, 2),), (draw(1, 3, 3, 4, 4),), (images(2, 5, 3, 6),)],
    task="Write `rotation_batch(x)`: return `views, labels`. `views` holds all N images unturned, then all N "
    "by one quarter turn counter-clockwise, then by two, then by three; `labels` says for each of the 4 "
    "N views by how many.",
    hints=(
        "A batch of N gives 4 N views: no image is preferred to be upright.",
        "`torch.cat` of four `torch.rot90(x, turns, dims=(2, 3))`.",
        "The labels must follow the same order, N zeros, N ones, ...: `torch.arange(4).repeat_interleave(len(x))`.",
    ),
    mistakes=(
        mistake(
            "labels in another order",
            "Views and labels are ordered differently, so most labels are "
            "wrong: views go angle by angle, your labels image by image. Use repeat_interleave instead "
            "of repeat (or the reverse).",
            lambda x: (all_turns(x), torch.arange(4).repeat(len(x))),
            lambda x: (all_turns(x).unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1), by_angle(x)),
        ),
        mistake(
            "grouped by image",
            "Your labels match your views, but they go image by image. The order "
            "asked for is angle by angle: all N unturned, then all N by one quarter turn, ...",
            lambda x: (
                all_turns(x).unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1),
                torch.arange(4).repeat(len(x)),
            ),
        ),
        mistake(
            "clockwise",
            "You turn clockwise. Counter-clockwise is torch.rot90(..., dims=(2, 3)), in this order of dims.",
            lambda x: (all_turns(x, (0, -1, -2, -3)), by_angle(x)),
        ),
        mistake(
            "turn upon turn",
            "You turn the batch that was turned before: the angles add up to 0, 1, 3, "
            "6. Turn the original x each time.",
            lambda x: (all_turns(x, (0, 1, 3, 6)), by_angle(x)),
        ),
        mistake(
            "labels in degrees",
            "Labels are class numbers 0, 1, 2, 3: cross-entropy indexes the logits with them.",
            lambda x: (all_turns(x), by_angle(x, (0, 90, 180, 270))),
        ),
        mistake(
            "labels start at 1",
            "Class numbers start at 0: the unturned images have label 0.",
            lambda x: (all_turns(x), by_angle(x, (1, 2, 3, 4))),
        ),
        mistake(
            "unturned images missing",
            "The unturned images are a class too, label 0.",
            lambda x: (all_turns(x, (1, 2, 3)), by_angle(x, (1, 2, 3))),
            lambda x: (all_turns(x, (1, 2, 3)), by_angle(x, (0, 1, 2))),
        ),
        mistake(
            "one-hot labels",
            "Labels are class numbers [4 N], not rows of zeros and a one.",
            lambda x: (all_turns(x), F.one_hot(by_angle(x))),
        ),
        mistake(
            "flipped",
            "You flip the images, which mirrors them. Turn them with torch.rot90.",
            lambda x: (flips(x), by_angle(x)),
        ),
    ),
)


def rotation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy: minus the log of the probability that the network gives the true turn.

    logits: [M, 4], real numbers; their softmax over the 4 turns is the network's guess. labels: int64 [M].
    Returns one number with a gradient.
    """
    return F.cross_entropy(logits, labels)


def rotation_loss_loop(logits: Tensor, labels: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(logits.double(), labels.tolist()):
        total = total - torch.log(row[label].exp() / sum(value.exp() for value in row))
    return total / len(labels)


def picked(scores: Tensor, labels: Tensor) -> Tensor:
    return scores[torch.arange(len(labels)), labels]


ROTATION_LOSS = Exercise(
    rotation_loss,
    rotation_loss_loop,
    title="The loss",
    difficulty=2,
    minutes=10,
    grad=True,
    trials=lambda: [
        (draw(s, m, 4, spread=w), draw_labels(s, m, 4))
        for s, (m, w) in enumerate([(2, 1.0), (3, 2.0), (8, 1.0), (16, 5.0)])
    ],
    task="Write `rotation_loss(logits, labels)`: softmax over the four turns, minus the log of the "
    "probability of the true one, mean over the batch. Try it without `F.cross_entropy`; then see that "
    "it is the same.",
    hints=(
        "How likely did the network find what is true? The loss is minus the log of that.",
        "`F.log_softmax(logits, dim=1)` is the log of the probabilities without overflow.",
        "Pick the entry of the true class in each row with `log_p[torch.arange(len(labels)), labels]`; minus, mean.",
    ),
    mistakes=(
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            lambda a, y: F.cross_entropy(a.softmax(1), y),
        ),
        mistake(
            "sum instead of mean",
            "You add up the batch. Take the mean, or the loss grows with the batch size.",
            lambda a, y: F.cross_entropy(a, y, reduction="sum"),
        ),
        mistake(
            "sign",
            "The log of a probability is negative; the loss is minus it. Yours is made smaller by wrong answers.",
            lambda a, y: -F.cross_entropy(a, y),
        ),
        mistake(
            "no log",
            "You use the probability itself. Take its log.",
            lambda a, y: -picked(a.softmax(1), y).mean(),
            lambda a, y: (1 - picked(a.softmax(1), y)).mean(),
        ),
        mistake(
            "no softmax",
            "You use the logits as if they were log-probabilities. Apply log_softmax over dim=1 first.",
            lambda a, y: -picked(a, y).mean(),
        ),
        mistake(
            "softmax over the batch",
            "Your softmax runs over the images of the batch. It runs over the 4 turns: dim=1.",
            lambda a, y: -picked(a.log_softmax(0), y).mean(),
        ),
        mistake(
            "mean over the classes too",
            "You divide by 4 M. Each image has one true turn: divide by M.",
            lambda a, y: F.cross_entropy(a, y) / 4,
        ),
        mistake(
            "log to base 2",
            "You use log2. Cross-entropy takes the natural logarithm.",
            lambda a, y: F.cross_entropy(a, y) / math.log(2),
        ),
        mistake(
            "log of the mean",
            "You take the log of the mean probability. Take the log of each first, then the mean.",
            lambda a, y: -picked(a.softmax(1), y).mean().log(),
        ),
    ),
)


def chance_loss(classes: int) -> float:
    """Cross-entropy of a network that gives every class the same probability.

    classes: how many there are (4 turns). Returns one number.
    """
    return math.log(classes)


def chance_loss_loop(classes: int) -> Tensor:
    logits = torch.zeros(classes, dtype=torch.float64)
    return sum(-torch.log(logits[c].exp() / logits.exp().sum()) for c in range(classes)) / classes


CHANCE = Exercise(
    chance_loss,
    chance_loss_loop,
    title="The chance level of the loss",
    difficulty=1,
    minutes=5,
    trials=lambda: [(4,), (2,), (10,), (100,)],
    task="Write `chance_loss(classes)`: the cross-entropy of a network which gives all classes the same "
    "probability. Training that stays at this line has learned nothing.",
    hints=(
        "Which probability does the true class get, if all get the same?",
        "The loss is minus the log of it: -log(1 / classes).",
        "-log(1 / K) = log(K): `math.log(classes)`.",
    ),
    mistakes=(
        mistake("accuracy", "That is how often guessing is right. The loss is minus its log.", lambda c: 1 / c),
        mistake(
            "error rate",
            "That is how often guessing is wrong. The loss is minus the log of the probability of being right.",
            lambda c: 1 - 1 / c,
        ),
        mistake("sign", "The log of 1 / classes is negative; the loss is minus it.", lambda c: -math.log(c)),
        mistake(
            "log to base 2",
            "You use log2. Cross-entropy takes the natural logarithm: math.log.",
            lambda c: math.log2(c),
        ),
        mistake(
            "log to base 10",
            "You use log10. Cross-entropy takes the natural logarithm: math.log.",
            lambda c: math.log10(c),
        ),
        mistake("no log", "You return the number of classes. The loss is a logarithm.", lambda c: float(c)),
        mistake(
            "one class too few",
            "You have log(classes - 1). The true class is among those that share the probability.",
            lambda c: math.log(c - 1),
        ),
    ),
)

EXERCISES = [ROTATE, ROTATION_BATCH, ROTATION_LOSS, CHANCE]
