"""What can go wrong with any result: recognised for all exercises by what turns the expected answers into the reader's.

A diagnosis is a name, what the reader hears, and a function of the expected values that gives the wrong ones. It counts where it
explains every trial, and where it differs from the expected values in one of them at least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sslkit.checks.shapes import Found, Values, another_shape, fixed_length, reshaped

FACTORS = {  # what a constant factor means, where it means something
    -1.0: ("another sign", "The result has the wrong sign."),
    100.0: ("percent", "The result is 100 times too large: is it a percentage? Leave out the factor 100."),
    0.01: ("divided by 100", "The result is 100 times too small."),
    1 / math.log(2): ("another logarithm", "The result is in bits: take the natural logarithm, torch.log, not log2."),
    math.log(2): (
        "another logarithm",
        "The result is ln 2 = 0.69 times the expected one: is a logarithm taken to another base, or ln 2 a factor too many?",
    ),
    1 / math.log(10): (
        "another logarithm",
        "The result is 0.43 times the expected one: take the natural logarithm, not log10.",
    ),
}


def each(change: Callable[[Tensor], Tensor]) -> Callable[[Values], Values]:
    """A change of every returned value."""
    return lambda values: tuple(change(value) for value in values)


def decimals(n: int) -> Callable[[Values], Values]:
    """Every returned value rounded to n decimals."""
    return each(lambda x: x.round(decimals=n))


def turned_round(d: int) -> Callable[[Values], Values]:
    """Every returned value in reverse order along dimension d, where it has it."""
    return each(lambda x: x.flip(d) if x.ndim > d else x)


SIMPLE: tuple[tuple[str, str, Callable[[Values], Values]], ...] = (
    ("outputs exchanged", "The results are right but are in the wrong order: exchange them.", lambda v: v[::-1]),
    (
        "transposed",
        "Rows and columns are exchanged: the result is the transpose of the expected one.",
        each(lambda x: x.transpose(-1, -2) if x.ndim > 1 else x),
    ),
)  # fmt: skip

GUESSES: tuple[tuple[str, str, Callable[[Values], Values]], ...] = (
    ("complement", "The result is 1 minus the expected one: what is counted is the opposite.", each(lambda x: 1 - x)),
    ("reciprocal", "The result is 1 divided by the expected one.", each(lambda x: 1 / x)),
    ("squared", "The result is the square of the expected one.", each(lambda x: x.square())),
    ("square root", "The result is the square root of the expected one.", each(lambda x: x.sqrt())),
    ("logarithm", "The result is the logarithm of the expected one.", each(lambda x: x.log())),
    ("exponential", "The result is exp of the expected one: a logarithm is missing.", each(lambda x: x.exp())),
    ("softmax twice", "A softmax has been taken of the right result: leave it out.", each(lambda x: x.softmax(-1) if x.ndim else x)),
    ("rounded", "The result is rounded to whole numbers: is there a `//`, an int() or a round()?", each(lambda x: x.round())),
    ("rounded down", "The result is cut to whole numbers: is there a `//` or an int()?", each(lambda x: x.trunc())),
    *((f"rounded to {n} decimal{'s' * (n > 1)}", "The result is rounded: return it as it is.", decimals(n)) for n in (1, 2, 3)),
    ("absolute value", "The result has lost its sign: is there an abs() or a square too many?", each(lambda x: x.abs())),
    ("one too many", "The result is off by one: 1 too large everywhere.", each(lambda x: x + 1)),
    ("one too few", "The result is off by one: 1 too small everywhere.", each(lambda x: x - 1)),
    ("shifted by one", "The right values, but each stands one place further on.", each(lambda x: x.roll(1, 0) if x.ndim else x)),
    ("shifted back by one", "The right values, but each stands one place too early.", each(lambda x: x.roll(-1, 0) if x.ndim else x)),
    ("reversed", "The right values in reverse order.", each(lambda x: x.flip(0) if x.ndim else x)),
    *(("reversed", f"The right values, but in reverse order along dimension {d}.", turned_round(d)) for d in (1, 2, 3)),
)  # fmt: skip


def diagnose(
    got: Sequence[Values], expected: Sequence[Values], trials: Sequence[tuple], same: Callable
) -> Found | None:
    """The first diagnosis that explains the answers to all trials and leaves no doubt, as (name, words); None where none does.

    same(answers, answers) says whether two lists agree. expected may be those of a known mistake.
    """
    for name, text, change in SIMPLE:
        wanted = [change(values) for values in expected]
        if same(got, wanted) and not same(wanted, expected):
            return name, text
    if found := next(reshaped(got, expected, trials, same), None):
        return found
    found = factor(got, expected, same)
    return found if found in FACTORS.values() else None


def guess(got: Sequence[Values], expected: Sequence[Values], trials: Sequence[tuple], same: Callable) -> Found | None:
    """What is likely where nothing is sure: a function of the expected result, a constant, a length written as a number."""
    if differ_in_shape(got, expected):
        return None
    for name, text, change in GUESSES:
        wanted = [change(values) for values in expected]
        tells = any(value.any() for values in wanted for value in values)  # zeros everywhere may have many reasons
        if tells and same(got, wanted) and not same(wanted, expected):
            return name, text
    return factor(got, expected, same) or next(fixed_length(got, expected, trials, same), None)


def describe_remaining(got: Sequence[Values], expected: Sequence[Values], same: Callable) -> Found | None:
    """What can be seen where nothing explains it: another shape, all nearly right, some right and some wrong."""
    if differ_in_shape(got, expected):
        return another_shape(got, expected, same)
    return nearly_right(got, expected, same) or partly_right(got, expected, same)


def differ_in_shape(got: Sequence[Values], expected: Sequence[Values]) -> bool:
    """Whether a value has another shape than the expected one."""
    return any(a.shape != b.shape for mine, true in zip(got, expected) for a, b in zip(mine, true))


def broken(got: Sequence[Values], expected: Sequence[Values]) -> Found | None:
    """NaN or infinity where the expected result is finite."""
    for mine, true in zip(got, expected):
        for a, b in zip(mine, true):
            if a.isnan().any() and not b.isnan().any():
                return "not a number", (
                    "The result holds NaN (not a number): a division by zero, 0 * inf, inf - inf, or the log or root of a "
                    "negative number? With large inputs exp overflows: use F.cross_entropy, logsumexp, softplus or logsigmoid."
                )
            if a.isinf().any() and not b.isinf().any():
                return "overflow", (
                    "The result is infinite where it should not be: a division by 0, exp of a large number, or the log of 0? For the last "
                    "two use F.cross_entropy, log_softmax, logsumexp, softplus or logsigmoid, which are safe for large inputs."
                )
    return None


def factor(got: Sequence[Values], expected: Sequence[Values], same: Callable) -> Found | None:
    """A factor, or a number added, that is the same in all trials."""
    if differ_in_shape(got, expected):
        return None
    mine, true = (torch.cat([value.flatten() for values in lists for value in values]) for lists in (got, expected))
    usable = mine.isfinite() & true.isfinite() & (true.abs() > 1e-6)
    if usable.sum() < 2:
        return None
    c = (mine[usable] / true[usable]).median().item()
    if abs(c - 1) > 1e-3 and abs(c) > 1e-6 and same(got, [tuple(c * value for value in values) for values in expected]):
        for known, (name, text) in FACTORS.items():
            if abs(c - known) < 1e-3 * abs(known):
                return name, text
        return (
            "a constant factor",
            f"Every result is {c:.4g} times the expected one: a factor is too many, missing, or another one.",
        )
    shift = (mine[usable] - true[usable]).median().item()
    if abs(shift) > 1e-4 and same(got, [tuple(value + shift for value in values) for values in expected]):
        return (
            "a constant added",
            f"Every result is the expected one {'plus' if shift > 0 else 'minus'} {abs(shift):.4g}.",
        )
    return None


def nearly_right(got: Sequence[Values], expected: Sequence[Values], same: Callable) -> Found | None:
    """Fractions, most of which are off by little, and none by much."""
    pairs = [(a, b) for mine, true in zip(got, expected) for a, b in zip(mine, true) if b.isfinite().any()]
    right = sum(same([mine], [true]) for mine, true in zip(got, expected))
    if not pairs or 2 * right >= len(got) or all((b == b.round()).all() for _, b in pairs):
        return None
    off = max(((a - b).abs().nan_to_num(0.0).max() / b[b.isfinite()].abs().max()).item() for a, b in pairs)
    if not off < 0.05:
        return None
    text = f"Every result is nearly right, within {100 * off:.2g} %: is a small number added (an eps too large), or one clamped?"
    return "nearly right", text


def partly_right(got: Sequence[Values], expected: Sequence[Values], same: Callable) -> Found | None:
    """Right here, wrong there; the same everywhere; the right numbers in another order."""
    good = [same([mine], [true]) for mine, true in zip(got, expected)]
    if len(got) > 2 and same(got, [got[0]] * len(got)) and not same(expected, [expected[0]] * len(expected)):
        return (
            "always the same",
            "The result is the same for every input: is a number written into the code, or an argument unused?",
        )
    if good[0] and not any(good[1:]):
        return (
            "right for the first example only",
            "It is right for the first example and wrong for the others: what do they have that it has not? Or is a number of it "
            "written into the code?",
        )
    if all(a.shape == b.shape for mine, true in zip(got, expected) for a, b in zip(mine, true)) and same(
        [tuple(a.flatten().sort().values for a in mine) for mine in got],
        [tuple(b.flatten().sort().values for b in true) for true in expected],
    ):
        pairs = list(zip(zip(*got), zip(*expected)))  # of each returned value, what it was and should be
        wrong = [k for k, (mine, true) in enumerate(pairs) if not same([(a,) for a in mine], [(b,) for b in true])]
        which = f"Result {wrong[0] + 1} alone is wrong: these" if len(pairs) > len(wrong) == 1 else "These"
        return "another order", f"{which} are the right numbers, but not in their places."
    if sum(good) * 2 >= len(good):
        return (
            "right for some inputs",
            f"It is right for {sum(good)} of {len(good)} inputs: which case is left out? See the example.",
        )
    return None
