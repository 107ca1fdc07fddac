"""Exercises of chapter 12: the pull, the teacher's schedule, the pull on one number, the spectrum, a computed predictor."""

from sslkit.chapters.byol.mistakes.direct_predictor import DIRECT
from sslkit.chapters.byol.mistakes.gains import GAINS
from sslkit.chapters.byol.mistakes.momentum_at import MOMENTUM
from sslkit.chapters.byol.mistakes.negative_cosine import NEGATIVE_COSINE
from sslkit.chapters.byol.mistakes.pull_on import PULL

EXERCISES = [NEGATIVE_COSINE, MOMENTUM, PULL, GAINS, DIRECT]
