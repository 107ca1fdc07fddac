"""Exercises of chapter 03: rotating a batch, the pretext batch, its loss, the loss of guessing."""

from sslkit.chapters.rotation.mistakes.chance_loss import CHANCE
from sslkit.chapters.rotation.mistakes.rotate_batch import ROTATE
from sslkit.chapters.rotation.mistakes.rotation_batch import ROTATION_BATCH
from sslkit.chapters.rotation.mistakes.rotation_loss import ROTATION_LOSS

EXERCISES = [ROTATE, ROTATION_BATCH, ROTATION_LOSS, CHANCE]
