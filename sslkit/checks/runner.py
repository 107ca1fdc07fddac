"""Calls a function that may do anything: raise, print, hang, write on its inputs, return nonsense.

Everything that touches the reader's code, or what it returns, happens in one daemon thread with a deadline;
only plain tensors and strings come out. Limit: C code which holds the interpreter lock (`sum(range(10**12))`)
stops every thread of the process, so only restarting the kernel ends it.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import linecache
import random
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from sslkit.checks.answer import Answer, Unusable, ask, brief
from sslkit.checks.bytecode import is_empty
from sslkit.checks.errors import meaning

SAID = 1000  # characters of what the reader's function prints that are kept


@dataclass
class Session:
    """The reader's calls so far. problem: why there is no next answer, name, that of the mistake where it has one, and error, as
    Python says it; attempted: False for a stub; printed: what the first call wrote."""

    answers: list[Answer] = field(default_factory=list)
    problem: str = "It ended without an answer."
    name: str = ""
    error: str = ""
    attempted: bool = True
    printed: str = ""
    ended: threading.Event = field(default_factory=threading.Event)


def is_stub(function: Callable, error: BaseException) -> bool:
    """True if the error says 'not written yet': the stub's raise, an empty body, a `...` still in place.

    torch raises NotImplementedError too, with a message, where an operation lacks a dtype: the mean of booleans, say. Then the
    reader's line is another one than a `raise`.
    """
    if isinstance(error, NotImplementedError):
        last = traceback.extract_tb(error.__traceback__)[-1]
        return not error.args or (last.line or "").startswith("raise NotImplementedError")
    text = brief(error)
    if isinstance(error, Unusable) and "returns None" in text and is_empty(function):
        return True
    return isinstance(error, (Unusable, TypeError, AttributeError)) and "ellipsis" in text


def describe(function: Callable, error: BaseException, call: str) -> tuple[str, str]:
    """The name of the mistake, where it has one, and the error explained, with the reader's line where there is one."""
    if isinstance(error, Unusable):
        return error.name, str(error)
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, TypeError) and frames[-1].filename == ask.__code__.co_filename and frames[-1].name == "ask":
        return "", f"It cannot be called as {call}: {brief(error)}."
    filename = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [f.lineno for f in frames if f.filename == filename and f.lineno]
    code = linecache.getline(str(filename), lines[-1]).strip() if lines else ""
    name, words = meaning(error, text := brief(error))
    return name, f"It raises {text}" + (f" (in the line `{code}`)." if code else ".") + (f" {words}" if words else "")


def call_reader(session: Session, function: Callable, trials: list[tuple], call: str, outputs: int, grad: bool) -> None:
    """Fills the session, up to the first problem. Runs in the reader's thread: no error leaves it."""
    try:
        for args in trials:
            session.answers.append(ask(function, args, outputs, grad))
        session.problem = ""
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: they must not end the chapter
        session.problem = f"It raises {type(error).__name__}."
        with contextlib.suppress(BaseException):  # a closer look may run more of the reader's code: __str__
            session.error = brief(error)
            session.attempted = not is_stub(function, error)
            session.name, session.problem = describe(function, error, call)
    finally:
        ended = False
        while not ended:
            try:  # one more SystemExit may arrive here
                session.ended.set()
                ended = True
            except SystemExit:
                pass


class Tape(io.TextIOBase):
    """A stream that keeps what is written during the first call, up to SAID characters: an endless printing loop must not fill
    the memory."""

    def __init__(self, session: Session):
        self.session = session

    def write(self, text: str) -> int:
        if not self.session.answers and len(self.session.printed) < SAID:
            self.session.printed += text[: SAID - len(self.session.printed)]
        return len(text)


@contextlib.contextmanager
def unchanged_random_state(seed: int | None):
    """Puts the global generators back: a check must not change what a later cell draws. seed: what they start from."""
    python, numpy, torch_cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    if seed is not None:
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(torch_cpu)


def run(
    function: Callable,
    trials: list[tuple],
    call: str,
    outputs: int,
    grad: bool,
    seconds: float,
    seed: int | None = None,
) -> Session:
    """Calls function on every trial, silently. Returns in about `seconds` whatever it does. seed: of the global generators."""
    session = Session()
    thread = threading.Thread(target=call_reader, args=(session, function, trials, call, outputs, grad), daemon=True)
    tape = Tape(session)
    silence = contextlib.redirect_stdout(tape), contextlib.redirect_stderr(tape)
    with unchanged_random_state(seed), silence[0], silence[1]:
        try:  # not thread.join: interrupted in Python before 3.13, it takes a living thread for a dead one
            thread.start()  # inside, since the stop button may come here already
            late = not session.ended.wait(seconds)
        finally:
            stopped = stop(thread, session.ended)
    if not late:
        return session
    problem = f"It had not finished after {seconds:g} seconds: is there a loop that never ends, or a sleep?"
    if not stopped:
        problem += " It could not be stopped yet: if the machine stays busy, restart the kernel."
    return Session(list(session.answers), problem, "too slow", printed=session.printed)


def stop(thread: threading.Thread, ended: threading.Event, patience: float = 0.5) -> bool:
    """Raises SystemExit inside the thread until it ends, for `patience` seconds; True if it ended.

    Again and again, since a bare `except:` in a loop catches the first ones. A call that waits in C, such as
    time.sleep, gets it when it comes back. SystemExit is the one exception that threads end on silently.
    """
    deadline = time.monotonic() + patience
    while not ended.is_set() and thread.is_alive() and time.monotonic() < deadline:
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        ended.wait(0.01)
    return ended.is_set() or not thread.is_alive()
