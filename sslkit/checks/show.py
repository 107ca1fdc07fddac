"""A verdict as text and as HTML: examples that can be typed in again, a line each, and one coloured line above them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sslkit.checks.equal import agree, differs

if TYPE_CHECKING:
    from sslkit.checks.exercise import Exercise

SHOWN = 16  # entries; larger tensors are described by their shape
COLOURS = {"right": "#2e8b57", "wrong": "#d0504b", "not attempted": "#a8780a"}  # 3:1 and more on white and on #111111


def typed(value: object) -> str:
    """A value as it can be typed in again: a small tensor with its dtype where torch would guess another, a large one as its
    shape."""
    if not isinstance(value, Tensor):
        return f"{value!r}"
    if value.numel() > SHOWN:
        return f"a tensor of shape {list(value.shape)}, {str(value.dtype).removeprefix('torch.')}"
    entries = entry(value.tolist(), value.is_floating_point())
    guessed = value.dtype in (torch.float32, torch.int64, torch.bool) and value.numel() > 0
    return f"torch.tensor({entries}{'' if guessed else f', dtype={value.dtype}'})"


def entry(x: object, floating: bool) -> str:
    """Nested lists, numbers with four digits; inf and nan as torch names them."""
    if isinstance(x, list):
        return f"[{', '.join(entry(one, floating) for one in x)}]"
    if isinstance(x, bool) or not floating:
        return repr(x)
    text = f"{x:.4g}"
    if text in ("inf", "-inf", "nan"):
        return text.replace("inf", "torch.inf").replace("nan", "torch.nan")
    return text if "." in text or "e" in text else f"{text}.0"


def number(value: Tensor) -> str:
    """A result: a number alone, a small tensor as nested lists with its shape, a large one as its shape."""
    if value.numel() > SHOWN:
        return f"a tensor of shape {list(value.shape)}"

    def text(x: object) -> str:
        return f"[{', '.join(map(text, x))}]" if isinstance(x, list) else f"{x:.4g}"

    return text(value.tolist()) + (f" (shape {list(value.shape)})" if value.dim() > 0 else "")


def inputs(parameters: Sequence[str], args: tuple) -> str:
    """A line for each argument."""
    return "\n".join(f"  {name} = {typed(arg)}" for name, arg in zip(parameters, args))


def difference(exercise: Exercise, args: tuple, got: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> str:
    """Inputs, expected and got, a line each; for large tensors of equal shape the first entry that differs."""
    lines = ["Example:", inputs(exercise.parameters, args)]
    for word, mine, true in zip(exercise.returns, got, expected):
        if agree((mine,), (true,), exercise.tolerance):
            continue
        place = ""
        if mine.shape == true.shape and true.numel() > SHOWN:
            index = differs(mine, true, exercise.tolerance).nonzero()[0].tolist()
            place, mine, true = f" at {index}", mine[tuple(index)], true[tuple(index)]
        lines += [f"  {word}{place}: expected {number(true)}", f"  {word}{place}: got {number(mine)}"]
    return "\n".join(lines)


class Said:
    """What a check says: shows itself as HTML in Jupyter, prints as text elsewhere.

    status chooses the colour of the first line; the rest is text, of which each line stays a line.
    """

    def __init__(self, status: str, first: str, text: str = "", example: str = "", after: str = ""):
        self.status, self.first, self.text, self.example, self.after = status, first, text, example, after

    def __str__(self) -> str:
        return "\n".join(part for part in (self.first, self.text, self.example, self.after) if part)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f'<b style="color: {COLOURS[self.status]}">{html.escape(self.first)}</b>']
        if self.text:
            parts.append(f"<div>{html.escape(self.text)}</div>")
        if self.example:
            style = "margin: 0.3em 0; white-space: pre-wrap; overflow-wrap: normal; word-break: normal"
            parts.append(f'<pre style="{style}">{html.escape(self.example)}</pre>')
        if self.after:
            parts.append(f"<div>{html.escape(self.after)}</div>")
        return f'<div style="line-height: 1.4">{"".join(parts)}</div>'
