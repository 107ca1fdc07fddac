"""Exercise of chapter 15: each view predicts the others' codes."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.swav.mistakes.pairs_of_views import exchanged, terms
from sslkit.checks.exercise import Exercise, draw, mistake


def swapped_loss_loop(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    total, pairs = 0.0, 0
    for a, code in enumerate(codes.detach().double()):
        for v, view in enumerate(scores.double()):
            if v == a:
                continue
            pairs += 1
            for wanted, given in zip(code, view):
                weights = torch.stack([torch.exp(s / temperature) for s in given])
                for q, weight in zip(wanted, weights):
                    total = total - q * torch.log(weight / weights.sum()) / len(view)
    return total / pairs


def swapped_trials() -> list[tuple]:
    shapes = [(2, 2, 2, 3, 0.5), (3, 2, 4, 3, 0.2), (4, 2, 3, 5, 1.0), (4, 3, 5, 2, 0.1)]
    return [(draw(s, v, n, k), draw(s + 50, a, n, k).softmax(2), t) for s, (v, a, n, k, t) in enumerate(shapes)]


CROSS = "F.cross_entropy(logits[v], codes[a])"
SWAPPED = Exercise(
    "swapped_loss",
    swapped_loss_loop,
    grad=True,
    trials=swapped_trials,
    mistakes=(
        mistake(
            "not swapped",
            "Each view predicts its own code, which it knows already. Only pairs of different views count: v != a.",
            lambda s, c, t: terms(s, c, t, lambda a, v: a == v).mean(),
        ),
        mistake(
            "own code too",
            "Pairs of a view and its own code are still among them. Leave out v == a.",
            lambda s, c, t: terms(s, c, t, lambda a, v: True).mean(),
            (" if a != v", ""),
        ),
        mistake(
            "small views left out",
            "Only the views that have codes predict. The small ones predict too: v runs over all V views.",
            lambda s, c, t: terms(s[: len(c)], c, t).mean(),
            ("len(scores)", "len(codes)"),
        ),
        mistake(
            "temperature multiplied",
            "Divide the scores by the temperature: a small one must sharpen the softmax.",
            (") / temperature", ") * temperature"),
        ),
        mistake(
            "temperature ignored", "The temperature is not used. Divide the scores by it.", (") / temperature", ")")
        ),
        mistake(
            "each pair of views once",
            "You pair a code with the views after it alone. Those before it predict it too: v != a.",
            (" if a != v", " if a < v"),
        ),
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            ("at_least_float32(scores) / temperature", "(at_least_float32(scores) / temperature).softmax(2)"),
        ),
        mistake(
            "mean over the prototypes",
            "You average over the K prototypes too. Cross-entropy adds them up.",
            lambda s, c, t: terms(s, c, t).mean() / s.shape[2],
        ),
        mistake("sum over pairs", "You add up the pairs. Take their mean.", (".mean()", ".sum()")),
        mistake(
            "divided by A V",
            "You divide by A times V. Divide by the pairs that count: a code and its own view are none.",
            (".mean()", ".sum() / (len(codes) * len(scores))"),
        ),
        mistake(
            "divided by A or V",
            "You add up over all pairs, but divide by the number of codes or of views alone. Divide by the number of pairs.",
            (".mean()", ".sum() / len(codes)"),
            (".mean()", ".sum() / len(scores)"),
        ),
        mistake(
            "divergence",
            "You take the entropy of the codes off, which leaves KL. The loss is the cross-entropy.",
            (CROSS, "F.kl_div(logits[v].log_softmax(1), codes[a], reduction='batchmean')"),
        ),
        mistake(
            "squared differences",
            "You compare the probabilities by their squared differences. Take the cross-entropy.",
            (CROSS, "F.mse_loss(logits[v].softmax(1), codes[a])"),
            (CROSS, "(logits[v].softmax(1) - codes[a]).square().sum(1).mean()"),
        ),
        mistake(
            "temperature on the codes",
            "You divide the codes by the temperature. They are distributions already; only the scores are divided.",
            ("codes.detach()", "codes.detach() / temperature"),
        ),
        mistake(
            "temperature after the softmax",
            "You divide by the temperature after the softmax, where it is a mere factor. Divide the scores.",
            lambda s, c, t: terms(s, c, 1).mean() / t,
        ),
        mistake(
            "the first pair alone",
            "Only the first pair counts: is there a return inside the loop?",
            ("torch.stack(losses).mean()", "losses[0]"),
        ),
        mistake(
            "two codes",
            "You count on two codes. Take all that there are: len(codes).",
            ("range(len(codes))", "range(2)"),
        ),
        mistake(
            "no logarithm",
            "You add up q times p. Cross-entropy is minus the sum of q log p.",
            (CROSS, "-(codes[a] * logits[v].softmax(1)).sum(1).mean()"),
        ),
        mistake(
            "softmax over the images",
            "Your softmax runs over the images. Each image has a distribution over the prototypes.",
            (CROSS, "-(codes[a] * logits[v].log_softmax(0)).sum(1).mean()"),
        ),
        mistake(
            "sum over images", "You add up the images. Take their mean.", lambda s, c, t: terms(s, c, t).sum(1).mean()
        ),
        mistake(
            "sign",
            "Cross-entropy is minus the sum of q log p. Yours pushes the views apart.",
            ("return torch", "return -torch"),
        ),
        mistake(
            "hard labels",
            "You keep each code's largest entry alone. Codes are soft: all entries count.",
            ("codes.detach()", "F.one_hot(codes.argmax(2), codes.shape[2]).to(scores)"),
        ),
        mistake(
            "codes as logits",
            "You put a softmax on the codes. They are distributions already.",
            ("codes.detach()", "codes.detach().softmax(2)"),
            ("codes.detach()", "(codes.detach() / temperature).softmax(2)"),
        ),
        mistake(
            "roles exchanged",
            "You predict the scores from the codes. The codes are the labels q, the scores give log p.",
            exchanged,
            (CROSS, "F.cross_entropy(codes[a], logits[v].softmax(1))"),
        ),
        mistake("gradient through the codes", "Codes are labels: detach them.", ("codes.detach()", "codes")),
    ),
)
