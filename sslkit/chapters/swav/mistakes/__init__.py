"""Exercises of chapter 15: seats shared out evenly, swapped prediction, prototypes in use, a turn of k-means."""

from sslkit.chapters.swav.mistakes.kmeans_turn import KMEANS
from sslkit.chapters.swav.mistakes.prototypes_in_use import USE
from sslkit.chapters.swav.mistakes.sinkhorn import SINKHORN
from sslkit.chapters.swav.mistakes.swapped_loss import SWAPPED

EXERCISES = [SINKHORN, SWAPPED, USE, KMEANS]
