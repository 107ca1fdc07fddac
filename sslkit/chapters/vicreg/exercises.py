# Generated from notebooks/14_vicreg.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

from torch import Tensor

from sslkit.chapters.vicreg.method import covariance_loss, variance_loss, vicreg_terms
from sslkit.checks.exercise import Task

def pair_penalty(z: Tensor) -> Tensor:
    """The squared dot products of different rows of z [N, K], all ordered pairs, by a [K, K] table.

    Source: Garrido et al. 2023, section 3.
    """
    return (z.T @ z).square().sum() - z.square().sum(1).square().sum()


TASKS = {
    "variance_loss": Task(
        title="The variance term",
        difficulty=2,
        minutes=10,
        task="Write `variance_loss(z, eps)`: for each column of `z` how far its deviation, the root of variance plus `eps`, falls short of 1 (0 where it does not); the mean over the columns. The variance over the batch divides by N - 1.",
        hints=(
            "`z.var(0)` gives the variance of each column, divided by N - 1.",
            "max(0, x) has a name in neural networks.",
            "`F.relu(1 - (z.var(0) + eps).sqrt())`, and the mean of it.",
        ),
    ),
    "covariance_loss": Task(
        title="The covariance term",
        difficulty=2,
        minutes=10,
        task="Write `covariance_loss(z)`: the covariance matrix of the columns of `z` (divided by N - 1), the sum of its squared entries off the diagonal, divided by K.",
        hints=(
            "Subtract from each column its mean first. Then one matrix product gives all covariances; which factor is transposed?",
            "Take the diagonal out as in chapter 13: `c - torch.diag(c.diagonal())`.",
            "With `z = z - z.mean(0)`: `z.T @ z / (len(z) - 1)`; at the end `.square().sum() / z.shape[1]`.",
        ),
    ),
    "vicreg_terms": Task(
        title="The three terms of VICReg",
        difficulty=2,
        minutes=10,
        task="Write `vicreg_terms(z1, z2)`, which returns three numbers: the invariance, the mean squared difference of `z1` and `z2`; the variance, the *mean* of the two branches' variance terms; the covariance, the *sum* of the two branches' covariance terms. (The first lines of the solution refuse odd shapes; the `with` computes in full precision.)",
        hints=(
            "Each branch is judged by itself in variance and covariance. Only the invariance takes both.",
            "A mean for the variance and a sum for the covariance, as in the authors' code.",
            "`F.mse_loss(z1, z2)`, `(variance_loss(z1) + variance_loss(z2)) / 2`, `covariance_loss(z1) + covariance_loss(z2)`",
        ),
    ),
    "pair_penalty": Task(
        title="Negatives without negatives",
        difficulty=3,
        minutes=15,
        task="Write `pair_penalty(z)`: the sum of (z_n · z_m)² over all pairs of *different* rows of `z` [N, K], ordered pairs, so that each counts twice. Imagine a million rows and K = 64: no table [N, N] may be made.",
        hints=(
            "Which table is small, and has the same sum of squares as the [N, N] one?",
            "`z.T @ z` is [K, K]. Its sum of squares counts each row with itself, too. What is a row's dot product with itself, squared?",
            "`(z.T @ z).square().sum() - z.square().sum(1).square().sum()`",
        ),
    ),
}
