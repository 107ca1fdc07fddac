"""What an exercise is: a solution from the notebook, a slow oracle, trials, misconceptions, and the words for them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

import torch

from sslkit import chapters
from sslkit.checks.swaps import Swap, swapped

SHIFT = 1_000_003  # between the trials that the reader is shown and those of each hidden seed
_seed = 0


@dataclass(frozen=True)
class Task:
    """What the notebook says above an exercise: how hard, how long, what to do, and three hints."""

    title: str
    difficulty: int
    minutes: int
    task: str
    hints: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A misconception: its name, what the reader hears, and what shows it: swaps in the solution's source, or wrong
    implementations."""

    name: str
    explanation: str
    swaps: tuple[Swap, ...] = ()
    functions: tuple[Callable, ...] = ()


def mistake(name: str, explanation: str, *forms: Swap | Callable) -> Mistake:
    """A misconception and its forms. A form is a swap, ("/ temperature", "* temperature") or several such pairs at once, wherever
    the wrong answer is the solution with another word in it; a function where it is not."""
    functions = tuple(form for form in forms if callable(form))
    return Mistake(name, explanation, tuple(form for form in forms if not callable(form)), functions)


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise of a chapter. Its solution, title, task and hints are in the notebook and are looked up by name.

    oracle: the definition, written independently of the solution as slow loops in float64; its module tells the chapter.
    trials: gives the argument tuples to try, the smallest first, since the first failing one is shown. It draws them with
        `draw`, `draw_rows`, `draw_labels` and `pick`, which give other numbers for each hidden seed.
    returns: a word for each returned value; more than one means a tuple.
    grad: the result is trained on, so its gradient is compared too and a detached result is refused.
    tolerance: relative to the largest expected entry; rounding stays well below it, misconceptions above.
    """

    name: str
    oracle: Callable
    trials: Callable[[], list[tuple]]
    mistakes: tuple[Mistake, ...]
    returns: tuple[str, ...] = ("result",)
    grad: bool = False
    tolerance: float = 1e-3

    @cached_property
    def module(self) -> ModuleType:
        """The chapter's generated module of solutions and tasks."""
        chapter = self.oracle.__module__.removeprefix(f"{chapters.__name__}.").split(".")[0]
        found = chapters.part(chapter, "exercises")
        if found is None or self.name not in found.TASKS:
            raise ValueError(f"the notebook of {chapter} has no exercise cell for {self.name}: mark it `#| exercise`")
        return found

    @property
    def solution(self) -> Callable:
        """As the notebook has it: fast and differentiable."""
        return getattr(self.module, self.name)

    @property
    def task(self) -> Task:
        """What the notebook says above it."""
        return self.module.TASKS[self.name]

    @cached_property
    def wrong_versions(self) -> tuple[tuple[Mistake, Callable], ...]:
        """Every wrong implementation, beside the mistake that it shows."""
        return tuple(
            (mistake, form)
            for mistake in self.mistakes
            for form in [*(swapped(self.solution, swap) for swap in mistake.swaps), *mistake.functions]
        )

    @property
    def swaps(self) -> list[tuple[Mistake, Swap]]:
        """The swaps, beside their mistakes: two of them can be made at once."""
        return [(mistake, swap) for mistake in self.mistakes for swap in mistake.swaps]

    @property
    def parameters(self) -> list[str]:
        """The names of its arguments."""
        return list(inspect.signature(self.solution).parameters)


@contextlib.contextmanager
def drawn_anew(seed: int) -> Iterator[None]:
    """Within it, trials are drawn from `seed`; 0 is what the reader is shown."""
    global _seed
    before, _seed = _seed, seed
    try:
        yield
    finally:
        _seed = before


def generator(seed: int) -> torch.Generator:
    """Random numbers of a trial: of its own seed, and of the hidden one."""
    return torch.Generator().manual_seed(seed + SHIFT * _seed)


def draw(seed: int, *shape: int, spread: float = 1.0) -> torch.Tensor:
    """Seeded normal float32 numbers with two decimals, so that a printed example can be typed in again."""
    return (torch.randn(shape, generator=generator(seed), dtype=torch.float32) * spread).round(decimals=2)


def draw_rows(seed: int, rows: int, columns: int) -> torch.Tensor:
    """Like draw, with rows of clearly different lengths: a forgotten normalisation shows."""
    lengths = torch.linspace(0.5, 3.0, rows, dtype=torch.float32)
    return (draw(seed, rows, columns) * lengths[:, None]).round(decimals=2)


def draw_labels(seed: int, count: int, classes: int) -> torch.Tensor:
    """Seeded int64 labels [count] in 0 .. classes - 1."""
    return torch.randint(classes, (count,), generator=generator(seed))


def pick(shown: int, low: int, high: int) -> int:
    """A whole number that is written into a trial: `shown` to the reader, another one of low .. high for a hidden seed."""
    return int(torch.randint(low, high + 1, (), generator=generator(shown))) if _seed else shown
