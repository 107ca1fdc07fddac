# Generated from notebooks/15_swav.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.swav.method import prototypes_in_use, sinkhorn, swapped_loss
from sslkit.checks.exercise import Task

def kmeans_turn(h: Tensor, centres: Tensor) -> Tensor:
    """One turn of k-means: points to the nearest centre, then centres to the mean of their points.

    h [N, D], centres [K, D]. Returns the new centres [K, D]; one without points stays.
    """
    nearest = torch.cdist(h, centres).argmin(dim=1)
    member = F.one_hot(nearest, len(centres)).to(h)  # [N, K]
    count = member.sum(dim=0)[:, None]
    return torch.where(count > 0, member.T @ h / count.clamp(min=1), centres)


TASKS = {
    "sinkhorn": Task(
        title="Sinkhorn-Knopp",
        difficulty=3,
        minutes=15,
        task="Write `sinkhorn(scores, epsilon, iterations)` in matrix form, for any N images and K prototypes. Start from exp(scores / epsilon). In each turn scale every column to the sum N / K, then every row to the sum 1. Return the codes [N, K].",
        hints=(
            "`Q.sum(dim=0)` adds up the columns, `Q.sum(dim=1, keepdim=True)` the rows. No loop over images or prototypes is left, only the one over turns.",
            "A column's sum becomes N / K if you divide by its sum and multiply by N / K.",
            "`Q = Q / Q.sum(dim=0) * (N / K)`, then `Q = Q / Q.sum(dim=1, keepdim=True)`. A common factor cancels, so subtract the largest score first: exp cannot overflow then.",
        ),
    ),
    "swapped_loss": Task(
        title="Swapped prediction",
        difficulty=2,
        minutes=10,
        task="Write `swapped_loss(scores, codes, temperature)`: scores [V, N, K] of all V views of N images, codes [A, N, K] of the first A of them. Return the mean cross-entropy over all pairs of a code and a view that is not the code's own.",
        hints=(
            "For A = 2 and V = 4 there are 2 · 3 = 6 pairs: code 0 with views 1, 2, 3, and code 1 with views 0, 2, 3.",
            "`F.cross_entropy(logits, q)` takes soft labels q [N, K] too, and averages over the N images. The logits are scores over the temperature.",
            "Two loops over a and v with `if v != a`; put the losses in a list, and return `torch.stack(losses).mean()`.",
        ),
    ),
    "prototypes_in_use": Task(
        title="Prototypes in use · *optional*",
        difficulty=1,
        minutes=5,
        task="Write `prototypes_in_use(codes)`: exp of the entropy (natural logarithm) of the mean code of N images [N, K]. All images at one table give 1, an even spread gives K.",
        hints=(
            "First the mean over the images, then the entropy, not the other way round.",
            "The entropy is $-\\sum_k p_k \\ln p_k$, and 0 ln 0 counts as 0.",
            "`torch.special.entr(p)` is $-p \\ln p$, with 0 where p is 0.",
        ),
    ),
    "kmeans_turn": Task(
        title="A turn of k-means",
        difficulty=2,
        minutes=10,
        task="Write `kmeans_turn(h, centres)`: assign each row of h [N, D] to the nearest of the centres [K, D] by Euclidean distance, and return the new centres: the means of their rows. A centre without rows stays where it is.",
        hints=(
            "`torch.cdist(h, centres)` holds all distances [N, K]; which is the smallest of each row?",
            "`F.one_hot(nearest, K)` is a table of who belongs to whom: a matrix product with h adds up the rows of each centre.",
            "Divide the sums by the counts, at least 1, and use `torch.where(count > 0, mean, centres)`.",
        ),
    ),
}
