"""MAE hides patches, so its encoder is a Vision Transformer."""

from sslkit.transformer import ViT


def encoder(channels: int) -> ViT:
    return ViT(channels, patch=8, dim=16, depth=1, heads=2)
