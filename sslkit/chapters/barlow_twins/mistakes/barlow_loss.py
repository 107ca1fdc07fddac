"""Exercise of chapter 13: the loss."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.barlow_twins.exercises import cross_correlation
from sslkit.chapters.barlow_twins.mistakes.batches import pairs
from sslkit.chapters.barlow_twins.mistakes.cross_correlation import cross_correlation_loop
from sslkit.checks.exercise import Exercise, mistake


def barlow_loss_loop(z1: Tensor, z2: Tensor, weight: float) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i, row in enumerate(cross_correlation_loop(z1, z2)):
        for j, c in enumerate(row):
            total = total + ((1 - c) ** 2 if i == j else weight * c**2)
    return total


def squares_off(c: Tensor) -> Tensor:
    return c.square().sum() - c.diagonal().square().sum()


def own_correlations(z1: Tensor, z2: Tensor, weight: float, own: int) -> Tensor:
    """The second sum over the views' own correlations: those of z1, of z2, or of both."""
    parts = [squares_off(cross_correlation(z, z)) for z in ((z1,), (z2,), (z1, z2))[own]]
    return (1 - cross_correlation(z1, z2).diagonal()).square().sum() + weight * sum(parts)


def means_of_all(c: Tensor, weight: float) -> Tensor:
    """Means, of which the second one holds the diagonal as well."""
    return (1 - c.diagonal()).square().mean() + weight * c.square().mean()


ON, OFF = "(1 - c.diagonal()).square().sum()", "(c - torch.diag(c.diagonal())).square().sum()"
SUM = "invariance + weight * redundancy"
SUM_ON, SUM_OFF = "(1 - c.diagonal()).sum().square()", "(c - torch.diag(c.diagonal())).sum().square()"
MEAN_ON = "(1 - c.diagonal()).square().mean()"
MEAN_OFF = "(c - torch.diag(c.diagonal())).square().sum() / (len(c) * (len(c) - 1))"

LOSS = Exercise(
    "barlow_loss",
    barlow_loss_loop,
    grad=True,
    trials=lambda: [(*pair, w) for pair, w in zip(pairs((3, 2), (4, 3), (6, 6), (8, 5)), (0.5, 0.1, 0.02, 2.0))],
    mistakes=(
        mistake(
            "diagonal wanted 0",
            "You ask the diagonal to be 0. Across the views each number should agree with itself: 1 - C_ii.",
            ("1 - c.diagonal()", "c.diagonal()"),
        ),
        mistake("diagonal not squared", "You add up 1 - C_ii without squaring it.", (ON, "(1 - c.diagonal()).sum()")),
        mistake(
            "off the diagonal wanted 1",
            "Off the diagonal everything should be 0, not 1.",
            (OFF, "((1 - c) - torch.diag(1 - c.diagonal())).square().sum()"),
        ),
        mistake(
            "diagonal charged twice",
            "Your second sum holds the diagonal as well. Take it out: i and j differ there.",
            (OFF, "c.square().sum()"),
            (OFF, "(c - torch.eye(len(c))).square().sum()"),
        ),
        mistake(
            "not squared off the diagonal",
            "You add up the correlations themselves, so that -1 is better than 0. Square them.",
            (OFF, "(c - torch.diag(c.diagonal())).sum()"),
        ),
        mistake(
            "sizes instead of squares",
            "You add up absolute values off the diagonal. The paper squares them.",
            (OFF, "(c - torch.diag(c.diagonal())).abs().sum()"),
        ),
        mistake("weight forgotten", "The second sum is not weighted.", ("weight * redundancy", "redundancy")),
        mistake(
            "weight on the diagonal",
            "The weight belongs to what stands off the diagonal.",
            (SUM, "weight * invariance + redundancy"),
        ),
        mistake(
            "weight on everything",
            "You weigh both sums. The weight belongs to the second alone, to what stands off the diagonal.",
            lambda z1, z2, weight: weight * barlow_loss_loop(z1, z2, 1.0),
        ),
        mistake(
            "a weighted mean",
            "You weigh the first sum by 1 - weight. It counts in full; only the second one is weighted.",
            lambda z1, z2, weight: barlow_loss_loop(z1, z2, weight) - weight * barlow_loss_loop(z1, z2, 0.0),
        ),
        mistake(
            "divided by the weight",
            "Multiply the second sum by the weight.",
            ("weight * redundancy", "redundancy / weight"),
        ),
        mistake(
            "means instead of sums",
            "You take means. Both parts are sums over cells.",
            ((ON, MEAN_ON), (OFF, "(c - torch.diag(c.diagonal())).square().mean()")),
            (OFF, "(c - torch.diag(c.diagonal())).square().mean()"),
            (OFF, MEAN_OFF),
            ((ON, MEAN_ON), (OFF, MEAN_OFF)),
            (ON, MEAN_ON),
            (SUM, f"({SUM}) / len(c)"),
            lambda z1, z2, weight: means_of_all(cross_correlation(z1, z2), weight),
        ),
        mistake(
            "only the diagonal",
            "You leave out the second sum: a network that says one thing K times would be perfect.",
            (SUM, "invariance"),
        ),
        mistake(
            "only off the diagonal",
            "You leave out the first sum: a network that says nothing would be perfect.",
            (SUM, "weight * redundancy"),
        ),
        mistake(
            "one view with itself",
            "Off the diagonal you correlate a view with itself. Here it is C again, one view with the other.",
            *[lambda z1, z2, weight, own=own: own_correlations(z1, z2, weight, own) for own in range(3)],
        ),
        mistake(
            "half of the cells",
            "You count each pair of numbers once. C is not symmetric, and both (i, j) and (j, i) count.",
            (OFF, "c.triu(1).square().sum()"),
            (OFF, "c.tril(-1).square().sum()"),
        ),
        mistake("sign", "The loss must be smallest at the identity. Yours has the wrong sign.", (SUM, f"-({SUM})")),
        mistake(
            "one view without gradient",
            "One view is detached. There is no stop-gradient in this method.",
            ("at_least_float32(z2)", "at_least_float32(z2).detach()"),
            ("at_least_float32(z1)", "at_least_float32(z1).detach()"),
        ),
        mistake(
            "squares on the diagonal",
            "You take 1 - C_ii^2. It is the difference that is squared: (1 - C_ii)^2.",
            ("(1 - c.diagonal()).square()", "(1 - c.diagonal().square())"),
        ),
        mistake(
            "square of the sum",
            "You square the sums. Square each cell first, then add up.",
            (ON, SUM_ON),
            (OFF, SUM_OFF),
            ((ON, SUM_ON), (OFF, SUM_OFF)),
        ),
        mistake(
            "weight squared",
            "Your weight stands inside the square. Weigh the sum of squares.",
            ("+ weight *", "+ weight**2 *"),
        ),
        mistake(
            "subtracted",
            "You subtract the second sum, so redundancy would be rewarded. Add it.",
            ("+ weight", "- weight"),
        ),
        mistake(
            "not standardised",
            "Your C holds mean products. Take cross_correlation, which standardises both views.",
            ("cross_correlation(at_least_float32(z1), at_least_float32(z2))", "z1.T @ z2 / len(z1)"),
        ),
        mistake(
            "the whole table wanted 1",
            "You take 1 - C over the whole table. Only the diagonal should be 1: c.diagonal().",
            (ON, "(1 - c).square().sum()"),
        ),
    ),
)
