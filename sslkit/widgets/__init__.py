"""Thin widgets over sslkit.plots; each has a picture for where no kernel runs."""

from .controls import choice, slider
from .explorer import EmbeddingExplorer, embedding_explorer
from .panel import Panel
from .picker import data_picker
from .playground import views_playground

__all__ = [
    "EmbeddingExplorer",
    "Panel",
    "choice",
    "data_picker",
    "embedding_explorer",
    "slider",
    "views_playground",
]
