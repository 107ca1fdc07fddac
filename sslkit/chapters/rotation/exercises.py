# Generated from notebooks/03_rotation.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import math

import torch
from torch import Tensor

from sslkit.chapters.rotation.method import rotate_batch, rotation_loss
from sslkit.checks.exercise import Task

def rotation_batch(x: Tensor) -> tuple[Tensor, Tensor]:
    """All four turns of every image, and which turn it is.

    x: square images [N, C, S, S]. Returns views [4 N, C, S, S] and labels int64 [4 N], angle by
    angle: view t * N + i is image i turned counter-clockwise by t quarter turns, label t.
    Source: Gidaris et al. 2018.
    """
    views = torch.cat([torch.rot90(x, turns, dims=(2, 3)) for turns in range(4)])
    return views, torch.arange(4, device=x.device).repeat_interleave(len(x))


def chance_loss(classes: int) -> float:
    """Cross-entropy of a network that gives every class the same probability.

    classes: how many there are (4 turns). Returns one number.
    """
    return math.log(classes)


TASKS = {
    "rotate_batch": Task(
        title="Turn each image by its own angle",
        difficulty=2,
        minutes=15,
        task="Write `rotate_batch(x, k)`: image i of the batch turned counter-clockwise by `k[i]` quarter turns, in a new tensor. No loop over pixels.",
        hints=(
            "There are only four angles. Turning the whole batch by one of them is a single call.",
            "`torch.rot90(x, turns, dims=(2, 3))` turns all images counter-clockwise; dims 2 and 3 are height and width.",
            "Either fill `out = torch.empty_like(x)` with `out[k == turns] = torch.rot90(x[k == turns], turns, (2, 3))` for the four angles, or stack the four turned batches and pick `stack[k, torch.arange(len(x))]`.",
        ),
    ),
    "rotation_batch": Task(
        title="The pretext batch",
        difficulty=2,
        minutes=10,
        task="Write `rotation_batch(x)`: return `views, labels`. `views` holds all N images unturned, then all N by one quarter turn counter-clockwise, then by two, then by three; `labels` says for each of the 4 N views by how many.",
        hints=(
            "A batch of N gives 4 N views: each image once in each turn.",
            "`torch.cat` of four `torch.rot90(x, turns, dims=(2, 3))`.",
            "The labels must follow the same order, N zeros, N ones, ...: `torch.arange(4).repeat_interleave(len(x))`.",
        ),
    ),
    "rotation_loss": Task(
        title="The loss",
        difficulty=2,
        minutes=10,
        task="Write `rotation_loss(logits, labels)`: softmax over the four turns, minus the log of the probability of the true one, mean over the batch, for logits of any size. Try it without `F.cross_entropy`; then see that it is the same.",
        hints=(
            "How likely did the network find what is true? The loss is minus the log of that.",
            "`F.log_softmax(logits, dim=1)` is the log of the probabilities without overflow.",
            "Pick the entry of the true class in each row with `log_p[torch.arange(len(labels)), labels]`; minus, mean.",
        ),
    ),
    "chance_loss": Task(
        title="The chance level of the loss · *optional*",
        difficulty=1,
        minutes=2,
        task="Write `chance_loss(classes)`: the cross-entropy of a network which gives all classes the same probability. Training that stays at this line has learned nothing.",
        hints=(
            "Which probability does the true class get, if all get the same?",
            "The loss is minus the log of it: -log(1 / classes).",
            "-log(1 / K) = log(K): `math.log(classes)`.",
        ),
    ),
}
