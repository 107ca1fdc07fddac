"""What a grading leaves: the table, a page for each student, a page on the class. `graded`: sslkit.course.grading.Graded."""

import csv
import html
from collections import Counter
from pathlib import Path
from typing import Any

from sslkit import checks
from sslkit.notebooks.exercises import HINTS

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:52em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.3em .6em;text-align:left}"
)


def table(graded: list[Any], path: Path) -> None:
    """A row for each exercise of each notebook."""
    with open(path, "w", newline="", encoding="utf-8", errors="replace") as file:  # a file's name need not be UTF-8
        rows = csv.writer(file)
        rows.writerow(["student", "file", "chapter", "exercise", "points", "status", "misconceptions", "hints", "note"])
        for one in graded:
            start = [plain(one.submission.student), plain(one.submission.file), one.work.chapter]
            if one.work.problem:
                rows.writerow([*start, "", 0, "not graded", "", "", plain(one.work.problem)])
            notes = plain("; ".join(one.work.notes))
            for name, verdict in one.verdicts.items():
                row = [name, one.earned(name), verdict["status"], " and ".join(verdict["mistakes"])]
                rows.writerow([*start, *row, one.work.hints.get(name, ""), notes])


def plain(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(tuple("=+-@\t\r")) else text


def feedback(one: Any) -> str:
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


def class_page(graded: list[Any]) -> str:
    """What the class got wrong: for each exercise how many solved it, and the misconceptions, the commonest first."""
    e = html.escape
    lines = [f"<h1>What the class got wrong</h1><p>{len(graded)} notebooks.</p>", *for_tomorrow(graded)]
    for chapter in sorted({one.work.chapter for one in graded if one.work.chapter}):
        lines.append(
            f"<h2>{e(chapter)}</h2><table><tr><th>exercise</th><th>right</th><th>misconceptions</th><th>hints opened</th></tr>"
        )
        mine = [one for one in graded if one.work.chapter == chapter]
        for name in checks.of_chapter(chapter):
            short = name.partition(".")[2]
            verdicts = [one.verdicts[short] for one in mine if short in one.verdicts]
            right = sum(verdict["status"] == "right" for verdict in verdicts)
            wrong = Counter(m for verdict in verdicts for m in verdict["mistakes"])
            unnamed = sum(verdict["status"] == "wrong" and not verdict["mistakes"] for verdict in verdicts)
            said = [f"{count} of {len(verdicts)}: {e(m)}" for m, count in wrong.most_common()]
            said += [f"{unnamed} of {len(verdicts)}: wrong in another way"] if unnamed else []
            cells = [e(short), f"{right} of {len(verdicts)}", "<br>".join(said), "<br>".join(opened(mine, short))]
            lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        lines.append("</table>")
    broken = [one for one in graded if one.work.problem]
    if broken:
        lines.append("<h2>Not graded</h2><ul>")
        lines += [f"<li>{e(one.submission.student)}: {e(one.work.problem)}</li>" for one in broken]
        lines.append("</ul>")
    return page("What the class got wrong", lines)


def opened(graded: list[Any], name: str) -> list[str]:
    """How many asked for each hint of an exercise; nothing where no notebook says."""
    known = [one.work.hints[name] for one in graded if name in one.work.hints]
    return [f"hint {k}: {sum(count >= k for count in known)} of {len(known)}" for k in range(1, HINTS + 1) if known]


def for_tomorrow(graded: list[Any], most: int = 3) -> list[str]:
    """The misconceptions that the most students share, with what `check` says of them: worth five minutes in class."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for one in graded:
        for name, verdict in one.verdicts.items():
            for mistake in verdict["mistakes"]:
                said.setdefault((one.work.chapter, name, mistake), []).append(verdict["text"])
    lines = []
    for (chapter, name, mistake), texts in sorted(said.items(), key=lambda item: -len(item[1]))[:most]:
        known = {found.name: found.explanation for found in checks.find(f"{chapter}.{name}").mistakes}
        words = html.escape(" ".join(known.get(mistake, texts[0]).split()))  # of a general one, the first student's
        lines.append(
            f"<li><b>{html.escape(mistake)}</b> ({html.escape(name)}): {len(texts)} of {len(graded)}. {words}</li>"
        )
    return ["<h2>Worth five minutes tomorrow</h2><ol>", *lines, "</ol>"] if lines else []


def page(title: str, lines: list[str]) -> str:
    """A page that needs no network."""
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    text = f'<!doctype html><html lang="en"><head>{head}</head><body>\n' + "\n".join(lines) + "\n</body></html>\n"
    return text.encode("utf-8", "replace").decode("utf-8")  # names of files and words of errors need not be UTF-8
