"""Exercises of chapter 08: a bouncing ball, windows over the past, the copying baseline, the roll-out."""

from sslkit.chapters.next_frame.mistakes.bounce import BOUNCE
from sslkit.chapters.next_frame.mistakes.copy_last_ratio import COPY_LAST
from sslkit.chapters.next_frame.mistakes.extrapolate import ROLLOUT
from sslkit.chapters.next_frame.mistakes.past_windows import PAST_WINDOWS

EXERCISES = [BOUNCE, PAST_WINDOWS, COPY_LAST, ROLLOUT]
