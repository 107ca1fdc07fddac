"""What one call of a function gave, as plain tensors: values, dtypes, gradients, the input that was written on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

LARGEST = 1_000_000  # entries; right answers are far smaller, and copying a huge one could fill the memory


class Answer(NamedTuple):
    """What one call gave: float64 copies, their former dtypes, d result / d inputs (None: no gradient)."""

    values: tuple[Tensor, ...]
    dtypes: tuple[torch.dtype, ...]
    grads: tuple[Tensor, ...] | None
    changed: int | None  # position of the first input that was written on


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
    # A tuple to Python, which would be told to stack it.
    if type(value).__module__ == "torch.return_types" and hasattr(value, "values"):
        source = f"what torch.{type(value).__name__} gives, values and indices"
        raise Unusable(f"It returns {source}: take .values or .indices of it.", "values and indices")
    if isinstance(value, (list, tuple)) and len({getattr(one, "shape", None) for one in value}) == 1:
        if isinstance(value[0], Tensor) and value[0].ndim:  # a list of single numbers is one tensor to torch
            parts = f"{kind(value)} of {len(value)} tensors"
            raise Unusable(f"It returns {parts}: put them together with torch.stack or torch.cat.", "not stacked")
    try:
        tensor = torch.as_tensor(value)
    except Exception as error:
        raise Unusable(f"It returns {kind(value)} that is not a tensor: {brief(error)}.") from None
    if tensor.is_complex() or tensor.is_quantized or tensor.layout != torch.strided or tensor.is_meta:
        what = f"a tensor of {tensor.dtype}, {tensor.layout}, on {tensor.device}"
        raise Unusable(f"It returns {what}; ordinary real numbers are expected.")
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
        text = " ".join(str(error).split()).rstrip(".")
    except Exception as broken:
        text = f"(its message cannot be shown: {type(broken).__name__})"
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
