"""Exercises of chapter 13: standardising, the cross-correlation, the loss, redundancy, and a batch in parts."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.chapters.barlow_twins.exercises import cross_correlation, standardise
from sslkit.checks.exercise import Exercise, draw, mistake


def standardise_loop(z: Tensor, eps: float = 1e-5) -> Tensor:
    columns = []
    for column in z.double().T:
        mean = sum(column) / len(column)
        variance = sum((value - mean) ** 2 for value in column) / len(column)
        columns.append((column - mean) / torch.sqrt(variance + eps))
    return torch.stack(columns, dim=1)


def columns(seed: int, n: int, k: int) -> Tensor:
    """Rows [n, k] whose columns have clearly different means and deviations."""
    place, size = torch.linspace(-1, 2, k), torch.linspace(0.5, 3, k)
    return (draw(seed, n, k) * size + place).round(decimals=2)


def constant(seed: int) -> Tensor:
    """Four rows, the second column the same in all of them."""
    return torch.cat([columns(seed, 4, 1), torch.full((4, 1), 0.5)], dim=1)


STANDARDISE = Exercise(
    "standardise", standardise_loop, grad=True,
    trials=lambda: [(columns(0, 3, 2), 1e-5), (columns(1, 5, 4), 1e-5), (constant(2), 1e-5), (columns(3, 6, 3), 0.5)],
    mistakes=(
        mistake("rows instead of columns", "You standardise each row, the numbers of one image. Take mean and variance of each "
                "column, over the batch: dimension 0.",
                lambda z, eps: (z - z.mean(1, keepdim=True)) / (z.var(1, correction=0, keepdim=True) + eps).sqrt(),
                lambda z, eps: (z - z.mean(1, keepdim=True)) / (z.var(1, keepdim=True) + eps).sqrt()),
        mistake("one mean for all", "You take one mean, or one variance, of the whole table. Each column has its own: dimension 0.",
                ("z.mean(0)", "z.mean()"), ("z.var(0, correction=0)", "z.var(correction=0)"),
                (("z.mean(0)", "z.mean()"), ("z.var(0, correction=0)", "z.var(correction=0)"))),
        mistake("mean left in", "The columns still have their means. Take them off before you divide.", ("z - z.mean(0)", "z")),
        mistake("not divided", "You only take the mean off. Divide by the root of the variance, too.",
                (" / (z.var(0, correction=0) + eps).sqrt()", "")),
        mistake("divided by the variance", "You divide by the variance. Divide by its square root.", (".sqrt()", "")),
        mistake("variance over N - 1", "Your variance is divided by N - 1, which is var's habit. Here it is the mean of the squared "
                "deviations: correction=0.", ("(0, correction=0)", "(0)")),
        mistake("eps forgotten", "A column that never changes gives 0 / 0. Add eps to the variance.", (" + eps", "")),
        mistake("eps outside the root", "eps stands outside the root, where it counts differently: add it to the variance.",
                lambda z, eps: (z - z.mean(0)) / (z.var(0, correction=0).sqrt() + eps)),
        mistake("length 1 instead of variance 1", "Your columns have length 1. Their variance should be 1: then their length "
                "is the root of N.",
                lambda z, eps: torch.nn.functional.normalize(z - z.mean(0), dim=0)),
        mistake("statistics without gradient", "You detach mean or variance. They depend on z, and their gradient is part of the answer.",
                ("z.mean(0)", "z.detach().mean(0)"), ("z.var(0, ", "z.detach().var(0, ")),
        mistake("brackets", "You divide the mean alone. Put brackets round the difference: (z - mean) / deviation.",
                ("(z - z.mean(0)) /", "z - z.mean(0) /")),
        mistake("rows of length 1", "You scale each row to length 1. Divide each column by its deviation.",
                lambda z, eps: torch.nn.functional.normalize(z - z.mean(0), dim=1),
                lambda z, eps: torch.nn.functional.normalize(z, dim=1)),
        mistake("smallest and largest", "You squeeze each column between 0 and 1. Take its mean off and divide by its deviation.",
                lambda z, eps: (z - z.amin(0)) / (z.amax(0) - z.amin(0) + eps)),
        mistake("mean square as variance", "The mean square is the variance only where the mean is 0. Use z.var, or the centred columns.",
                ("z.var(0, correction=0)", "z.square().mean(0)")),
    ),
)  # fmt: skip


def cross_correlation_loop(z1: Tensor, z2: Tensor) -> Tensor:
    rows = []
    for a in standardise_loop(z1).T:
        rows.append(torch.stack([sum(p * q for p, q in zip(a, b)) / len(a) for b in standardise_loop(z2).T]))
    return torch.stack(rows)


def pairs(*sizes: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
    """Two views of each size (n, k); the second ones resemble the first."""
    return [
        (columns(s, n, k), (columns(s, n, k) + draw(s + 50, n, k)).round(decimals=2)) for s, (n, k) in enumerate(sizes)
    ]


CORRELATION = Exercise(
    "cross_correlation", cross_correlation_loop, grad=True, trials=lambda: pairs((3, 2), (4, 3), (6, 6), (8, 5)),
    mistakes=(
        mistake("images instead of numbers", "That is a table of images, [N, N], as in SimCLR. Here a row is a number: transpose the first "
                "factor, so that the product sums over the images.",
                ("standardise(z1).T @ standardise(z2)", "standardise(z1) @ standardise(z2).T")),
        mistake("not divided", "You add up over the images. Divide by their number.", (" / len(z1)", "")),
        mistake("number i with number i alone", "You multiply entry by entry, which pairs number i with number i alone. All pairs are a "
                "matrix product, [K, K].",
                lambda z1, z2: (standardise(z1) * standardise(z2)).mean(0), lambda z1, z2: (standardise(z1) * standardise(z2)).sum(0),
                lambda z1, z2: standardise(z1) * standardise(z2)),
        mistake("divided by K", "You divide by the number of columns. Divide by the number of images, len(z1).",
                (" / len(z1)", " / z1.shape[1]")),
        mistake("divided by N - 1", "You divide by N - 1. The deviations are those over N, so divide by N: else no number correlates with "
                "itself by 1.", (" / len(z1)", " / (len(z1) - 1)")),
        mistake("not standardised", "Products of what the network says depend on its scale. Standardise both views first.",
                ("standardise(z1).T @ standardise(z2)", "z1.T @ z2"), ("standardise(z1)", "z1"), ("standardise(z2)", "z2")),
        mistake("only centred", "You take the means off and leave the deviations: that is the covariance. Use standardise.",
                ("standardise(z1).T @ standardise(z2)", "(z1 - z1.mean(0)).T @ (z2 - z2.mean(0))")),
        mistake("transposed", "Rows are the numbers of the first view, columns those of the second. Yours is the other way round.",
                lambda z1, z2: cross_correlation(z1, z2).T),
        mistake("one view with itself", "You correlate a view with itself. One factor must be the other view.",
                ("standardise(z2)", "standardise(z1)"), ("standardise(z1)", "standardise(z2)")),
        mistake("rows scaled", "You scale the rows, which are images. Standardise the columns: each number over all images.",
                ("standardise(z1).T @ standardise(z2)", "standardise(z1.T) @ standardise(z2.T).T"),
                ("standardise(z1).T @ standardise(z2)", "(z1 / z1.norm(dim=1, keepdim=True)).T @ (z2 / z2.norm(dim=1, keepdim=True))")),
        mistake("standardised together", "You standardise both views with common statistics. Each view has its own.",
                lambda z1, z2: (standardise(torch.cat([z1, z2]))[: len(z1)].T @ standardise(torch.cat([z1, z2]))[len(z1) :]) / len(z1)),
        mistake("not centred", "You scale the columns and leave their means in: those are cosines. Take each column's mean off first.",
                lambda z1, z2: torch.nn.functional.normalize(z1, dim=0).T @ torch.nn.functional.normalize(z2, dim=0)),
        mistake("both views in one table", "That is the table of all 2 K columns. The one of z1 with z2 is its upper right block.",
                lambda z1, z2: torch.corrcoef(torch.cat([z1, z2], 1).T)),
    ),
)  # fmt: skip


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
LOSS = Exercise(
    "barlow_loss", barlow_loss_loop, grad=True,
    trials=lambda: [(*pair, w) for pair, w in zip(pairs((3, 2), (4, 3), (6, 6), (8, 5)), (0.5, 0.1, 0.02, 2.0))],
    mistakes=(
        mistake("diagonal wanted 0", "You ask the diagonal to be 0. Across the views each number should agree with itself: 1 - C_ii.",
                ("1 - c.diagonal()", "c.diagonal()")),
        mistake("diagonal not squared", "You add up 1 - C_ii without squaring it.", (ON, "(1 - c.diagonal()).sum()")),
        mistake("off the diagonal wanted 1", "Off the diagonal everything should be 0, not 1.",
                (OFF, "((1 - c) - torch.diag(1 - c.diagonal())).square().sum()")),
        mistake("diagonal charged twice", "Your second sum holds the diagonal as well. Take it out: i and j differ there.",
                (OFF, "c.square().sum()"), (OFF, "(c - torch.eye(len(c))).square().sum()")),
        mistake("not squared off the diagonal", "You add up the correlations themselves, so that -1 is better than 0. Square them.",
                (OFF, "(c - torch.diag(c.diagonal())).sum()")),
        mistake("sizes instead of squares", "You add up absolute values off the diagonal. The paper squares them.",
                (OFF, "(c - torch.diag(c.diagonal())).abs().sum()")),
        mistake("weight forgotten", "The second sum is not weighted.", ("weight * redundancy", "redundancy")),
        mistake("weight on the diagonal", "The weight belongs to what stands off the diagonal.", (SUM, "weight * invariance + redundancy")),
        mistake("weight on everything", "You weigh both sums. The weight belongs to the second alone, to what stands off the diagonal.",
                lambda z1, z2, weight: weight * barlow_loss_loop(z1, z2, 1.0)),
        mistake("a weighted mean", "You weigh the first sum by 1 - weight. It counts in full; only the second one is weighted.",
                lambda z1, z2, weight: barlow_loss_loop(z1, z2, weight) - weight * barlow_loss_loop(z1, z2, 0.0)),
        mistake("divided by the weight", "Multiply the second sum by the weight.", ("weight * redundancy", "redundancy / weight")),
        mistake("means instead of sums", "You take means. Both parts are sums over cells.",
                ((ON, "(1 - c.diagonal()).square().mean()"), (OFF, "(c - torch.diag(c.diagonal())).square().mean()")),
                (OFF, "(c - torch.diag(c.diagonal())).square().mean()"),
                (OFF, "(c - torch.diag(c.diagonal())).square().sum() / (len(c) * (len(c) - 1))"),
                ((ON, "(1 - c.diagonal()).square().mean()"),
                 (OFF, "(c - torch.diag(c.diagonal())).square().sum() / (len(c) * (len(c) - 1))")),
                (ON, "(1 - c.diagonal()).square().mean()"), (SUM, f"({SUM}) / len(c)"),
                lambda z1, z2, weight: means_of_all(cross_correlation(z1, z2), weight)),
        mistake("only the diagonal", "You leave out the second sum: a network that says one thing K times would be "
                "perfect.", (SUM, "invariance")),
        mistake("only off the diagonal", "You leave out the first sum: a network that says nothing would be "
                "perfect.", (SUM, "weight * redundancy")),
        mistake("one view with itself", "Off the diagonal you correlate a view with itself. Here it is C again, one view with the other.",
                *[lambda z1, z2, weight, own=own: own_correlations(z1, z2, weight, own) for own in range(3)]),
        mistake("half of the cells", "You count each pair of numbers once. C is not symmetric, and both (i, j) and (j, i) count.",
                (OFF, "c.triu(1).square().sum()"), (OFF, "c.tril(-1).square().sum()")),
        mistake("sign", "The loss must be smallest at the identity. Yours has the wrong sign.", (SUM, f"-({SUM})")),
        mistake("one view without gradient", "One view is detached. There is no stop-gradient in this method.",
                ("at_least_float32(z2)", "at_least_float32(z2).detach()"), ("at_least_float32(z1)", "at_least_float32(z1).detach()")),
        mistake("squares on the diagonal", "You take 1 - C_ii^2. It is the difference that is squared: (1 - C_ii)^2.",
                ("(1 - c.diagonal()).square()", "(1 - c.diagonal().square())")),
        mistake("square of the sum", "You square the sums. Square each cell first, then add up.",
                (ON, SUM_ON), (OFF, SUM_OFF), ((ON, SUM_ON), (OFF, SUM_OFF))),
        mistake("weight squared", "Your weight stands inside the square. Weigh the sum of squares.", ("+ weight *", "+ weight**2 *")),
        mistake("subtracted", "You subtract the second sum, so redundancy would be rewarded. Add it.", ("+ weight", "- weight")),
        mistake("not standardised", "Your C holds mean products. Take cross_correlation, which standardises both views.",
                ("cross_correlation(at_least_float32(z1), at_least_float32(z2))", "z1.T @ z2 / len(z1)")),
        mistake("the whole table wanted 1", "You take 1 - C over the whole table. Only the diagonal should be 1: c.diagonal().",
                (ON, "(1 - c).square().sum()")),
    ),
)  # fmt: skip


def redundancy_loop(z: Tensor) -> Tensor:
    """Bit by bit: what each number could have been told from those before it, by elimination."""
    n = len(z)
    columns = standardise_loop(z).T
    rest = [torch.stack([a @ b / n for b in columns]) for a in columns]
    bits = torch.zeros((), dtype=torch.float64)
    for i in range(len(rest)):
        bits = bits - 0.5 * torch.log2(rest[i][i])
        for j in range(i + 1, len(rest)):
            rest[j] = rest[j] - rest[j][i] / rest[i][i] * rest[i]
    return bits


def alike(seed: int, n: int, pairs: int) -> Tensor:
    """Pairs of columns that hardly differ: the determinant is too small for a float."""
    one = draw(seed, n, pairs)
    return torch.cat([one, one + draw(seed + 1, n, pairs, spread=0.03)], dim=1)


REDUNDANCY = Exercise(
    "redundancy", redundancy_loop, grad=True, tolerance=1e-2,
    trials=lambda: [
        ((columns(s, n, k) + draw(s + 50, n, 1, spread=2.0)).round(decimals=2),)
        for s, (n, k) in enumerate([(6, 2), (9, 3), (16, 5), (20, 4)])
    ] + [(alike(70, 80, 18),)],
    mistakes=(
        mistake("sign", "A determinant of correlations is below 1, so its logarithm is negative: redundancy is minus "
                "it.", ("-torch.", "torch.")),
        mistake("half forgotten", "The factor 1/2 is missing.", ("(2 * math.log(2))", "math.log(2)")),
        mistake("nats", "That is in nats. Divide by ln 2 to have bits.", ("(2 * math.log(2))", "2")),
        mistake("multiplied by ln 2", "You multiply by ln 2. log2(x) = ln(x) / ln(2).", ("/ (2 * math.log(2))", "/ 2 * math.log(2)")),
        mistake("covariance", "That depends on the scale of the numbers. Take their correlations.",
                ("cross_correlation(z, z)", "torch.cov(z.T)"), ("cross_correlation(z, z)", "torch.cov(z.T, correction=0)")),
        mistake("the determinant itself", "You return the determinant, without a logarithm.",
                lambda z: torch.det(cross_correlation(z, z)), lambda z: 1 - torch.det(cross_correlation(z, z)),
                lambda z: -torch.det(cross_correlation(z, z)) / 2),
        mistake("squares off the diagonal", "That is the approximation for small correlations. Take the determinant.",
                *[lambda z, c=c: (cross_correlation(z, z) - torch.eye(z.shape[1])).square().sum() / c for c in (4 * math.log(2), 2, 1)]),
        mistake("images instead of numbers", "You correlate images. R is the table of the columns, [K, K].",
                lambda z: -torch.logdet(cross_correlation(z.T, z.T)) / (2 * math.log(2))),
        mistake("the determinant first", "The determinant of a large matrix is too small for a float, and its logarithm infinite: "
                "torch.logdet.",
                lambda z: -torch.log2(torch.linalg.det(cross_correlation(z, z))) / 2),
        mistake("log to base 10", "You take the logarithm to base 10. Divide by ln 2 to have bits.", ("math.log(2)", "math.log(10)")),
        mistake("not centred", "You scale the columns and leave their means in: those are cosines. Take their correlations.",
                ("cross_correlation(z, z)", "(lambda u: u.T @ u)(z / z.norm(dim=0))")),
        mistake("the trace", "You take the trace, which is always K. Take the determinant.",
                lambda z: -torch.log2(cross_correlation(z, z).trace()) / 2),
        mistake("not standardised", "Mean products of the columns depend on their means and scale. Take their correlations.",
                ("cross_correlation(z, z)", "z.T @ z / len(z)"), ("cross_correlation(z, z)", "z.T @ z"),
                ("cross_correlation(z, z)", "(lambda u: u.T @ u / len(u))(z / z.std(0, correction=0))")),
    ),
)  # fmt: skip


def added_up(*parts: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What processes with these parts of a batch send: n, sums, squares, product."""
    n = torch.tensor([len(z1) for z1, _ in parts])
    sums = torch.stack([torch.stack([z.sum(0) for z in pair]) for pair in parts])
    squares = torch.stack([torch.stack([z.square().sum(0) for z in pair]) for pair in parts])
    return n, sums, squares, torch.stack([z1.T @ z2 for z1, z2 in parts])


def whole_correlation_loop(n: Tensor, sums: Tensor, squares: Tensor, product: Tensor) -> Tensor:
    total = float(sum(n))
    k = product.shape[-1]
    rows = []
    for i in range(k):
        row = []
        for j in range(k):
            first, second = (sum(s[view, at].double() for s in sums) / total for view, at in ((0, i), (1, j)))
            size1, size2 = (sum(q[view, at].double() for q in squares) / total for view, at in ((0, i), (1, j)))
            together = sum(p[i, j].double() for p in product) / total - first * second
            row.append(together / torch.sqrt((size1 - first**2) * (size2 - second**2)))
        rows.append(torch.stack(row))
    return torch.stack(rows)


def mean_of_matrices(n: Tensor, sums: Tensor, squares: Tensor, product: Tensor) -> Tensor:
    """Each process's own correlation, then their mean."""
    own = []
    for count, s, q, p in zip(n, sums / n[:, None, None], squares / n[:, None, None], product / n[:, None, None]):
        deviation = (q - s.square()).sqrt()
        own.append((p - torch.outer(s[0], s[1])) / torch.outer(deviation[0], deviation[1]) + 0 * count)
    return torch.stack(own).mean(0)


def weighted_mean_of_matrices(n: Tensor, sums: Tensor, squares: Tensor, product: Tensor) -> Tensor:
    each = [mean_of_matrices(*(part[k : k + 1] for part in (n, sums, squares, product))) for k in range(len(n))]
    return sum(count * one for count, one in zip(n, each)) / n.sum()


def parts(seed: int, k: int, *sizes: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The sums of parts of these sizes, each with a mean of its own."""
    views = []
    for p, size in enumerate(sizes):
        z1 = columns(seed + p, size, k)
        views.append((z1 + p, (z1 + draw(seed + p + 9, size, k) - p).round(decimals=2)))
    return added_up(*views)


WHOLE = Exercise(
    "whole_correlation", whole_correlation_loop,
    trials=lambda: [parts(0, 2, 3, 4), parts(10, 3, 5, 3, 6), parts(20, 2, 8, 8), parts(30, 4, 9)],
    mistakes=(
        mistake("mean of the matrices", "You average the processes' own correlations. Their means and deviations differ from "
                "those of the whole batch: add up first, correlate at the end.", mean_of_matrices, weighted_mean_of_matrices),
        mistake("means left in", "Mean products are no covariances. Take the product of the means off.",
                (" - torch.outer(mean[0], mean[1])", "")),
        mistake("mean square as variance", "The mean square is the variance only where the mean is 0. Take the squared mean off.",
                (" - mean.square()", "")),
        mistake("divided by the processes", "You divide by the number of processes, or not at all. Divide the sums by the number "
                "of all images.",
                ("n.sum()", "len(n)"), ("n.sum()", "1"), ("product.sum(0) / total", "product.mean(0)")),
        mistake("variance instead of deviation", "You divide by variances. Take their square roots.", (").sqrt()", ")")),
        mistake("transposed", "Rows are the numbers of the first view, columns those of the second.",
                (("outer(mean[0], mean[1])", "outer(mean[1], mean[0])"), ("product.sum(0)", "product.sum(0).T"),
                 ("outer(deviation[0], deviation[1])", "outer(deviation[1], deviation[0])"))),
        mistake("views mixed up", "You pair means or deviations with the wrong view: index 0 is z1, the rows; index 1 is z2, the columns.",
                ("outer(mean[0], mean[1])", "outer(mean[1], mean[0])"), ("outer(mean[0], mean[1])", "outer(mean[0], mean[0])"),
                ("outer(deviation[0], deviation[1])", "outer(deviation[1], deviation[0])"),
                (("outer(mean[0], mean[1])", "outer(mean[1], mean[0])"),
                 ("outer(deviation[0], deviation[1])", "outer(deviation[1], deviation[0])")),
                (("outer(mean[0], mean[1])", "outer(mean[0], mean[0])"),
                 ("outer(deviation[0], deviation[1])", "outer(deviation[0], deviation[0])"))),
        mistake("covariance", "That is the covariance. Divide each entry by the two deviations.",
                (" / torch.outer(deviation[0], deviation[1])", "")),
        mistake("one process alone", "You use one process's sums alone. Add up over all of them: .sum(0).",
                lambda n, s, q, p: whole_correlation_loop(n[:1], s[:1], q[:1], p[:1])),
        mistake("every process the same", "You average the processes' means, as if each had as many images. Add up the sums and "
                "divide by all images, n.sum().",
                (("total = n.sum()", "total, n = len(n), n[:, None, None]"), ("sums.sum(0)", "(sums / n).sum(0)"),
                 ("squares.sum(0)", "(squares / n).sum(0)"), ("product.sum(0)", "(product / n).sum(0)"))),
        mistake("mean not squared", "The variance is the mean square minus the *squared* mean.", ("mean.square()", "mean")),
        mistake("variance over N - 1", "Of variance and covariance you have one over N, one over N - 1. Take both over N.",
                ("product.sum(0) / total - torch.outer(mean[0], mean[1])",
                 "(product.sum(0) - total * torch.outer(mean[0], mean[1])) / (total - 1)"),
                (("squares.sum(0) / total", "squares.sum(0) / (total - 1)"), ("product.sum(0) / total", "product.sum(0) / (total - 1)")),
                ("squares.sum(0) / total - mean.square()", "(squares.sum(0) - total * mean.square()) / (total - 1)")),
        mistake("entry by entry", "You multiply entry by entry, which pairs number i with number i only. All pairs are torch.outer(a, b).",
                ("torch.outer(mean[0], mean[1])", "mean[0] * mean[1]"),
                ("torch.outer(deviation[0], deviation[1])", "(deviation[0] * deviation[1])"),
                (("torch.outer(mean[0], mean[1])", "mean[0] * mean[1]"),
                 ("torch.outer(deviation[0], deviation[1])", "(deviation[0] * deviation[1])"))),
        mistake("the first part for all", "You count every part as long as the first. They differ: n.sum() images in all.",
                ("n.sum()", "n[0] * len(n)")),
    ),
)  # fmt: skip

EXERCISES = [STANDARDISE, CORRELATION, LOSS, REDUNDANCY, WHOLE]
