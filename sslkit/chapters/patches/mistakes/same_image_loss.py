"""Exercise of chapter 04: the loss of one logit a pair."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def same_image_loss_loop(logits: Tensor, labels: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for logit, label in zip(logits.double(), labels.tolist()):
        total = total + torch.log1p(torch.exp(-logit if label == 1 else logit))
    return total / len(labels)


def bce(logits: Tensor, labels: Tensor, **options) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), **options)


def true_p(logits: Tensor, labels: Tensor) -> Tensor:
    return torch.where(labels == 1, logits.sigmoid(), (-logits).sigmoid())


SMALL = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)  # what people add to a probability

LOSS = Exercise(
    "same_image_loss",
    same_image_loss_loop,
    grad=True,
    trials=lambda: [
        *((draw(s, m, spread=w), draw_labels(s, m, 2)) for s, (m, w) in enumerate([(2, 1.0), (5, 2.0), (12, 3.0)])),
        (torch.tensor([200.0, -200.0, 90.0, -90.0]), torch.tensor([1, 0, 0, 1])),  # logits of any size
    ],
    mistakes=(
        mistake(
            "negatives forgotten",
            "Pairs of two images count nothing in your loss: always answering *same* would be perfect. Add minus the log of 1 - p for them.",
            lambda a, y: -(y * F.logsigmoid(a)).mean(),
            lambda a, y: -(y * F.logsigmoid(a)).sum() / y.sum(),
            lambda a, y: -F.logsigmoid(a).mean(),
        ),
        mistake(
            "sigmoid twice",
            "binary_cross_entropy_with_logits takes logits and applies the sigmoid itself. Do not apply it before.",
            lambda a, y: bce(a.sigmoid(), y),
        ),
        mistake(
            "probabilities first",
            "You compute the probability first: of a large logit it is exactly 1, and the log of what is left is cut off. Stay with logits: F.binary_cross_entropy_with_logits, or F.logsigmoid.",
            *[
                lambda a, y, e=e: F.binary_cross_entropy(a.sigmoid().clamp(e, 1 - e), y.to(a.dtype))
                for e in (0, *SMALL)
            ],
            *[lambda a, y, e=e: -(true_p(a, y) + e).log().mean() for e in SMALL],
        ),
        mistake(
            "labels exchanged",
            "Your loss is small where the answer is wrong: a large logit means *same image*, label 1.",
            ("at_least_float32(logits)", "-at_least_float32(logits)"),
        ),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("return F", "return -F")),
        mistake(
            "sum instead of mean",
            "You add up the batch. Take the mean, or the loss grows with the batch size.",
            ("dtype)", 'dtype), reduction="sum"'),
        ),
        mistake(
            "no log",
            "You use the probability itself. Take its log.",
            lambda a, y: -true_p(a, y).mean(),
            lambda a, y: (1 - true_p(a, y)).mean(),
        ),
        mistake(
            "squared error",
            "You use the squared difference of probability and label. It hardly punishes an answer that is sure and wrong. Take minus the log of the probability of the truth.",
            lambda a, y: ((a.sigmoid() - y) ** 2).mean(),
            lambda a, y: ((a - y) ** 2).mean(),
        ),
        mistake(
            "log to base 2",
            "You use log2. Cross-entropy takes the natural logarithm.",
            lambda a, y: bce(a, y) / math.log(2),
        ),
        mistake(
            "softmax over the batch",
            "Your softmax runs over the pairs of the batch. Each pair has its own probability: sigmoid.",
            lambda a, y: F.cross_entropy(a, y.to(a.dtype) / y.sum()),
            lambda a, y: F.cross_entropy(a, y.to(a.dtype)),
            lambda a, y: -torch.where(y == 1, a.softmax(0), 1 - a.softmax(0)).log().mean(),
        ),
        mistake(
            "1 minus the logarithm",
            "Another image has the probability 1 - p, and its logarithm is log(1 - p), not 1 - log p: F.logsigmoid(-logits).",
            lambda a, y: -torch.where(y == 1, F.logsigmoid(a), 1 - F.logsigmoid(a)).mean(),
        ),
        mistake(
            "no sigmoid",
            "You use the logits as if they were log-probabilities. Take F.logsigmoid of them first.",
            lambda a, y: -torch.where(y == 1, a, -a).mean(),
            lambda a, y: -torch.where(y == 1, a, 1 - a).mean(),
        ),
        mistake(
            "logits as probabilities",
            "You take the logits for probabilities. A logit can be any number: its sigmoid is the probability.",
            lambda a, y: -torch.where(y == 1, a.log(), (1 - a).log()).mean(),
            lambda a, y: -(y * a.log() + (1 - y) * (1 - a).log()).mean(),
            *[lambda a, y, e=e: F.binary_cross_entropy(a.clamp(e, 1 - e), y.to(a.dtype)) for e in (0, 1e-7, 1e-6)],
        ),
        mistake(
            "a mean for each kind",
            "You average the pairs of one image and those of two on their own. Take one mean over all pairs.",
            lambda a, y: -F.logsigmoid(a)[y == 1].mean() - F.logsigmoid(-a)[y == 0].mean(),
            lambda a, y: -(F.logsigmoid(a)[y == 1].mean() + F.logsigmoid(-a)[y == 0].mean()) / 2,
        ),
    ),
)
