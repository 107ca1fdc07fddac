"""Exercises of chapter 13: standardising, the cross-correlation, the loss, redundancy, and a batch in parts."""

from sslkit.chapters.barlow_twins.mistakes.barlow_loss import LOSS
from sslkit.chapters.barlow_twins.mistakes.cross_correlation import CORRELATION
from sslkit.chapters.barlow_twins.mistakes.redundancy import REDUNDANCY
from sslkit.chapters.barlow_twins.mistakes.standardise import STANDARDISE
from sslkit.chapters.barlow_twins.mistakes.whole_correlation import WHOLE

EXERCISES = [STANDARDISE, CORRELATION, LOSS, REDUNDANCY, WHOLE]
