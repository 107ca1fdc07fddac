# Generated from notebooks/13_barlow_twins.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import math

import torch
from torch import Tensor

from sslkit.chapters.barlow_twins.method import barlow_loss, cross_correlation, standardise
from sslkit.checks.exercise import Task

def redundancy(z: Tensor) -> Tensor:
    """Total correlation of the columns of z [N, K], in bits, were they Gaussian: -1/2 log2 det R.

    R: their correlation matrix; N well above K, else R has no full rank and the answer is infinite.
    """
    return -torch.logdet(cross_correlation(z, z)) / (2 * math.log(2))


def whole_correlation(n: Tensor, sums: Tensor, squares: Tensor, product: Tensor) -> Tensor:
    """The cross-correlation [K, K] of a batch from what P processes added up, each over its images.

    n: images of each, [P]; sums, squares: of z1 and z2, [P, 2, K]; product: z1.T @ z2, [P, K, K].
    """
    total = n.sum()
    mean = sums.sum(0) / total
    deviation = (squares.sum(0) / total - mean.square()).sqrt()
    covariance = product.sum(0) / total - torch.outer(mean[0], mean[1])
    return covariance / torch.outer(deviation[0], deviation[1])


TASKS = {
    "standardise": Task(
        title="The same scale for all numbers",
        difficulty=1,
        minutes=5,
        task="Write `standardise(z, eps)`: subtract from each column its mean, and divide it by the square root of its variance plus `eps`. The variance is the mean of the squared deviations (divided by N, not by N - 1).",
        hints=(
            "A column is one number of the network over all N images: the mean has K entries, one for each column.",
            "`z.mean(0)` is the mean of each column. `z.var(0)` divides by N - 1; it has an argument that changes this.",
            "`(z - z.mean(0)) / (z.var(0, correction=0) + eps).sqrt()`",
        ),
    ),
    "cross_correlation": Task(
        title="The cross-correlation matrix",
        difficulty=2,
        minutes=10,
        task="Write `cross_correlation(z1, z2)` without a loop: a table [K, K] whose entry (i, j) is the correlation of column i of `z1` with column j of `z2`. Use `standardise`.",
        hints=(
            "SimCLR's matrix had a row for each image. This one has a row for each number. What has to be summed over?",
            "A matrix product sums over the dimension that the two factors share. Which of the two must be transposed so that they share the images?",
            "`standardise(z1).T @ standardise(z2)`, divided by the number of images.",
        ),
    ),
    "barlow_loss": Task(
        title="The loss of Barlow Twins",
        difficulty=2,
        minutes=10,
        task="Write `barlow_loss(z1, z2, weight)`: the sum of (1 - C_ii)² over the diagonal, plus `weight` times the sum of C_ij² over everything off the diagonal. C is the cross-correlation of `z1` and `z2`. (The first lines of the solution are for later: they refuse odd shapes, and compute in full precision.)",
        hints=(
            "`cross_correlation(z1, z2)`, then one sum over its diagonal and one over the rest.",
            "`c.diagonal()` is the diagonal. `torch.diag(...)` makes a matrix of a diagonal; subtract it from `c`, and what remains is the rest.",
            "`(1 - c.diagonal()).square().sum() + weight * (c - torch.diag(c.diagonal())).square().sum()`",
        ),
    ),
    "redundancy": Task(
        title="Redundancy",
        difficulty=3,
        minutes=10,
        task="Write `redundancy(z)`: how many bits the columns of `z` [N, K] waste, -1/2 log2 det R, where R is the correlation matrix of the columns with one another.",
        hints=(
            "R is `cross_correlation` of z with itself.",
            "The determinant of a large matrix is soon too small for a float: `torch.logdet` gives its natural logarithm at once.",
            "log2(x) is ln(x) / ln(2): `-torch.logdet(R) / (2 * math.log(2))`.",
        ),
    ),
    "whole_correlation": Task(
        title="The whole batch from its parts",
        difficulty=4,
        minutes=15,
        task="P processes hold a part of the batch each. Process p has sent: `n[p]`, how many images it has; `sums[p]` [2, K], the sum of its rows of z1 and of z2; `squares[p]` [2, K], the sums of their squares; `product[p]` [K, K], its `z1.T @ z2`. Write `whole_correlation(n, sums, squares, product)`: the cross-correlation of the whole batch. (Leave eps out.)",
        hints=(
            "Add up over the processes first, and divide by the number of all images: that gives means, mean squares and mean products of the whole batch.",
            "The variance is the mean square minus the squared mean. The covariance is the mean product minus the product of the means.",
            "`torch.outer(a, b)` is the table of all products a_i b_j. You need it twice: for the means and for the deviations.",
        ),
    ),
}
