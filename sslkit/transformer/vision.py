"""The Vision Transformer."""

from typing import Any

import torch
from torch import Tensor, nn

from sslkit.transformer.block import Block


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
        self.channels, self.patch, self.dim, self.grid = channels, patch, dim, grid
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
        tokens = x.flatten(2).transpose(1, 2) + self.positions((x.shape[2], x.shape[3]), x.device)
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

    def map(self, x: Tensor) -> Tensor:
        """Features of each patch, [N, dim, H / patch, W / patch]."""
        rows, columns = x.shape[2] // self.patch, x.shape[3] // self.patch
        tokens = self.mix(self.tokens(x))[:, -rows * columns :]  # without a class token
        return tokens.transpose(1, 2).unflatten(2, (rows, columns))

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.mix(self.tokens(x)))


def start_linear(module: nn.Module) -> None:
    """Xavier-uniform weights and zero biases for every linear layer inside, the one that embeds patches too."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight.flatten(1))
            if layer.bias is not None:
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
    last: Any = vit.blocks[chosen]
    return last.attention.weights(last.norm1(tokens))
