"""Wrong versions of a solution, made by exchanging words in its source: misconceptions, and mutants of the method."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from functools import lru_cache

Pair = tuple[str, str]
Swap = Pair | tuple[Pair, ...]


def pairs(swap: Swap) -> tuple[Pair, ...]:
    """A swap as its exchanges, one after the other."""
    return (swap,) if isinstance(swap[0], str) else swap  # type: ignore[return-value]


@lru_cache(maxsize=256)
def body(function: Callable) -> str:
    """The source of a function without its docstring: what is said there is not to be swapped."""
    text = textwrap.dedent(inspect.getsource(function))
    first = ast.parse(text).body[0].body[0]  # type: ignore[attr-defined]
    if not (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    ):
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[: first.lineno - 1] + lines[first.end_lineno :])


def swapped(function: Callable, swap: Swap) -> Callable:
    """The function with each `old` of the swap replaced by its `new`. ValueError unless an old one is there exactly once."""
    text = body(function)
    for old, new in pairs(swap):
        if text.count(old) != 1:
            raise ValueError(
                f"{function.__name__}: {old!r} is in its source {text.count(old)} times; a swap needs it once\n{text}"
            )
        text = text.replace(old, new)
    return compiled(function, text)


def both(function: Callable, one: Swap, other: Swap) -> Callable | None:
    """The function with two swaps made; None where the first one takes away what the second one needs."""
    try:
        return swapped(function, (*pairs(one), *pairs(other)))
    except ValueError:
        return None


def compiled(function: Callable, text: str) -> Callable:
    """What `text` defines in the module of the function. SyntaxError in a swap names the text."""
    namespace = dict(vars(sys.modules[function.__module__]))
    exec(compile(text, f"<{function.__name__}, changed>", "exec"), namespace)
    return namespace[function.__name__]
