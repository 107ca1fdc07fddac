"""Answers to the exercises, a module per chapter of sslkit.checks with four tables:

KNOWN    (exercise, arguments, the value they must give); lists stand for tensors
RIGHT    {exercise: right answers written differently}
NAMED    (exercise, a wrong answer, the name of the mistake that it must get)
UNNAMED  (exercise, a wrong answer that no mistake describes)
"""

import importlib

import numpy as np

from sslkit.checks import CHAPTERS


def unit(z):
    return z / z.norm(dim=1, keepdim=True)


def unit_numpy(z):
    return z.numpy() / np.linalg.norm(z.numpy(), axis=1, keepdims=True)


def table(name: str) -> list[tuple]:
    """The rows of one table over all chapters; of RIGHT, (exercise, answer)."""
    tables = [getattr(importlib.import_module(f"{__name__}.{chapter}"), name) for chapter in CHAPTERS]
    if name == "RIGHT":
        return [(exercise, answer) for rows in tables for exercise, answers in rows.items() for answer in answers]
    return [row for rows in tables for row in rows]
