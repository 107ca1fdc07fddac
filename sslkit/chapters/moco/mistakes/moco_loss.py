"""Exercise of chapter 11: the loss with a queue."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_rows, mistake


def moco_loss_loop(q: Tensor, k: Tensor, queue: Tensor, temperature: float) -> Tensor:
    def cosine(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()

    total = 0.0
    for query, key in zip(q.double(), k.detach().double()):
        right = torch.exp(cosine(query, key) / temperature)
        wrong = sum(torch.exp(cosine(query, other) / temperature) for other in queue.detach().double())
        total = total - torch.log(right / (right + wrong))
    return total / len(q)


def logits_of(q: Tensor, k: Tensor, queue: Tensor, t: float, dim: int | None = 1) -> Tensor:
    """The solution's logits [N, 1 + Q], positive first, with dim normalised (None: nothing)."""
    return attached(q, k.detach(), queue.detach(), t, dim)


def attached(q: Tensor, k: Tensor, queue: Tensor, t: float, dim: int | None = 1) -> Tensor:
    """The same logits, with a gradient to keys and queue."""
    if dim is not None:
        q, k, queue = (F.normalize(z, dim=dim) for z in (q, k, queue))
    return torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], dim=1) / t


def picks(logits: Tensor, column: int = 0) -> Tensor:
    return F.cross_entropy(logits, torch.full((len(logits),), column))


def in_batch(q: Tensor, k: Tensor, queue: Tensor, t: float, also_queue: bool, first: int = 1) -> Tensor:
    """The other keys of the batch as negatives, with or without the queue's; first=0 takes column 0 for the positive."""
    q, k, queue = F.normalize(q), F.normalize(k.detach()), F.normalize(queue.detach())
    keys = torch.cat([k, queue]) if also_queue else k
    return F.cross_entropy(q @ keys.T / t, first * torch.arange(len(q)))


def without_positive(q: Tensor, k: Tensor, queue: Tensor, t: float) -> Tensor:
    logits = logits_of(q, k, queue, t)
    return (logits[:, 1:].logsumexp(1) - logits[:, 0]).mean()


LOSS = Exercise(
    "moco_loss",
    moco_loss_loop,
    grad=True,
    trials=lambda: [
        (draw_rows(s, n, d), draw_rows(s + 30, n, d), draw_rows(s + 60, m, d), t)
        for s, (n, m, d, t) in enumerate([(2, 3, 2, 0.5), (3, 2, 4, 1.0), (4, 6, 8, 0.2), (3, 9, 3, 2.0)])
    ],
    mistakes=(
        mistake(
            "no normalisation",
            "The similarity is a cosine: scale each row of q, k and queue to length 1 first.",
            lambda q, k, queue, t: picks(logits_of(q, k, queue, t, dim=None)),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            lambda q, k, queue, t: picks(logits_of(q, k, queue, t, dim=0)),
        ),
        mistake(
            "one length for the whole table",
            "You divide each whole table by one length. Each row has its own: unit(...) knows it.",
            lambda q, k, queue, t: picks(logits_of(q / q.norm(), k / k.norm(), queue / queue.norm(), t, dim=None)),
        ),
        mistake(
            "temperature multiplied",
            "Divide the similarities by the temperature: a small one must sharpen the softmax.",
            (") /", ") *"),
        ),
        mistake(
            "temperature ignored",
            "The temperature is not used. Divide the similarities by it.",
            (") / temperature", ")"),
        ),
        mistake(
            "the queue ignored",
            "You compare with the keys of the batch. The negatives are the rows of the queue.",
            lambda q, k, queue, t: in_batch(q, k, queue, t, also_queue=False),
        ),
        mistake(
            "the batch's keys among the negatives",
            "The other keys of the batch are among your negatives. Here the queue alone has them.",
            lambda q, k, queue, t: in_batch(q, k, queue, t, also_queue=True),
            lambda q, k, queue, t: in_batch(q, k, queue, t, also_queue=True, first=0),
        ),
        mistake(
            "the wrong column",
            "Your label points at a negative. The label is the column in which the positive stands.",
            ("zeros", "ones"),
            lambda q, k, queue, t: picks(logits_of(q, k, queue, t), len(queue)),
        ),
        mistake(
            "positive left out of the denominator",
            "The positive is one of the choices: it stands in the denominator too.",
            without_positive,
        ),
        mistake(
            "labels as in SimCLR",
            "Your labels count 0, 1, 2, ..., as for a square table of the batch. Here the positive stands in column 0 for every query.",
            lambda q, k, queue, t: F.cross_entropy(logits_of(q, k, queue, t), torch.arange(len(q))),
        ),
        mistake(
            "sum instead of mean", "You add up the queries. Take their mean.", (", first", ', first, reduction="sum"')
        ),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("return F", "return -F")),
        mistake(
            "no log",
            "You use the probability itself. Take its log.",
            lambda q, k, queue, t: -logits_of(q, k, queue, t).softmax(1)[:, 0].mean(),
            lambda q, k, queue, t: 1 - logits_of(q, k, queue, t).softmax(1)[:, 0].mean(),
        ),
        mistake(
            "gradient into keys and queue",
            "k and queue are trained too. The keys come from the teacher, which only follows: detach both.",
            lambda q, k, queue, t: picks(attached(q, k, queue, t)),
        ),
        mistake(
            "gradient into the keys",
            "The gradient reaches k. The keys come from the teacher, which only follows: k.detach().",
            ("k.detach()", "k"),
        ),
        mistake(
            "gradient into the queue",
            "The gradient reaches the queue, which is only a memory: queue.detach().",
            ("queue.detach()", "queue"),
        ),
        mistake(
            "the queries detached",
            "Your gradient reaches the keys in place of the queries. The student makes q, and only the student learns.",
            lambda q, k, queue, t: picks(attached(q.detach(), k, queue.detach(), t)),
        ),
        mistake(
            "one of the three not normalised",
            "A cosine needs all three at length 1: the rows of q, of k and of queue.",
            ("unit(queue.detach())", "queue.detach()"),
            ("unit(k.detach())", "k.detach()"),
            ("unit(q)", "q"),
        ),
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            ("F.cross_entropy(logits,", "F.cross_entropy(logits.softmax(1),"),
        ),
        mistake(
            "temperature on one side",
            "Only some logits are divided by the temperature. Divide the positive and the negatives.",
            ("[positive, q @ queue.T], dim=1) / temperature", "[positive, q @ queue.T / temperature], dim=1)"),
            ("[positive, q @ queue.T], dim=1) / temperature", "[positive / temperature, q @ queue.T], dim=1)"),
        ),
    ),
)
