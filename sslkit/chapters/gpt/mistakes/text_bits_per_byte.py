"""Exercise of chapter 20: bits per byte."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def text_bits_per_byte_loop(nats: Tensor, lengths: Tensor) -> Tensor:
    bits, size = 0.0, 0
    for cost, length in zip(nats.tolist(), lengths.tolist()):
        bits += math.log2(math.exp(cost))
        size += length
    return torch.tensor(bits / size, dtype=torch.float64)


def costs(seed: int, M: int, ends: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    lengths = draw_labels(seed, M, 6) + 1
    lengths[list(ends)] = 0
    return draw(seed, M, spread=2.0).abs() + 0.25, lengths


BITS = Exercise(
    "text_bits_per_byte",
    text_bits_per_byte_loop,
    trials=lambda: [
        (torch.tensor([1.0, 3.0]), torch.tensor([1, 4])),
        costs(1, 5),
        costs(2, 12, ends=(11,)),
        costs(3, 30, ends=(4, 29)),
    ],
    mistakes=(
        mistake("nats", "You count nats. One nat is 1 / ln 2 = 1.44 bits.", ("math.log(2) / lengths", "lengths")),
        mistake(
            "multiplied by ln 2",
            "You multiply by ln 2. A bit is less than a nat, so there are more of them: divide.",
            ("/ math", "* math"),
        ),
        mistake(
            "bits per token",
            "You divide by the number of tokens. That depends on the tokenizer; divide by the bytes.",
            lambda nats, lengths: nats.mean() / math.log(2),
        ),
        mistake(
            "mean of the tokens' bits per byte",
            "You take the bits per byte of each token and then their mean, so that short tokens count as much as long ones. Sum the bits, sum the bytes, then divide.",
            lambda nats, lengths: (nats / lengths).mean() / math.log(2),
            lambda nats, lengths: (nats / lengths.clamp(min=1)).mean() / math.log(2),
            lambda nats, lengths: (nats / lengths.clamp(min=1))[lengths > 0].mean() / math.log(2),
        ),
        mistake(
            "the end is free",
            "You leave out the tokens that stand for no byte. They have to be guessed too: their bits count.",
            lambda nats, lengths: (nats * (lengths > 0)).sum() / math.log(2) / lengths.sum(),
        ),
        mistake(
            "the end is a byte",
            "You count a byte for tokens that stand for none.",
            lambda nats, lengths: nats.sum() / math.log(2) / lengths.clamp(min=1).sum(),
        ),
        mistake(
            "a second logarithm",
            "The nats are minus a logarithm already. To get bits, divide by ln 2.",
            lambda nats, lengths: nats.log2().sum() / lengths.sum(),
        ),
        mistake(
            "weighted by the length",
            "You multiply each token's nats by its bytes. A token costs its nats once.",
            lambda nats, lengths: (nats * lengths).sum() / math.log(2) / lengths.sum(),
        ),
        mistake(
            "perplexity",
            "You take exp, as a perplexity does. Bits are a logarithm: divide by ln 2.",
            ("nats.sum() / math.log(2) / lengths.sum()", "(nats.sum() / lengths.sum()).exp()"),
            ("nats.sum() / math.log(2) / lengths.sum()", "2 ** (nats.sum() / math.log(2) / lengths.sum())"),
        ),
        mistake(
            "bytes per bit",
            "You divide the bytes by the bits. Bits per byte is the other way round.",
            lambda nats, lengths: lengths.sum() * math.log(2) / nats.sum(),
        ),
        mistake(
            "eight bits to a byte",
            "You put in the 8 bits that a byte takes up in a file. What counts is what it costs to guess: all the bits over all the bytes.",
            ("return nats", "return 8 * nats"),
            ("lengths.sum()", "(8 * lengths.sum())"),
            lambda nats, lengths: 8 * lengths.sum() * math.log(2) / nats.sum(),
        ),
    ),
)
