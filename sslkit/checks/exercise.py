"""What an exercise is: a solution, a slow oracle, trials, known mistakes, and the words around them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Mistake:
    """A misconception: its name, what the reader is told, and wrong implementations that show it."""

    name: str
    explanation: str
    forms: tuple[Callable, ...]


def mistake(name: str, explanation: str, *forms: Callable) -> Mistake:
    return Mistake(name, explanation, forms)


@dataclass(frozen=True)
class Exercise:
    """One exercise. The solution's name, signature and docstring are the contract that the reader is given.

    solution: fast and differentiable; its source is what the folded solution shows, and it is the fallback.
    oracle: the definition, written independently of the solution as slow loops in float64.
    trials: gives the argument tuples to try, the smallest first, since the first failing one is printed.
    returns: a word for each returned value; more than one means a tuple.
    grad: the result is trained on, so its gradient is compared too and a detached result is refused.
    tolerance: relative to the largest expected entry; rounding stays well below it, misconceptions above.
    """

    solution: Callable
    oracle: Callable
    trials: Callable[[], list[tuple]]
    mistakes: tuple[Mistake, ...]
    title: str
    difficulty: int
    minutes: int
    task: str
    hints: tuple[str, str, str]
    returns: tuple[str, ...] = ("result",)
    grad: bool = False
    tolerance: float = 1e-3

    @property
    def name(self) -> str:
        return self.solution.__name__

    @property
    def parameters(self) -> list[str]:
        return list(inspect.signature(self.solution).parameters)


def draw(seed: int, *shape: int, spread: float = 1.0) -> torch.Tensor:
    """Seeded normal float32 numbers with two decimals, so that a printed example can be typed in again."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float32) * spread).round(decimals=2)


def draw_rows(seed: int, rows: int, columns: int) -> torch.Tensor:
    """Like draw, with rows of clearly different lengths: a forgotten normalisation shows."""
    return (draw(seed, rows, columns) * torch.linspace(0.5, 3.0, rows)[:, None]).round(decimals=2)


def draw_labels(seed: int, count: int, classes: int) -> torch.Tensor:
    """Seeded int64 labels [count] in 0 .. classes - 1."""
    return torch.randint(classes, (count,), generator=torch.Generator().manual_seed(seed))
