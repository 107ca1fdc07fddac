"""Exercise checks: `info_nce = check("simclr.info_nce", info_nce)` in a notebook.

A chapter is one file of data (exercises, slow oracles, what each common wrong answer gets told); runner.py
calls the reader's function safely, verdict.py compares and finds the words, markdown.py writes the cells.
"""

from __future__ import annotations

from collections.abc import Callable

from sslkit import chapters

from .exercise import Exercise
from .verdict import judge


def check(name: str, function: Callable, *, seconds: float = 5.0) -> Callable:
    """Says in words whether function solves the exercise; returns it if so, else the reference solution.

    name: "chapter.exercise"; an unknown one is a ValueError that lists what exists. Whatever the function
    does is reported and never raised, and the check returns after about `seconds` at the latest.
    """
    exercise = find(name)
    verdict = judge(exercise, function, seconds)
    if verdict.status == "right":
        print(f"{name}: right. Your function is used from here on.")
        return function
    if verdict.status == "not attempted":
        print(f"{name}: not attempted yet. The reference solution is used, so the chapter goes on.")
    else:
        known = f" ({verdict.mistake})" if verdict.mistake else ""
        print(f"{name}: not right yet{known}.\n{verdict.text}".rstrip())
        print("The reference solution is used until yours is right, so the chapter goes on.")
    return exercise.solution


def find(name: str) -> Exercise:
    """The exercise "chapter.exercise"."""
    everything = exercises()
    if name not in everything:
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(everything)}")
    return everything[name]


def exercises() -> dict[str, Exercise]:
    """All exercises of all chapters by name."""
    rooms = {chapter: chapters.room(chapter, "mistakes") for chapter in chapters.names()}
    return {f"{chapter}.{e.name}": e for chapter, module in rooms.items() if module for e in module.EXERCISES}
