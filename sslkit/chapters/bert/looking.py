"""Look inside an encoder of text: where its heads look, what each of its layers knows."""

from typing import Any

import torch
from torch import Tensor

from sslkit.transformer import TextEncoder, mean_of_tokens


@torch.no_grad()
def attention_seen(encoder: TextEncoder, tokens: Tensor) -> Tensor:
    """Where each token looks in each head of each block: [N, depth, heads, T, T] for tokens [N, T]; rows add up to 1."""
    hidden = None if encoder.pad is None else tokens == encoder.pad
    x, weights = encoder.embedded(tokens), []
    block: Any
    for block in encoder.blocks:
        weights.append(block.attention.weights(x if block.post else block.norm1(x), hidden))
        x = block(x, hidden)
    return torch.stack(weights, dim=1)


@torch.no_grad()
def layer_features(encoder: TextEncoder, tokens: Tensor, batch: int = 256) -> list[Tensor]:
    """The mean over the tokens of each passage [N, T] after the embeddings and after each block: depth + 1 tensors
    [N, D] on the CPU. The last is before the encoder's final norm."""
    device, parts = encoder.embed.weight.device, []
    for rows in tokens.split(batch):
        rows = rows.to(device)
        hidden = None if encoder.pad is None else rows == encoder.pad
        x = encoder.embedded(rows)
        layers = [mean_of_tokens(x, rows, encoder.pad)]
        for block in encoder.blocks:
            x = block(x, hidden)
            layers.append(mean_of_tokens(x, rows, encoder.pad))
        parts.append(torch.stack(layers).float().cpu())
    return list(torch.cat(parts, dim=1))
