"""How far a long job is, in plain text."""

import sys
import time
from collections.abc import Callable

QUIET_SECONDS = 2.0  # a job shorter than this says nothing


def progress(label: str, total: float, unit: str = "") -> Callable[[float], None]:
    """A function to call with what is done so far. On a terminal it rewrites one line, else it adds lines."""
    start, last, tenth = time.monotonic(), 0.0, 0
    live = sys.stdout.isatty()

    def show(done: float) -> None:
        nonlocal last, tenth
        now = time.monotonic()
        finished = total > 0 and done >= total
        share = done / total if total > 0 else 0.0
        due = now - last > 0.5 if live else int(share * 10) > tenth or now - last > 30
        if now - start < QUIET_SECONDS or not (due or (finished and last)):
            return
        last, tenth = now, int(share * 10)
        of = f" of {total:,.0f} {unit}, {share:4.0%}" if total > 0 else f" {unit}"
        left = f", {(now - start) * (1 / share - 1):,.0f} s left" if 0 < share < 1 else ""
        text = f"{label}: {done:,.0f}{of}{left}"
        print(f"\r{text:<79}" if live else text, end="\n" if finished or not live else "", flush=True)

    return show
