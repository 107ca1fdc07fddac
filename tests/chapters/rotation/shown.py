"""Widgets of this chapter, for what is tested of all of them."""

import torch

from sslkit.chapters.rotation.widget import turn_game

IMAGES = torch.randint(256, (14, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TURNS = torch.arange(14) % 4

FIGURES: dict = {}
WIDGETS = {"turn game": lambda: turn_game(IMAGES, TURNS)}
