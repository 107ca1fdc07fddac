"""Exercise of chapter 22: a learning rate for each layer."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, mistake


def rates_per_layer_loop(layers: int, lr: float, decay: float) -> Tensor:
    rates, rate = [], float(lr)
    for _ in range(layers):
        rates = [rate, *rates]
        rate = rate * decay
    return torch.tensor(rates, dtype=torch.float64)


def powers(layers: int) -> Tensor:
    """Of `decay`, for each layer: 0 for the last."""
    return torch.arange(layers, dtype=torch.float64).flip(0)


RATES = Exercise(
    "rates_per_layer",
    rates_per_layer_loop,
    trials=lambda: [(3, 1.0, 0.5), (7, 0.01, 0.7), (1, 0.1, 0.3), (4, 2.0, 1.0)],
    mistakes=(
        mistake(
            "upside down",
            "Your rates fall towards the output. The layer next to the input learns most slowly.",
            ("torch.arange(layers - 1, -1, -1)", "torch.arange(layers)"),
        ),
        mistake(
            "one power too many", "Your last layer gets lr * decay. It learns with lr itself.", ("lr *", "lr * decay *")
        ),
        mistake(
            "one power too few",
            "Your last layer gets lr / decay. Its power must be 0: layers count from 0 to layers - 1.",
            ("lr *", "lr / decay *"),
        ),
        mistake(
            "one rate for all",
            "All layers get one rate. Each has `decay` times the rate of the next.",
            lambda n, lr, d: torch.full((n,), lr * d),
            lambda n, lr, d: torch.full((n,), lr),
        ),
        mistake(
            "multiplied instead of raised",
            "You multiply decay by the distance. Each layer multiplies the rate once more: a power.",
            lambda n, lr, d: lr * d * powers(n),
        ),
        mistake(
            "a straight line",
            "Your rates fall along a straight line. Each is `decay` times the next: a power.",
            lambda n, lr, d: lr * (1 - (1 - d) * powers(n)),
            lambda n, lr, d: lr * torch.linspace(d, 1, n),
            lambda n, lr, d: lr * torch.linspace(d ** (n - 1), 1, n),
        ),
        mistake(
            "lr for the first",
            "Your first layer gets lr, and the later ones more. The last one learns with lr, all others with less.",
            lambda n, lr, d: lr / d ** powers(n).flip(0),
        ),
        mistake(
            "subtracted",
            "You take `decay` off at each step. Each layer has `decay` times the next one's rate: a power.",
            ("* decay **", "- decay *"),
        ),
        mistake(
            "twelve layers",
            "You count on 12 layers. The last one is number `layers` - 1.",
            ("(layers - 1, -1, -1)", "(11, 11 - layers, -1)"),
        ),
        mistake("no lr", "These are the shares alone. Multiply by lr.", lambda n, lr, d: d ** powers(n)),
        mistake(
            "lr raised too",
            "You raise lr to the power as well. Only decay is raised: lr * decay ** power.",
            lambda n, lr, d: (lr * d) ** powers(n),
        ),
        mistake(
            "1 - decay",
            "You multiply by 1 - decay. A layer learns with `decay` times the rate of the next: decay is what is left, not what is lost.",
            lambda n, lr, d: lr * (1 - d) ** powers(n),
        ),
        mistake(
            "one rate for all but the last",
            "All layers before the last get lr * decay. Each is `decay` times the next one: the further from the output, the higher the power.",
            lambda n, lr, d: lr * d ** powers(n).clamp(max=1),
        ),
        mistake(
            "growing",
            "You divide by decay, so the layers near the input learn fastest. Multiply.",
            lambda n, lr, d: lr / d ** powers(n),
        ),
    ),
)
