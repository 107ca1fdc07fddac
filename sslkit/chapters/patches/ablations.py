"""What chapter 04 changes, one thing at a time; `python tests/benchmarks/ablate.py patches` trains each at full length."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import probes
from sslkit.chapters.patches.asked import AtScale, three_answers
from sslkit.chapters.patches.method import COLOURS, colour_cast, pair_corners, whole_numbers
from sslkit.chapters.patches.pictures import right
from sslkit.probes.features import evenly
from sslkit.train import Ablation
from sslkit.views import to_float

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


def judged(network: nn.Module, train: Any, val: Any, change: Callable[[Tensor], Tensor] = to_float) -> dict[str, float]:
    """What the scoreboard's judges say of scenes that were changed, those with labels and those judged alike."""
    h, val_h = (probes.features(network, change(split.x)) for split in (train, val))
    return {
        "kNN": round(probes.knn_accuracy(h, train.y, val_h, val.y), 4),
        "linear probe": round(probes.linear_probe(h, train.y, val_h, val.y).score(val_h, val.y), 4),
    }


def also(method: Any, data: Any) -> dict[str, Any]:
    """What the runs keep besides their scores: the share of validation pairs that the network answers rightly; what kNN finds of kind,
    pattern and colour (section 6); what the scoreboard's judges say of scenes in other colours, and enlarged as its patches were."""
    train, val = data.train[evenly(len(data.train), 5000)], data.val
    answers = three_answers(method, data.train[:2000], val[:1000])
    found: dict[str, Any] = {
        "answered": round(right(method, val.x), 4),
        "three answers": {what: round(share, 4) for what, share in answers.items()},
    }
    for words, name in {"in grey": "grey", "with colour dropped": "drop"}.items():

        def change(x: Tensor, name: str = name) -> Tensor:
            return COLOURS[name](to_float(x), torch.Generator().manual_seed(0)).clamp(0, 1)

        found[words] = judged(method, train, val, change)
    if method.enlarge is not None:
        found["at its own scale"] = judged(AtScale(method.encoder, method.enlarge / method.size), train, val)
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
