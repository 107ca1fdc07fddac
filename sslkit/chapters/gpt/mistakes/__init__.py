"""Exercises of chapter 20: attention to the past, the shifted loss, top-p, bits per byte."""

from sslkit.chapters.gpt.mistakes.causal_attention import ATTENTION
from sslkit.chapters.gpt.mistakes.nucleus import NUCLEUS
from sslkit.chapters.gpt.mistakes.shifted_loss import SHIFTED
from sslkit.chapters.gpt.mistakes.text_bits_per_byte import BITS

EXERCISES = [ATTENTION, SHIFTED, NUCLEUS, BITS]
