"""The factors behind generated images, as `scenes`, `controlled` and `moving` draw them."""

import torch
from torch import Tensor

from sslkit.datasets.emoji import ARTISTS, pack
from sslkit.views import apply_colour, colour_matrices

SIDE = 32  # pixels
SIZE, TILT = (17.0, 29.0), (-25.0, 25.0)  # of an emoji in a scene: pixels, degrees


def between(n: int, generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    """n random numbers from low to high."""
    return torch.rand(n, generator=generator) * (high - low) + low


def balanced(n: int, classes: int, generator: torch.Generator) -> Tensor:
    """n classes in random order, each as often as the others."""
    return torch.arange(n)[torch.randperm(n, generator=generator)] % classes


def emoji_of(kind: Tensor, rows: list[Tensor], generator: torch.Generator) -> Tensor:
    """An emoji, a row of the pack, of each kind [n]; rows: those of each kind, all equally likely."""
    share = torch.rand(len(kind), generator=generator)
    return torch.stack([r[(share * len(r)).long()] for r in rows])[kind, torch.arange(len(kind))]


def place(size: Tensor, generator: torch.Generator) -> Tensor:
    """One coordinate of the centre of emoji of size [n], in pixels: nearly all of the emoji stays inside."""
    return SIDE / 2 + (SIDE - 0.9 * size) / 2 * between(len(size), generator, -1, 1)


def artwork(rgba: Tensor, hue: Tensor) -> Tensor:
    """Emoji uint8 [N, 4, 32, 32] with their hue [N] turned, as float with premultiplied alpha: averages do not mix in the colour of
    clear pixels."""
    image = rgba.float() / 255
    same = torch.ones(len(hue))
    changes = colour_matrices(same, same, same, hue, image[:, :3].mean((2, 3)))
    image[:, :3] = apply_colour(image[:, :3], *changes)
    image[:, :3] *= image[:, 3:]
    return image


def laid_on(ground: Tensor, layer: Tensor) -> Tensor:
    """A layer [..., 4, H, W] with premultiplied alpha on ground [..., 3, H, W]: uint8."""
    mixed = layer[..., :3, :, :] + ground * (1 - layer[..., 3:, :, :])
    return (mixed * 255).round_().clamp_(0, 255).to(torch.uint8)


def check_artist(artist: str) -> None:
    """ValueError, with the known ones, for any other."""
    if artist not in ARTISTS:
        raise ValueError(f"no emoji artist {artist!r}; there are {' and '.join(ARTISTS)}")


def names_of(emoji: Tensor) -> list[str]:
    """The names of rows of the pack."""
    names = pack().name
    return [names[i] for i in emoji.tolist()]
