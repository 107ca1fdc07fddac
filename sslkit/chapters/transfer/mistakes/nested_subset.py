"""Exercise of chapter 22: a nested subset of the labels."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw_labels, generator, mistake


def nested_subset_loop(y: Tensor, per_class: int, order: Tensor) -> Tensor:
    taken, rows = {}, []
    for row in order.tolist():
        kind = int(y[row])
        if taken.get(kind, 0) < per_class:
            taken[kind] = taken.get(kind, 0) + 1
            rows.append(row)
    return torch.tensor(sorted(rows))


def shuffled(seed: int, N: int) -> Tensor:
    return torch.randperm(N, generator=generator(seed))


def subset_trial(seed: int, N: int, classes: int, per_class: int) -> tuple:
    """Classes of different sizes, each large enough."""
    y = torch.cat([torch.arange(classes).repeat(per_class), draw_labels(seed, N - classes * per_class, classes)])
    return y[shuffled(seed + 50, N)], per_class, shuffled(seed, N)


def by_class(y: Tensor, order: Tensor) -> list[Tensor]:
    """The rows of each class, in the order of the walk."""
    return [order[y[order] == c] for c in y.unique()]


def as_met(y: Tensor, per_class: int, order: Tensor) -> Tensor:
    """The right rows in the order of the walk."""
    kept = nested_subset_loop(y, per_class, order)
    return order[torch.isin(order, kept)]


NESTED = Exercise(
    "nested_subset",
    nested_subset_loop,
    trials=lambda: [
        (torch.tensor([0, 1, 0, 1, 0, 1]), 1, torch.tensor([4, 2, 5, 0, 3, 1])),
        subset_trial(1, 12, 3, 2),
        subset_trial(2, 40, 4, 5),
        subset_trial(3, 30, 2, 7),
        subset_trial(4, 60, 12, 3),
    ],
    mistakes=(
        mistake(
            "positions instead of rows",
            "You return places in `order`. The row that stands at a place is `order[place]`.",
            lambda y, n, order: torch.cat([(y[order] == c).nonzero()[:n, 0] for c in y.unique()]).sort().values,
        ),
        mistake(
            "labels instead of rows",
            "You return the labels themselves. Return the numbers of their rows: order[y[order] == c].",
            lambda y, n, order: torch.cat([y[order][y[order] == c][:n] for c in y.unique()]).sort().values,
        ),
        mistake(
            "one too many",
            "You keep `per_class` + 1 of each class: stop as soon as `per_class` are there.",
            lambda y, n, order: torch.cat([rows[: n + 1] for rows in by_class(y, order)]).sort().values,
        ),
        mistake(
            "order not used",
            "You take the first rows of each class as they stand in y, whatever the order. A seed would change nothing.",
            lambda y, n, order: torch.cat([rows[:n] for rows in by_class(y, torch.arange(len(y)))]).sort().values,
        ),
        mistake(
            "labels not reordered",
            "You compare `y == c` and index `order` with it. Where row order[i] stands in the walk, its class is y[order[i]].",
            ("[order]", ""),
        ),
        mistake(
            "the last of each class",
            "You keep the last of each class. Keep the first `per_class` that are met.",
            ("][:", "].flip(0)[:"),
        ),
        mistake(
            "not balanced",
            "You cut once for all classes together. Each class must get exactly `per_class`: cut class by class.",
            lambda y, n, order: order[: n * len(y.unique())].sort().values,
            lambda y, n, order: order[:n].sort().values,
            lambda y, n, order: torch.cat(by_class(y, order))[: n * len(y.unique())].sort().values,
        ),
        mistake(
            "not sorted",
            "The rows are the right ones, but not in ascending order. Sort them.",
            lambda y, n, order: torch.cat([rows[:n] for rows in by_class(y, order)]),
            as_met,
        ),
        mistake(
            "a mask",
            "You return True and False for each row. Return the numbers of the rows: mask.nonzero().flatten().",
            lambda y, n, order: torch.isin(torch.arange(len(y)), nested_subset_loop(y, n, order)),
        ),
        mistake(
            "classes of the rows",
            "You return the classes of the rows. Return the numbers of the rows.",
            lambda y, n, order: y[nested_subset_loop(y, n, order)],
        ),
        mistake(
            "order taken for ranks",
            "You read order[i] as the time at which row i is met. It is the row that is met at time i.",
            lambda y, n, order: nested_subset_loop(y, n, order.argsort()),
        ),
        mistake(
            "places of the sort", "sort gives .values and .indices. The rows are the values.", (".values", ".indices")
        ),
        mistake(
            "shared among the classes",
            "You divide `per_class` by the number of classes. Each class gets `per_class`.",
            ("[:per_class]", "[: per_class // len(y.unique())]"),
        ),
        mistake(
            "the last class left out",
            "range(y.max()) ends before the last class. Take those that there are: y.unique().",
            ("y.unique()", "range(int(y.max()))"),
        ),
        mistake(
            "ten classes",
            "You count on ten classes. Take those that there are: y.unique().",
            ("y.unique()", "range(10)"),
        ),
    ),
)
