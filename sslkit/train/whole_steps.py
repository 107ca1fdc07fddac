"""Steps are taken whole or not at all, whatever interrupts them or fails in them."""

import signal
import threading
from contextlib import contextmanager

from torch import nn


class Stopped(KeyboardInterrupt):
    """Training was interrupted, after a whole step. A notebook shows one line for it, and runs no further cells."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@contextmanager
def buffers_kept_if_it_fails(method: nn.Module):
    """Undo what a step that fails half-way (another process is gone; memory is full) has done to running statistics, so
    that what is saved then is the state after the last whole step."""
    before = [buffer.clone() for buffer in method.buffers()]
    try:
        yield
    except BaseException:
        for buffer, value in zip(method.buffers(), before):
            buffer.copy_(value)
        raise


@contextmanager
def interrupts_wait(*signals: int):
    """Hold Ctrl-C (and a notebook's stop button), or the given signals, back until the block is done, so that no step is
    left half taken. Yields a function that gives the signal that came, 0 if none did. Only the main thread can."""
    came = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = {
        number: signal.signal(number, lambda number, _: came.append(number)) for number in signals or [signal.SIGINT]
    }
    try:
        yield lambda: came[0] if came else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed():
    """Ctrl-C comes after the block, and then as ever: to whoever waits for it, or as a KeyboardInterrupt."""
    with interrupts_wait() as interrupted:
        yield
    if interrupted():
        signal.raise_signal(interrupted())
