"""Figures: arrays in, a `Picture` (PNG bytes and alt text) out, which shows itself in Jupyter. Never pyplot.

Every function takes `title` (what to see) and `caption` (protocol, split, seeds, numbers; shown below the
figure) and makes its alt text of them. Images are uint8 [N, C, H, W] or float in [0, 1], with 1 or 3
channels; tensors and arrays both do. picture.py says why figures are made the way they are.
"""

from .bars import bars, scoreboard
from .curves import label_efficiency, losses, smooth, spread_words, verdict
from .diagrams import Box, diagram
from .images import grid, neighbours, pairs, rows, strip
from .live import Live
from .maps import forming, islands, subsample, tsne, tsne_maps
from .matrices import confusion, heatmap
from .picture import COLOURS, Picture, array, note

__all__ = [
    "COLOURS",
    "Box",
    "Live",
    "Picture",
    "array",
    "bars",
    "confusion",
    "diagram",
    "forming",
    "grid",
    "heatmap",
    "islands",
    "label_efficiency",
    "losses",
    "neighbours",
    "note",
    "pairs",
    "rows",
    "scoreboard",
    "smooth",
    "spread_words",
    "strip",
    "subsample",
    "tsne",
    "tsne_maps",
    "verdict",
]
