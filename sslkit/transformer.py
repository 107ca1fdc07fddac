"""Transformers: attention, the block that every model here is made of, the Vision Transformer and its like for text.

`hidden` masks say what may NOT be looked at (True = hidden), as all masks of the kit do; PyTorch's own function wants
the opposite.
"""

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

        cache: keys and values of the tokens before x, {} at first; those of x are put behind them. Then x is only what
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
    token before each, head 1 towards the one behind, 2 and 3 towards the second before and behind, and so again. 0 there,
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


class Block(nn.Module):
    """One layer of a transformer: attention, then two linear layers a token, each added to what came in.

    [N, T, dim] -> [N, T, dim]. mlp: the inner width, in multiples of dim; dropout: the share of each addition that is
    left out in training; eps: of the norms; gelu: "none" for the exact one, "tanh" for GPT-2's approximation. Norms
    come first ("pre-norm"), so the way from the last layer to the first is a plain sum: Dosovitskiy et al. 2021, eqs. 2
    and 3, as in GPT-2. post: after each addition instead, as in Vaswani et al. 2017 and BERT. near: see Attention.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp: int = 4,
        causal: bool = False,
        dropout: float = 0.0,
        eps: float = 1e-6,
        gelu: str = "none",
        post: bool = False,
        near: bool = False,
    ):
        super().__init__()
        self.post = post
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attention = Attention(dim, heads, causal, near)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp * dim), nn.GELU(gelu), nn.Linear(mlp * dim, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, hidden: Tensor | None = None, cache: dict[str, Tensor] | None = None) -> Tensor:
        """hidden and cache: see Attention."""
        if self.post:
            x = self.norm1(x + self.dropout(self.attention(x, hidden, cache)))
            return self.norm2(x + self.dropout(self.mlp(x)))
        x = x + self.dropout(self.attention(self.norm1(x), hidden, cache))
        return x + self.dropout(self.mlp(self.norm2(x)))


def sincos(grid: tuple[int, int], dim: int, device=None, base: float = 100.0) -> Tensor:
    """A position's fingerprint: sines and cosines of its row and column, [rows * columns, dim] float32.

    A quarter of dim each for sin(row w), cos(row w), sin(column w), cos(column w), with wavelengths from 2 pi to
    2 pi base. Nothing to learn, any grid. Source: Vaswani et al. 2017, section 3.5, once for each axis as in MAE. Their
    base is 10,000, for long sequences; on a grid of 8 x 8 most of its numbers are then nearly the same everywhere.
    """
    if dim % 4:
        raise ValueError(f"positions on a grid need a dim that 4 divides, not {dim}")
    rate = base ** (-torch.arange(dim // 4, device=device) / (dim // 4))
    row, column = (torch.arange(n, device=device)[:, None] * rate for n in grid)  # [rows, dim / 4], [columns, dim / 4]
    row, column = row[:, None].expand(*grid, -1), column[None].expand(*grid, -1)
    return torch.cat([row.sin(), row.cos(), column.sin(), column.cos()], dim=-1).flatten(0, 1)


def gather_tokens(tokens: Tensor, ids: Tensor) -> Tensor:
    """The tokens [N, K, D] that ids [N, K] name among tokens [N, T, D], image by image."""
    return tokens.gather(1, ids[:, :, None].expand(-1, -1, tokens.shape[2]))


class ViT(nn.Module):
    """Vision Transformer: patches become tokens, blocks mix them, their mean (or a class token) is the feature.

    Images [N, channels, H, W] in [0, 1] -> [N, dim]; patch must divide H and W. positions "sincos" fits any such size,
    "learned" the one of `grid` (rows, columns of patches) alone. class_token: one more token, whose output is the
    feature in place of the patches' mean. Source: Dosovitskiy et al. 2021, eqs. 1 to 4; sin-cos positions as in MAE.
    """

    def __init__(
        self,
        channels: int = 3,
        patch: int = 4,
        dim: int = 128,
        depth: int = 4,
        heads: int = 4,
        class_token: bool = False,
        positions: str = "sincos",
        grid: tuple[int, int] = (8, 8),
    ):
        super().__init__()
        if positions not in ("sincos", "learned"):
            raise ValueError(f"positions can be sincos or learned, not {positions!r}")
        self.patch, self.dim, self.grid = patch, dim, grid
        self.embed = nn.Conv2d(channels, dim, patch, stride=patch)  # one linear map a patch
        self.class_token = nn.Parameter(torch.empty(1, 1, dim)) if class_token else None
        self.learned = nn.Parameter(torch.empty(grid[0] * grid[1], dim)) if positions == "learned" else None
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fresh weights: linear layers uniform (Glorot & Bengio 2010) as in MAE, tokens and positions normal, std 0.02."""
        start_linear(self)
        for parameter in (self.class_token, self.learned):
            if parameter is not None:
                nn.init.normal_(parameter, std=0.02)

    def positions(self, grid: tuple[int, int], device) -> Tensor:
        """[L, dim] for a grid of rows and columns of patches."""
        if self.learned is None:
            return sincos(grid, self.dim, device)
        if grid != self.grid:
            raise ValueError(f"positions were learned for a grid of {self.grid} patches, these images have {grid}")
        return self.learned

    def tokens(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to tokens [N, L, dim] with their positions, L = (H / patch)(W / patch), row by
        row; with visible [N, K], the numbers of the patches to keep, [N, K, dim]."""
        if x.shape[2] % self.patch or x.shape[3] % self.patch:
            raise ValueError(
                f"patches of {self.patch} x {self.patch} do not fill images of {x.shape[2]} x {x.shape[3]}"
            )
        x = self.embed((2 * x - 1).contiguous(memory_format=torch.channels_last))  # [N, dim, rows, columns]
        tokens = x.flatten(2).transpose(1, 2) + self.positions(tuple(x.shape[2:]), x.device)
        return tokens if visible is None else gather_tokens(tokens, visible)

    def mix(self, tokens: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Tokens [N, T, dim] through all blocks and the last norm; a class token is put before them, [N, 1 + T, dim]."""
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens, hidden)
        return self.norm(tokens)

    def pool(self, tokens: Tensor) -> Tensor:
        """What mix gave to one feature an image, [N, dim]: the class token if there is one, else the mean."""
        return tokens.mean(dim=1) if self.class_token is None else tokens[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.mix(self.tokens(x)))


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
        return self.blocks[0].attention.causal

    def forward(self, tokens: Tensor) -> Tensor:
        return mean_of_tokens(self.tokens(tokens), tokens, self.pad)


def mean_of_tokens(x: Tensor, tokens: Tensor, pad: int | None) -> Tensor:
    """The mean of x [N, T, dim] over the places whose token [N, T] is not `pad`, [N, dim]; 0 where all are."""
    kept = torch.ones_like(tokens, dtype=x.dtype) if pad is None else (tokens != pad).to(x.dtype)
    return (x * kept[:, :, None]).sum(dim=1) / kept.sum(dim=1, keepdim=True).clamp(min=1)


def start_linear(module: nn.Module) -> None:
    """Xavier-uniform weights and zero biases for every linear layer inside, the one that embeds patches too."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight.flatten(1))
            nn.init.zeros_(layer.bias)


@torch.no_grad()
def attention_maps(vit: ViT, x: Tensor, layer: int = -1) -> Tensor:
    """Where each token looks in one layer, [N, heads, T, T], rows sum to 1; x images [N, C, H, W] in [0, 1].

    With a class token T is 1 + L and token 0 is it.
    """
    tokens = vit.tokens(x)
    if vit.class_token is not None:
        tokens = torch.cat([vit.class_token.expand(len(tokens), -1, -1), tokens], dim=1)
    chosen = range(len(vit.blocks))[layer]
    for block in vit.blocks[:chosen]:
        tokens = block(tokens)
    block = vit.blocks[chosen]
    return block.attention.weights(block.norm1(tokens))
