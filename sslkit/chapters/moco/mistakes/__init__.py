"""Exercises of chapter 11: the momentum teacher, its half-life, the queue, the loss."""

from sslkit.chapters.moco.mistakes.half_life import HALF_LIFE
from sslkit.chapters.moco.mistakes.moco_loss import LOSS
from sslkit.chapters.moco.mistakes.teacher_weights import UPDATE
from sslkit.chapters.moco.mistakes.write_keys import WRITE

EXERCISES = [UPDATE, HALF_LIFE, WRITE, LOSS]
