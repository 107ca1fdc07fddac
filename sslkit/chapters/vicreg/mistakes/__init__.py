"""Exercises of chapter 14: variance, covariance, the three terms, and pairs of images without a table of images."""

from sslkit.chapters.vicreg.mistakes.covariance_loss import COVARIANCE
from sslkit.chapters.vicreg.mistakes.pair_penalty import PAIRS
from sslkit.chapters.vicreg.mistakes.variance_loss import VARIANCE
from sslkit.chapters.vicreg.mistakes.vicreg_terms import TERMS

EXERCISES = [VARIANCE, COVARIANCE, TERMS, PAIRS]
