"""How many points each exercise is worth: one, unless a file that an instructor edits says something else."""

import json
from collections.abc import Callable
from pathlib import Path

from sslkit import chapters, checks


def default() -> dict[str, dict[str, float]]:
    """{chapter: {exercise: 1}} of all chapters with exercises."""
    found = {chapter: [name.partition(".")[2] for name in checks.of_chapter(chapter)] for chapter in chapters.names()}
    return {chapter: dict.fromkeys(names, 1.0) for chapter, names in found.items() if names}


def read(path: Path | None) -> dict[str, dict[str, float]]:
    """The points in a file as `python -m sslkit.course points FILE` writes it; what it leaves out is worth one. ValueError
    for a chapter, an exercise or a number that cannot be."""
    points = default()
    if path is None:
        return points
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(given, dict) or not all(isinstance(row, dict) for row in given.values()):
        raise ValueError(f'{path} must look like {{"simclr": {{"info_nce": 4}}}}')
    for chapter, row in given.items():
        for name, value in row.items():
            if name not in points.get(chapter, {}):
                raise ValueError(f"{path}: there is no exercise {chapter}.{name}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
                raise ValueError(f"{path}: points of {chapter}.{name} must be a number from 0 to 1000, not {value!r}")
            points[chapter][name] = float(value)
    return points


def write(path: Path) -> None:
    """All exercises with a point each, to be edited. ValueError where there is such a file."""
    if path.exists():
        raise ValueError(f"there is a file {path} already")
    path.write_text(json.dumps(default(), indent=1) + "\n", encoding="utf-8")


def earned(name: str, function: Callable, of: float = 1.0, seed: int = 1) -> float:
    """The points that a function gets as the answer to the exercise "chapter.name", of at most `of`: what a grading tool
    reads as the last line of a cell. Nothing is substituted, and the trials are others than those of `check`."""
    return round(of * checks.grade(name, function, seed=seed).as_dict()["points"], 2)
