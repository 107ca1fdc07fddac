"""Exercises of chapter 16: the centre, the loss, two collapses told apart, the teacher's momentum."""

from sslkit.chapters.dino.mistakes.dino_loss import LOSS
from sslkit.chapters.dino.mistakes.entropy_and_kl import ENTROPY
from sslkit.chapters.dino.mistakes.moved_centre import CENTRE
from sslkit.chapters.dino.mistakes.teacher_momentum import MOMENTUM

EXERCISES = [CENTRE, LOSS, ENTROPY, MOMENTUM]
