"""What chapter 17 changes, one thing at a time; `python tests/benchmarks/ablate.py mae` trains each at full length."""

from typing import Any

import torch

from sslkit.train import Ablation


def no_positions(method: Any) -> None:
    """A bug: the decoder's tokens do not say where they are from."""
    method.decoder.positions = lambda grid, like: torch.zeros(1, 1, device=like.device)


def not_put_back(method: Any) -> None:
    """A bug: the visible tokens come first and the mask tokens after them, wherever they belong."""
    decoder = method.decoder.forward

    def forward(tokens, visible, grid):
        return decoder(tokens, torch.arange(visible.shape[1], device=visible.device).expand_as(visible), grid)

    method.decoder.forward = forward


def mask_upside_down(method: Any) -> None:
    """A bug: the loss is taken on what is visible."""
    pretext = method.pretext

    def turned(x, generator):
        x, visible, mask = pretext(x, generator)
        return x, visible, ~mask

    method.pretext = turned


ABLATIONS = {
    "as it is": Ablation(),
    "25 % hidden": Ablation(options={"ratio": 0.25}),
    "50 % hidden": Ablation(options={"ratio": 0.5}),
    "90 % hidden": Ablation(options={"ratio": 0.9}),
    "raw pixels": Ablation(options={"normalised": False}),
    "decoder of 4 blocks": Ablation(options={"decoder_depth": 4}),
    "whole images": Ablation(options={"crop": 1.0}),
    "98 % hidden": Ablation(options={"ratio": 0.98}),
    "decoder 16 wide": Ablation(options={"decoder_dim": 16}),
    "not put back": Ablation(change=not_put_back, once=True),
    "no positions": Ablation(change=no_positions, once=True),
    "mask upside down": Ablation(change=mask_upside_down, once=True),
}
BUGS = {"A": "mask upside down", "B": "not put back", "C": "no positions"}  # of "diagnose"
