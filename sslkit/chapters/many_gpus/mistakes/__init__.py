"""Exercises of chapter 25: a process's share of a batch, gather's gradient, joint batch norm statistics, learning rate."""

from sslkit.chapters.many_gpus.mistakes.gather_gradient import GATHER_GRADIENT
from sslkit.chapters.many_gpus.mistakes.joint_statistics import JOINT_STATISTICS
from sslkit.chapters.many_gpus.mistakes.my_share import MY_SHARE
from sslkit.chapters.many_gpus.mistakes.scaled_rate import SCALED_RATE

EXERCISES = [MY_SHARE, GATHER_GRADIENT, JOINT_STATISTICS, SCALED_RATE]
