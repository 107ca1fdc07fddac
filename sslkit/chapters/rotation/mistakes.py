"""Exercises of chapter 03: rotating a batch, the pretext batch, its loss, the loss of guessing."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


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


def flipped(image: Tensor, turns: int) -> Tensor:
    """A flip for each turn: up and down, both, left and right."""
    return [image, image.flip(1), image.flip(1, 2), image.flip(2)][turns]


def flipped_last(image: Tensor, turns: int) -> Tensor:
    """A flip for each turn: up and down, left and right, both."""
    return [image, image.flip(1), image.flip(2), image.flip(1, 2)][turns]


def transposed(image: Tensor, turns: int) -> Tensor:
    """Transposed k times."""
    return image.transpose(1, 2) if turns % 2 else image


def quarters_mirrored(image: Tensor, turns: int) -> Tensor:
    """The half turn is right, the quarter turns are transpositions."""
    return [image, image.transpose(1, 2), image.flip(1, 2), image.transpose(1, 2).flip(1, 2)][turns]


def half_flipped(image: Tensor, turns: int) -> Tensor:
    """The quarter turns are right, the half turn is a flip."""
    return image.flip(1) if turns == 2 else image.rot90(turns, (1, 2))


def left_empty(x: Tensor, k: Tensor, turns) -> Tensor:
    """Zeros, filled for some of the four turns only."""
    out = torch.zeros_like(x)
    for t in turns:
        out[k == t] = torch.rot90(x[k == t], t, (2, 3))
    return out


def filled_without_dims(x: Tensor, k: Tensor) -> Tensor:
    out = torch.zeros_like(x)
    for t in range(4):
        out[k == t] = torch.rot90(x[k == t], t)
    return out


def images(seed: int, count: int, channels: int, size: int) -> Tensor:
    return (draw(seed, count, channels, size, size) * 40 + 128).clamp(0, 255).to(torch.uint8)


ROTATE = Exercise(
    "rotate_batch", rotate_batch_loop,
    trials=lambda: [
        (torch.arange(4.0).view(1, 1, 2, 2), torch.tensor([1])),
        (torch.arange(12.0).view(3, 1, 2, 2), torch.tensor([3, 0, 2])),
        (draw(1, 6, 3, 4, 4), torch.tensor([2, 0, 3, 1, 1, 2])),
        (images(2, 9, 3, 5), draw_labels(2, 9, 4)),
        (images(3, 5, 1, 4), torch.tensor([3, 3, 1, 2, 0])),
    ],
    mistakes=(
        mistake("clockwise", "You turn clockwise. Counter-clockwise is torch.rot90(..., dims=(2, 3)), in this order of dims.",
                ("= k", "= -k")),
        mistake("one angle for all", "You turn the whole batch by the angle of one image. Each image has its own k[i].",
                lambda x, k: torch.rot90(x, k[0].item(), (2, 3)), lambda x, k: torch.rot90(x, k[-1].item(), (2, 3))),
        mistake("images in another order", "You turn the images group by group and leave them grouped. Put each back in its "
                "place: image i must stay image i.",
                lambda x, k: torch.cat([torch.rot90(x[k == t], t, (2, 3)) for t in range(4)])),
        mistake("mirrored", "Transposing or flipping alone mirrors the image. A quarter turn is both: transpose, then flip the "
                "rows; a half turn flips both axes.",
                lambda x, k: one_by_one(x, k, mirror), lambda x, k: one_by_one(x, k, flipped),
                lambda x, k: one_by_one(x, k, quarters_mirrored), lambda x, k: one_by_one(x, k, half_flipped),
                lambda x, k: one_by_one(x, k, transposed), lambda x, k: one_by_one(x, k, flipped_last)),
        mistake("one turn off", "You turn each image by one quarter too many, or too few. One with k[i] = 0 stays as it is.",
                ("= k[", "= (k + 1)["), ("= k[", "= (k - 1)[")),
        mistake("half turns", "You turn by k half turns. A step of k is a quarter turn.",
                lambda x, k: one_by_one(x, k, lambda a, t: torch.rot90(a, 2 * t, (1, 2)))),
        mistake("turned at most once", "You turn by one quarter wherever k is not 0. Turn k[i] times.",
                lambda x, k: one_by_one(x, k, lambda a, t: torch.rot90(a, min(t, 1), (1, 2)))),
        mistake("an angle left out", "One of the four angles is missing: k[i] may be 0, 1, 2 or 3, so go over range(4). An image with "
                "k[i] = 0 is there too, as it was.",
                lambda x, k: left_empty(x, k, (1, 2, 3)), lambda x, k: left_empty(x, k, (0, 1, 2)),
                lambda x, k: torch.where((k < 3)[:, None, None, None], left_empty(x, k, range(4)), x)),
        mistake("no dims", "Without dims, torch.rot90 turns the first two axes, which are not height and width. Those are the last two: "
                "dims=(2, 3) of a batch, (1, 2) of one image.",
                lambda x, k: one_by_one(x, k, lambda a, t: torch.rot90(a, t)), filled_without_dims,
                lambda x, k: torch.stack([torch.rot90(a, int(t)) for a, t in zip(x, k)]),
                lambda x, k: torch.stack([torch.rot90(x, t) for t in range(4)])[k, torch.arange(len(x))]),
        mistake("not turned", "The images come back as they were: rot90 returns a new tensor, it does not change x.",
                lambda x, k: x.clone()),
        mistake("the whole batch for each image", "For each image you give the whole batch, turned k[i] times. Take image i of it "
                "alone: stack[k, torch.arange(len(x))].",
                lambda x, k: torch.stack([torch.rot90(x, t, (2, 3)) for t in range(4)])[k]),
    ),
)  # fmt: skip


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
    "rotation_batch", rotation_batch_loop, returns=("views", "labels"), trials=lambda: [(torch.arange(8.0).view(2, 1, 2, 2),),
        (draw(1, 3, 3, 4, 4),), (images(2, 5, 3, 6),)],
    mistakes=(
        mistake("labels in another order", "Views and labels are ordered differently, so most labels are wrong: views go angle "
                "by angle, your labels image by image. Use repeat_interleave instead of repeat (or the reverse).",
                ("repeat_interleave", "repeat"), lambda x: (all_turns(x).unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1), by_angle(x))),
        mistake("grouped by image", "Your labels match your views, but they go image by image. The order asked for is angle by "
                "angle: all N unturned, then all N by one quarter turn, ...",
                lambda x: ( all_turns(x).unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1), torch.arange(4).repeat(len(x)), )),
        mistake("clockwise", "You turn clockwise. Counter-clockwise is torch.rot90(..., dims=(2, 3)), in this order of dims.",
                ("turns,", "-turns,")),
        mistake("turn upon turn", "You turn the batch that was turned before: the angles add up to 0, 1, 3, 6. Turn the original "
                "x each time.",
                lambda x: (all_turns(x, (0, 1, 3, 6)), by_angle(x))),
        mistake("labels name the image", "Your labels say which image it is. They must say by how many quarter turns it was "
                "turned: N zeros, N ones, ...",
                lambda x: (all_turns(x), torch.arange(len(x)).repeat(4)),
                lambda x: (all_turns(x), torch.arange(len(x)).repeat_interleave(4))),
        mistake("always once", "You turn all views by one quarter. Give torch.rot90 the number of turns: 0, 1, 2, 3.",
                lambda x: (all_turns(x, (1, 1, 1, 1)), by_angle(x))),
        mistake("the last turn missing", "You stop at the half turn. There are four angles: range(4).",
                lambda x: (all_turns(x, (0, 1, 2)), by_angle(x, (0, 1, 2)))),
        mistake("one turn too far", "Your first N views are turned already. Begin with the images as they are, label 0: range(4), "
                "not range(1, 5).",
                lambda x: (all_turns(x, (1, 2, 3, 4)), by_angle(x)), lambda x: (all_turns(x, (1, 2, 3, 4)), by_angle(x, (1, 2, 3, 4)))),
        mistake("labels in degrees", "Labels are class numbers 0, 1, 2, 3: cross-entropy indexes the logits with them.",
                lambda x: (all_turns(x), by_angle(x, (0, 90, 180, 270)))),
        mistake("labels start at 1", "Class numbers start at 0: the unturned images have label 0.", ("x))", "x)) + 1")),
        mistake("unturned images missing", "The unturned images are a class too, label 0.",
                lambda x: (all_turns(x, (1, 2, 3)), by_angle(x, (1, 2, 3))), lambda x: (all_turns(x, (1, 2, 3)), by_angle(x, (0, 1, 2)))),
        mistake("one-hot labels", "Labels are class numbers [4 N], not rows of zeros and a one.",
                lambda x: (all_turns(x), F.one_hot(by_angle(x)))),
        mistake("flipped", "You flip the images, which mirrors them. Turn them with torch.rot90.", lambda x: (flips(x), by_angle(x))),
    ),
)  # fmt: skip


def rotation_loss_loop(logits: Tensor, labels: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(logits.double(), labels.tolist()):
        total = total - torch.log(row[label].exp() / sum(value.exp() for value in row))
    return total / len(labels)


def picked(scores: Tensor, labels: Tensor) -> Tensor:
    return scores[torch.arange(len(labels)), labels]


ROTATION_LOSS = Exercise(
    "rotation_loss", rotation_loss_loop, grad=True,
    trials=lambda: [
        (draw(s, m, 4, spread=w), draw_labels(s, m, 4))
        for s, (m, w) in enumerate([(2, 1.0), (3, 2.0), (8, 1.0), (16, 5.0), (8, 60.0)])
    ],
    mistakes=(
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("logits,", "logits.softmax(1),")),
        mistake("sum instead of mean", "You add up the batch. Take the mean, or the loss grows with the batch size.",
                ("labels)", 'labels, reduction="sum")')),
        mistake("sign", "The log of a probability is negative; the loss is minus it. Yours is made smaller by wrong answers.",
                ("return F", "return -F")),
        mistake("no log", "You use the probability itself. Take its log.",
                lambda a, y: -picked(a.softmax(1), y).mean(), lambda a, y: (1 - picked(a.softmax(1), y)).mean()),
        mistake("no softmax", "You use the logits as if they were log-probabilities. Apply log_softmax over dim=1 first.",
                lambda a, y: -picked(a, y).mean()),
        mistake("softmax over the batch", "Your softmax runs over the images of the batch. It runs over the 4 turns: dim=1.",
                lambda a, y: -picked(a.log_softmax(0), y).mean(),
                lambda a, y: -picked(a.flatten().log_softmax(0).view_as(a), y).mean()),
        mistake("true turn left out of the denominator", "You divide by the other three turns alone. A softmax divides by all four, the "
                "true one among them.",
                lambda a, y: -picked(a - a.masked_fill(F.one_hot(y, 4).bool(), -math.inf).logsumexp(1, keepdim=True), y).mean()),
        mistake("mean over the classes too", "You divide by 4 M. Each image has one true turn: divide by M.",
                lambda a, y: F.cross_entropy(a, y) / 4),
        mistake("log to base 2", "You use log2. Cross-entropy takes the natural logarithm.",
                lambda a, y: F.cross_entropy(a, y) / math.log(2)),
        mistake("all labels for every row", "You take the columns of all labels in every row: log_p[:, labels]. Row i has one true turn, "
                "labels[i]: log_p[torch.arange(len(labels)), labels].",
                lambda a, y: -a.log_softmax(1)[:, y].mean()),
        mistake("true turn not picked", "You take the mean over all four turns. Only the probability of the true turn counts, labels[i].",
                lambda a, y: -a.log_softmax(1).mean(), lambda a, y: -a.log_softmax(1).sum(1).mean()),
        mistake("the most probable turn", "You take the turn that the network finds most probable, right or not. Take the "
                "true one, labels[i].",
                lambda a, y: -a.log_softmax(1).amax(1).mean()),
        mistake("sigmoid", "You ask about each turn on its own, with a sigmoid. Exactly one of the four is true, so they share the "
                "probability: softmax.",
                lambda a, y: -picked(F.logsigmoid(a), y).mean(),
                lambda a, y: F.binary_cross_entropy_with_logits(a, F.one_hot(y, 4).to(a.dtype)),
                lambda a, y: 4 * F.binary_cross_entropy_with_logits(a, F.one_hot(y, 4).to(a.dtype))),
        mistake("squared error", "You compare the probabilities with a one-hot row by their squared error. The loss is minus "
                "the log of the true one's probability.",
                lambda a, y: (a.softmax(1) - F.one_hot(y, 4)).square().mean(),
                lambda a, y: (a.softmax(1) - F.one_hot(y, 4)).square().sum(1).mean()),
        mistake("error rate", "You count how often the most probable turn is the true one, or not. That has no gradient: take minus the "
                "log of the true one's probability.",
                lambda a, y: (a.argmax(1) != y).float().mean(), lambda a, y: (a.argmax(1) == y).float().mean()),
        mistake("log of the mean", "You take the log of the mean probability. Take the log of each first, then the mean.",
                lambda a, y: -picked(a.softmax(1), y).mean().log()),
    ),
)  # fmt: skip


def chance_loss_loop(classes: int) -> Tensor:
    logits = torch.zeros(classes, dtype=torch.float64)
    return sum(-torch.log(logits[c].exp() / logits.exp().sum()) for c in range(classes)) / classes


CHANCE = Exercise(
    "chance_loss", chance_loss_loop, trials=lambda: [(4,), (2,), (10,), (100,)],
    mistakes=(
        mistake("accuracy", "That is how often guessing is right. The loss is minus its log.", lambda c: 1 / c),
        mistake("error rate", "That is how often guessing is wrong. The loss is minus the log of the probability of being right.",
                lambda c: 1 - 1 / c),
        mistake("sign", "The log of 1 / classes is negative; the loss is minus it.", ("math", "-math")),
        mistake("log to base 2", "You use log2. Cross-entropy takes the natural logarithm: math.log.", ("log", "log2")),
        mistake("log to base 10", "You use log10. Cross-entropy takes the natural logarithm: math.log.", ("log", "log10")),
        mistake("no log", "You return the number of classes. The loss is a logarithm.", lambda c: float(c)),
        mistake("one term of the entropy", "That is -p log p, one class's term of the entropy. The loss of an image is -log "
                "p, with p = 1 / classes.",
                lambda c: math.log(c) / c),
        mistake("added up over the classes", "You add up the classes. Only the true one counts: -log(1 / classes), once.",
                lambda c: c * math.log(c)),
        mistake("probability of the others", "You take the log of the probability that all other classes have together, 1 - 1 "
                "/ classes. Take that of the true one.",
                lambda c: -math.log(1 - 1 / c)),
        mistake("one class too few", "You have log(classes - 1). The true class is among those that share the probability.",
                ("(classes)", "(classes - 1)")),
    ),
)  # fmt: skip

EXERCISES = [ROTATE, ROTATION_BATCH, ROTATION_LOSS, CHANCE]
