"""What chapter 14 changes, one thing at a time; `python tests/benchmarks/ablate.py vicreg` trains each at full length."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from sslkit.chapters.barlow_twins.ablations import no_projector, wrong_partner
from sslkit.chapters.vicreg.method import covariance_loss, vicreg_terms
from sslkit.nets import build_encoder, mlp
from sslkit.train import Ablation


def no_batch_norm(method: Any) -> None:
    """The projector without batch norm."""
    for name, layer in list(method.projector.named_children()):
        if isinstance(layer, nn.BatchNorm1d):
            setattr(method.projector, name, nn.Identity())


def nowhere(method: Any) -> None:
    """No batch norm at all: none in the projector, group norm, which looks at one image alone, in the encoder."""
    no_batch_norm(method)
    for module in list(method.encoder.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                setattr(module, name, nn.GroupNorm(8, layer.num_features))


def with_loss(method: Any, variance) -> None:
    """The method with another variance term, variance(z)."""

    def forward(batch):
        h = method.encoder(torch.cat(batch))
        z = method.projector(h)
        z1, z2 = z.chunk(2)
        weights = method.weights
        loss = weights["invariance"] * F.mse_loss(z1, z2)
        loss = loss + weights["variance"] * (variance(z1) + variance(z2)) / 2
        loss = loss + weights["covariance"] * (covariance_loss(z1) + covariance_loss(z2))
        return loss, {"h": h.detach(), "z": z.detach()}

    method.forward = forward


def variance_itself(method: Any) -> None:
    """The hinge on the variance instead of its root."""
    with_loss(method, lambda z: F.relu(1 - z.var(0)).mean())


def hinge_upside_down(method: Any) -> None:
    """A bug: what exceeds 1 is charged, not what falls short of it."""
    with_loss(method, lambda z: F.relu((z.var(0) + 1e-4).sqrt() - 1).mean())


def variance_of_rows(method: Any) -> None:
    """A bug: the numbers of one image must vary, not one number over the images."""
    with_loss(method, lambda z: F.relu(1 - (z.var(1) + 1e-4).sqrt()).mean())


def two_encoders(method: Any) -> None:
    """View 2 goes through a network of another shape, with a projector of its own."""
    small: Any = build_encoder("small", method.encoder.channels)
    device = next(method.parameters()).device
    method.other = nn.Sequential(small, mlp([small.dim, 256, 256], bias=False)).to(device)

    def forward(batch):
        h = method.encoder(batch[0])
        z1, z2 = method.projector(h), method.other(batch[1])
        loss = sum(weight * term for weight, term in zip(method.weights.values(), vicreg_terms(z1, z2)))
        return loss, {"h": h.detach(), "z": torch.cat([z1, z2]).detach()}

    method.forward = forward


ABLATIONS = {
    "as it is": Ablation(),
    "no variance": Ablation(options={"variance": 0.0}),
    "no invariance": Ablation(options={"invariance": 0.0}),
    "no covariance": Ablation(options={"covariance": 0.0}),
    "variance, no root": Ablation(change=variance_itself),
    "no batch norm in the projector": Ablation(change=no_batch_norm),
    "no batch norm at all": Ablation(change=nowhere),
    "two encoders": Ablation(change=two_encoders),
    "no projector": Ablation(change=no_projector),
    "batch 256": Ablation(settings={"batch": 256}),
    "wrong partner": Ablation(change=wrong_partner, once=True),
    "hinge upside down": Ablation(change=hinge_upside_down, once=True),
    "variance of rows": Ablation(change=variance_of_rows, once=True),
}
BUGS = {"A": "wrong partner", "B": "hinge upside down", "C": "variance of rows"}  # of "diagnose"
