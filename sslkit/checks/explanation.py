"""Which misconceptions explain a reader's answers: those of the known mistakes, alone and in pairs, what can go wrong with any, and
slips in the solution."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache

from torch import Tensor

from sslkit.checks.answer import Answer, ask, brief
from sslkit.checks.diagnose import broken, describe_remaining, diagnose, guess
from sslkit.checks.equal import agree
from sslkit.checks.exercise import Exercise, Mistake, drawn_anew
from sslkit.checks.slips import slips
from sslkit.checks.swaps import both

PAIRS = 500  # at most this many combinations of two mistakes are tried: a second or two


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
    return [(mistake, found) for mistake, form in exercise.wrong_versions if (found := answers(exercise, form, trials))]


def answers(exercise: Exercise, form: Callable, trials: list[tuple]) -> list[Answer]:
    """What a wrong form gives on the trials, up to one where it fails."""
    return until_it_fails(exercise, form, trials)[0]


def until_it_fails(exercise: Exercise, form: Callable, trials: list[tuple]) -> tuple[list[Answer], str]:
    """The answers of a wrong form, and the error that ends them, "" where none does."""
    found: list[Answer] = []
    try:
        for args in trials:
            found.append(ask(form, args, len(exercise.returns), exercise.grad))
    except Exception as error:
        return found, brief(error)
    return found, ""


def fails_alike(exercise: Exercise, trials: list[tuple], count: int, error: str) -> Mistake | None:
    """The misconception of which a form fails after `count` answers with the same error; None where none does. (Of memory many
    forms want too much.)"""
    for mistake, form in exercise.wrong_versions if error and not error.startswith("MemoryError") else ():
        given, its_error = until_it_fails(exercise, form, trials)
        if (len(given), its_error) == (count, error):
            return mistake
    return None


def explanation(
    exercise: Exercise, seed: int, trials: list[tuple], got: list[Answer], right: list[Answer], grads: bool
) -> tuple[tuple[str, ...], str]:
    """What gives these answers: a misconception of the exercise; what can go wrong with any result; both at once; two
    misconceptions; a slip. ((), "") where nothing does."""
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
    # NaN everywhere agrees with too many
    numbers = [value.isfinite().any() for answer in got for value in answer.values]
    pairs = itertools.combinations(exercise.swaps, 2) if any(numbers) else ()
    for (one, first), (other, second) in itertools.islice(pairs, PAIRS):
        if one is other or (form := both(exercise.solution, first, second)) is None:
            continue
        if (both_made := answers(exercise, form, trials)) and alike(exercise, got, both_made, right, grads):
            return (one.name, other.name), f"{one.explanation} And: {other.explanation}"
    if found := guess(mine, expected, trials, same):
        return (found[0],), found[1]
    if (partial := best_partial_match(exercise, got, right, known))[0]:
        return partial
    if found := broken(mine, expected):
        return (found[0],), found[1]
    for slip in slips(exercise.solution) if len(got) > 1 else ():  # one answer is soon given by chance
        if gives(exercise, slip.form, trials, got):
            return (slip.name,), slip.explanation
    if found := describe_remaining(mine, expected, same):
        return (found[0],), found[1]
    return (), ""


def gives(exercise: Exercise, form: Callable, trials: list[tuple], got: list[Answer]) -> bool:
    """Whether a form gives these values on all trials; the first that it does not ends the search."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a change makes torch warn of what nobody wrote
        try:
            return all(
                agree(ask(form, args, len(exercise.returns), exercise.grad).values, mine.values, exercise.tolerance)
                for args, mine in zip(trials, got)
            )
        except Exception:
            return False


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


def best_partial_match(
    exercise: Exercise, got: list[Answer], right: list[Answer], known: list[tuple[Mistake, list[Answer]]]
) -> tuple[tuple[str, ...], str]:
    """The misconception that explains most of the wrong results, half of them and two at least, and more of them than it would
    make wrong of the right ones; ((), "") where none does."""
    if not known:
        return (), ""
    wrong = [not agree(a.values, b.values, exercise.tolerance) for a, b in zip(got, right)]
    telling = [any(value.any() for value in a.values) for a in got]  # nothing, or zeros alone, agree by chance

    def counts(theirs: list[Answer]) -> tuple[int, int]:
        """How many wrong results a mistake gives, and how many right ones it does not."""
        same = [told and agree(a.values, b.values, exercise.tolerance) for told, a, b in zip(telling, got, theirs)]
        return sum(s and w for s, w in zip(same, wrong)), sum(not s and not w for s, w in zip(same, wrong))

    mistake, (count, denied) = max(((m, counts(theirs)) for m, theirs in known), key=lambda found: found[1][0])
    if count < 2 or 2 * count < sum(wrong) or denied >= count:
        return (), ""
    return (mistake.name,), f"{mistake.explanation} (That explains {count} of {sum(wrong)} wrong results.)"


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
    arguments = zip(exercise.parameters, trials_of(exercise, 0)[0])
    names = [name for name, x in arguments if isinstance(x, Tensor) and x.is_floating_point()]
    for i, name in enumerate(names):
        mine, true = (any(answer.grads[i].any() for answer in answers if answer.grads) for answers in (got, right))
        if true and not mine:
            text = f"None reaches `{name}`: is it detached, copied by .data, or made anew on the way?"
            return (f"no gradient to {name}",), text
        if mine and not true:
            return (f"gradient into {name}",), f"It reaches `{name}` too, which is to stay constant: {name}.detach()."
    return (), ""
