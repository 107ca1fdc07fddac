"""Exercises of chapter 23: linear CKA, the unbiased estimator behind it, shared neighbours, how far features move."""

from sslkit.chapters.compare.mistakes.linear_cka import CKA
from sslkit.chapters.compare.mistakes.shared_neighbours import SHARED
from sslkit.chapters.compare.mistakes.total_effect import EFFECT
from sslkit.chapters.compare.mistakes.unbiased_hsic import HSIC

EXERCISES = [CKA, HSIC, EFFECT, SHARED]
