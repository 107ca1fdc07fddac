"""What chapter 15 changes, one thing at a time; `python tests/benchmarks/ablate.py swav` trains each at full length."""

from typing import Any

from sslkit.chapters.simclr.ablations import same_view_twice
from sslkit.train import Ablation


def no_seats(method: Any) -> None:
    """Codes are wishes: a softmax of each image's own scores, whatever the others want."""
    method.codes = lambda scores, queue: (scores / method.epsilon).softmax(dim=1).detach()


def wrong_partner(method: Any) -> None:
    """A bug: the codes belong to other images."""
    codes = method.codes
    method.codes = lambda scores, queue: codes(scores, queue).roll(1, 0)


ABLATIONS = {
    "as it is": Ablation(),
    "no seats": Ablation(change=no_seats),
    "one turn": Ablation(options={"iterations": 1}),
    "epsilon 0.05": Ablation(options={"epsilon": 0.05}),
    "epsilon 0.2": Ablation(options={"epsilon": 0.2}),  # above the temperature
    "16 prototypes": Ablation(options={"prototypes": 16}),
    "two small crops": Ablation(options={"crops": 2}, length=0.7),  # a step costs 1.4 times as much
    "batch 256": Ablation(settings={"batch": 256}),
    "batch 32": Ablation(settings={"batch": 32}),
    "batch 32, queue": Ablation(settings={"batch": 32}, options={"queue": 480}),
    "wrong partner": Ablation(change=wrong_partner, once=True),
    "own code": Ablation(change=same_view_twice, once=True),
    "epsilon and temperature exchanged": Ablation(options={"epsilon": 0.1, "temperature": 0.025}, once=True),
}
BUGS = {"A": "wrong partner", "B": "own code", "C": "epsilon and temperature exchanged"}  # of "diagnose"
