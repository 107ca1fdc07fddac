"""Exercises of chapter 04: where a neighbour lies, cutting patches, pairs of the same image, and their loss."""

from sslkit.chapters.patches.mistakes.cut_patches import CUT
from sslkit.chapters.patches.mistakes.neighbour_offset import NEIGHBOUR
from sslkit.chapters.patches.mistakes.same_image_loss import LOSS
from sslkit.chapters.patches.mistakes.same_image_pairs import PAIRS

EXERCISES = [NEIGHBOUR, CUT, PAIRS, LOSS]
