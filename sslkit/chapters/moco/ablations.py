"""What chapter 11 changes, one thing at a time; `python tests/benchmarks/ablate.py moco` trains each at full length."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sslkit.chapters.moco.method import momentum_update
from sslkit.chapters.moco.pictures import found
from sslkit.chapters.simclr import method as simclr
from sslkit.train import Ablation


def one_view_without_gradient(method: Any) -> None:
    """SimCLR in which the second view of each pair gets no gradient, as MoCo's keys get none."""

    def forward(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        z1 = method.projector(method.encoder(batch[0]))
        with torch.no_grad():
            z2 = method.projector(method.encoder(batch[1]))
        return simclr.info_nce(z1, z2, method.temperature), {}

    method.forward = forward


def never_written(method: Any) -> None:
    """A bug: the keys of a batch never reach the queue, which keeps its random rows."""
    method.after_step = lambda progress: momentum_update(
        nn.Sequential(method.encoder, method.projector), method.teacher, method.momentum
    )


def not_put_back(method: Any) -> None:
    """A bug: the shuffled keys are not brought back into the order of the images."""
    keys = method.keys
    method.keys = lambda view, noise: keys(view, noise)[noise.argsort()]


def of_the_batch_before(method: Any) -> None:
    """A control of the bug above: each query gets the key that today's teacher writes for an image of the batch before, so that the key
    is new and of another image as there, but batch norm saw other companions."""
    keys, before = method.keys, []

    def others(view: Tensor, noise: Tensor) -> Tensor:
        before.append(view)
        return keys(before.pop(0) if len(before) > 1 else view, noise)

    method.keys = others


@torch.no_grad()
def also(method: Any, data: Any) -> dict[str, float]:
    """What MoCo's runs keep besides their scores: the share of 512 validation queries that find their own key among those of the queue,
    in batches of 64 with batch norm as in training, when the key had the query's companions there and when it had others."""
    shares = {}
    for companions, mixed in {"same": False, "other": True}.items() if hasattr(method, "queue") else ():
        model, hits = copy.deepcopy(method).train(), []
        model.shuffle = mixed
        for k, x in enumerate(data.val.x[:512].split(64)):
            _, extras = model(model.pretext(x, torch.Generator().manual_seed(k)))
            hits.append(found(extras["q"], extras["k"], model.queue))
        shares[f"key found, {companions} companions"] = round(torch.cat(hits).float().mean().item(), 4)
    return shares


LONG = {"queue": 16_384}
ADAMW = {"optimizer": "adamw", "lr": 1e-3, "weight_decay": 0.01}
SIMCLR = simclr.RECIPES["laptop"].options
ABLATIONS = {
    "as it is": Ablation(),
    "frozen teacher": Ablation(options={"momentum": 1.0}),
    "momentum 0": Ablation(options={"momentum": 0.0}),
    "momentum 0.999": Ablation(options={"momentum": 0.999}),
    "queue 64": Ablation(options={"queue": 64}),
    "queue 16384": Ablation(options=LONG),
    "queue 16384, momentum 0": Ablation(options=LONG | {"momentum": 0.0}),
    "queue 16384, momentum 0.999": Ablation(options=LONG | {"momentum": 0.999}),
    "AdamW": Ablation(settings=ADAMW),
    "AdamW, momentum 0": Ablation(settings=ADAMW, options={"momentum": 0.0}),
    "AdamW, rate / 3": Ablation(settings=ADAMW | {"lr": 3e-4}),
    "AdamW, rate / 3, momentum 0": Ablation(settings=ADAMW | {"lr": 3e-4}, options={"momentum": 0.0}),
    "queue 64, momentum 0": Ablation(options={"queue": 64, "momentum": 0.0}),
    "queue 64, momentum 0, symmetric": Ablation(options={"queue": 64, "momentum": 0.0, "symmetric": True}),
    "8 groups, not shuffled": Ablation(options={"groups": 8, "shuffle": False}),
    "8 groups, shuffled": Ablation(options={"groups": 8}),
    "SimCLR": Ablation(make=simclr.SimCLR, options=SIMCLR),
    "SimCLR, one view without gradient": Ablation(make=simclr.SimCLR, options=SIMCLR, change=one_view_without_gradient),
    "twice as long": Ablation(length=2.0),
    "symmetric": Ablation(options={"symmetric": True}),
    "temperature 0.5": Ablation(options={"temperature": 0.5}),
    "never written": Ablation(change=never_written, once=True),
    "not put back": Ablation(change=not_put_back, once=True),
    "key of the batch before": Ablation(change=of_the_batch_before, once=True),
}
BUGS = {"A": "never written", "B": "not put back", "C": "frozen teacher"}  # of "diagnose"
