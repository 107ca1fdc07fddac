"""Compares a reader's answers with the oracle's and with those of the known mistakes, and finds the words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from sslkit.checks.answer import Answer, kind
from sslkit.checks.bytecode import unread
from sslkit.checks.equal import agree
from sslkit.checks.exercise import Exercise
from sslkit.checks.explanation import explanation, fails_alike, references
from sslkit.checks.runner import Session, run
from sslkit.checks.show import difference, inputs


@dataclass(frozen=True)
class Verdict:
    """What a check found. status: "right", "not attempted" or "wrong".

    mistakes: the names of the misconceptions that explain it, none where nothing does; text: the reason in words; example: the
    first failing input with what is expected and what came, a line each; printed: what the first call wrote. values: whether
    all values are right, so that what is wrong is a gradient, a dtype or a changed input.
    """

    status: str
    mistakes: tuple[str, ...] = ()
    text: str = ""
    example: str = ""
    printed: str = ""
    values: bool = False

    @property
    def mistake(self) -> str:
        """The names as one, "" where there is none."""
        return " and ".join(self.mistakes)

    @property
    def points(self) -> float:
        """1 for right; half for right values with a wrong gradient, dtype or a changed input; else 0."""
        return 1.0 if self.status == "right" else 0.5 if self.values else 0.0

    def as_dict(self) -> dict:
        """Plain values, for a file."""
        return asdict(self) | {"points": self.points}


def judge(exercise: Exercise, function: Callable, seconds: float = 5.0, seed: int = 0) -> Verdict:
    """Never raises for what the function does, and returns in about `seconds` even if it hangs. seed: of hidden trials; 0 for
    those that the reader is shown."""
    if not callable(function):
        return Verdict("wrong", ("no function",), f"{exercise.name} is {kind(function)}, not a function.")
    with plain_mode():
        trials, right = references(exercise, seed)
        call = f"{exercise.name}({', '.join(exercise.parameters)})"
        outputs = len(exercise.returns)
        session = run(function, trials, call, outputs, exercise.grad, seconds)
        verdict = replace(verdict_on(exercise, seed, trials, right, session), printed=session.printed)
        known = {mistake.name for mistake in exercise.mistakes}
        if verdict.status != "wrong" or verdict.values or session.problem or known & set(verdict.mistakes):
            return verdict
        again = run(function, trials, call, outputs, False, seconds, seed=1)
        return suspected(exercise, function, verdict, session.answers, again.answers)


DOUBTFUL = {
    *("right for the first example only", "right for some inputs", "always the same", "nearly right"),
    *("another shape", "one entry more or fewer", "another order"),
}


def suspected(
    exercise: Exercise, function: Callable, verdict: Verdict, once: list[Answer], again: list[Answer]
) -> Verdict:
    """The verdict on what no misconception explains, with what can be seen: chance, an argument that is never read."""
    if not all(agree(a.values, b.values, exercise.tolerance) for a, b in zip(once, again)):
        text = "Called again with the same input, it gives another result: it draws random numbers. Use only what it is given."
        return replace(verdict, mistakes=("random",), text=text)
    if not DOUBTFUL.issuperset(verdict.mistakes):
        return verdict
    superfluous = unread(exercise.solution)
    names = dict(enumerate(exercise.parameters))
    if forgotten := [names[i] for i in unread(function) if i in names and i not in superfluous]:
        text = f"You never use {' and '.join(f'`{name}`' for name in forgotten)}."
        return replace(verdict, mistakes=(f"{forgotten[0]} not used",), text=f"{text} {verdict.text}".strip())
    return verdict


def verdict_on(exercise: Exercise, seed: int, trials: list[tuple], right: list[Answer], session: Session) -> Verdict:
    """The verdict on a session."""
    if not session.attempted:
        return Verdict("not attempted")
    answered = session.answers
    if session.problem and all(agree(a.values, b.values, exercise.tolerance) for a, b in zip(answered, right)):
        args = trials[min(len(session.answers), len(trials) - 1)]
        names, text = (session.name,) if session.name else (), session.problem
        if known := fails_alike(exercise, trials, len(answered), session.error):
            names, text = (known.name,), f"{known.explanation} (It raises {session.error}.)"
        return Verdict("wrong", names, text, "It was called with\n" + inputs(exercise.parameters, args))
    count = len(answered)  # of one that fails later too, what is wrong first is said first
    verdict = compare(exercise, seed, trials[:count], answered, right[:count])
    if session.problem and not verdict.text:
        return replace(verdict, text=f"With another input: {session.problem}")
    return verdict


@contextlib.contextmanager
def plain_mode() -> Iterator[None]:
    """The notebook may be inside no_grad, autocast, another default device or dtype; a check is not."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast("cpu", enabled=False),
            torch.device("cpu"),
        ):
            yield
    finally:
        torch.set_default_dtype(before)


def compare(exercise: Exercise, seed: int, trials: list[tuple], got: list[Answer], right: list[Answer]) -> Verdict:
    """The verdict on the answers to all trials: first the values, then dtypes, inputs and gradients."""
    wrong = [i for i in range(len(trials)) if not agree(got[i].values, right[i].values, exercise.tolerance)]
    if wrong:
        first = min(wrong, key=lambda i: size(trials[i]))
        example = difference(exercise, trials[first], got[first].values, right[first].values)
        names, text = explanation(exercise, seed, trials, got, right, grads=False)
        return Verdict("wrong", names, text, example)
    for mine, true in zip(got, right):
        for word, dtype, expected in zip(exercise.returns, mine.dtypes, true.dtypes):
            if dtype != expected and (dtype == torch.bool or not expected.is_floating_point):
                text = f"The values are right, but the {word} should be {expected}, not {dtype}: convert with .to({expected})."
                return Verdict("wrong", ("another dtype",), text, values=True)
        if mine.changed is not None:
            name = exercise.parameters[mine.changed]
            text = f"The values are right, but {name} is written on, for the caller too. Work on a new tensor, or on {name}.clone()."
            return Verdict("wrong", ("changes its input",), text, values=True)
    if not exercise.grad:
        return Verdict("right", values=True)
    if any(mine.grads is None for mine in got):
        text = (
            "The values are right, but no gradient flows back to the inputs, so nothing would be learned: return a tensor, and "
            "avoid .item(), float(), .detach(), .numpy(), torch.tensor(...) and no_grad on the way."
        )
        return Verdict("wrong", ("no gradient",), text, values=True)
    if all(agree(mine.grads, true.grads, exercise.tolerance) for mine, true in zip(got, right)):
        return Verdict("right", values=True)
    names, text = explanation(exercise, seed, trials, got, right, grads=True)
    text = f"The values are right, but the gradient is not. {text or 'Is a part of the computation detached from the inputs?'}"
    return Verdict("wrong", names or ("another gradient",), text, values=True)


def size(args: tuple) -> int:
    """How many numbers an input has: the smallest one that fails is the best to look at."""
    return sum(a.numel() if isinstance(a, Tensor) else 1 for a in args)
