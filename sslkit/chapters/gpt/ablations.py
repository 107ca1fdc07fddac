"""What chapter 20 changes. ABLATIONS: on `text`, by `python tests/benchmarks/ablate.py gpt`, judged by the package that a passage is
from; the bugs are trained on tales, in section 8. TALES: on tales, by `python tests/benchmarks/run.py gpt --tales`, judged by what is
written."""

from typing import Any

import torch

from sslkit.chapters.gpt.method import next_token_loss
from sslkit.train import Ablation


def asked_rarely(method: Any) -> None:
    """Only 15 % of the places ask for the next token, drawn anew each step: as many as BERT's."""

    def forward(batch):
        inputs, targets = batch
        asked = torch.rand(targets.shape, device=targets.device) < 0.15
        pad = method.encoder.pad
        return next_token_loss(method.logits(inputs), targets.masked_fill(~asked, pad), pad), {}

    method.forward = forward


def no_positions(method: Any) -> None:
    """The place of a token is not said."""
    torch.nn.init.zeros_(method.encoder.places.weight).requires_grad_(False)


def one_block(method: Any) -> None:
    """One block in place of four."""
    method.encoder.blocks = method.encoder.blocks[:1]


def neighbour_only(method: Any) -> None:
    """Attention sees the token itself and the one before it, so that four blocks see five tokens."""
    for block in method.encoder.blocks:

        def seen(x, hidden, keys=None, look=block.attention.seen):
            T, keys = x.shape[1], keys or x.shape[1]  # the last T of the keys are those of x
            near = torch.ones(T, keys, dtype=torch.bool, device=x.device).triu(keys - T - 1)
            return look(x, hidden, keys) & near[None, None]

        block.attention.seen = seen


def leaking(method: Any) -> None:
    """A bug: no mask, so that each place sees its answer."""
    for block in method.encoder.blocks:
        block.attention.causal = False


def not_shifted(method: Any) -> None:
    """A bug: the answer is the token that was given."""
    pretext = method.pretext
    method.pretext = lambda tokens, generator=None: (pretext(tokens)[0],) * 2


def next_door(method: Any) -> None:
    """A bug: the answers are those of the passage next door."""
    method.pretext = lambda tokens, generator=None: (type(method).pretext(method, tokens)[0], tokens.roll(1, 0))


ABLATIONS = {
    "as it is": Ablation(),
    "asked at 15 % of the places": Ablation(change=asked_rarely),
    "no mask": Ablation(change=leaking, once=True),
    "not shifted": Ablation(change=not_shifted, once=True),
    "passage next door": Ablation(change=next_door, once=True),
}
BUGS = {"A": "no mask", "B": "not shifted", "C": "passage next door"}  # of "diagnose"

TALES = {
    "as it is": Ablation(),
    "no positions": Ablation(change=no_positions),
    "one block": Ablation(change=one_block),
    "sees five tokens": Ablation(change=neighbour_only),
}
