"""Exercise of chapter 13: the whole batch from its parts."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.barlow_twins.mistakes.batches import columns
from sslkit.checks.exercise import Exercise, draw, mistake


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


def added_up(*parts: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What processes with these parts of a batch send: n, sums, squares, product."""
    n = torch.tensor([len(z1) for z1, _ in parts])
    sums = torch.stack([torch.stack([z.sum(0) for z in pair]) for pair in parts])
    squares = torch.stack([torch.stack([z.square().sum(0) for z in pair]) for pair in parts])
    return n, sums, squares, torch.stack([z1.T @ z2 for z1, z2 in parts])


def parts(seed: int, k: int, *sizes: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The sums of parts of these sizes, each with a mean of its own."""
    views = []
    for p, size in enumerate(sizes):
        z1 = columns(seed + p, size, k)
        views.append((z1 + p, (z1 + draw(seed + p + 9, size, k) - p).round(decimals=2)))
    return added_up(*views)


MEANS, DEVIATIONS = "outer(mean[0], mean[1])", "outer(deviation[0], deviation[1])"
OTHER_MEANS, OTHER_DEVIATIONS = "outer(mean[1], mean[0])", "outer(deviation[1], deviation[0])"

WHOLE = Exercise(
    "whole_correlation",
    whole_correlation_loop,
    trials=lambda: [parts(0, 2, 3, 4), parts(10, 3, 5, 3, 6), parts(20, 2, 8, 8), parts(30, 4, 9)],
    mistakes=(
        mistake(
            "mean of the matrices",
            "You average the processes' own correlations. Their means and deviations differ from those of the whole batch: add up first, correlate at the end.",
            mean_of_matrices,
            weighted_mean_of_matrices,
        ),
        mistake(
            "means left in",
            "Mean products are no covariances. Take the product of the means off.",
            (f" - torch.{MEANS}", ""),
        ),
        mistake(
            "mean square as variance",
            "The mean square is the variance only where the mean is 0. Take the squared mean off.",
            (" - mean.square()", ""),
        ),
        mistake(
            "divided by the processes",
            "You divide by the number of processes, or not at all. Divide the sums by the number of all images.",
            ("n.sum()", "len(n)"),
            ("n.sum()", "1"),
            ("product.sum(0) / total", "product.mean(0)"),
        ),
        mistake(
            "variance instead of deviation", "You divide by variances. Take their square roots.", (").sqrt()", ")")
        ),
        mistake(
            "transposed",
            "Rows are the numbers of the first view, columns those of the second.",
            ((MEANS, OTHER_MEANS), ("product.sum(0)", "product.sum(0).T"), (DEVIATIONS, OTHER_DEVIATIONS)),
        ),
        mistake(
            "views mixed up",
            "You pair means or deviations with the wrong view: index 0 is z1, the rows; index 1 is z2, the columns.",
            (MEANS, OTHER_MEANS),
            (MEANS, "outer(mean[0], mean[0])"),
            (DEVIATIONS, OTHER_DEVIATIONS),
            ((MEANS, OTHER_MEANS), (DEVIATIONS, OTHER_DEVIATIONS)),
            ((MEANS, "outer(mean[0], mean[0])"), (DEVIATIONS, "outer(deviation[0], deviation[0])")),
        ),
        mistake(
            "covariance",
            "That is the covariance. Divide each entry by the two deviations.",
            (f" / torch.{DEVIATIONS}", ""),
        ),
        mistake(
            "one process alone",
            "You use one process's sums alone. Add up over all of them: .sum(0).",
            lambda n, s, q, p: whole_correlation_loop(n[:1], s[:1], q[:1], p[:1]),
        ),
        mistake(
            "every process the same",
            "You average the processes' means, as if each had as many images. Add up the sums and divide by all images, n.sum().",
            (
                ("total = n.sum()", "total, n = len(n), n[:, None, None]"),
                ("sums.sum(0)", "(sums / n).sum(0)"),
                ("squares.sum(0)", "(squares / n).sum(0)"),
                ("product.sum(0)", "(product / n).sum(0)"),
            ),
        ),
        mistake(
            "mean not squared", "The variance is the mean square minus the *squared* mean.", ("mean.square()", "mean")
        ),
        mistake(
            "variance over N - 1",
            "Of variance and covariance you have one over N, one over N - 1. Take both over N.",
            (f"product.sum(0) / total - torch.{MEANS}", f"(product.sum(0) - total * torch.{MEANS}) / (total - 1)"),
            (
                ("squares.sum(0) / total", "squares.sum(0) / (total - 1)"),
                ("product.sum(0) / total", "product.sum(0) / (total - 1)"),
            ),
            ("squares.sum(0) / total - mean.square()", "(squares.sum(0) - total * mean.square()) / (total - 1)"),
        ),
        mistake(
            "entry by entry",
            "You multiply entry by entry, which pairs number i with number i only. All pairs are torch.outer(a, b).",
            (f"torch.{MEANS}", "mean[0] * mean[1]"),
            (f"torch.{DEVIATIONS}", "(deviation[0] * deviation[1])"),
            ((f"torch.{MEANS}", "mean[0] * mean[1]"), (f"torch.{DEVIATIONS}", "(deviation[0] * deviation[1])")),
        ),
        mistake(
            "the first part for all",
            "You count every part as long as the first. They differ: n.sum() images in all.",
            ("n.sum()", "n[0] * len(n)"),
        ),
    ),
)
