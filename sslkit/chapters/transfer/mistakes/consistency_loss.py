"""Exercise of chapter 22: FixMatch's loss on images without labels."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def consistency_loss_loop(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    total = torch.zeros((), dtype=torch.float64) + 0 * strong.double().sum()
    for i in range(len(weak)):
        row = [math.exp(v) for v in weak[i].double().tolist()]
        guess = row.index(max(row))
        if row[guess] / sum(row) >= threshold:
            s = strong[i].double()
            total = total - torch.log(s[guess].exp() / s.exp().sum())
    return total / len(weak)


def confidence(logits: Tensor) -> Tensor:
    return logits.softmax(1).amax(1)


def sure(logits: Tensor, threshold: float) -> Tensor:
    return confidence(logits) >= threshold


def each(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def divergence(strong: Tensor, weak: Tensor) -> Tensor:
    return F.kl_div(strong.log_softmax(1), weak.detach().softmax(1), reduction="none").sum(1)


CROSS = 'F.cross_entropy(strong, labels, reduction="none")'
FIXMATCH = Exercise(
    "consistency_loss",
    consistency_loss_loop,
    grad=True,
    trials=lambda: [
        (torch.tensor([[2.0, 0.0], [0.5, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 0.8),
        (draw(1, 6, 3, spread=2.0), draw(2, 6, 3), 0.7),
        (draw(3, 16, 10, spread=3.0), draw(4, 16, 10, spread=2.0), 0.6),
        (draw(5, 8, 4, spread=2.0), draw(6, 8, 4), 0.5),
        (torch.tensor([[200.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 1.0),  # sure: at least 1
    ],
    mistakes=(
        mistake(
            "mean over the sure ones",
            "You divide by how many count. FixMatch divides by all N, so few sure guesses weigh little.",
            lambda w, s, t: (each(s, w.argmax(1)) * sure(w, t)).sum() / sure(w, t).sum().clamp(min=1),
        ),
        mistake(
            "views exchanged",
            "You guess on the strong view and train the weak one. The weak view guesses: it is easier to be right there.",
            lambda w, s, t: (each(w, s.argmax(1)) * sure(s, t)).mean(),
        ),
        mistake(
            "weak view not used",
            "The strong view guesses and is trained on its own guess. Guess on the weak view, and ask the strong one to repeat it.",
            lambda w, s, t: (each(s, s.argmax(1)) * sure(s, t)).mean(),
        ),
        mistake(
            "labels of the strong view",
            "You take the strong view's own guess for the label. The weak view gives both, how sure it is and the label.",
            lambda w, s, t: (each(s, s.argmax(1)) * sure(w, t)).mean(),
        ),
        mistake(
            "both views sure",
            "You ask that both views be sure. How sure the weak view is decides alone.",
            lambda w, s, t: (each(s, w.argmax(1)) * (sure(w, t) & sure(s, t))).mean(),
        ),
        mistake(
            "logits zeroed",
            "You multiply the logits by 0 where the guess is unsure. Such a row still pays ln K: leave its loss out instead.",
            (
                ("cross_entropy(strong,", "cross_entropy(strong * (confidence >= threshold)[:, None],"),
                ("losses * (confidence >= threshold)", "losses"),
            ),
        ),
        mistake(
            "mean before the threshold",
            "You take the mean of the losses first and multiply by the share of sure guesses. Leave out the unsure images one by one, with reduction='none', then take the mean.",
            lambda w, s, t: F.cross_entropy(s, w.argmax(1)) * sure(w, t).float().mean(),
        ),
        mistake(
            "weighted by how sure it is",
            "You multiply each loss by the probability of its guess. A guess counts fully or not at all.",
            lambda w, s, t: (each(s, w.argmax(1)) * confidence(w.detach()) * sure(w, t)).mean(),
            lambda w, s, t: (each(s, w.argmax(1)) * confidence(w.detach())).mean(),
        ),
        mistake(
            "softmax over the batch",
            "Your softmax over the weak view runs over the images. It runs over the classes: dim=1.",
            ("softmax(dim=1)", "softmax(dim=0)"),
        ),
        mistake(
            "above the threshold only",
            "A guess that is exactly as sure as the threshold counts too: >=.",
            (">= threshold", "> threshold"),
        ),
        mistake(
            "no threshold",
            "Every guess counts in your loss, sure or not.",
            ("losses * (confidence >= threshold)", "losses"),
        ),
        mistake("the unsure ones", "You keep the guesses below the threshold.", (">= threshold", "< threshold")),
        mistake(
            "threshold on logits",
            "You compare logits with the threshold. It is one for probabilities: take the softmax first.",
            ("softmax(dim=1).", ""),
        ),
        mistake(
            "confidence of the strong view",
            "You take the strong view's probability for the threshold. How sure the weak view is decides.",
            lambda w, s, t: (each(s, w.argmax(1)) * sure(s, t)).mean(),
        ),
        mistake(
            "trained on the weak view",
            "You train the weak view on its own guess. The strong view must repeat it.",
            ("strong,", "weak,"),
        ),
        mistake(
            "soft labels",
            "You use the weak view's probabilities as the target. FixMatch takes the most probable class alone.",
            lambda w, s, t: (each(s, w.detach().softmax(1)) * sure(w, t)).mean(),
            lambda w, s, t: (each(s, w.softmax(1)) * sure(w, t)).mean(),
            lambda w, s, t: (divergence(s, w) * sure(w, t)).mean(),
            lambda w, s, t: ((s.softmax(1) - w.detach().softmax(1)).square().mean(1) * sure(w, t)).mean(),
        ),
        mistake(
            "sum",
            "You add up the images. Take the mean over all N.",
            (CROSS, f"({CROSS}) * len(weak)"),
        ),
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself.",
            ("strong,", "strong.softmax(1),"),
        ),
        mistake(
            "no stop-gradient",
            "The value is right, but a gradient reaches the weak view's logits. The guess is a target: detach it.",
            lambda w, s, t: (each(s, w.argmax(1)) * sure(w, t) * (confidence(w) / confidence(w).detach())).mean(),
        ),
    ),
)
