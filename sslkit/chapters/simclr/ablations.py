"""What chapter 10 changes, one thing at a time; `python tests/benchmarks/ablate.py simclr` trains each at full length."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from sslkit.probes import features
from sslkit.probes.factors import read_factors
from sslkit.train import Ablation
from sslkit.views import ColorJitter, Compose, Grayscale


def no_colour(method: Any) -> None:
    """Two views differ in the crop alone."""
    method.view = Compose([view for view in method.view.views if not isinstance(view, ColorJitter | Grayscale)])


def no_projector(method: Any) -> None:
    """The loss acts on h itself."""
    method.projector = nn.Identity()


def no_negatives(method: Any) -> None:
    """Only the pull: 1 - cosine of the two views."""

    def forward(batch):
        h = method.encoder(torch.cat(batch))
        z1, z2 = method.projector(h).chunk(2)
        loss = 1 - F.cosine_similarity(z1.float(), z2.float()).mean()
        return loss, {"h": h.detach(), "z1": z1.detach(), "z2": z2.detach()}

    method.forward = forward


def wrong_partner(method: Any) -> None:
    """A bug: the second views are in another order than the first."""
    pretext = method.pretext
    method.pretext = lambda x, generator: (pretext(x, generator)[0], pretext(x, generator)[1].roll(1, 0))


def same_view_twice(method: Any) -> None:
    """A bug: both views are drawn with the same random numbers."""

    def pretext(x, generator):
        view = method.view(x, generator)
        return view, view

    method.pretext = pretext


def partner_or_itself(method: Any) -> None:
    """A bug: a view may choose itself, since the diagonal is not masked."""

    def forward(batch):
        h = method.encoder(torch.cat(batch))
        z = F.normalize(method.projector(h).float(), dim=1)
        n = len(z) // 2
        loss = F.cross_entropy(z @ z.T / method.temperature, torch.arange(2 * n, device=z.device).roll(n))
        return loss, {"h": h.detach(), "z1": z[:n].detach(), "z2": z[n:].detach()}

    method.forward = forward


def also(method: Any, data: Any) -> dict[str, float]:
    """What SimCLR's runs keep besides their scores: how much of each factor a ridge probe reads from h and from z, as in looks.known
    on validation images; 5,000 training images to fit, 2,000 others to choose the penalty."""
    few = min(5000, len(data.train) // 2)
    splits = [data.train[:few], data.train[few : few + 2000], data.val]
    read: dict[str, float] = {}
    for layer, model in {"h": method.encoder, "z": nn.Sequential(method.encoder, method.projector)}.items():
        known = read_factors([features(model, split.x) for split in splits], splits)
        read |= {f"{factor} in {layer}": round(known[key], 4) for key, factor in FACTORS.items() if key in known}
    return read


FACTORS = {"kind": "kind", "background": "background", "x": "left-right", "y": "up-down", "hue": "hue"}
ABLATIONS = {
    "as it is": Ablation(),
    "hardly a crop": Ablation(options={"crop": 0.9}),
    "no colour changes": Ablation(change=no_colour),
    "temperature 0.03": Ablation(options={"temperature": 0.03}),
    "temperature 0.5": Ablation(options={"temperature": 0.5}),
    "no projector": Ablation(change=no_projector),
    "batch 64": Ablation(settings={"batch": 64}),
    "no negatives": Ablation(change=no_negatives),
    "temperature 2": Ablation(options={"temperature": 2.0}, once=True),
    "jitter 2": Ablation(options={"jitter": 2.0}, once=True),
    "wrong partner": Ablation(change=wrong_partner, once=True),
    "same view twice": Ablation(change=same_view_twice, once=True),
    "partner or itself": Ablation(change=partner_or_itself, once=True),
}
BUGS = {"A": "wrong partner", "B": "same view twice", "C": "partner or itself"}  # of "diagnose"
