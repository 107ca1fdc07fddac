# Generated from notebooks/23_compare.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Task

def total_effect(h: Tensor, changed: Tensor) -> Tensor:
    """How far features move when one factor alone is drawn anew: 0 (not at all) to 1 (all new).

    h, changed: [N, D], features of the same images before and after. The mean over images and
    dimensions of (h - changed)^2 / (2 v), v [D] the variance of each column of h over the N images
    (divided by N, not N - 1). Returns one number. Source: Jansen 1999.
    """
    return ((h - changed).square() / (2 * h.var(0, correction=0))).mean()


def linear_cka(x: Tensor, y: Tensor) -> Tensor:
    """How alike two sets of features of the same N images are, 0 .. 1.

    Linear centred kernel alignment. x: [N, D1], y: [N, D2], row i of both from image i. Each column
    is centred, then |x^T y|^2 / (|x^T x| |y^T y|), with |.| the root of the sum of all squared
    entries (Frobenius). Returns one number. Source: Kornblith et al. 2019, section 3.
    """
    x, y = x - x.mean(0), y - y.mean(0)
    return (x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())


def unbiased_hsic(K: Tensor, L: Tensor) -> Tensor:
    """The estimate of HSIC that is right on average, from two kernel matrices of the same N images.

    K, L: [N, N], N at least 4, symmetric: scalar products of the features of images i and j. With
    the diagonals of K and L set to 0, sums over all entries:
    ( sum(K * L) + sum(K) sum(L) / ((N - 1)(N - 2)) - 2 sum(K @ L) / (N - 2) ) / (N (N - 3)).
    Returns one number. Source: Song et al. 2012, the estimator of Nguyen et al. 2021 for CKA.
    """
    N = len(K)
    other = 1 - torch.eye(N)
    K, L = K * other, L * other
    total = (K * L).sum() + K.sum() * L.sum() / ((N - 1) * (N - 2)) - 2 * (K @ L).sum() / (N - 2)
    return total / (N * (N - 3))


def shared_neighbours(h1: Tensor, h2: Tensor, k: int) -> Tensor:
    """Do two representations give an image the same neighbours? The share in common, 0 .. 1.

    h1: [N, D1], h2: [N, D2], row i of both from image i; k: below N. For each image its k nearest
    others by cosine similarity, itself left out, in h1 and in h2; how many stand in both lists,
    divided by k, mean over images. Returns one number.
    """
    lists = []
    for h in (h1, h2):
        h = F.normalize(h, dim=1)
        similarity = (h @ h.T).fill_diagonal_(-2)
        lists.append(torch.zeros_like(similarity).scatter(1, similarity.topk(k).indices, 1))
    return (lists[0] * lists[1]).sum(1).mean() / k


TASKS = {
    "total_effect": Task(
        title="How far do features move?",
        difficulty=2,
        minutes=10,
        task="Write `total_effect(h, changed)`: the squared difference of two independent images is 2 v on average in each dimension (v: the variance). How large is it for two that differ in one factor alone, as a share of that?",
        hints=(
            "Squared differences, each column over twice its own variance.",
            "The variance over the images of each column, divided by N: `h.var(0, correction=0)`.",
            "`((h - changed) ** 2 / (2 * h.var(0, correction=0))).mean()`",
        ),
    ),
    "linear_cka": Task(
        title="Linear CKA",
        difficulty=2,
        minutes=15,
        task="Write `linear_cka(x, y)`: how alike two representations of the same images are, whatever their numbers of dimensions.",
        hints=(
            "Centre first: take from each column its mean over the images.",
            "`x.T @ y` is [D1, D2]: each direction of x with each of y. `.square().sum()` of it stands above the line.",
            "Below the line: `(x.T @ x).norm() * (y.T @ y).norm()`; `.norm()` of a matrix is the root of the sum of its squares.",
        ),
    ),
    "unbiased_hsic": Task(
        title="An estimate that is right on average",
        difficulty=3,
        minutes=15,
        task="Write `unbiased_hsic(K, L)`. HSIC is, up to a factor, the $\\langle K, L \\rangle$ of section 5; CKA is made of three of them. The usual estimate compares each image with itself too, and two sets of unrelated features then seem to have something in common. This one leaves those pairs out and is 0 on average.",
        hints=(
            "Set the diagonals to 0 first, in new matrices: `K = K * (1 - torch.eye(N))`.",
            "Three terms: `(K * L).sum()` is entry by entry, `K.sum() * L.sum()` are two numbers, `(K @ L).sum()` is a matrix product.",
            "`((K * L).sum() + K.sum() * L.sum() / ((N - 1) * (N - 2)) - 2 * (K @ L).sum() / (N - 2)) / (N * (N - 3))`",
        ),
    ),
    "shared_neighbours": Task(
        title="The same neighbours?",
        difficulty=3,
        minutes=15,
        task="Write `shared_neighbours(h1, h2, k)`: another way to compare representations, which sees what is near and nothing else.",
        hints=(
            "Cosine similarity: normalise the rows, then `h @ h.T`. An image is nearest to itself, so overwrite the diagonal.",
            "`similarity.topk(k).indices` are the neighbours [N, k]. In the two lists they may stand in different order.",
            "`(a[:, :, None] == b[:, None, :]).any(2)` tells which entries of a stand in b; `.float().mean()` of it is the answer.",
        ),
    ),
}
