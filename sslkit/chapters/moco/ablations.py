"""What chapter 11 changes, one thing at a time; `python tests/benchmarks/ablate.py moco` trains each at full length."""

from typing import Any

from torch import nn

from sslkit.chapters.moco.method import momentum_update
from sslkit.train import Ablation


def never_written(method: Any) -> None:
    """A bug: the keys of a batch never reach the queue, which keeps its random rows."""
    method.after_step = lambda progress: momentum_update(
        nn.Sequential(method.encoder, method.projector), method.teacher, method.momentum
    )


def not_put_back(method: Any) -> None:
    """A bug: the shuffled keys are not brought back into the order of the images."""
    keys = method.keys
    method.keys = lambda view, noise: keys(view, noise)[noise.argsort()]


def weights_exchanged(method: Any) -> None:
    """A bug: the teacher takes `momentum` of the student and keeps the rest of itself."""
    method.momentum = 1 - method.momentum


ABLATIONS = {
    "as it is": Ablation(),
    "frozen teacher": Ablation(options={"momentum": 1.0}),
    "momentum 0": Ablation(options={"momentum": 0.0}),
    "momentum 0.9": Ablation(options={"momentum": 0.9}),
    "momentum 0.999": Ablation(options={"momentum": 0.999}),
    "symmetric": Ablation(options={"symmetric": True}),
    "temperature 0.5": Ablation(options={"temperature": 0.5}),
    "never written": Ablation(change=never_written, once=True),
    "not put back": Ablation(change=not_put_back, once=True),
    "weights exchanged": Ablation(change=weights_exchanged, once=True),
}
BUGS = {"A": "never written", "B": "not put back", "C": "weights exchanged"}  # of "diagnose"
