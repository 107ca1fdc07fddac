"""Exercises of chapter 00: accuracy, the puzzle, chance level."""

from sslkit.chapters.start_here.mistakes.accuracy import ACCURACY
from sslkit.chapters.start_here.mistakes.chance_level import CHANCE_LEVEL
from sslkit.chapters.start_here.mistakes.partners import PARTNERS

EXERCISES = [ACCURACY, PARTNERS, CHANCE_LEVEL]
