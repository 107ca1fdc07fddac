"""What can be seen in a function without calling it."""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import CodeType, FunctionType


def code_of(function: Callable) -> CodeType | None:
    """A plain function's code, else None; what only looks like one is asked nothing, since it may do anything then."""
    return function.__code__ if type(function) is FunctionType else None


def is_empty(function: Callable) -> bool:
    """True for a body of nothing but a docstring, `pass`, `...` or `return`."""
    code = code_of(function)
    harmless = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP"}
    return code is not None and {i.opname for i in dis.get_instructions(code)} <= harmless


def unread(function: Callable) -> list[int]:
    """The positions of the parameters whose values a function never looks at; none where that cannot be seen."""
    if (code := code_of(function)) is None:
        return []
    read = set(code.co_cellvars)
    for line in dis.get_instructions(code):
        if "LOAD" in line.opname or "DELETE" in line.opname:
            read |= set(line.argval) if isinstance(line.argval, tuple) else {line.argval}
    return [i for i, name in enumerate(code.co_varnames[: code.co_argcount]) if name not in read]
