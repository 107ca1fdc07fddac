"""What chapter 13 changes, one thing at a time; `python tests/benchmarks/ablate.py barlow_twins` trains each at full length."""

from typing import Any

import torch
from torch import nn

from sslkit.chapters.barlow_twins.method import barlow_loss
from sslkit.chapters.simclr.ablations import same_view_twice
from sslkit.train import Ablation


def no_projector(method: Any) -> None:
    """The loss acts on h itself."""
    method.projector = nn.Identity()


def wrong_partner(method: Any) -> None:
    """A bug: the second views are in another order than the first."""
    pretext = method.pretext
    method.pretext = lambda x, generator: (pretext(x, generator)[0], pretext(x, generator)[1].roll(1, 0))


def images_not_numbers(method: Any) -> None:
    """A bug: the table is transposed, a row for each image of the batch, as in SimCLR; it is asked to be the identity, too."""

    def forward(batch):
        h = method.encoder(torch.cat(batch))
        z = method.projector(h)
        z1, z2 = z.chunk(2)
        return barlow_loss(z1.T, z2.T, method.weight) / len(z1), {"h": h.detach(), "z": z.detach()}

    method.forward = forward


ABLATIONS = {
    "as it is": Ablation(),
    "only the diagonal": Ablation(options={"weight": 0.0}),
    "weight / 10": Ablation(options={"weight": 0.002}),
    "weight x 10": Ablation(options={"weight": 0.2}),
    "projector 32 wide": Ablation(options={"projection": 32}),
    "projector 1024 wide": Ablation(options={"projection": 1024}),
    "projector 32 wide, weight x 8": Ablation(
        options={"projection": 32, "weight": 0.16}
    ),  # each sum counts as with 256
    "projector 1024 wide, weight / 4": Ablation(options={"projection": 1024, "weight": 0.005}),
    "no projector": Ablation(change=no_projector),
    "weight x 10, batch 256": Ablation(options={"weight": 0.2}, settings={"batch": 256}),
    "batch 256": Ablation(settings={"batch": 256}),
    "wrong partner": Ablation(change=wrong_partner, once=True),
    "same view twice": Ablation(change=same_view_twice, once=True),
    "images, not numbers": Ablation(change=images_not_numbers, once=True),
}
BUGS = {"A": "wrong partner", "B": "same view twice", "C": "images, not numbers"}  # of "diagnose"
