"""Answers to the exercises, tests/chapters/NAME/answers.py, with four tables each:

KNOWN    (exercise, arguments, the value they must give); lists stand for tensors
RIGHT    {exercise: right answers written differently}
NAMED    (exercise, a wrong answer, the name of the mistake that it must get)
UNNAMED  (exercise, a wrong answer that no mistake describes)
"""

import numpy as np
from parts import parts


def unit(z):
    return z / z.norm(dim=1, keepdim=True)


def unit_numpy(z):
    return z.numpy() / np.linalg.norm(z.numpy(), axis=1, keepdims=True)


def table(name: str) -> list[tuple]:
    """The rows of one table over all chapters; of RIGHT, (exercise, answer)."""
    tables = [getattr(module, name) for module in parts("answers").values()]
    if name == "RIGHT":
        return [(exercise, answer) for rows in tables for exercise, answers in rows.items() for answer in answers]
    return [row for rows in tables for row in rows]
