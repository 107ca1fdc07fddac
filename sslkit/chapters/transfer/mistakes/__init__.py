"""Exercises of chapter 22: a nested label subset, learning rates per layer, FixMatch's loss, labels saved."""

from sslkit.chapters.transfer.mistakes.consistency_loss import FIXMATCH
from sslkit.chapters.transfer.mistakes.labels_saved import SAVED
from sslkit.chapters.transfer.mistakes.nested_subset import NESTED
from sslkit.chapters.transfer.mistakes.rates_per_layer import RATES

EXERCISES = [NESTED, RATES, FIXMATCH, SAVED]
