"""Compares a reader's answers with the oracle's and with those of the known mistakes, and finds the words."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from sslkit.checks.bytecode import unread
from sslkit.checks.diagnose import diagnose, guess
from sslkit.checks.equal import agree
from sslkit.checks.exercise import Exercise, Mistake, drawn_anew
from sslkit.checks.runner import Answer, Session, ask, kind, run
from sslkit.checks.show import difference, inputs
from sslkit.checks.sizes import Watched
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
        outputs = len(exercise.returns)
        watched = Watched(function)
        session = run(watched if exercise.largest else function, trials, call, outputs, exercise.grad, seconds)
        verdict = replace(words(exercise, seed, trials, right, session), printed=session.printed)
        if verdict.status == "right" and exercise.largest:
            return small(exercise.largest, trials, watched.shapes) or verdict
        known = {mistake.name for mistake in exercise.mistakes}
        if verdict.status != "wrong" or verdict.values or session.problem or known & set(verdict.mistakes):
            return verdict
        again = run(function, trials, call, outputs, False, seconds, seed=1)
        return suspected(exercise, function, verdict, session.answers, again.answers)


def small(largest: Callable[..., int], trials: list[tuple], shapes: list[list[int]]) -> Verdict | None:
    """The verdict on right values which took a tensor larger than the task allows; None where none is."""
    for args, shape in zip(trials, shapes):
        if math.prod(shape) > largest(*args):
            text = f"The values are right, but on the way there is a tensor of shape {shape}, which is what the task forbids."
            return Verdict("wrong", ("a table too large",), text, values=True)
    return None


UNSURE = {"right for the first example only", "right for some inputs", "always the same"}


def suspected(
    exercise: Exercise, function: Callable, verdict: Verdict, once: list[Answer], again: list[Answer]
) -> Verdict:
    """The verdict on what no misconception explains, with what strikes the eye: chance, an argument that is never read."""
    if not all(agree(a.values, b.values, exercise.tolerance) for a, b in zip(once, again)):
        text = "Called again with the same input, it gives another result: it draws random numbers. Use only what it is given."
        return replace(verdict, mistakes=("random",), text=text)
    if not UNSURE.issuperset(verdict.mistakes):
        return verdict
    superfluous = unread(exercise.solution)
    if forgotten := [
        exercise.parameters[i] for i in unread(function) if i < len(exercise.parameters) and i not in superfluous
    ]:
        text = f"You never use {' and '.join(f'`{name}`' for name in forgotten)}."
        return replace(verdict, mistakes=(f"{forgotten[0]} not used",), text=f"{text} {verdict.text}".strip())
    return verdict


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
    text = f"The values are right, but the gradient is not. {text or 'Is a part of the computation detached from the inputs?'}"
    return Verdict("wrong", names or ("another gradient",), text, values=True)


def explanation(
    exercise: Exercise, seed: int, trials: list[tuple], got: list[Answer], right: list[Answer], grads: bool
) -> tuple[tuple[str, ...], str]:
    """Which misconceptions give these answers: one of the exercise; what can go wrong with any result; both at once; two of
    the exercise. ((), "") where none does."""
    known = mistaken(exercise, seed)
    for mistake, theirs in known:
        if alike(exercise, got, theirs, right, grads):
            return (mistake.name,), mistake.explanation
    if grads:
        return without_gradient(exercise, got, right)
    for mistake, theirs in known:
        if alike_but_for_nan(exercise, got, theirs, right):
            return (mistake.name,), f"{mistake.explanation} (So some numbers are NaN.)"
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
        if (both_made := answers(exercise, form, trials)) and alike(exercise, got, both_made, right, grads):
            return (one.name, other.name), f"{one.explanation} And: {other.explanation}"
    if (nearly := mostly(exercise, got, right, known))[0]:
        return nearly
    if found := guess(mine, expected, same):
        return (found[0],), found[1]
    return (), ""


def alike(exercise: Exercise, got: list[Answer], theirs: list[Answer], right: list[Answer], grads: bool) -> bool:
    """Whether two lists of answers agree, with their gradients too where `grads`. Where one ends early, at an error, what comes
    before it decides, if there is enough and something wrong in it."""
    if (n := min(len(got), len(theirs))) < max(len(got), len(theirs)):
        if n < 2 or all(agree(a.values, b.values, exercise.tolerance) for a, b in zip(got[:n], right)):
            return False
    return all(
        agree(a.values, b.values, exercise.tolerance) and (not grads or agree(a.grads, b.grads, exercise.tolerance))
        for a, b in zip(got, theirs)
    )


def mostly(
    exercise: Exercise, got: list[Answer], right: list[Answer], known: list[tuple[Mistake, list[Answer]]]
) -> tuple[tuple[str, ...], str]:
    """The misconception that explains most of the wrong results, half of them and two at least; ((), "") where none does."""
    wrong = [i for i, (a, b) in enumerate(zip(got, right)) if not agree(a.values, b.values, exercise.tolerance)]

    def explained(theirs: list[Answer]) -> int:
        return sum(i < len(theirs) and agree(got[i].values, theirs[i].values, exercise.tolerance) for i in wrong)

    mistake, count = max(((m, explained(theirs)) for m, theirs in known), key=lambda found: found[1])
    if count < 2 or 2 * count < len(wrong):
        return (), ""
    return (mistake.name,), f"{mistake.explanation} (That explains {count} of {len(wrong)} wrong results.)"


def alike_but_for_nan(exercise: Exercise, got: list[Answer], theirs: list[Answer], right: list[Answer]) -> bool:
    """Whether two lists of answers agree where `got` is a number, and differ there from the right ones: a mistake that gives NaN
    in some places is known by the others."""

    def numbers(of: list[Answer]) -> list[tuple[Tensor, ...]]:
        return [tuple(b.masked_fill(a.isnan(), 0.0) for a, b in zip(x.values, y.values)) for x, y in zip(got, of)]

    if len(got) != len(theirs) or not any(a.isnan().any() for answer in got for a in answer.values):
        return False
    if any(
        a.shape != b.shape or a.shape != c.shape
        for x, y, z in zip(got, theirs, right)
        for a, b, c in zip(x.values, y.values, z.values)
    ):
        return False
    mine, other, true = numbers(got), numbers(theirs), numbers(right)
    return all(agree(a, b, exercise.tolerance) for a, b in zip(mine, other)) and not all(
        agree(a, b, exercise.tolerance) for a, b in zip(mine, true)
    )


def without_gradient(exercise: Exercise, got: list[Answer], right: list[Answer]) -> tuple[tuple[str, ...], str]:
    """Names the input that no gradient reaches, or that one reaches and should not; ((), "") where it is neither."""
    names = [
        n
        for n, x in zip(exercise.parameters, trials_of(exercise, 0)[0])
        if isinstance(x, Tensor) and x.is_floating_point()
    ]
    for i, name in enumerate(names):
        mine, true = (any(answer.grads[i].any() for answer in answers if answer.grads) for answers in (got, right))
        if true and not mine:
            return (
                f"no gradient to {name}",
            ), f"None reaches `{name}`: is it detached, copied by .data, or made anew on the way?"
        if mine and not true:
            return (f"gradient into {name}",), f"It reaches `{name}` too, which is to stay constant: {name}.detach()."
    return (), ""


def size(args: tuple) -> int:
    """How many numbers an input has: the smallest one that fails is the best to look at."""
    return sum(a.numel() if isinstance(a, Tensor) else 1 for a in args)
