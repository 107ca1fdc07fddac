"""Exercise of chapter 16: two collapses told apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def entropy_and_kl_loop(target: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
    entropy = kl = 0.0
    for row, other in zip(target.double().tolist(), guess.double().tolist()):
        for p, q in zip(row, other):
            if p > 0:
                entropy -= p * math.log(p) / len(target)
                kl += p * (math.log(p) - math.log(q)) / len(target)
    return torch.tensor(entropy, dtype=torch.float64), torch.tensor(kl, dtype=torch.float64)


def distributions() -> list[tuple]:
    found = [
        (draw(s, n, k, spread=1.5).softmax(1), draw(s + 50, n, k, spread=1.5).softmax(1))
        for s, (n, k) in enumerate([(2, 2), (3, 4), (5, 3), (4, 8)])
    ]
    sure = torch.eye(3)[[0, 2]]
    return [*found, (sure, draw(70, 2, 3).softmax(1))]


def both(target: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
    """As it should be."""
    entropy = torch.special.entr(target).sum(1)
    return entropy.mean(), (-(target * guess.log()).sum(1) - entropy).mean()


ENTROPY = Exercise(
    "entropy_and_kl",
    entropy_and_kl_loop,
    returns=("entropy", "KL"),
    trials=distributions,
    mistakes=(
        mistake(
            "cross-entropy",
            "Your second value is the cross-entropy. Take the entropy off it.",
            ("entropy, cross - entropy", "entropy, cross"),
        ),
        mistake(
            "KL the other way round",
            "You compute KL(guess || target). The target's probabilities weigh the terms.",
            lambda t, g: (both(t, g)[0], (g * (g.log() - t.clamp(min=1e-30).log())).sum(1).mean()),
        ),
        mistake(
            "entropy of the guess",
            "The entropy is that of the guesses. Take the targets'.",
            lambda t, g: (both(g, t.clamp(min=1e-30))[0], both(t, g)[1]),
            ("entr(target)", "entr(guess)"),
        ),
        mistake(
            "entropy of the mean",
            "You average the targets first: this is the entropy of their mean, large even if each image is sure. Take each row's entropy, then the mean.",
            lambda t, g: (torch.special.entr(t.mean(0)).sum(), both(t, g)[1]),
            ("entr(target).sum(dim=1).mean()", "entr(target.mean(dim=0)).sum()"),
        ),
        mistake(
            "the guess's entropy taken off",
            "You take the entropy of the guess off the cross-entropy. Take that of the target.",
            ("cross - entropy", "cross - torch.special.entr(guess).sum(dim=1).mean()"),
        ),
        mistake(
            "no logarithm of the guess",
            "The logarithm of the guess is missing. (F.kl_div wants it too: guess.log() comes first.)",
            ("guess.log()", "guess"),
        ),
        mistake(
            "softmax of the guess",
            "F.cross_entropy takes logits and applies a softmax. The guess is a distribution already: take its logarithm.",
            ("guess.log()", "guess.log_softmax(dim=1)"),
        ),
        mistake(
            "sign of KL",
            "KL is never negative: cross-entropy minus entropy, not the other way round.",
            ("entropy, cross - entropy", "entropy, entropy - cross"),
        ),
        mistake(
            "sign of the entropy",
            "The entropy is minus the sum of p ln p: never negative.",
            lambda t, g: (-both(t, g)[0], both(t, g)[1]),
        ),
        mistake(
            "sum over the rows",
            "You add up the rows. Take their mean.",
            (("entr(target).sum(dim=1).mean()", "entr(target).sum()"), (".log()).sum(dim=1).mean()", ".log()).sum()")),
        ),
        mistake(
            "sum over the rows, mean over the entries",
            "You add up the rows and average over the K entries. It is the other way round: sum over dim=1, then the mean.",
            lambda t, g: tuple(v * len(t) / t.shape[1] for v in both(t, g)),
        ),
        mistake(
            "mean over the entries",
            "You average over the K entries too. Sum over them, then average over the rows.",
            lambda t, g: tuple(v / t.shape[1] for v in both(t, g)),
        ),
        mistake(
            "KL averaged over the entries",
            'Your divergence is averaged over the K entries too, as F.kl_div does by default: reduction="batchmean" adds them up.',
            lambda t, g: (both(t, g)[0], both(t, g)[1] / t.shape[1]),
        ),
        mistake(
            "bits",
            "These are bits. Take the natural logarithm.",
            lambda t, g: tuple(v / math.log(2) for v in both(t, g)),
        ),
        mistake(
            "0 ln 0",
            "0 times ln 0 is not a number in floating point; here it counts as 0.",
            lambda t, g: (-(t * t.log()).sum(1).mean(), (t * (t.log() - g.log())).sum(1).mean()),
        ),
    ),
)
