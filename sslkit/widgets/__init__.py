"""Thin widgets over sslkit.plots; each has a picture for where no kernel runs."""

from .explorer import EmbeddingExplorer, embedding_explorer
from .mask_slider import mask_slider
from .masked_word import masked_word
from .motion import clip_player
from .negatives import negatives
from .next_token import next_token
from .panel import Panel
from .patch_game import patch_game
from .picker import data_picker
from .playground import views_playground
from .queue import key_queue
from .similarity import similarity
from .threshold import threshold_slider

__all__ = [
    "EmbeddingExplorer",
    "Panel",
    "clip_player",
    "data_picker",
    "embedding_explorer",
    "mask_slider",
    "masked_word",
    "key_queue",
    "negatives",
    "next_token",
    "patch_game",
    "similarity",
    "threshold_slider",
    "views_playground",
]
