"""Transformers: attention, the block that every model here is made of, the Vision Transformer and its like for text.

`hidden` masks say what may NOT be looked at (True = hidden), as all masks of the kit do; PyTorch's own function wants
the opposite.
"""

from sslkit.transformer.attention import Attention, attend, attention_weights, leaning, near_weights
from sslkit.transformer.block import Block
from sslkit.transformer.text import TextEncoder, mean_of_tokens
from sslkit.transformer.vision import ViT, attention_maps, gather_tokens, sincos, start_linear

__all__ = [
    "Attention",
    "Block",
    "TextEncoder",
    "ViT",
    "attend",
    "attention_maps",
    "attention_weights",
    "gather_tokens",
    "leaning",
    "mean_of_tokens",
    "near_weights",
    "sincos",
    "start_linear",
]
