"""Exercises of chapter 17: patches, random masking, putting tokens back, the loss on hidden patches."""

from sslkit.chapters.mae.mistakes.hidden_mse import HIDDEN_MSE
from sslkit.chapters.mae.mistakes.patchify import PATCHIFY
from sslkit.chapters.mae.mistakes.put_back import PUT_BACK
from sslkit.chapters.mae.mistakes.visible_patches import VISIBLE

EXERCISES = [PATCHIFY, VISIBLE, PUT_BACK, HIDDEN_MSE]
