"""A transformer for text."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from sslkit.transformer.block import Block


class TextEncoder(nn.Module):
    """A transformer for text: tokens and their positions become vectors, blocks mix them.

    tokens int64 [N, T <= context] -> [N, dim], the mean over those that are not `pad`. vocabulary: how many different
    tokens there are. causal: each place sees itself and those before it alone, for GPT. norm_first: a norm on the sum of
    embeddings, as in BERT. Positions are learned, as in GPT-2 and BERT; sines: they start as sines and cosines, so that
    what lies next to a token is easily found from the first step on. std: of fresh weights; 0.02 is for GPT-2's width of
    768, a narrow network starts faster with more. `block` goes to every Block: dropout, eps, gelu,
    post, near; with post there is no norm after the last block, which ends with one.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int = 128,
        dim: int = 128,
        depth: int = 4,
        heads: int = 4,
        causal: bool = False,
        norm_first: bool = False,
        sines: bool = False,
        pad: int | None = 0,
        std: float = 0.02,
        **block,
    ):
        super().__init__()
        self.vocabulary, self.context, self.dim, self.pad, self.sines = vocabulary, context, dim, pad, sines
        self.std = std
        eps = block.get("eps", 1e-6)
        self.embed = nn.Embedding(vocabulary, dim)
        self.places = nn.Embedding(context, dim)
        self.first = nn.LayerNorm(dim, eps=eps) if norm_first else nn.Identity()
        self.dropout = nn.Dropout(block.get("dropout", 0.0))
        self.blocks = nn.ModuleList(Block(dim, heads, causal=causal, **block) for _ in range(depth))
        self.norm = nn.Identity() if block.get("post") else nn.LayerNorm(dim, eps=eps)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fresh weights: normal with `std`, biases zero, and what is added to the sum smaller by sqrt(2 depth), so that
        the sum does not grow with depth. Source: GPT-2 (Radford et al. 2019, section 2.3)."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=self.std)
                if isinstance(module, nn.Linear):
                    nn.init.zeros_(module.bias)
        block: Any
        for block in self.blocks:
            for added in (block.attention.out, block.mlp[-1]):
                nn.init.normal_(added.weight, std=self.std / math.sqrt(2 * len(self.blocks)))
        if self.sines:  # Vaswani et al. 2017, section 3.5, as large as the rest
            rate = 10_000 ** (-torch.arange(self.dim // 2) / (self.dim // 2))
            angle = torch.arange(self.context)[:, None] * rate
            with torch.no_grad():
                self.places.weight.copy_(self.std * math.sqrt(2) * torch.cat([angle.sin(), angle.cos()], dim=1))
        else:  # as large as the tokens they would drown them at first
            nn.init.normal_(self.places.weight, std=self.std / 4)

    def embedded(self, tokens: Tensor, start: int = 0) -> Tensor:
        """tokens [N, T], the first of them at place `start`, to what the first block gets, [N, T, dim]."""
        stop = start + tokens.shape[1]
        if stop > self.context:
            raise ValueError(f"{stop} tokens are more than the {self.context} that this network has places for")
        places = torch.arange(start, stop, device=tokens.device)
        return self.dropout(self.first(self.embed(tokens) + self.places(places)))

    def tokens(self, tokens: Tensor, cache: list[dict] | None = None) -> Tensor:
        """One vector a token, after the last norm: [N, T] -> [N, T, dim]. cache: a dict for each block, see Attention; then
        tokens are only what is new. Padding is not looked at, except by a causal network, which meets it last."""
        start = cache[0]["k"].shape[2] if cache and cache[0] else 0
        x = self.embedded(tokens, start)
        hidden = None if self.causal or self.pad is None else tokens == self.pad
        for i, block in enumerate(self.blocks):
            x = block(x, hidden, cache[i] if cache is not None else None)
        return self.norm(x)

    @property
    def causal(self) -> bool:
        """Whether each place sees only itself and those before it."""
        block: Any = self.blocks[0]
        return block.attention.causal

    @property
    def channels(self) -> int:
        """What an encoder of images calls its colours: here the number of different tokens."""
        return self.vocabulary

    def map(self, tokens: Tensor) -> Tensor:
        """Features of each token, [N, T, dim]."""
        return self.tokens(tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        return mean_of_tokens(self.tokens(tokens), tokens, self.pad)


def mean_of_tokens(x: Tensor, tokens: Tensor, pad: int | None) -> Tensor:
    """The mean of x [N, T, dim] over the places whose token [N, T] is not `pad`, [N, dim]; 0 where all are."""
    kept = torch.ones_like(tokens, dtype=x.dtype) if pad is None else (tokens != pad).to(x.dtype)
    return (x * kept[:, :, None]).sum(dim=1) / kept.sum(dim=1, keepdim=True).clamp(min=1)
