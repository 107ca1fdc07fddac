"""Exercises of chapter 02: kNN prediction, effective rank, alignment, uniformity."""

from sslkit.chapters.judging.mistakes.alignment import ALIGNMENT
from sslkit.chapters.judging.mistakes.effective_rank import RANK
from sslkit.chapters.judging.mistakes.knn_predict import KNN_PREDICT
from sslkit.chapters.judging.mistakes.uniformity import UNIFORMITY

EXERCISES = [KNN_PREDICT, RANK, ALIGNMENT, UNIFORMITY]
