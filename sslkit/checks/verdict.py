"""Compares a reader's answers with the oracle's and with those of the known mistakes, and finds the words."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from sslkit.checks.diagnose import diagnose, guess
from sslkit.checks.equal import agree
from sslkit.checks.exercise import Exercise, Mistake, drawn_anew
from sslkit.checks.runner import Answer, Session, ask, kind, run
from sslkit.checks.show import difference, inputs
from sslkit.checks.swaps import both

PAIRS = 400  # at most this many combinations of two mistakes are tried: a second or two


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
        session = run(function, trials, call, len(exercise.returns), exercise.grad, seconds)
        return replace(words(exercise, seed, trials, right, session), printed=session.printed)


def words(exercise: Exercise, seed: int, trials: list[tuple], right: list[Answer], session: Session) -> Verdict:
    """The verdict on a session."""
    if not session.attempted:
        return Verdict("not attempted")
    answered = session.answers
    if session.problem and all(agree(a.values, b.values, exercise.tolerance) for a, b in zip(answered, right)):
        args = trials[min(len(session.answers), len(trials) - 1)]
        names = (session.name,) if session.name else ()
        return Verdict("wrong", names, session.problem, "It was called with\n" + inputs(exercise.parameters, args))
    count = len(answered)  # of one that fails later too, what is wrong first is said first
    return compare(exercise, seed, trials[:count], answered, right[:count])


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


def trials_of(exercise: Exercise, seed: int) -> list[tuple]:
    """The arguments of each trial."""
    with drawn_anew(seed):
        return exercise.trials()


@lru_cache(maxsize=64)
def references(exercise: Exercise, seed: int) -> tuple[list[tuple], list[Answer]]:
    """The trials, and the oracle's answers."""
    trials = trials_of(exercise, seed)
    return trials, [ask(exercise.oracle, args, len(exercise.returns), exercise.grad) for args in trials]


@lru_cache(maxsize=64)
def mistaken(exercise: Exercise, seed: int) -> list[tuple[Mistake, list[Answer]]]:
    """The answers of every wrong form, beside its mistake."""
    trials, _ = references(exercise, seed)
    return [(mistake, found) for mistake, form in exercise.forms if (found := answers(exercise, form, trials))]


def answers(exercise: Exercise, form: Callable, trials: list[tuple]) -> list[Answer]:
    """What a wrong form gives on the trials, up to one where it fails."""
    found: list[Answer] = []
    with contextlib.suppress(Exception):
        for args in trials:
            found.append(ask(form, args, len(exercise.returns), exercise.grad))
    return found


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
    text = f"The values are right, but the gradient is not. {text or 'A part of the computation is detached from the inputs.'}"
    return Verdict("wrong", names or ("another gradient",), text, values=True)


def explanation(
    exercise: Exercise, seed: int, trials: list[tuple], got: list[Answer], right: list[Answer], grads: bool
) -> tuple[tuple[str, ...], str]:
    """Which misconceptions give these answers: one of the exercise; what can go wrong with any result; both at once; two of
    the exercise. ((), "") where none does."""
    known = mistaken(exercise, seed)
    for mistake, theirs in known:
        if alike(exercise, got, theirs, grads):
            return (mistake.name,), mistake.explanation
    if grads:
        return (), ""
    mine, expected = [a.values for a in got], [a.values for a in right]

    def same(one: Sequence, other: Sequence) -> bool:
        return all(agree(a, b, exercise.tolerance) for a, b in zip(one, other))

    if found := diagnose(mine, expected, trials, same):
        return (found[0],), found[1]
    for mistake, theirs in known:
        if len(theirs) == len(mine) and (found := diagnose(mine, [a.values for a in theirs], trials, same)):
            return (mistake.name, found[0]), f"{mistake.explanation} And: {found[1]}"
    for (one, first), (other, second) in itertools.islice(itertools.combinations(exercise.forms_by_swap, 2), PAIRS):
        if one is other or (form := both(exercise.solution, first, second)) is None:
            continue
        if (both_made := answers(exercise, form, trials)) and alike(exercise, got, both_made, grads):
            return (one.name, other.name), f"{one.explanation} And: {other.explanation}"
    if found := guess(mine, expected, same):
        return (found[0],), found[1]
    return (), ""


def alike(exercise: Exercise, got: list[Answer], theirs: list[Answer], grads: bool) -> bool:
    """Whether two lists of answers agree, with their gradients too where `grads`."""
    return len(got) == len(theirs) and all(
        agree(a.values, b.values, exercise.tolerance) and (not grads or agree(a.grads, b.grads, exercise.tolerance))
        for a, b in zip(got, theirs)
    )


def size(args: tuple) -> int:
    """How many numbers an input has: the smallest one that fails is the best to look at."""
    return sum(a.numel() if isinstance(a, Tensor) else 1 for a in args)
