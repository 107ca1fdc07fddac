"""Grade a folder of submissions: each notebook in a process of its own, a table, a page for every student, a page on the class.

What a student wrote never runs in the grader's process. Its process has limits on time and memory, a folder of its own that is thrown away,
and no network where `unshare` can take it away (Linux). It is no prison: who grades people that mean harm does it on a machine that
has nothing to lose.
"""

import csv
import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from sslkit import checks
from sslkit.course import points
from sslkit.course.submissions import Submission, Work, read, submissions
from sslkit.notebooks import files

SECONDS = 60.0  # a student's process may take that long for each exercise
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:52em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.3em .6em;text-align:left}"
)


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


@lru_cache
def without_network() -> tuple[str, ...]:
    """What to put before a command to take the network from it; nothing where that is not possible."""
    command = ("unshare", "--user", "--net", "--map-root-user")
    if not shutil.which("unshare"):
        return ()
    works = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    return command if works else ()


def grade_one(submission: Submission, seed: int = 1, seconds: float = SECONDS) -> Graded:
    """The verdicts on one notebook. Never raises for what a student handed in."""
    work = read(submission)
    graded = Graded(submission, work)
    if work.problem:
        return graded
    todo = dict(work.functions)
    with tempfile.TemporaryDirectory() as folder:
        while todo:
            done, during = asked(work, todo, Path(folder), seed, seconds)
            graded.verdicts |= done
            for name in done:
                todo.pop(name, None)
            if not todo:
                break
            name = during if during in todo else next(iter(todo))
            graded.verdicts[name] = lost(f"It did not come back within {seconds:.0f} s, or ended its process.")
            todo.pop(name)
    for name in checks.of_chapter(work.chapter):
        short = name.partition(".")[2]
        graded.verdicts.setdefault(short, lost("There is no function of this name.") | {"status": "not attempted"})
    return graded


def lost(text: str) -> dict:
    """The verdict where nothing came back."""
    return {"status": "wrong", "points": 0.0, "mistakes": [], "text": text, "example": ""}


def asked(work: Work, todo: dict[str, str], folder: Path, seed: int, seconds: float) -> tuple[dict[str, dict], str]:
    """The verdicts that one process gave before it ended, and the exercise that it was at."""
    job, results = folder / "job.json", folder / "results.jsonl"
    results.unlink(missing_ok=True)
    job.write_text(json.dumps({"chapter": work.chapter, "prelude": work.prelude, "functions": todo, "seed": seed}))
    command = [*without_network(), sys.executable, "-m", "sslkit.course.child", str(job), str(results)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(files.ROOT),
        "OMP_NUM_THREADS": "1",
        "HOME": str(folder),
        "MPLBACKEND": "agg",
    }
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=os.name != "nt",
    )  # fmt: skip
    try:
        process.wait(30 + seconds * len(todo))
    except subprocess.TimeoutExpired:
        pass
    finally:
        if os.name != "nt":
            try:
                os.killpg(process.pid, 9)  # and whatever it started
            except ProcessLookupError:
                pass
        process.kill()
        process.wait()
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

    ValueError where the folder holds no notebook, or the file with the points is no such file.
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


def table(graded: list[Graded], path: Path) -> None:
    """A row for each exercise of each notebook."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "file", "chapter", "exercise", "points", "status", "misconceptions", "note"])
        for one in graded:
            start = [plain(one.submission.student), plain(one.submission.file), one.work.chapter]
            if one.work.problem:
                rows.writerow([*start, "", 0, "not graded", "", plain(one.work.problem)])
            notes = plain("; ".join(one.work.notes))
            for name, verdict in one.verdicts.items():
                row = [name, one.earned(name), verdict["status"], " and ".join(verdict["mistakes"]), notes]
                rows.writerow([*start, *row])


def plain(text: str) -> str:
    """A text that a spreadsheet takes for no formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def feedback(one: Graded) -> str:
    """What a student gets back."""
    e = html.escape
    lines = [f"<h1>{e(one.submission.student)}</h1><p>{e(one.submission.file)}</p>"]
    if one.work.problem:
        lines.append(
            f"<p>This file could not be graded: {e(one.work.problem)}. Nothing of it is lost; hand it in again.</p>"
        )
    lines += [f"<p>{e(note)}</p>" for note in one.work.notes]
    if one.verdicts:
        lines.append(f"<p><b>{one.points:g} of {one.most:g} points</b></p>")
    for name, verdict in one.verdicts.items():
        lines.append(f"<h2>{e(name)}: {e(verdict['status'])}, {one.earned(name):g} points</h2>")
        if verdict["status"] == "wrong":
            lines.append(f"<p>{e(verdict['text'])}</p>")
            if verdict.get("example"):
                lines.append(f"<pre>{e(verdict['example'])}</pre>")
    return page(one.submission.student, lines)


def class_page(graded: list[Graded]) -> str:
    """What the class got wrong: for each exercise how many solved it, and the misconceptions, the commonest first."""
    e = html.escape
    lines = [f"<h1>What the class got wrong</h1><p>{len(graded)} notebooks.</p>", *for_tomorrow(graded)]
    for chapter in sorted({one.work.chapter for one in graded if one.work.chapter}):
        lines.append(f"<h2>{e(chapter)}</h2><table><tr><th>exercise</th><th>right</th><th>misconceptions</th></tr>")
        mine = [one for one in graded if one.work.chapter == chapter]
        for name in checks.of_chapter(chapter):
            short = name.partition(".")[2]
            verdicts = [one.verdicts[short] for one in mine if short in one.verdicts]
            right = sum(verdict["status"] == "right" for verdict in verdicts)
            wrong = Counter(m for verdict in verdicts for m in verdict["mistakes"])
            unnamed = sum(verdict["status"] == "wrong" and not verdict["mistakes"] for verdict in verdicts)
            said = [f"{count} of {len(verdicts)}: {e(m)}" for m, count in wrong.most_common()]
            said += [f"{unnamed} of {len(verdicts)}: wrong in another way"] if unnamed else []
            lines.append(f"<tr><td>{e(short)}</td><td>{right} of {len(verdicts)}</td><td>{'<br>'.join(said)}</td></tr>")
        lines.append("</table>")
    broken = [one for one in graded if one.work.problem]
    if broken:
        lines.append("<h2>Not graded</h2><ul>")
        lines += [f"<li>{e(one.submission.student)}: {e(one.work.problem)}</li>" for one in broken]
        lines.append("</ul>")
    return page("What the class got wrong", lines)


def for_tomorrow(graded: list[Graded], most: int = 3) -> list[str]:
    """The misconceptions that the most students share, with what `check` says of them: worth five minutes in class."""
    counted = Counter(
        (one.work.chapter, name, mistake)
        for one in graded
        for name, verdict in one.verdicts.items()
        for mistake in verdict["mistakes"]
    )
    lines = []
    for (chapter, name, mistake), count in counted.most_common(most):
        known = {found.name: found.explanation for found in checks.find(f"{chapter}.{name}").mistakes}
        words = html.escape(" ".join(known.get(mistake, "").split()))
        lines.append(f"<li><b>{html.escape(mistake)}</b> ({html.escape(name)}): {count} of {len(graded)}. {words}</li>")
    return ["<h2>Worth five minutes tomorrow</h2><ol>", *lines, "</ol>"] if lines else []


def page(title: str, lines: list[str]) -> str:
    """A page that needs no network."""
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>\n' + "\n".join(lines) + "\n</body></html>\n"
