"""Thin widgets over sslkit.plots; each has a picture for where no kernel runs."""

from .explorer import EmbeddingExplorer, embedding_explorer
from .mask_slider import mask_slider
from .motion import clip_player
from .panel import Panel
from .patch_game import patch_game
from .picker import data_picker
from .playground import views_playground
from .queue import key_queue
from .similarity import similarity

__all__ = [
    "EmbeddingExplorer",
    "Panel",
    "clip_player",
    "data_picker",
    "embedding_explorer",
    "mask_slider",
    "key_queue",
    "patch_game",
    "similarity",
    "views_playground",
]
