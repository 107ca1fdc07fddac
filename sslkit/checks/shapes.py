"""What can be wrong with the shape of any result, and what the right numbers in another shape are called."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

Values = tuple[Tensor, ...]
Found = tuple[str, str]


def reshaped(
    got: Sequence[Values], expected: Sequence[Values], trials: Sequence[tuple], same: Callable
) -> Iterator[Found]:
    """Means that are not taken, sums in the place of means, axes of length 1."""
    if all(len(values) == 1 for values in expected):
        single = all(values[0].ndim == 0 for values in expected)
        if single and all(values[0].numel() > 1 for values in got):
            if same([(values[0].mean(),) for values in got], expected):
                yield "not averaged", "These are the numbers of the single entries: return their mean, one number."
            if same([(values[0].sum(),) for values in got], expected):
                yield "not summed", "These are the single terms: return their sum, one number."
        counts = [row_counts(args) for args in trials]
        for which in range(min(map(len, counts), default=0)):
            ratio = [float(count[which]) for count in counts]
            if len(set(ratio)) < 2:
                continue
            shown = next(n for n in ratio if n != 1)
            if same(got, [(values[0] * n,) for values, n in zip(expected, ratio)]):
                yield (
                    "summed, not averaged",
                    f"It is a sum that grows with the input: divide by the number of terms (here {shown:g}).",
                )
            if same(got, [(values[0] / n,) for values, n in zip(expected, ratio)]):
                yield (
                    "averaged twice",
                    f"The result is divided once too often: by {shown:g} here, a length of the input.",
                )
    squeezed = [tuple(value.squeeze() for value in values) for values in got]
    if same(squeezed, [tuple(value.squeeze() for value in values) for values in expected]):
        if any(a.shape != b.shape for mine, true in zip(got, expected) for a, b in zip(mine, true)):
            yield (
                "an axis of length 1",
                (
                    f"The numbers are right, but the shape is {shapes(got[0])}, not {shapes(expected[0])}: an axis of length 1 "
                    "is too many or too few. squeeze() or a slice takes it away, None or unsqueeze() adds it."
                ),
            )


def fixed_length(
    got: Sequence[Values], expected: Sequence[Values], trials: Sequence[tuple], same: Callable
) -> Iterator[Found]:
    """Means of single numbers for which a sum is divided by the same number whatever the length."""
    if len(got) < 3 or any(len(values) != 1 or values[0].ndim for values in expected):
        return
    for lengths in zip(*(row_counts(args) for args in trials)):
        sums = [(values[0] * n,) for values, n in zip(expected, lengths)]
        i = max(range(len(got)), key=lambda i: sums[i][0].abs())
        if (
            len(set(lengths)) < 2
            or not got[i][0].abs() > 0
            or not same(got, [(got[i][0] / sums[i][0] * x,) for (x,) in sums])
        ):
            continue
        divisor = (sums[i][0] / got[i][0]).item()
        yield (
            "a length written as a number",
            f"You divide by {divisor:.4g} whatever the length of the input. Divide by that length (here {lengths[0]}).",
        )


def another_shape(got: Sequence[Values], expected: Sequence[Values], same: Callable) -> Found:
    """Words for a result of another shape, the right numbers in it or not."""
    one = next(i for i, (mine, true) in enumerate(zip(got, expected)) if shapes(mine) != shapes(true))
    where = f"The shape is {shapes(got[one])} where {shapes(expected[one])} is expected"
    if one:
        where += ", for some inputs only"
    if all(
        a.ndim > 1 and a.transpose(-1, -2).shape == b.shape
        for mine, true in zip(got, expected)
        for a, b in zip(mine, true)
    ):
        if same([tuple(a.transpose(-1, -2) for a in mine) for mine in got], expected):
            return "transposed", f"Rows and columns are exchanged. {where}."
    if all(a.numel() == b.numel() for mine, true in zip(got, expected) for a, b in zip(mine, true)):
        if same([tuple(a.reshape(b.shape) for a, b in zip(mine, true)) for mine, true in zip(got, expected)], expected):
            return (
                "another shape, the right numbers",
                f"The numbers are right and in the right order. {where}: reshape it.",
            )
    if axes := another_order(got, expected, same):
        return (
            "axes in another order",
            f"The right numbers, with the axes in another order: .permute{axes} puts them right. {where}.",
        )
    if words := one_off(got, expected):
        return "one entry more or fewer", f"{words} {where}."
    many, few = (
        any(sign * (a.ndim - b.ndim) > 0 for mine, true in zip(got, expected) for a, b in zip(mine, true))
        for sign in (1, -1)
    )
    words = "The result has another shape than it should have."
    if many != few:
        what = (
            "too many: is a sum or a mean over one (dim=) missing, or an index?"
            if many
            else "too few: does a sum, a mean or an index take one away?"
        )
        words = f"The result has dimensions {what}"
    return "another shape", f"{words} {where}."


def another_order(got: Sequence[Values], expected: Sequence[Values], same: Callable) -> tuple[int, ...] | None:
    """The order of the axes, of three or more, which makes one result the expected one in all trials."""
    if any(len(values) != 1 for values in got) or len({x.ndim for lists in (got, expected) for (x,) in lists}) != 1:
        return None
    for order in itertools.permutations(range(n)) if 3 <= (n := got[0][0].ndim) <= 5 else ():
        if all(x.permute(order).shape == y.shape for (x,), (y,) in zip(got, expected)):
            if same([(x.permute(order),) for (x,) in got], expected):
                return order
    return None


def one_off(got: Sequence[Values], expected: Sequence[Values]) -> str:
    """Words for an axis that is one too long, or one too short, wherever the shape is wrong."""
    sides = set()
    for a, b in ((a, b) for mine, true in zip(got, expected) for a, b in zip(mine, true) if a.shape != b.shape):
        apart = [(axis, m - n) for axis, (m, n) in enumerate(zip(a.shape, b.shape)) if m != n]
        if a.ndim != b.ndim or len(apart) != 1 or abs(apart[0][1]) != 1:
            return ""
        sides.add(apart[0])
    if len(sides) != 1:
        return ""
    axis, side = sides.pop()
    return f"Along dimension {axis} there is one entry too {'many' if side > 0 else 'few'}: off by one, or rounded another way?"


def row_counts(args: tuple) -> list[int]:
    """The numbers by which a sum over an input could be divided: lengths, twice them, numbers of entries."""
    found: list[int] = []
    for arg in args:
        if isinstance(arg, Tensor) and arg.ndim:
            found += [*arg.shape, 2 * arg.shape[0], arg.numel()]
    return found


def shapes(values: Values) -> str:
    """[3, 2], or several of them."""
    return " and ".join(str(list(value.shape)) for value in values)
