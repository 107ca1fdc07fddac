"""Exercise of chapter 03: the pretext batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.rotation.mistakes.rotate_batch import images, rotate_batch_loop
from sslkit.checks.exercise import Exercise, draw, mistake


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


def image_by_image(x: Tensor) -> Tensor:
    return all_turns(x).unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1)


ROTATION_BATCH = Exercise(
    "rotation_batch",
    rotation_batch_loop,
    returns=("views", "labels"),
    trials=lambda: [(torch.arange(8.0).view(2, 1, 2, 2),), (draw(1, 3, 3, 4, 4),), (images(2, 5, 3, 6),)],
    mistakes=(
        mistake(
            "labels in another order",
            "Views and labels are ordered differently, so most labels are wrong: views go angle by angle, your labels image by image. Use repeat_interleave instead of repeat (or the reverse).",
            ("repeat_interleave", "repeat"),
            lambda x: (image_by_image(x), by_angle(x)),
        ),
        mistake(
            "grouped by image",
            "Your labels match your views, but they go image by image. The order asked for is angle by angle: all N unturned, then all N by one quarter turn, ...",
            lambda x: (image_by_image(x), torch.arange(4).repeat(len(x))),
        ),
        mistake(
            "clockwise",
            "You turn clockwise. Counter-clockwise is torch.rot90(..., dims=(2, 3)), in this order of dims.",
            ("turns,", "-turns,"),
        ),
        mistake(
            "turn upon turn",
            "You turn the batch that was turned before: the angles add up to 0, 1, 3, 6. Turn the original x each time.",
            lambda x: (all_turns(x, (0, 1, 3, 6)), by_angle(x)),
        ),
        mistake(
            "labels name the image",
            "Your labels say which image it is. They must say by how many quarter turns it was turned: N zeros, N ones, ...",
            lambda x: (all_turns(x), torch.arange(len(x)).repeat(4)),
            lambda x: (all_turns(x), torch.arange(len(x)).repeat_interleave(4)),
        ),
        mistake(
            "always once",
            "You turn all views by one quarter. Give torch.rot90 the number of turns: 0, 1, 2, 3.",
            lambda x: (all_turns(x, (1, 1, 1, 1)), by_angle(x)),
        ),
        mistake(
            "the last turn missing",
            "You stop at the half turn. There are four angles: range(4).",
            lambda x: (all_turns(x, (0, 1, 2)), by_angle(x, (0, 1, 2))),
        ),
        mistake(
            "one turn too far",
            "Your first N views are turned already. Begin with the images as they are, label 0: range(4), not range(1, 5).",
            lambda x: (all_turns(x, (1, 2, 3, 4)), by_angle(x)),
            lambda x: (all_turns(x, (1, 2, 3, 4)), by_angle(x, (1, 2, 3, 4))),
        ),
        mistake(
            "labels in degrees",
            "Labels are class numbers 0, 1, 2, 3: cross-entropy indexes the logits with them.",
            lambda x: (all_turns(x), by_angle(x, (0, 90, 180, 270))),
        ),
        mistake("labels start at 1", "Class numbers start at 0: the unturned images have label 0.", ("x))", "x)) + 1")),
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
            lambda x: (torch.cat([x, x.flip(2), x.flip(3), x.flip(2, 3)]), by_angle(x)),
        ),
    ),
)
