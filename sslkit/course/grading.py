"""Grade a folder of submissions: each notebook in a process of its own, a table, a page for every student, a page on the class.

What a student wrote never runs in the grader's process. Its process has limits on time and memory, starts no other, has a folder of its
own that is thrown away and, where Linux allows it, no network and no sight of other processes. It is not a prison: to grade people
who mean harm, take a machine that has nothing to lose.
"""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any
from unittest.mock import patch

from sslkit import checks
from sslkit.course import child, points
from sslkit.course.pages import class_page, feedback, table
from sslkit.course.submissions import Submission, Work, read, submissions
from sslkit.notebooks import files

SECONDS = 60.0  # a student's process may take that long for each exercise
IMPORTED = (
    "torchvision",
    "sslkit.looks",
    "sslkit.evidence",
    "sslkit.widgets",
)  # by most notebooks; with all that these import
STARTING = Lock()


@dataclass
class Graded:
    """A submission with a verdict for each exercise of its chapter. worth: the most points of each exercise, 1 unless said."""

    submission: Submission
    work: Work
    verdicts: dict[str, dict] = field(default_factory=dict)
    worth: dict[str, float] = field(default_factory=dict)

    def earned(self, name: str) -> float:
        """Points for an exercise."""
        return round(self.verdicts[name]["points"] * self.worth.get(name, 1.0), 2)

    @property
    def points(self) -> float:
        """The sum over exercises."""
        return round(sum(map(self.earned, self.verdicts)), 2)

    @property
    def most(self) -> float:
        """What all exercises together are worth."""
        return sum(self.worth.get(name, 1.0) for name in self.verdicts)


def processes() -> Any:
    """Where the students' processes come from: a server that has imported once what notebooks import, and forks; on Windows anew."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sslkit.course.child", "sslkit.checks", *IMPORTED])
    with patch.dict(os.environ, {"PYTHONPATH": str(files.ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}):
        forkserver.ensure_running()  # again, should a student's code have ended it
    return context


def grade_one(submission: Submission, seed: int = 1, seconds: float = SECONDS) -> Graded:
    """The verdicts on one notebook. Never raises for what a student handed in."""
    work = read(submission)
    graded = Graded(submission, work)
    if work.problem:
        return graded
    todo = dict(work.functions)
    with tempfile.TemporaryDirectory() as folder:
        while todo:
            done, during = grade_in_process(work, todo, Path(folder), seed, seconds)
            graded.verdicts |= done
            for name in done:
                todo.pop(name, None)
            if not todo:
                break
            name = during if during in todo else next(iter(todo))
            graded.verdicts[name] = failed(f"It did not come back within {seconds:.0f} s, or ended its process.")
            todo.pop(name)
    for name in checks.of_chapter(work.chapter):
        short = name.partition(".")[2]
        absent = failed("There is no function of this name.") | {"status": "not attempted"}
        if short in work.unreadable:
            absent = failed(f"{work.unreadable[short]}.") | {"mistakes": ["Python cannot read it"]}
        graded.verdicts.setdefault(short, absent)
    return graded


def failed(text: str) -> dict:
    """The verdict where nothing came back."""
    return {"status": "wrong", "points": 0.0, "mistakes": [], "text": text, "example": ""}


def grade_in_process(
    work: Work, todo: dict[str, str], folder: Path, seed: int, seconds: float
) -> tuple[dict[str, dict], str]:
    """The verdicts that one process gave before it ended, and the exercise that it was at."""
    job, results = folder / "job.json", folder / "results.jsonl"
    results.unlink(missing_ok=True)
    job.write_text(json.dumps({"chapter": work.chapter, "prelude": work.prelude, "functions": todo, "seed": seed}))
    process = processes().Process(target=child.main, args=(job, results))
    with STARTING:  # without the program that called us, which the process would import, and so run again
        program, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            process.start()
        finally:
            sys.modules["__main__"] = program
    process.join(30 + seconds * len(todo))
    if os.name != "nt":
        try:
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it started
        except ProcessLookupError:
            pass
    process.kill()
    process.join()
    done, during = {}, ""
    for line in results.read_text(encoding="utf-8").splitlines() if results.exists() else []:
        try:
            said = json.loads(line)
        except ValueError:  # cut off
            continue
        during = said.get("begins", during)
        if "verdict" in said and said.get("name") in todo:
            done[said["name"]] = said["verdict"]
    return done, during


def grade_all(
    folder: Path,
    out: Path,
    seed: int = 1,
    jobs: int = 2,
    seconds: float = SECONDS,
    points_file: Path | None = None,
    csv_file: Path | None = None,
) -> list[Graded]:
    """Grade all notebooks of `folder`; write grades.csv (or csv_file), class.html and a page for each notebook into `out`.

    ValueError where the folder holds no notebook, or the points cannot be read.
    """
    worth = points.read(points_file)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    found = list(submissions(folder))
    if not found:
        raise ValueError(f"{folder} holds no notebook, no folder with one and no zip archive")
    with ThreadPoolExecutor(jobs) as pool:
        graded = list(pool.map(lambda one: grade_one(one, seed, seconds), found))
    for one in graded:
        one.worth = worth.get(one.work.chapter, {})
    out.mkdir(parents=True, exist_ok=True)
    table(graded, csv_file or out / "grades.csv")
    for number, one in enumerate(graded, 1):
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in one.submission.student)[:60]
        files.write(out / "feedback" / f"{number:03}_{safe}.html", feedback(one))
    files.write(out / "class.html", class_page(graded))
    return graded
