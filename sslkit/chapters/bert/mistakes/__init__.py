"""Exercises of chapter 19: the 80/10/10 rule, the loss on hidden places, and two in which padding must not count."""

from sslkit.chapters.bert.mistakes.attend_both_ways import ATTEND
from sslkit.chapters.bert.mistakes.masked_cross_entropy import LOSS
from sslkit.chapters.bert.mistakes.mean_without_padding import MEAN
from sslkit.chapters.bert.mistakes.replace_hidden import REPLACE

EXERCISES = [REPLACE, LOSS, MEAN, ATTEND]
