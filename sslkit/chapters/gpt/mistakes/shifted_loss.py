"""Exercise of chapter 20: the loss of guessing the next token."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.gpt.exercises import shifted_loss
from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def shifted_loss_loop(logits: Tensor, tokens: Tensor, pad: int) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    for n in range(len(tokens)):
        for i in range(tokens.shape[1] - 1):
            target = tokens[n, i + 1].item()
            if target != pad:
                row = logits[n, i].double()
                total = total - (row[target].exp() / row.exp().sum()).log()
                count += 1
    return total / count


def nll(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)


def averaged(losses: Tensor, counted: Tensor) -> Tensor:
    return (losses * counted).sum() / counted.sum()


def passages(seed: int, N: int, T: int, V: int, ends: tuple[int, ...] = (), pad: int = 0) -> tuple[Tensor, Tensor, int]:
    """Logits, tokens of which passage n is padded from place ends[n] on, and the padding."""
    tokens = draw_labels(seed, N * T, V - 1).view(N, T) + 1
    for n, end in enumerate(ends):
        tokens[n, end:] = 0
    return draw(seed, N, T, V, spread=2.0), (tokens + pad) % V, pad


def per_passage(logits: Tensor, tokens: Tensor, pad: int) -> Tensor:
    losses, real = nll(logits[:, :-1], tokens[:, 1:]), tokens[:, 1:] != pad
    return ((losses * real).sum(1) / real.sum(1)).mean()


CROSS = 'F.cross_entropy(guesses, answers, reduction="none")'
SHIFTED = Exercise(
    "shifted_loss",
    shifted_loss_loop,
    grad=True,
    trials=lambda: [
        passages(1, 1, 3, 4),
        passages(2, 2, 5, 6, ends=(5, 3)),
        passages(3, 4, 8, 10, ends=(2, 8, 4, 7)),
        passages(4, 3, 6, 5, ends=(4, 6, 6)),
        passages(5, 3, 6, 7, ends=(4, 6, 5), pad=3),
        (draw(6, 1, 4, 5, spread=2.0), torch.tensor([[0, 0, 2, 3]]), 0),  # padded in front
    ],
    mistakes=(
        mistake(
            "not shifted",
            "You compare the logits of place i with token i, which the network has just been given. It is to guess token i + 1.",
            lambda x, t, pad: averaged(nll(x, t), t != pad),
            lambda x, t, pad: averaged(nll(x[:, :-1], t[:, :-1]), t[:, :-1] != pad),
            lambda x, t, pad: averaged(nll(x[:, 1:], t[:, 1:]), t[:, 1:] != pad),
        ),
        mistake(
            "shifted the wrong way",
            "You compare the logits of place i with token i - 1. The answer lies to the right: token i + 1.",
            lambda x, t, pad: averaged(nll(x[:, 1:], t[:, :-1]), t[:, :-1] != pad),
        ),
        mistake(
            "padding counts",
            "You take the mean over the padding too. Nothing is to be learned from it.",
            (', reduction="none"', ""),
        ),
        mistake(
            "divided by all places",
            "You leave the padding out of the sum but divide by all places. Divide by how many targets count.",
            lambda x, t, pad: (nll(x[:, :-1], t[:, 1:]) * (t[:, 1:] != pad)).mean(),
        ),
        mistake(
            "padded inputs left out",
            "You leave out the places where padding is given. Leave out those where padding is to be guessed.",
            lambda x, t, pad: averaged(nll(x[:, :-1], t[:, 1:]), t[:, :-1] != pad),
        ),
        mistake(
            "what padding guesses left out",
            "You leave out what is guessed at a padded place too. Leave out the targets that are padding, and them alone.",
            ("real = answers != pad", "real = (answers != pad) & (tokens[:, :-1].flatten() != pad)"),
        ),
        mistake(
            "divided by all tokens",
            "You divide by the tokens that are no padding, the first ones too, which nobody guesses. Count the targets.",
            ("/ real.sum()", "/ (tokens != pad).sum()"),
        ),
        mistake(
            "two places on",
            "You compare the logits of place i with token i + 2. They are a guess of token i + 1.",
            (("logits[:, :-1]", "logits[:, :-2]"), ("tokens[:, 1:]", "tokens[:, 2:]")),
        ),
        mistake(
            "shifted along the batch",
            "You leave out a passage. Leave out a place of each: the second axis, [:, 1:].",
            (("logits[:, :-1]", "logits[:-1]"), ("tokens[:, 1:]", "tokens[1:]")),
        ),
        mistake(
            "mean of the passages' means",
            "You take each passage's mean first: a token of a short passage counts more. All targets count the same.",
            per_passage,
        ),
        mistake(
            "sum",
            "You add the losses up. Take their mean, or the loss grows with the batch.",
            ("() / real.sum()", "()"),
        ),
        mistake(
            "bits",
            "You take the logarithm to base 2. The loss is in nats, with the natural one.",
            lambda x, t, pad: shifted_loss(x, t, pad) / math.log(2),
        ),
        mistake(
            "shifted across passages",
            "You flatten first and shift then, so that the end of each passage guesses the start of the next. Shift first: logits[:, :-1], tokens[:, 1:].",
            lambda x, t, pad: F.cross_entropy(x.flatten(0, 1)[:-1], t.flatten()[1:], ignore_index=pad),
            lambda x, t, pad: F.cross_entropy(x[t != pad][:-1], t[t != pad][1:]),
        ),
        mistake(
            "the padding alone",
            "You take the loss where padding is to be guessed: the condition is the wrong way round.",
            ("!= pad", "== pad"),
        ),
        mistake(
            "divided by the passages",
            "You divide by the number of passages. Divide by how many targets count.",
            ("/ real.sum()", "/ len(tokens)"),
        ),
        mistake(
            "no logarithm",
            "You take minus the probability. Take minus its log.",
            (CROSS, "-guesses.softmax(1).gather(1, answers[:, None])[:, 0]"),
            (CROSS, "F.nll_loss(guesses.softmax(1), answers, reduction='none') + 1"),
        ),
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            ("logits[:", "logits.softmax(2)[:"),
        ),
        mistake(
            "rolled round",
            "You roll the tokens, so that the last logits are compared with the first token. They have nothing to guess: leave them out.",
            lambda x, t, pad: F.cross_entropy(x.flatten(0, 1), t.roll(-1, 1).flatten(), ignore_index=pad),
        ),
    ),
)
