"""Exercises of chapter 10: positives, similarities, InfoNCE, false negatives.

Everywhere the 2 N views of N images are stacked as torch.cat([z1, z2]): row i and row i + N are one image.
"""

from sslkit.chapters.simclr.mistakes.false_negative_rate import FALSE_NEGATIVES
from sslkit.chapters.simclr.mistakes.info_nce import INFO_NCE
from sslkit.chapters.simclr.mistakes.positive_index import POSITIVE
from sslkit.chapters.simclr.mistakes.similarity_matrix import SIMILARITY

EXERCISES = [POSITIVE, SIMILARITY, INFO_NCE, FALSE_NEGATIVES]
