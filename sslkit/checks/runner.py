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
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sslkit.checks.bytecode import is_empty
from sslkit.checks.errors import meaning

SAID = 1000  # characters of what the reader's function prints that are kept
LARGEST = 1_000_000  # entries; right answers are far smaller, and copying a huge one could fill the memory


class Answer(NamedTuple):
    """What one call gave: float64 copies, their former dtypes, d result / d inputs (None: no gradient)."""

    values: tuple[Tensor, ...]
    dtypes: tuple[torch.dtype, ...]
    grads: tuple[Tensor, ...] | None
    changed: int | None  # position of the first input that was written on


@dataclass
class Session:
    """The reader's calls so far. problem: why there is no next answer, and name, that of the mistake where it has one;
    attempted: False for a stub; printed: what the first call wrote."""

    answers: list[Answer] = field(default_factory=list)
    problem: str = "It ended without an answer."
    name: str = ""
    attempted: bool = True
    printed: str = ""
    ended: threading.Event = field(default_factory=threading.Event)


class Unusable(Exception):
    """A returned value that cannot be compared; the message says why, `name` is that of the mistake where it has one."""

    def __init__(self, message: str, name: str = ""):
        super().__init__(message)
        self.name = name


def ask(function: Callable, args: tuple, outputs: int = 1, grad: bool = False) -> Answer:
    """Calls function on clones of args. Raises what the function raises, or Unusable."""
    leaves = [a.clone().requires_grad_(grad and a.is_floating_point()) if isinstance(a, Tensor) else a for a in args]
    given = [a.clone() if isinstance(a, Tensor) else a for a in leaves]  # not leaves, as in a training step
    result = function(*given)
    changed = [
        i
        for i, (before, after) in enumerate(zip(args, given))
        if isinstance(before, Tensor) and not torch.equal(before, after.detach())
    ]
    if outputs > 1 and not (isinstance(result, (tuple, list)) and len(result) == outputs):
        raise Unusable(f"It returns {kind(result)} where {outputs} values are expected.", "another number of values")
    if outputs == 1 and type(result) is tuple and len(result) > 1 and not any(part is ... for part in result):
        words = (
            f"It returns {len(result)} values where one is expected: return that one alone, or, if they are its parts, put them "
            "together with torch.stack or torch.cat."
        )
        raise Unusable(words, "more values than one")
    tensors = [as_tensor(r) for r in (result if outputs > 1 else [result])]
    inputs = [x for x in leaves if isinstance(x, Tensor) and x.requires_grad]
    grads = gradients(tensors[0], inputs) if grad else None
    copies = tuple(t.detach().cpu().to(torch.float64, copy=True) for t in tensors)
    return Answer(copies, tuple(t.dtype for t in tensors), grads, changed[0] if changed else None)


def as_tensor(value) -> Tensor:
    """A tensor, array, number, or list of numbers as a dense real tensor; anything else is Unusable."""
    if value is None:
        raise Unusable("It returns None: is a `return` missing?", "no return")
    if not isinstance(value, (Tensor, np.ndarray, np.generic, bool, int, float, list, tuple)):
        raise Unusable(f"It returns {kind(value)}; a tensor or a number is expected.")
    if type(value).__module__ == "torch.return_types" and hasattr(
        value, "values"
    ):  # a tuple, which could be told to be stacked
        words = (
            f"It returns what torch.{type(value).__name__} gives, values and indices: take .values or .indices of it."
        )
        raise Unusable(words, "values and indices")
    if (
        isinstance(value, (list, tuple))
        and len({getattr(one, "shape", None) for one in value}) == 1
        and isinstance(value[0], Tensor)
    ):
        if value[0].ndim:  # a list of single numbers is one tensor to torch
            words = (
                f"It returns {kind(value)} of {len(value)} tensors: put them together with torch.stack or torch.cat."
            )
            raise Unusable(words, "not stacked")
    try:
        tensor = torch.as_tensor(value)
    except Exception as error:
        raise Unusable(f"It returns {kind(value)} that is no tensor: {brief(error)}.") from None
    if tensor.is_complex() or tensor.is_quantized or tensor.layout != torch.strided or tensor.is_meta:
        raise Unusable(
            f"It returns a tensor of {tensor.dtype}, {tensor.layout}, on {tensor.device}; "
            "ordinary real numbers are expected."
        )
    if tensor.numel() > LARGEST:
        raise Unusable(f"It returns a tensor of shape {list(tensor.shape)}, which is far too large.")
    return tensor


def gradients(output: Tensor, inputs: list[Tensor]) -> tuple[Tensor, ...] | None:
    """Gradient of a fixed weighted sum of the output's finite entries; None if the output is detached."""
    if not output.requires_grad:
        return None
    finite = output[torch.isfinite(output)]
    total = (finite * torch.linspace(1, 2, len(finite), dtype=finite.dtype)).sum()
    grads = torch.autograd.grad(total, inputs, allow_unused=True)
    return tuple(torch.zeros_like(x).double() if g is None else g.double() for g, x in zip(grads, inputs))


def kind(value) -> str:
    name = type(value).__name__
    if value is None:
        return "None"
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def brief(error: BaseException) -> str:
    """Type and first 300 characters of an error; its own __str__ may be broken."""
    try:
        text = " ".join(str(error).split())
    except Exception as broken:
        text = f"(its message cannot be shown: {type(broken).__name__})"
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


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
    """The name of the mistake, where it has one, and the error in words, with the reader's line where there is one."""
    if isinstance(error, Unusable):
        return error.name, str(error)
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, TypeError) and frames[-1].filename == __file__ and frames[-1].name == "ask":
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
            session.attempted = not is_stub(function, error)
            session.name, session.problem = describe(function, error, call)
    finally:
        session.ended.set()


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
    while not ended.is_set() and time.monotonic() < deadline:
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        ended.wait(0.01)
    return ended.is_set()
