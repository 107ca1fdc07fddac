"""Exercise checks: `info_nce = check("simclr.info_nce", info_nce)` in a notebook.

An exercise is written in its notebook: a markdown cell (title, minutes, task, three hints) over a cell `#| exercise` with the
solution. The export brings both into the chapter's exercises.py. By hand, the chapter's mistakes/ (or mistakes.py) adds a slow
oracle, trials, and what each misconception is called: a swap of words in the solution's source wherever that shows it.
runner.py calls the reader's function safely, verdict.py compares, diagnose.py knows what goes wrong with any result, slips.py
what anybody may mistype, show.py finds the form.
"""

from __future__ import annotations

from collections.abc import Callable

from sslkit import chapters
from sslkit.checks.exercise import Exercise
from sslkit.checks.show import Said
from sslkit.checks.verdict import Verdict, judge
from sslkit.progress import in_jupyter

yours: dict[str, Callable] = {}  # the reader's own functions, as last checked


def check(name: str, function: Callable, *, seconds: float = 5.0) -> Callable:
    """Say whether function solves the exercise; returns it if so, else the solution, so that the chapter goes on.

    name: "chapter.exercise"; an unknown one is a ValueError that lists what exists. Whatever the function does is reported and
    never raised, and the check returns after about `seconds` at the latest. The reader's own function stays in `checks.yours[name]`.
    """
    exercise = find(name)
    verdict = judge(exercise, function, seconds)
    yours[name] = function
    show(verdict_text(name, verdict))
    return function if verdict.status == "right" else exercise.solution


def hint(name: str, count: int) -> None:
    """Show the first `count` hints of an exercise, 0 to 3; ValueError for another number. For a student's notebook in which hints are
    asked for: the count in its cell tells the instructor how many were opened.
    """
    hints = find(name).task.hints
    if count not in range(len(hints) + 1):
        raise ValueError(f"hint({name!r}, {count!r}): there are {len(hints)} hints, so ask for 0 to {len(hints)}")
    texts = [f"**Hint {k}.** {text}" for k, text in enumerate(hints[:count], 1)]
    if texts and in_jupyter():
        from IPython.display import Markdown, display

        display(Markdown("\n\n".join(texts)))
    elif texts:
        print(*texts, sep="\n\n")


def grade(name: str, function: Callable, *, seed: int = 1, seconds: float = 5.0) -> Verdict:
    """The verdict for a program: on hidden trials of `seed` (1, 2, ...), says nothing, replaces nothing. `.as_dict()` is plain values."""
    return judge(find(name), function, seconds, seed)


def verdict_text(name: str, verdict: Verdict) -> Said:
    """The words of a verdict."""
    if verdict.status == "right":
        return Said("right", f"{name}: right.")
    short = name.split(".")[1]
    if verdict.status == "not attempted":
        after = f"Below, {short} is the solution, so that the chapter goes on."
        return Said("not attempted", f"{name}: not attempted yet.", after=after)
    known = f" ({verdict.mistake})" if verdict.mistake else ""
    printed = f"It printed:\n{verdict.printed.rstrip()}" if verdict.printed.strip() else ""
    after = f'Below, {short} is the solution; yours is kept as sslkit.checks.yours["{name}"].'
    example = "\n".join(part for part in (verdict.example, printed) if part)
    return Said("wrong", f"{name}: not right yet{known}.", verdict.text, example, after)


def show(words: Said) -> None:
    """As HTML in Jupyter, as text elsewhere."""
    if in_jupyter():
        from IPython.display import display

        display(words)
    else:
        print(words)


def find(name: str) -> Exercise:
    """The exercise "chapter.exercise"; ValueError that lists what exists where there is none."""
    found = of_chapter(name.partition(".")[0])
    if name not in found:
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(found or exercises())}")
    return found[name]


def of_chapter(chapter: str) -> dict[str, Exercise]:
    """The exercises of one chapter by name; no other chapter is imported."""
    module = chapters.part(chapter, "mistakes") if chapter in chapters.names() else None
    return {f"{chapter}.{exercise.name}": exercise for exercise in module.EXERCISES} if module else {}


def exercises() -> dict[str, Exercise]:
    """All exercises of all chapters by name."""
    return {name: exercise for chapter in chapters.names() for name, exercise in of_chapter(chapter).items()}
