"""Exercise of chapter 25: a process's share of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, generator, mistake


def my_share_loop(order: Tensor, step: int, batch: int, rank: int, world: int) -> Tensor:
    mine = []
    for place in range(len(order)):
        of_step, within = divmod(place, batch)
        if of_step == step and within // (batch // world) == rank:
            mine.append(int(order[place]))
    return torch.tensor(mine)


def shuffled(seed: int, n: int) -> Tensor:
    return torch.randperm(n, generator=generator(seed))


MY_SHARE = Exercise(
    "my_share",
    my_share_loop,
    trials=lambda: [
        (torch.tensor([3, 1, 0, 2, 7, 5, 4, 6]), 1, 4, 1, 2),
        (shuffled(1, 24), 2, 6, 1, 3),
        (shuffled(2, 50), 1, 16, 3, 4),
        (shuffled(3, 50), 0, 16, 2, 4),
    ],
    mistakes=(
        mistake(
            "the same images in every process",
            "You do not use the rank: every process takes the same images, and all but one work for nothing.",
            lambda o, s, b, r, w: o[s * b :][: b // w],
        ),
        mistake(
            "parts that overlap",
            "Your part begins `rank` images on, so that parts overlap. Each has batch / world images: begin at rank * (batch // world).",
            lambda o, s, b, r, w: o[s * b + r :][: b // w],
        ),
        mistake(
            "the step as a place",
            "You begin at order[step]. A step takes `batch` images: step number `step` begins at step * batch.",
            ("step * batch : (step + 1) * batch", "step : step + batch"),
        ),
        mistake(
            "ranks backwards",
            "You give the last part to rank 0. Rank 0 takes the first.",
            ("[rank]", "[world - 1 - rank]"),
        ),
        mistake(
            "the step not used",
            "Every step takes the same images. Step number `step` begins at order[step * batch].",
            ("step * batch : (step + 1) * batch", ": batch"),
        ),
        mistake(
            "a step too short",
            "Your step moves on by one process's share. It takes `batch` images, all processes together.",
            lambda o, s, b, r, w: o[(s + r) * (b // w) :][: b // w],
        ),
        mistake(
            "parts of `world` images",
            "split(world) cuts parts of `world` images. chunk(world) cuts `world` parts.",
            ("chunk", "split"),
        ),
        mistake(
            "a whole batch each",
            "Each of your processes takes `batch` images, so a step uses world times as many as asked for. `batch` counts all processes together.",
            lambda o, s, b, r, w: o[s * b : (s + 1) * b],
            lambda o, s, b, r, w: o[(s * w + r) * b :][:b],
        ),
        mistake(
            "the end without the start",
            "Your slice ends too early: its end, too, is counted from the start of `order`. Add batch // world to where it begins.",
            lambda o, s, b, r, w: o[s * b + r * (b // w) : b // w],
            lambda o, s, b, r, w: o[s * b + r * (b // w) : (r + 1) * (b // w)],
        ),
        mistake(
            "parts a whole batch apart",
            "Your part begins `rank` whole batches on, in another step's images. Within the batch it begins at rank * (batch // world).",
            lambda o, s, b, r, w: o[(s + r) * b :][: b // w],
        ),
        mistake(
            "every world-th image",
            "You deal the images out like cards, every world-th one. That is fair too, but here the parts are consecutive, so that the gathered rows stand in the order of the batch.",
            lambda o, s, b, r, w: o[s * b : (s + 1) * b][r::w],
        ),
        mistake(
            "each process its own part of the epoch",
            "You cut the whole epoch among the processes and then take a step's images from each part. Here the batch is cut, so that one process and many take the same images at the same step.",
            lambda o, s, b, r, w: o.chunk(w)[r][s * (b // w) :][: b // w],
            lambda o, s, b, r, w: o[r * (len(o) // w) + s * (b // w) :][: b // w],
        ),
        mistake(
            "the rank counts from 1",
            "Your parts are shifted by one: ranks go from 0 to world - 1.",
            lambda o, s, b, r, w: o[s * b + (r + 1) * (b // w) :][: b // w],
            ("[rank]", "[rank - 1]"),
        ),
        mistake(
            "places in place of images",
            "You return places in `order`. The images are order[place].",
            lambda o, s, b, r, w: s * b + r * (b // w) + torch.arange(b // w),
        ),
        mistake(
            "the step counts from 1",
            "Step 0 is the first: it begins at order[0].",
            lambda o, s, b, r, w: o[max(s - 1, 0) * b : s * b].chunk(w)[r] if s else o[:0],
        ),
    ),
)
