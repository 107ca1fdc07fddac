"""How long a chapter takes a class: reading, running, and the exercises, by path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from sslkit.notebooks import files
from sslkit.notebooks.cells import COLAB, is_task, optional, tagged

WORDS, LINES = 150, 12  # a minute: prose that is read, code that is understood
ABOUT = re.compile(r"about (\d+) minutes")


@dataclass
class Budget:
    """Minutes of each part of a chapter; core is what no heading marks as *optional*."""

    reading: float = 0.0
    code: float = 0.0
    exercises: float = 0.0
    running: float = 0.0
    optional: float = 0.0

    @property
    def core(self) -> float:
        """What a class needs that leaves out what is optional."""
        return self.reading + self.code + self.exercises + self.running


def minutes_of_one_core(nb: Mapping) -> tuple[float, float]:
    """What all cells took when they were last run, and what the optional ones did; by the clock, where a stamp knows no more."""
    stamp = nb["metadata"].get("sslkit", {})
    of = "core_seconds" if "core_seconds" in stamp else "seconds"
    return stamp.get(of, 0) / 60, stamp.get(f"optional_{of}", 0) / 60


def budget(nb: nbformat.NotebookNode) -> Budget:
    """The minutes of a notebook. Running takes what its stamp says of the core's cells, exercises what their second lines say."""
    whole, beside = minutes_of_one_core(nb)
    found = Budget(running=whole - beside)
    for cell, is_optional in zip(nb.cells, optional(nb)):
        if tagged(cell, COLAB):
            continue
        exercise = 0.0
        if cell.cell_type == "markdown":
            minutes = len(re.sub(r"<summary>.*?</summary>|<[^>]+>", " ", cell.source).split()) / WORDS
            if is_task(cell) and (said := ABOUT.search(cell.source)):
                exercise = float(said[1])
        else:
            minutes = sum(bool(line.strip()) for line in cell.source.splitlines()) / LINES
        if is_optional:
            found.optional += minutes + exercise
        elif cell.cell_type == "markdown":
            found.reading, found.exercises = found.reading + minutes, found.exercises + exercise
        else:
            found.code += minutes
    return found


def of_course(root: Path = files.ROOT) -> dict[str, Budget]:
    """All chapters by the stems of their files."""
    return {path.stem: budget(files.read(path)) for path in files.course(root).values()}


def table(root: Path = files.ROOT) -> str:
    """All chapters, a line each."""
    lines = [f"{'minutes':18}{'reading':>9}{'code':>7}{'running':>9}{'exercises':>11}{'core':>7}{'optional':>10}"]
    for stem, b in of_course(root).items():
        numbers = f"{b.reading:9.0f}{b.code:7.0f}{b.running:9.0f}{b.exercises:11.0f}{b.core:7.0f}{b.optional:10.0f}"
        lines.append(f"{stem:18}{numbers}")
    return "\n".join(lines)
