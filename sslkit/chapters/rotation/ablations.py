"""What chapter 03 changes, one thing at a time; `python tests/benchmarks/ablate.py rotation` trains each at full length."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.rotation.method import rotate_batch, scan
from sslkit.train import Ablation
from sslkit.views import ColorJitter, Compose, Grayscale, RandomResizedCrop


def scanned(method: Any) -> None:
    """Each image carries the line before it is cropped and turned."""
    pretext = method.pretext
    method.pretext = lambda x, generator: pretext(scan(x), generator)


def mirrored(method: Any) -> None:
    """Each image is shown whole, and mirrored half of the time, as the crops are."""
    method.view = RandomResizedCrop(scale=(1.0, 1.0), ratio=(1.0, 1.0))


def two_crops(method: Any) -> None:
    """Each image is cropped twice: with half as many turns, as many views as before."""
    pretext = method.pretext
    method.pretext = lambda x, generator: pretext(x.repeat(2, 1, 1, 1), generator)


def new_colours(method: Any) -> None:
    """The colours of each crop change at random, as SimCLR's do; its four turns share them."""
    method.view = Compose([method.view, ColorJitter(0.5), Grayscale()])


def no_colour(method: Any) -> None:
    """All images are grey."""
    method.view = Compose([method.view, Grayscale(p=1.0)])


def turned_before(method: Any) -> None:
    """No image is upright: each is turned at random before its four turns are made."""
    pretext = method.pretext

    def broken(x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        turns = torch.randint(4, (len(x),), device=x.device, generator=generator)
        return pretext(rotate_batch(x, turns), generator)

    method.pretext = broken


def labels_out_of_order(method: Any) -> None:
    """A bug: the views go turn by turn, the labels image by image."""
    pretext = method.pretext

    def broken(x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        views, labels = pretext(x, generator)
        return views, labels.unflatten(0, (len(method.turns), -1)).T.flatten()

    method.pretext = broken


def padded_below(method: Any) -> None:
    """A bug: a row is missing, and black is filled in below before the turn."""
    view = method.view

    def broken(x: Tensor, generator: torch.Generator | None) -> Tensor:
        return F.pad(view(x, generator)[:, :, :-1], (0, 0, 0, 1))

    method.view = broken


def softmax_twice(method: Any) -> None:
    """A bug: cross-entropy gets probabilities for logits."""
    head = method.head.forward
    method.head.forward = lambda h: head(h).softmax(dim=1)


ABLATIONS = {
    "as it is": Ablation(),
    "0 and 180 degrees": Ablation(options={"turns": (0, 2)}, change=two_crops),
    "0 and 90 degrees": Ablation(options={"turns": (0, 1)}, change=two_crops),
    "90 and 270 degrees": Ablation(options={"turns": (1, 3)}, change=two_crops),
    "whole images": Ablation(options={"crop": 1.0}),
    "whole images, mirrored": Ablation(options={"crop": 1.0}, change=mirrored),
    "crops of 0.6 at least": Ablation(options={"crop": 0.6}),
    "crops of 0.2 at least": Ablation(options={"crop": 0.2}),
    "new colours": Ablation(change=new_colours),
    "grey": Ablation(change=no_colour),
    "line, whole images": Ablation(options={"crop": 1.0}, change=scanned),
    "line, crops of 0.6": Ablation(options={"crop": 0.6}, change=scanned),
    "turned before": Ablation(change=turned_before, once=True),
    "labels out of order": Ablation(change=labels_out_of_order, once=True),
    "padded below": Ablation(change=padded_below, once=True),
    "softmax twice": Ablation(change=softmax_twice, once=True),
}
BUGS = {"A": "labels out of order", "B": "padded below", "C": "softmax twice"}  # of "diagnose"
