"""What chapter 04 changes, one thing at a time; `python tests/benchmarks/ablate.py patches` trains each at full length."""

from typing import Any

import torch
from torch import Tensor

from sslkit import probes
from sslkit.chapters.patches.asked import AtScale
from sslkit.chapters.patches.method import colour_cast, pair_corners, whole_numbers
from sslkit.chapters.patches.pictures import right
from sslkit.probes.features import evenly
from sslkit.train import Ablation

Task = tuple[Tensor, Tensor, Tensor]


def through_the_cast(method: Any) -> None:
    """The camera sees more red to the right and more blue at the bottom."""
    pretext = method.pretext
    method.pretext = lambda x, generator: pretext(colour_cast(x), generator)


def other_image(method: Any) -> None:
    """A bug: the second patches are in another order than the first."""
    pretext = method.pretext

    def broken(x: Tensor, generator: torch.Generator | None) -> Task:
        first, second, label = pretext(x, generator)
        return first, second.roll(1, 0), label

    method.pretext = broken


def overlapping(method: Any) -> None:
    """A bug: from one patch to the next it goes `gap` pixels, not size + gap."""

    def broken(x: Tensor, generator: torch.Generator | None) -> Task:
        number = whole_numbers(0, 7, (method.pairs * len(x),), x, generator)
        height, width = x.shape[2:]
        first, second = pair_corners(number, height, width, method.size, method.gap, 0, generator)
        second = first + (second - first) * method.gap // (method.size + method.gap)
        x = x.repeat(method.pairs, 1, 1, 1)
        return method.patches(x, first), method.patches(x, second), number

    method.pretext = broken


def second_alone(method: Any) -> None:
    """The first patch is black: only the second can tell where it was cut."""
    pretext = method.pretext

    def alone(x: Tensor, generator: torch.Generator | None) -> Task:
        first, second, label = pretext(x, generator)
        return torch.zeros_like(first), second, label

    method.pretext = alone


def order_lost(method: Any) -> None:
    """A bug: the head gets the sum of both features, so that it cannot know which patch is the first."""

    def logits(first: Tensor, second: Tensor) -> Tensor:
        h1, h2 = method.encoder(torch.cat([first, second])).chunk(2)
        return method.head(torch.cat([h1 + h2, h1 + h2], dim=1)).squeeze(1)

    method.logits = logits


def also(method: Any, data: Any) -> dict[str, Any]:
    """What the runs keep besides their scores: the share of validation pairs that the network answers rightly, and what the scoreboard's
    judges say of scenes that are enlarged as its patches were."""
    found: dict[str, Any] = {"answered": round(right(method, data.val.x), 4)}
    if method.enlarge is not None:
        seen = AtScale(method.encoder, method.enlarge / method.size)
        train = data.train[evenly(len(data.train), 5000)]
        h, val_h = probes.features(seen, train.x), probes.features(seen, data.val.x)
        probe = probes.linear_probe(h, train.y, val_h, data.val.y)
        found["at its own scale"] = {
            "kNN": round(probes.knn_accuracy(h, train.y, val_h, data.val.y), 4),
            "linear probe": round(probe.score(val_h, data.val.y), 4),
        }
    return found


ABLATIONS = {
    "as it is": Ablation(),
    "gap 0": Ablation(options={"gap": 0}),
    "gap 0, jitter 0": Ablation(options={"gap": 0, "jitter": 0}),
    "colour dropped": Ablation(options={"colour": "drop"}),
    "cast": Ablation(change=through_the_cast),
    "cast, colour dropped": Ablation(options={"colour": "drop"}, change=through_the_cast),
    "as they were cut": Ablation(options={"enlarge": None}),
    "second alone": Ablation(change=second_alone),
    "same image?": Ablation(options={"task": "same"}),
    "same image?, grey": Ablation(options={"task": "same", "colour": "grey"}),
    "one pair an image": Ablation(options={"pairs": 1}),
    "other image": Ablation(change=other_image, once=True),
    "overlapping": Ablation(change=overlapping, once=True),
    "order lost": Ablation(change=order_lost, once=True),
}
BUGS = {"A": "other image", "B": "overlapping", "C": "order lost"}  # of "diagnose"
