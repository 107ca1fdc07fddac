"""Exercise of chapter 25: batch norm's statistics over all processes."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def joint_statistics_loop(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """From sums and sums of squares, as if each process held one value for each, E[x^2] - E[x]^2."""
    W, C = means.shape
    mean, variance = torch.zeros(C, dtype=torch.float64), torch.zeros(C, dtype=torch.float64)
    for c in range(C):
        total, squares = 0.0, 0.0
        for w in range(W):
            total += float(means[w, c])
            squares += float(variances[w, c]) + float(means[w, c]) ** 2
        mean[c] = total / W
        variance[c] = squares / W - (total / W) ** 2
    return mean, variance


JOINT_STATISTICS = Exercise(
    "joint_statistics",
    joint_statistics_loop,
    returns=("mean", "variance"),
    trials=lambda: [
        (torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])),
        (draw(1, 2, 3), draw(2, 2, 3).abs() + 0.1),
        (draw(3, 4, 2), draw(4, 4, 2).abs() + 0.1),
        (draw(5, 3, 5, spread=2.0), draw(6, 3, 5).abs() + 0.1),
    ],
    mistakes=(
        mistake(
            "the mean of the variances",
            "You average the variances. That forgets how far the processes' means lie apart.",
            (") + (means - mean).square().mean(dim=0)", ")"),
        ),
        mistake(
            "only between the processes",
            "You take the variance of the means. Add the mean variance within the processes.",
            ("variances.mean(dim=0) + (", "("),
        ),
        mistake(
            "corrected variance of the means",
            "You divide by W - 1 (torch's default for var). These are all processes there are: divide by W.",
            lambda m, v: (m.mean(0), v.mean(0) + m.var(0)),
        ),
        mistake(
            "squares of the means",
            "You add the mean square of the means, but not less the square of the joint mean.",
            ("means - mean", "means"),
        ),
        mistake(
            "sign of the squares",
            "The mean square is the variance *plus* the square of the mean. Put together, the squares of the means come on top, and the square of the joint mean is taken off.",
            lambda m, v: (m.mean(0), (v - m.square()).mean(0) - m.mean(0).square()),
            lambda m, v: (m.mean(0), (v + m.square()).mean(0) + m.mean(0).square()),
        ),
        mistake(
            "sums instead of means",
            "You add up over the processes without dividing by how many there are.",
            lambda m, v: (m.sum(0), v.sum(0) + (m - m.mean(0)).square().sum(0)),
            lambda m, v: (m.mean(0), v.sum(0) + (m - m.mean(0)).square().sum(0)),
            lambda m, v: (m.mean(0), v.sum(0)),
            ("means.mean(dim=0)", "means.sum(dim=0)"),
            lambda m, v: (m.sum(0), v.mean(0) + m.var(0, correction=0)),
            ("variances.mean", "variances.sum"),
            ("square().mean", "square().sum"),
            (("means.mean", "means.sum"), ("variances.mean", "variances.sum"), ("square().mean", "square().sum")),
        ),
        mistake(
            "two processes",
            "You count on two processes. Divide by how many there are, or take mean(dim=0).",
            (
                ("means.mean(dim=0)", "means.sum(dim=0) / 2"),
                ("variances.mean(dim=0)", "variances.sum(dim=0) / 2"),
                ("square().mean(dim=0)", "square().sum(dim=0) / 2"),
            ),
        ),
        mistake(
            "one process alone",
            "You return what one process knows. Put all of them together.",
            lambda m, v: (m[0], v[0]),
        ),
        mistake(
            "mean of the deviations",
            "You average the standard deviations. Average the variances.",
            ("variances.mean(dim=0)", "variances.sqrt().mean(dim=0).square()"),
        ),
        mistake(
            "taken off",
            "You take the variance of the means off. It comes on top.",
            ("mean(dim=0) + (", "mean(dim=0) - ("),
        ),
        mistake(
            "deviation of the means",
            "You add the standard deviation of the means. Add their variance.",
            ("square().mean(dim=0)", "square().mean(dim=0).sqrt()"),
        ),
        mistake(
            "one mean for all channels",
            "You take the distance to one mean of all the numbers. Each channel has its own: dim=0.",
            ("means - mean", "means - means.mean()"),
        ),
        mistake(
            "over the channels",
            "You take the means over the channels. Take them over the processes: dim=0.",
            lambda m, v: (m.mean(1), v.mean(1) + m.var(1, correction=0)),
        ),
        mistake(
            "standard deviation",
            "You return the standard deviation. The variance is its square.",
            (
                "variances.mean(dim=0) + (means - mean).square().mean(dim=0)",
                "(variances.mean(dim=0) + (means - mean).square().mean(dim=0)).sqrt()",
            ),
        ),
    ),
)
