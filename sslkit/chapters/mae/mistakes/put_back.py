"""Exercise of chapter 17: tokens back in their places."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.mae.mistakes.noise import noise
from sslkit.checks.exercise import Exercise, draw, mistake


def put_back_loop(tokens: Tensor, visible: Tensor, mask_token: Tensor, L: int) -> Tensor:
    images = []
    for n in range(len(tokens)):
        places = {place: k for k, place in enumerate(visible[n].tolist())}
        images.append(torch.stack([tokens[n, places[i]] if i in places else mask_token for i in range(L)]).double())
    return torch.stack(images)


def filled(tokens: Tensor, visible: Tensor, filler: Tensor, L: int) -> Tensor:
    return filler.expand(len(tokens), L, -1).scatter(1, visible[:, :, None].expand_as(tokens), tokens)


def followed(tokens: Tensor, mask_token: Tensor, L: int) -> Tensor:
    rest = mask_token.expand(len(tokens), L - tokens.shape[1], -1)
    return torch.cat([tokens, rest], dim=1)


def hidden_first(visible: Tensor, L: int) -> Tensor:
    """All places: the visible in their order, then the hidden."""
    mask = torch.ones(len(visible), L).scatter(1, visible, 0)
    return torch.cat([visible, mask.argsort(dim=1, stable=True, descending=True)[:, : L - visible.shape[1]]], dim=1)


def everywhere(tokens: Tensor, visible: Tensor, mask_token: Tensor, L: int) -> Tensor:
    out = mask_token.repeat(len(tokens), L, 1)
    out[:, visible] = tokens
    return out


PUT_BACK = Exercise(
    "put_back",
    put_back_loop,
    grad=True,
    trials=lambda: [
        (torch.tensor([[[1.0], [2.0]]]), torch.tensor([[2, 0]]), torch.tensor([9.0]), 4),
        (draw(1, 2, 3, 4), noise(1, 2, 8).argsort(1)[:, :3], draw(2, 4), 8),
        (draw(3, 3, 4, 2), noise(4, 3, 16).argsort(1)[:, :4], draw(5, 2), 16),
    ],
    mistakes=(
        mistake(
            "not put back",
            "You put the tokens at one end and the mask tokens at the other. Each token belongs to place visible[n, k].",
            lambda t, v, m, L: followed(t, m, L),
            lambda t, v, m, L: followed(t, m, L).roll(L - t.shape[1], 1),
        ),
        mistake(
            "the order of visible",
            "You sort `visible`. It holds the places already: tokens[n, k] belongs to visible[n, k].",
            ("visible[:", "visible.argsort(1)[:"),
        ),
        mistake(
            "L guessed",
            "You take the largest visible place for the last one. The places after it may all be hidden: use L.",
            ("L, -1", "int(visible.max()) + 1, -1"),
        ),
        mistake(
            "shuffled once more",
            "You bring the sequence into the order of the permutation instead of undoing it. To undo a permutation, gather with its argsort.",
            lambda t, v, m, L: followed(t, m, L).gather(1, hidden_first(v, L)[:, :, None].expand(-1, -1, t.shape[2])),
        ),
        mistake(
            "zeros in place of the mask token",
            "The hidden places hold zeros. They hold the mask token.",
            lambda t, v, m, L: filled(t, v, torch.zeros_like(m), L),
        ),
        mistake(
            "the first image's places for all",
            "You use the places of the first image for the whole batch. Each image has its own row of visible.",
            lambda t, v, m, L: filled(t, v[:1].expand_as(v), m, L),
        ),
        mistake(
            "the places of every image in each",
            "out[:, visible] = tokens writes to the places of every image in each of them. Row n has its own places, visible[n]: scatter.",
            everywhere,
        ),
        mistake(
            "order of the places",
            "You fill the visible places in ascending order. tokens[n, k] belongs to visible[n, k], in whatever order.",
            lambda t, v, m, L: filled(t, v.sort(1).values, m, L),
        ),
        mistake(
            "added to the mask token",
            "You add the tokens to the mask token. A visible place holds its token alone.",
            lambda t, v, m, L: m.expand(len(t), L, -1).scatter_add(1, v[:, :, None].expand_as(t), t),
        ),
    ),
)
