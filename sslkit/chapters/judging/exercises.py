# Generated from notebooks/02_judging.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Task

def knn_predict(train_h: Tensor, train_y: Tensor, test_h: Tensor, k: int) -> Tensor:
    """Class of each test image: the majority among its k nearest training images by cosine.

    Where two classes have equally many of the k, the one of the nearest image among them wins.
    train_h: features [N, D], train_y: classes int64 [N], test_h: features [M, D].
    Returns classes int64 [M].
    """
    similarity = F.normalize(test_h, dim=1) @ F.normalize(train_h, dim=1).T
    neighbours = train_y[similarity.topk(k, dim=1).indices]  # classes [M, k], nearest first
    votes = (neighbours[:, :, None] == neighbours[:, None, :]).sum(dim=2)  # of each one's class
    winner = votes.argmax(dim=1, keepdim=True)  # the first where several are equal: the nearest
    return neighbours.gather(1, winner).squeeze(1)


def effective_rank(h: Tensor) -> Tensor:
    """How many directions the features use: 1 (all on one line) up to min(N, D). Not centred.

    exp(-sum of p log p) over the singular values s of h, p = s / sum(s); 0 log 0 counts as 0.
    h: features [N, D]. Returns one number.
    Source: Roy & Vetterli 2007; with the 1e-7 of RankMe, Garrido et al. 2023.
    """
    s = torch.linalg.svdvals(h)
    p = s / s.sum() + 1e-7
    return torch.exp(-(p * p.log()).sum())


def alignment(z1: Tensor, z2: Tensor) -> Tensor:
    """Mean squared distance of positive pairs, each row scaled to length 1: 0 is best, 4 opposite.

    z1, z2: projections of two views, row i of both being one image, [N, D]. Returns one number.
    Source: Wang & Isola 2020, section 4.1, with alpha = 2.
    """
    return (F.normalize(z1, dim=1) - F.normalize(z2, dim=1)).square().sum(dim=1).mean()


def uniformity(z: Tensor) -> Tensor:
    """log of the mean of exp(-2 d^2) over all pairs of rows, d their distance at length 1.

    0 means that all rows are one point; lower is more uniform. z: projections [N, D].
    Returns one number. Source: Wang & Isola 2020, section 4.1, with t = 2.
    """
    squared = torch.pdist(F.normalize(z, dim=1)).square()  # each pair i < j once
    return squared.mul(-2).exp().mean().log()


TASKS = {
    "knn_predict": Task(
        title="k nearest neighbours",
        difficulty=3,
        minutes=20,
        task="Write `knn_predict(train_h, train_y, test_h, k)`: each test image gets the most frequent class among the `k` training images whose features are nearest by cosine similarity. If two classes have equally many, the class of the nearest image among theirs wins.",
        hints=(
            "Three steps: all similarities [M, N], the k best of each row, a vote among their classes.",
            "`similarity.topk(k, dim=1).indices` is [M, k], nearest first; `train_y[indices]` turns it into classes.",
            "Count for each neighbour how many of the k share its class: compare `c[:, :, None] == c[:, None, :]` and sum. `argmax` takes the first of several that are equal, which is the nearest.",
        ),
    ),
    "effective_rank": Task(
        title="Effective rank",
        difficulty=3,
        minutes=15,
        task="Write `effective_rank(h)`: how many directions the features use. Take the singular values of `h` (not centred), divide by their sum to get `p`, and return `exp(-sum(p log p))`. A singular value of 0 adds nothing: a feature that is always 0 must not break it.",
        hints=(
            "Equal singular values are spread over all directions: their entropy is large. One alone has entropy 0.",
            "`torch.linalg.svdvals(h)` gives the singular values; divide by their sum; the entropy is `-(p * p.log()).sum()`.",
            "`0 * log(0)` is NaN in floating point: add 1e-7 to p first. At the end take `exp` of the entropy.",
        ),
    ),
    "alignment": Task(
        title="Alignment",
        difficulty=2,
        minutes=10,
        task="Write `alignment(z1, z2)`: scale each row to length 1, then take the squared Euclidean distance of row i of `z1` and row i of `z2`, and the mean over i. Two views that are mapped to the same direction give 0.",
        hints=(
            "Only pairs of equal row number count: two views of one image.",
            "`F.normalize(z, dim=1)`, a difference, squares: a table [N, D]. Which axis is the distance, which the mean?",
            "Sum the squares over dim=1 (that is the squared distance), then take the mean over the pairs.",
        ),
    ),
    "uniformity": Task(
        title="Uniformity",
        difficulty=3,
        minutes=15,
        task="Write `uniformity(z)`: scale each row to length 1; for each pair of different rows take `exp(-2 d^2)`, d being their distance; return the log of the mean over these pairs. A row is not a pair with itself.",
        hints=(
            "It is the energy of charges on a sphere that repel each other: small when they are spread out.",
            "`torch.pdist(z)` gives the distance of each pair i < j once, so no row meets itself.",
            "Square them, times -2, exp, mean, log: in this order.",
        ),
    ),
}
