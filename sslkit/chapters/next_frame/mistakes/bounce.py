"""Exercise of chapter 08: where the ball is."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, mistake


def bounce_loop(start: Tensor, velocity: Tensor, t: Tensor, low: float, high: float) -> Tensor:
    rows = []
    for place, speed in zip(start.double().tolist(), velocity.double().tolist()):
        row = []
        for time in t.double().tolist():
            at = place + speed * time
            while at < low or at > high:
                at = 2 * low - at if at < low else 2 * high - at
            row.append(at)
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


def free(start, velocity, t):
    return start[:, None] + velocity[:, None] * t


def fold(x, width):
    """A place in a room from 0 to width, thrown back at both walls."""
    return width - (x.remainder(2 * width) - width).abs()


def by_rooms(x: Tensor, low: float, high: float) -> Tensor:
    """Mirrored in every other room, with rooms counted towards 0."""
    room = (x / (high - low)).trunc()
    inside = x - room * (high - low)
    return torch.where(room % 2 == 0, low + inside, high - inside)


def turned_at(x: Tensor, low: float, high: float) -> Tensor:
    """The way back begins at high, counted from low."""
    x = x.remainder(2 * (high - low))
    return low + torch.where(x > high, 2 * (high - low) - x, x)


def once(x: Tensor, low: float, high: float) -> Tensor:
    x = torch.where(x > high, 2 * high - x, x)
    return torch.where(x < low, 2 * low - x, x)


def once_nested(x: Tensor, low: float, high: float) -> Tensor:
    return torch.where(x > high, 2 * high - x, torch.where(x < low, 2 * low - x, x))


BOUNCE = Exercise(
    "bounce",
    bounce_loop,
    trials=lambda: [
        (torch.tensor([8.0]), torch.tensor([3.0]), torch.tensor([0.0, 1.0, 2.0]), 0.0, 10.0),
        (torch.tensor([8.0, 3.0]), torch.tensor([3.0, -2.0]), torch.arange(4.0), 2.0, 10.0),
        (torch.tensor([5.0, 6.0, 9.0]), torch.tensor([2.5, -3.5, 0.0]), torch.arange(9.0), 4.0, 11.0),
        (torch.tensor([1.0, 6.0]), torch.tensor([25.0, -17.0]), torch.tensor([0.5, 1.0, 2.5]), 0.0, 7.0),
    ],
    mistakes=(
        mistake(
            "no walls",
            "Your balls fly through the walls: fold the place back into low .. high.",
            lambda s, v, t, low, high: free(s, v, t),
        ),
        mistake(
            "stops at the wall",
            "You clamp: your balls stick to the wall. They are thrown back by as much as they overshot.",
            lambda s, v, t, low, high: free(s, v, t).clamp(low, high),
        ),
        mistake(
            "comes in on the other side",
            "You wrap around: your balls leave at one wall and come in at the other. Mirror them, with a period of twice the width.",
            ("2 * width", "width"),
        ),
        mistake(
            "one bounce only",
            "You mirror once at each wall. A fast ball hits several: use remainder by twice the width.",
            lambda s, v, t, low, high: once(free(s, v, t), low, high),
            lambda s, v, t, low, high: once_nested(free(s, v, t), low, high),
        ),
        mistake(
            "walls at 0",
            "Your left wall is at 0. Take low off before you fold, and add it again after.",
            lambda s, v, t, low, high: high - (free(s, v, t).remainder(2 * high) - high).abs(),
            (" - low + ", " + "),
            lambda s, v, t, low, high: fold(free(s, v, t) - low, high - low),
            lambda s, v, t, low, high: fold(free(s, v, t) - low, high),
        ),
        mistake(
            "never on the way back",
            "You stop at the remainder, which goes up to twice the width: beyond one width the ball is on its way back.",
            lambda s, v, t, low, high: low + (free(s, v, t) - low).remainder(2 * (high - low)),
        ),
        mistake(
            "remainder with a sign",
            "torch.fmod keeps the sign and trunc rounds towards 0, so a ball that flies to the left is lost. torch.remainder, or %, is never negative here.",
            ("free.remainder(", "free.fmod("),
            lambda s, v, t, low, high: by_rooms(free(s, v, t) - low, low, high),
        ),
        mistake(
            "compared with high",
            "Once low is taken off, the far wall is at the width, not at high.",
            lambda s, v, t, low, high: turned_at(free(s, v, t) - low, low, high),
        ),
        mistake(
            "direction lost",
            "All your balls fly to the right. The sign of the velocity is their direction.",
            lambda s, v, t, low, high: low + fold(free(s, v.abs(), t) - low, high - low),
        ),
        mistake(
            "mirrored",
            "Your balls fly the wrong way round: the fold is upside down. At t = 0 they must be at start.",
            ("low +", "high +"),
            lambda s, v, t, low, high: high - low - fold(free(s, v, t) - low, high - low),
        ),
    ),
)
