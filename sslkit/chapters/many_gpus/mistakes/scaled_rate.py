"""Exercise of chapter 25: the learning rate of a larger batch."""

from __future__ import annotations

import math

from sslkit.checks.exercise import Exercise, mistake


def scaled_rate_loop(rate: float, batch: int, world: int, step: int, warmup: int) -> float:
    """By adding up what each step of the warm-up adds."""
    now = rate
    for _ in range(min(step, warmup)):
        now += rate * (batch * world / batch - 1) / warmup
    return now if warmup else rate * world


def behind(step: int, warmup: int) -> float:
    """The share of the warm-up that is over."""
    return min(1.0, step / warmup) if warmup else 1.0


SCALED_RATE = Exercise(
    "scaled_rate",
    scaled_rate_loop,
    trials=lambda: [
        (0.1, 32, 4, 2, 4),
        (0.1, 32, 4, 0, 4),
        (0.05, 256, 8, 10, 5),
        (0.3, 64, 2, 3, 10),
        (0.2, 128, 16, 5, 5),
        (0.1, 64, 4, 0, 0),  # no warm-up at all
    ],
    mistakes=(
        mistake(
            "not scaled",
            "Your rate does not grow with the number of processes.",
            ("rate * world", "rate"),
            lambda rate, b, w, s, warm: rate * min(1.0, s / warm),
        ),
        mistake(
            "a jump",
            "Your rate stays where it is through the warm-up and jumps at its end. It rises in equal steps: is there a `//`?",
            ("rate + (scaled - rate) * step / warmup", "rate"),
        ),
        mistake(
            "a curve",
            "Your rate rises along a curve, by more at one step than at another. It rises by equal amounts, in a straight line.",
            ("rate + (scaled - rate) * step / warmup", "rate * world ** (step / warmup)"),
            lambda rate, b, w, s, warm: rate + (rate * w - rate) * math.sin(math.pi / 2 * behind(s, warm)) ** 2,
        ),
        mistake(
            "the whole scaled rate added",
            "You add the scaled rate to the old one. Add what lies between the two.",
            ("(scaled - rate)", "scaled"),
            lambda rate, b, w, s, warm: rate + rate * w * behind(s, warm),
        ),
        mistake(
            "a step too short",
            "You reach the scaled rate one step early. It is reached at step `warmup`.",
            lambda rate, b, w, s, warm: rate + (rate * w - rate) * behind(s, max(warm - 1, 0)),
        ),
        mistake(
            "no warm-up",
            "You start with the scaled rate at once. The first steps are the ones that it breaks.",
            lambda rate, b, w, s, warm: rate * w,
        ),
        mistake(
            "warm-up from zero",
            "You start at 0. Goyal et al. start at the rate that was good for one process (many recipes do start at 0).",
            ("rate + (scaled - rate) * step", "scaled * step"),
            lambda rate, b, w, s, warm: rate * w * min(1.0, (s + 1) / warm),
        ),
        mistake(
            "square root",
            "You scale with the square root of the batch. That is a rule as well (for Adam, often), but here it is the linear one.",
            ("rate * world", "rate * world**0.5"),
        ),
        mistake(
            "falls",
            "Your rate falls during the warm-up. It rises from `rate` to the scaled one.",
            ("rate + (scaled - rate)", "scaled - (scaled - rate)"),
        ),
        mistake(
            "one step early",
            "Your warm-up is one step ahead: at step 0 the rate is still `rate`.",
            lambda rate, b, w, s, warm: rate + (rate * w - rate) * min(1.0, (s + 1) / warm),
        ),
        mistake(
            "scaled by the batch",
            "You multiply by the number of images. The rate grows by how many *times* larger the batch is.",
            lambda rate, b, w, s, warm: rate + (rate * b * w - rate) * min(1.0, s / warm),
        ),
        mistake(
            "goes on rising",
            "After the warm-up the rate stays where it is: at most rate * world.",
            lambda rate, b, w, s, warm: rate + (rate * w - rate) * (s / warm if warm else 1.0),
        ),
        mistake(
            "divided by the processes",
            "You make the rate smaller. Larger batches have less noise and take larger steps: multiply by world.",
            lambda rate, b, w, s, warm: rate + (rate / w - rate) * behind(s, warm),
        ),
        mistake(
            "divided by the batch",
            "You divide by the number of images of a process. `rate` is one for that number already: multiply by world.",
            lambda rate, b, w, s, warm: rate + (rate * w / b - rate) * behind(s, warm),
        ),
        mistake(
            "without warm-up not scaled",
            "Where there is no warm-up, the rate is the scaled one from the start.",
            lambda rate, b, w, s, warm: rate + (rate * w - rate) * min(1.0, s / warm) if warm else rate,
        ),
        mistake(
            "back to the old rate",
            "After the warm-up you go back to `rate`. It stays at rate * world.",
            ("else scaled", "else rate"),
        ),
        mistake(
            "in batches of 256",
            "You take `rate` for one of 256 images. It is one for `batch` images: multiply by world alone.",
            lambda rate, b, w, s, warm: rate + (rate * w * b / 256 - rate) * behind(s, warm),
        ),
    ),
)
