"""Compares a reader's answers with the oracle's and with those of the known mistakes, and finds the words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .exercise import Exercise, Mistake
from .runner import Answer, ask, kind, run

SHOWN = 12  # entries; larger tensors are described by their shape


class Verdict(NamedTuple):
    """status: "right", "not attempted" or "wrong"; mistake: its name if known; text: the reason."""

    status: str
    mistake: str = ""
    text: str = ""


def judge(exercise: Exercise, function: Callable, seconds: float = 5.0) -> Verdict:
    """Never raises for what the function does, and returns in about `seconds` even if it hangs."""
    if not callable(function):
        return Verdict("wrong", text=f"{exercise.name} is {kind(function)}, not a function.")
    # The notebook may be inside no_grad, autocast or another default device; the reader's new thread is not.
    plain = torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False)
    with plain[0], plain[1], plain[2], torch.device("cpu"):
        trials = exercise.trials()
        right = ask_all(exercise, exercise.oracle, trials)
        call = f"{exercise.name}({', '.join(exercise.parameters)})"
        session = run(function, trials, call, len(exercise.returns), exercise.grad, seconds)
        if not session.attempted:
            return Verdict("not attempted")
        if session.problem:
            inputs = describe_inputs(exercise, trials[min(len(session.answers), len(trials) - 1)])
            return Verdict("wrong", text=f"{session.problem}\nIt was called with {inputs}.")
        return compare(exercise, trials, session.answers, right)


def ask_all(exercise: Exercise, function: Callable, trials: list[tuple]) -> list[Answer]:
    return [ask(function, args, len(exercise.returns), exercise.grad) for args in trials]


def compare(exercise: Exercise, trials: list[tuple], got: list[Answer], right: list[Answer]) -> Verdict:
    """The verdict on the answers to all trials: first the values, then dtypes, inputs and gradients."""
    wrong = [i for i in range(len(trials)) if not agree(got[i].values, right[i].values, exercise.tolerance)]
    if wrong:
        first = wrong[0]
        known = known_mistake(exercise, trials, got, grads=False)
        reason = known.explanation if known else describe_failure(got[first].values, right[first].values)
        example = describe_difference(exercise, trials[first], got[first].values, right[first].values)
        return Verdict("wrong", known.name if known else "", f"{reason}\n{example}".strip())
    for mine, true in zip(got, right):
        for word, dtype, expected in zip(exercise.returns, mine.dtypes, true.dtypes):
            if dtype != expected and (dtype == torch.bool or not expected.is_floating_point):
                return Verdict(
                    "wrong",
                    "another dtype",
                    f"The values are right, but the {word} should be "
                    f"{expected}, not {dtype}: convert with .to({expected}).",
                )
        if mine.changed is not None:
            name = exercise.parameters[mine.changed]
            return Verdict(
                "wrong",
                "changes its input",
                f"The values are right, but {name} is written on, "
                f"and stays so for the caller. Work on a new tensor, or on {name}.clone().",
            )
    return compare_gradients(exercise, trials, got, right) if exercise.grad else Verdict("right")


def compare_gradients(exercise: Exercise, trials: list[tuple], got: list[Answer], right: list[Answer]) -> Verdict:
    """The verdict on answers whose values are right."""
    if any(mine.grads is None for mine in got):
        return Verdict(
            "wrong",
            "no gradient",
            "The values are right, but no gradient flows back to the "
            "inputs, so nothing would be learned: return a tensor, and avoid .item(), float(), "
            ".detach(), .numpy(), torch.tensor(...) and no_grad on the way.",
        )
    if all(agree(mine.grads, true.grads, exercise.tolerance) for mine, true in zip(got, right)):
        return Verdict("right")
    known = known_mistake(exercise, trials, got, grads=True)
    reason = known.explanation if known else "A part of the computation is detached from the inputs."
    return Verdict(
        "wrong", known.name if known else "another gradient", f"The values are right, but the gradient is not. {reason}"
    )


def known_mistake(exercise: Exercise, trials: list[tuple], got: list[Answer], grads: bool) -> Mistake | None:
    """The first mistake of which a form gives the reader's values, or else gradients, on every trial."""
    for mistake in exercise.mistakes:
        for form in mistake.forms:
            theirs = [ask(form, args, len(exercise.returns), grads) for args in trials]
            pairs = [(a.values, b.values) for a, b in zip(got, theirs)]
            pairs += [(a.grads, b.grads) for a, b in zip(got, theirs)] if grads else []
            if all(agree(a, b, exercise.tolerance) for a, b in pairs):
                return mistake
    return None


def agree(mine: tuple[Tensor, ...] | None, theirs: tuple[Tensor, ...] | None, tolerance: float) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return all(same(a, b, tolerance) for a, b in zip(mine, theirs))


def same(got: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Equal shapes, and entries that differ by at most tolerance times the largest finite expected entry."""
    return got.shape == expected.shape and not differs(got, expected, tolerance).any()


def differs(got: Tensor, expected: Tensor, tolerance: float) -> Tensor:
    finite = expected[torch.isfinite(expected)].abs()
    scale = max(finite.max().item() if len(finite) else 0.0, 0.01)
    return ~torch.isclose(got, expected, rtol=0, atol=tolerance * scale, equal_nan=True)


def describe_failure(got: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> str:
    """What can be said of an unknown mistake."""
    if any(a.isnan().any() and not b.isnan().any() for a, b in zip(got, expected)):
        return (
            "The result holds NaN (not a number): a division by zero, 0 * inf, or the log of 0 or of a negative number?"
        )
    if any(a.shape != b.shape for a, b in zip(got, expected)):
        return "The result has another shape than it should have."
    return ""


def describe_inputs(exercise: Exercise, args: tuple) -> str:
    return ", ".join(f"{name} = {show(arg)}" for name, arg in zip(exercise.parameters, args))


def describe_difference(exercise: Exercise, args: tuple, got: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> str:
    """Inputs, expected and got; for large tensors of equal shape the first entry that differs."""
    lines = [f"Example: {describe_inputs(exercise, args)}"]
    for word, mine, true in zip(exercise.returns, got, expected):
        if same(mine, true, exercise.tolerance):
            continue
        place = ""
        if mine.shape == true.shape and true.numel() > SHOWN:
            index = differs(mine, true, exercise.tolerance).nonzero()[0].tolist()
            place, mine, true = f" at {index}", mine[tuple(index)], true[tuple(index)]
        lines.append(f"  {word}{place}: expected {show(true)}, got {show(mine)}")
    return "\n".join(lines)


def show(value) -> str:
    """A small tensor as nested lists with four digits and its shape, a large one as its shape."""
    if not isinstance(value, Tensor):
        return f"{value}"
    shape = f"shape {list(value.shape)}"
    if value.numel() > SHOWN:
        return f"a tensor of {shape}"

    def text(x) -> str:
        return f"[{', '.join(map(text, x))}]" if isinstance(x, list) else f"{x:.4g}"

    return text(value.tolist()) + (f" ({shape})" if value.dim() > 0 else "")
