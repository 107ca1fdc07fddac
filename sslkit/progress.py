"""How far a long job is: one line that changes, and is gone when the job is done."""

import html
import sys
import time
from collections.abc import Callable

QUIET_SECONDS = 2.0  # a job shorter than this says nothing
MARK = {"sslkit": "progress"}  # metadata of the line in a notebook: it is not for keeping


def in_jupyter() -> bool:
    """Whether a kernel runs this process, so that a page can show pictures and a line that changes."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def progress(label: str, total: float, unit: str = "") -> Callable[..., None]:
    """A function to call with what is done so far, and a word for what comes next if there is one. In a notebook and on a terminal it
    rewrites one line; elsewhere it adds a line for each tenth."""
    start, last, tenth = time.monotonic(), 0.0, 0
    notebook = in_jupyter()
    live = notebook or sys.stdout.isatty()
    line = None

    def show(done: float, what: str = "") -> None:
        nonlocal last, tenth, line
        now = time.monotonic()
        finished = total > 0 and done >= total
        share = done / total if total > 0 else 0.0
        due = now - last > 0.5 if live else int(share * 10) > tenth or now - last > 30
        if now - start < QUIET_SECONDS or not (due or (finished and last)):
            return
        last, tenth = now, int(share * 10)
        of = f" of {total:,.0f} {unit}".rstrip() + f", {share:4.0%}" if total > 0 else f" {unit}"
        left = f", about {duration((now - start) * (1 / share - 1))} left" if 0 < share < 1 else ""
        text = f"{label}: {what + ', ' if what else ''}{done:,.0f}{of}{left}"
        if notebook:
            line = say(line, "" if finished else text)
        else:
            print(f"\r{text:<79}" if live else text, end="\n" if finished or not live else "", flush=True)

    return show


def say(line, text: str):
    """Show text in the notebook's line, which is made for the first text; "" takes it away. Returns the line."""
    from IPython.display import display

    page = {"text/html": f"<small>{html.escape(text)}</small>" if text else "", "text/plain": text}
    if line is None:
        return display(page, raw=True, metadata=MARK, display_id=True)
    line.update(page, raw=True, metadata=MARK)
    return line


def duration(seconds: float) -> str:
    """43 s, 5 min 20 s, 3 h 05 min."""
    s = round(seconds)
    if s < 60:
        return f"{s} s"
    return f"{s // 60} min {s % 60:02d} s" if s < 3600 else f"{s // 3600} h {s % 3600 // 60:02d} min"
