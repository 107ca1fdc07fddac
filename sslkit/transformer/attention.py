"""Attention: every token asks all others, and takes a weighted mean of what they hold."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Self-attention with several heads: every token asks all others, and takes a weighted mean of what they hold.

    [N, T, dim] -> [N, T, dim]; heads must divide dim. causal: a token sees itself and those before it alone.
    near: every head leans towards a place of its own near by, see `leaning`. Source: Vaswani et al. 2017, section 3.2.
    """

    def __init__(self, dim: int, heads: int, causal: bool = False, near: bool = False):
        super().__init__()
        if dim % heads:
            raise ValueError(f"{heads} heads cannot share {dim} dimensions evenly")
        self.heads, self.causal, self.near = heads, causal, near
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of x [N, T, dim], each [N, heads, T, dim / heads]."""
        return self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)

    def seen(self, x: Tensor, hidden: Tensor | None, keys: int | None = None) -> Tensor | None:
        """Which keys each query of x [N, T, dim] may look at, [N or 1, 1, T or 1, keys], or None for all of them. keys:
        how many there are, the last T of them those of x; None for T."""
        seen, (N, T, _), keys = None, x.shape, keys or x.shape[1]
        if hidden is not None:
            if hidden.dtype != torch.bool or hidden.shape not in ((N, keys), (N, T, keys)):
                raise ValueError(
                    f"hidden must be bool [{N}, {keys}] or [{N}, {T}, {keys}], got {hidden.dtype} {list(hidden.shape)}"
                )
            seen = ~(hidden[:, None, None] if hidden.ndim == 2 else hidden[:, None])
        if self.causal:
            past = torch.ones(T, keys, dtype=torch.bool, device=x.device).tril(keys - T)[None, None]
            seen = past if seen is None else seen & past
        return seen

    def forward(self, x: Tensor, hidden: Tensor | None = None, cache: dict[str, Tensor] | None = None) -> Tensor:
        """x [N, T, dim]; hidden, bool: tokens that none may look at [N, T], or that query i may not, [N, T, T].

        cache: keys and values of the tokens before x, {} at first; those of x follow them. Then x is only what
        is new, and the T keys above are all of them. At least one token must be in sight of every query.
        """
        q, k, v = self.split(x)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)
            cache.update(k=k, v=v)
        keys = k.shape[2]
        if self.near:
            mixed = near_weights(q, k, self.seen(x, hidden, keys)).to(v.dtype) @ v
        elif (
            x.device.type == "cpu"
        ):  # in bfloat16 PyTorch's own has a backward here that takes 12 times as long (torch 2.15)
            mixed = attend(q, k, v, self.seen(x, hidden, keys))
        else:  # never holds the T x T weights in memory
            causal = self.causal and hidden is None and keys == x.shape[1]
            seen = None if causal else self.seen(x, hidden, keys)
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, is_causal=causal)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """The weights that forward mixes the values with, [N, heads, T, T]: row i is where token i looks; sums to 1."""
        q, k, _ = self.split(x)
        return (near_weights if self.near else attention_weights)(q, k, self.seen(x, hidden))


def attention_weights(q: Tensor, k: Tensor, seen: Tensor | None = None) -> Tensor:
    """softmax(q k / sqrt(D)), [N, heads, T, T], of queries and keys [N, heads, T, D]; seen: True where allowed."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    return (scores if seen is None else scores.masked_fill(~seen, -math.inf)).softmax(dim=-1)


def leaning(heads: int, T: int, keys: int, device=None) -> Tensor:
    """What is added to the scores of T queries, the last of `keys` tokens, [heads, T, keys]: head 0 leans towards the
    token before each, head 1 towards the one after, 2 and 3 towards the second before and after, and so again. 0 there,
    1.5 less for each token further, 6 less from the fourth on, so that what a token holds can still outweigh it.
    Fixed, as in ALiBi (Press et al. 2022), which leans towards the token itself."""
    towards = torch.tensor([-1.0, 1.0, -2.0, 2.0], device=device)[torch.arange(heads, device=device) % 4]
    places = torch.arange(keys, device=device)
    distance = places[None, :] - places[keys - T :, None] - towards[:, None, None]
    return (-1.5 * distance.abs()).clamp(min=-6.0)


def near_weights(q: Tensor, k: Tensor, seen: Tensor | None = None) -> Tensor:
    """attention_weights with `leaning` added to the scores before the softmax."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    scores = scores + leaning(q.shape[1], q.shape[2], k.shape[2], q.device).to(scores.dtype)
    return (scores if seen is None else scores.masked_fill(~seen, -math.inf)).softmax(dim=-1)


def attend(q: Tensor, k: Tensor, v: Tensor, seen: Tensor | None = None) -> Tensor:
    """Each query's weighted mean of the values, all [N, heads, T, D], written out. Source: Vaswani et al. 2017, eq. 1."""
    return attention_weights(q, k, seen).to(v.dtype) @ v
