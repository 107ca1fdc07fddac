"""Figures: arrays in, a `Picture` (PNG bytes and alt text) out, which shows itself in Jupyter. Never pyplot.

Every function takes `title` (what to see) and `caption` (protocol, split, seeds, numbers; shown below the
figure) and makes its alt text of them. Images are uint8 [N, C, H, W] or float in [0, 1], with 1 or 3
channels; tensors and arrays both do. picture.py says why figures are made the way they are.
"""

from .bands import efficiency_panels
from .bars import bars, histogram, scoreboard
from .contrast import hardest, info_nce_parts, similarity_matrix, temperature_strip
from .curves import label_efficiency, losses, smooth, verdict
from .dictionary import dictionary
from .guesses import guesses
from .images import grid, neighbours, pairs, rows, strip
from .live import Live, duration, in_jupyter
from .maps import subsample, tsne, tsne_maps
from .matrices import confusion, heatmap
from .motion import motion
from .negatives import negatives
from .picture import COLOURS, Picture, array, note
from .places import places
from .words import token_labels, word_guesses, words

__all__ = [
    "COLOURS", "Live", "Picture", "array", "bars", "confusion", "dictionary", "duration", "efficiency_panels", "grid", "guesses",
    "hardest", "heatmap",
    "histogram", "in_jupyter", "info_nce_parts", "label_efficiency", "losses", "motion", "negatives", "neighbours", "note", "pairs",
    "places", "rows", "scoreboard", "similarity_matrix", "smooth", "strip", "subsample", "temperature_strip", "tsne",
    "token_labels", "tsne_maps", "verdict", "word_guesses", "words",
]  # fmt: skip
