"""Exercises of chapter 23: linear CKA, the unbiased estimator behind it, shared neighbours, how far features move."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.compare.exercises import linear_cka
from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def linear_cka_loop(x: Tensor, y: Tensor) -> float:
    """By the N x N matrices of scalar products, entry by entry."""
    x, y = x.double(), y.double()
    N = len(x)
    mean_x, mean_y = sum(x) / N, sum(y) / N
    kl = kk = ll = 0.0
    for i in range(N):
        for j in range(N):
            k = ((x[i] - mean_x) * (x[j] - mean_x)).sum().item()
            m = ((y[i] - mean_y) * (y[j] - mean_y)).sum().item()
            kl, kk, ll = kl + k * m, kk + k * k, ll + m * m
    return kl / (kk * ll) ** 0.5


def aligned(x: Tensor, y: Tensor) -> Tensor:
    """linear_cka of what comes, not centred."""
    return (x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())


def by_columns(x: Tensor) -> Tensor:
    return x - x.mean(0)


def linear_cka_norm(x: Tensor, y: Tensor) -> Tensor:
    xy, xx, yy = (torch.linalg.matrix_norm(a.T @ b, 2) for a, b in ((x, y), (x, x), (y, y)))
    return xy.square() / (xx * yy)


CKA = Exercise(
    "linear_cka", linear_cka_loop,
    trials=lambda: [
        (torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]), torch.tensor([[1.0], [3.0], [2.0]])),
        (draw_rows(1, 5, 3) + 1, draw_rows(2, 5, 2)),
        (draw_rows(3, 8, 4) - 0.5, draw_rows(4, 8, 6) + 2),
        (draw(5, 12, 3), draw(5, 12, 3) @ torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0], [3.0, 0.0, 0.0]])),
    ],
    mistakes=(
        mistake("not centred", "The columns are not centred: features that all lie on one side of the origin look alike for that "
                "alone. Take from each column its mean over the images.",
                ("x, y = x - x.mean(0), y - y.mean(0)", "pass")),
        mistake("rows centred", "You take from each image the mean of its own numbers. Take from each column its mean over the "
                "images: x.mean(0).",
                lambda x, y: aligned(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True))),
        mistake("one side centred", "Both x and y must be centred, above and below the line.",
                ("y - y.mean(0)", "y"), ("x, y", "y, y")),
        mistake("square missing", "Above the line stands the sum of the squared entries, not its root: CKA of x with x must be 1.",
                ("square().sum", "norm")),
        mistake("root of it", "You take the root of the whole. The definition has none: check that half-alike features are not "
                "called more.",
                ("x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm()",
                    "(x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())).sqrt(")),
        mistake("divided by the features' lengths", "Below the line stand the norms of x^T x and of y^T y, not those of x and y, "
                "squared or not: with those, even x with itself does not give 1.",
                (("(x.T @ x).norm()", "x.square().sum()"), ("(y.T @ y).norm()", "y.square().sum()")),
                (("(x.T @ x).norm()", "x.norm()"), ("(y.T @ y).norm()", "y.norm()"))),
        mistake("sums below", "Below the line stand the norms of x^T x and y^T y. You take the sums of their entries.",
                (("(x.T @ x).norm()", "(x.T @ x).sum()"), ("(y.T @ y).norm()", "(y.T @ y).sum()"))),
        mistake("x twice below", "Below the line stands x^T x twice. One of them is y^T y.", ("(y.T @ y)", "(x.T @ x)")),
        mistake("squares below too", "Below the line stand the norms of x^T x and y^T y, not their squares: CKA of x with x must be 1.",
                (("(x.T @ x).norm()", "(x.T @ x).square().sum()"), ("(y.T @ y).norm()", "(y.T @ y).square().sum()"))),
        mistake("images normalised", "You bring each image's features to length 1, which is another measure. CKA only centres.",
                lambda x, y: linear_cka(F.normalize(x, dim=1), F.normalize(y, dim=1)),
                lambda x, y: linear_cka(F.normalize(by_columns(x), dim=1), F.normalize(by_columns(y), dim=1)),
                lambda x, y: aligned(F.normalize(by_columns(x), dim=1), F.normalize(by_columns(y), dim=1))),
        mistake("brackets", "`/ a * b` divides by a and multiplies by b. Put the product below the line in brackets.",
                ("/ ((x.T @ x).norm() * (y.T @ y).norm())", "/ (x.T @ x).norm() * (y.T @ y).norm()")),
        mistake("columns standardised", "You divide each column by its standard deviation. In CKA a direction counts by its "
                "variance: only centre.",
                lambda x, y: linear_cka( by_columns(x) / x.std(0, correction=0), by_columns(y) / y.std(0, correction=0).clamp_min(1e-9) )),
        mistake("one mean for all", "You take one mean of all the numbers off. Each column has its own: x.mean(0).",
                ("x - x.mean(0), y - y.mean(0)", "x - x.mean(), y - y.mean()")),
        mistake("another norm", "|.| is the root of the sum of all squared entries, .norm(). You take the largest singular value.",
                lambda x, y: linear_cka_norm(x - x.mean(0), y - y.mean(0)),
                (("(x.T @ x).norm()", "torch.linalg.matrix_norm(x.T @ x, 2)"),
                    ("(y.T @ y).norm()", "torch.linalg.matrix_norm(y.T @ y, 2)"))),
    ),
)  # fmt: skip


def unbiased_hsic_loop(K: Tensor, L: Tensor) -> float:
    """The mean over all choices of four different images (a U-statistic)."""
    K, L, values = K.double(), L.double(), []
    for i, j, q, r in itertools.permutations(range(len(K)), 4):
        values.append((K[i, j] * L[i, j] + K[i, j] * L[q, r] - 2 * K[i, j] * L[i, q]).item())
    return sum(values) / len(values)


def formula(K: Tensor, L: Tensor, diagonal: bool = False, last: float = 2.0, scale=None) -> Tensor:
    """unbiased_hsic with parts of it changed."""
    N = len(K)
    other = torch.ones(N, N) if diagonal else 1 - torch.eye(N)
    K, L = K * other, L * other
    total = (K * L).sum() + K.sum() * L.sum() / ((N - 1) * (N - 2)) - last * (K @ L).sum() / (N - 2)
    return total / (N * (N - 3) if scale is None else scale(N))


def biased_hsic(K: Tensor, L: Tensor, scale) -> Tensor:
    N = len(K)
    H = torch.eye(N) - 1 / N
    return (H @ K @ H * L).sum() / scale(N)


def kernel(seed: int, N: int, D: int) -> Tensor:
    x = draw(seed, N, D) + 0.5
    return (x @ x.T).round(decimals=2)


HSIC = Exercise(
    "unbiased_hsic", unbiased_hsic_loop,
    trials=lambda: [
        (kernel(1, 4, 2), kernel(2, 4, 1)),
        (kernel(3, 5, 2), kernel(4, 5, 3)),
        (kernel(5, 7, 3), kernel(6, 7, 2)),
        (kernel(7, 6, 2), kernel(7, 6, 2)),
    ],
    mistakes=(
        mistake("diagonal left in", "The diagonals still count: an image with itself. Set them to 0 in both matrices first.",
                ("1 - torch.eye(N)", "1")),
        mistake("the biased estimate", "This is the usual, biased estimate with centred matrices. It counts each image with "
                "itself; follow the formula.",
                lambda K, L: biased_hsic(K, L, lambda N: (N - 1) ** 2), lambda K, L: biased_hsic(K, L, lambda N: N**2),
                lambda K, L: biased_hsic(K, L, lambda N: 1)),
        mistake("factor 2 missing", "The last term, sum(K @ L) / (N - 2), is taken off twice.", ("2 * (", "(")),
        mistake("one sum for two", "The second term is sum(K) times sum(L), two numbers. You add up the products of the entries.",
                ("K.sum() * L.sum()", "(K * L).sum()")),
        mistake("means in place of sums", "You take means. All three terms are sums over all entries.",
                (("(K * L).sum()", "(K * L).mean()"), ("K.sum() * L.sum()", "K.mean() * L.mean()"), ("(K @ L).sum()", "(K @ L).mean()"))),
        mistake("the first term alone", "You return the first of the three terms, over N (N - 3). Two more correct it.",
                ("total / (N", "(K * L).sum() / (N")),
        mistake("sign of the last term", "The last term is taken off, not added.", ("- 2 *", "+ 2 *")),
        mistake("not divided", "The whole is divided by N (N - 3) at the end.", ("total / (N * (N - 3))", "total")),
        mistake("divided by another number", "The whole is divided by N (N - 3).",
                ("- 3", "- 1"), ("N - 3", "N"), lambda K, L: formula(K, L, scale=lambda N: (N - 1) ** 2)),
        mistake("matrix product in place of entries", "The first term multiplies entry by entry, K * L, and adds up. K @ L "
                "belongs in the last term alone.",
                lambda K, L: formula(K, L) + ((off(K) @ off(L)).sum() - (off(K) * off(L)).sum()) / (len(K) * (len(K) - 3))),
        mistake("entries in place of the matrix product", "The last term holds the matrix product K @ L, not K * L.",
                ("(K @ L)", "(K * L)")),
        mistake("one diagonal left in", "Only one of the two diagonals is 0. Set both.",
                ("K * other, L * other", "K * other, L"), ("K * other, L * other", "K, L * other")),
        mistake("only the last term divided", "You divide the last term alone by N (N - 3). Put all three in brackets.",
                (("2 * (K @ L).sum() / (N - 2)", "2 * (K @ L).sum() / (N - 2) / (N * (N - 3))"), ("total / (N * (N - 3))", "total"))),
        mistake("half of the table", "You keep what is above the diagonal alone. Both (i, j) and (j, i) count.",
                ("K * other, L * other", "K.triu(1), L.triu(1)")),
        mistake("only the diagonal", "You keep the diagonals and set all else to 0. It is the other way round.",
                ("1 - torch.eye(N)", "torch.eye(N)")),
        mistake("1 off the diagonal", "You take 1 off the diagonals. Set them to 0, whatever stands there.",
                ("K * other, L * other", "K - torch.eye(N), L - torch.eye(N)")),
        mistake("brackets", "`/ a * b` divides by a and multiplies by b. Put the product below the line in brackets.",
                ("/ (N * (N - 3))", "/ N * (N - 3)"), ("/ ((N - 1) * (N - 2))", "/ (N - 1) * (N - 2)"),
                (("/ (N * (N - 3))", "/ N * (N - 3)"), ("/ ((N - 1) * (N - 2))", "/ (N - 1) * (N - 2)"))),
    ),
)  # fmt: skip


def off(K: Tensor) -> Tensor:
    """K without its diagonal."""
    return K * (1 - torch.eye(len(K)))


def total_effect_loop(h: Tensor, changed: Tensor) -> float:
    h, changed = h.double(), changed.double()
    (N, D), total = h.shape, 0.0
    for d in range(D):
        column = h[:, d].tolist()
        mean = sum(column) / N
        variance = sum((value - mean) ** 2 for value in column) / N
        for i in range(N):
            total += (column[i] - changed[i, d].item()) ** 2 / (2 * variance)
    return total / (N * D)


EFFECT = Exercise(
    "total_effect", total_effect_loop,
    trials=lambda: [
        (torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [2.0]])),
        (draw(1, 4, 2) * torch.tensor([1.0, 5.0]), draw(2, 4, 2) * torch.tensor([1.0, 5.0])),
        (draw(3, 9, 3) * torch.tensor([0.1, 1.0, 10.0]) + 3, draw(4, 9, 3) * torch.tensor([0.2, 1.0, 3.0]) + 3),
        (draw(5, 6, 4), draw(5, 6, 4) + 0.1),
    ],
    mistakes=(
        mistake("factor 2 missing", "Two independent images are 2 v apart on average, not v: divide by twice the variance.",
                ("2 * h", "h")),
        mistake("variance over N - 1", "torch divides a variance by N - 1 by default: h.var(0, correction=0).",
                (", correction=0", "")),
        mistake("one variance for all", "You divide the sum over all columns: the column with the largest numbers then decides "
                "alone. Divide each column by its own variance, then take the mean.",
                (").mean(", ".mean()).mean("), ("0, correction", "correction")),
        mistake("not centred", "You divide by the mean square. The variance is that of the distance to the column's mean: "
                "h.var(0, correction=0).", ("h.var(0, correction=0)", "h.square().mean(0)")),
        mistake("standard deviation", "Squared differences belong over the variance, not over the standard deviation.", ("var", "std")),
        mistake("not squared", "Take the square of the differences, not their absolute values.",
                ("square", "abs"), lambda h, c: ((h - c).abs() / (2 * h.std(0, correction=0))).mean(),
                lambda h, c: ((h - c).abs() / h.std(0, correction=0)).mean(), lambda h, c: ((h - c).abs() / h.std(0)).mean()),
        mistake("each standardised by itself", "You standardise both tables by their own statistics, so a shift of all images "
                "goes unseen. Use those of h for both.",
                lambda h, c: (own(h) - own(c)).square().mean() / 2),
        mistake("over the images' variance", "The variance is that of each column over the images, h.var(0), not of each image "
                "over its columns.",
                lambda h, c: ((h - c).square() / (2 * h.var(1, correction=0, keepdim=True))).mean()),
        mistake("sum", "Take the mean over images and dimensions, not the sum.", ("mean", "sum")),
        mistake("variance of the changed", "You divide by the variance of `changed`. v is that of `h`.", ("h.var", "changed.var")),
        mistake("variance of both", "You take the variance of `h` and `changed` together. v is that of `h`.",
                ("h.var", "torch.cat([h, changed]).var"),
                ("2 * h.var(0, correction=0)", "h.var(0, correction=0) + changed.var(0, correction=0)")),
        mistake("variance of the differences", "You take the variance of the differences, so a shift of all images goes unseen. "
                "Square them.",
                ("(h - changed).square()", "(h - changed).var(0, correction=0)")),
        mistake("multiplied by the variance", "`/ 2 * v` divides by 2 and multiplies by v. Put 2 * v in brackets.",
                ("/ (2 * h.var(0, correction=0))", "/ 2 * h.var(0, correction=0)")),
    ),
)  # fmt: skip


def own(h: Tensor) -> Tensor:
    return (h - h.mean(0)) / h.std(0, correction=0)


def shared_neighbours_loop(h1: Tensor, h2: Tensor, k: int) -> float:
    total = 0.0
    for i in range(len(h1)):
        near = []
        for h in (h1.double(), h2.double()):
            others = [j for j in range(len(h)) if j != i]
            cosine = {j: (h[i] @ h[j] / (h[i].norm() * h[j].norm())).item() for j in others}
            near.append(set(sorted(others, key=cosine.get, reverse=True)[:k]))
        total += len(near[0] & near[1]) / k
    return total / len(h1)


def lists_of(h: Tensor, k: int, cosine: bool = True, itself: bool = False, largest: bool = True) -> Tensor:
    """Row numbers [N, k] of the neighbours."""
    h = F.normalize(h, dim=1) if cosine else h
    similarity = h @ h.T
    if not itself:
        similarity = similarity.fill_diagonal_(-1e9 if largest else 1e9)
    return similarity.topk(k, largest=largest).indices


def in_common(a: Tensor, b: Tensor) -> Tensor:
    """How many of the row numbers a [N, K1] stand in b [N, K2], for each row."""
    return (a[:, :, None] == b[:, None, :]).any(2).sum(1).float()


SHARED = Exercise(
    "shared_neighbours", shared_neighbours_loop,
    trials=lambda: [
        (torch.tensor([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0]]), torch.tensor([[1.0, 0.1], [0.0, 1.0], [1.0, 0.5]]), 1),
        (draw_rows(1, 6, 3), draw_rows(2, 6, 2), 2),
        (draw_rows(3, 12, 4), draw_rows(3, 12, 4) + draw(4, 12, 4, spread=0.7), 3),
        (draw_rows(5, 15, 3) + 1, draw_rows(6, 15, 5) + 1, 5),
    ],
    mistakes=(
        mistake("itself counted", "Each image is its own nearest neighbour in both lists, which is no agreement. Overwrite the "
                "diagonal before topk.",
                ("(h @ h.T).fill_diagonal_(-2)", "h @ h.T"),
                lambda a, b, k: ( in_common( lists_of(a, min(k + 1, len(a)), itself=True), lists_of(b, min(k + 1, len(a)),
                    itself=True) ).mean() / (k + 1) ),
                lambda a, b, k: in_common( *(lists_of(h, min(k + 1, len(h)), itself=True) for h in (a, b)) ).mean() / k),
        mistake("one neighbour more", "You take k + 1 neighbours, though the image itself is left out already. Take k.",
                ("topk(k)", "topk(k + 1)")),
        mistake("one neighbour fewer", "You drop the image itself from k nearest, which leaves k - 1 others. Take k of them.",
                (("(h @ h.T).fill_diagonal_(-2)", "h @ h.T"), ("topk(k).indices", "topk(k).indices[:, 1:]"))),
        mistake("centred", "You take means off, so that you compare correlations. Take the cosine of the features as they are.",
                ("F.normalize(h, dim=1)", "F.normalize(h - h.mean(1, keepdim=True), dim=1)"),
                ("F.normalize(h, dim=1)", "F.normalize(h - h.mean(0), dim=1)")),
        mistake("h2 not used", "You compare h1 with itself.", ("(h1, h2)", "(h1, h1)")),
        mistake("columns normalised", "You bring the columns to length 1. A cosine is one of two rows: dim=1.",
                ("(h, dim=1)", "(h, dim=0)")),
        mistake("scalar products", "Neighbours by scalar product favour long features. Normalise each row first.",
                ("h = F.normalize(h, dim=1)", "pass")),
        mistake("same place in the list", "You ask for the same neighbour at the same place. The order in the lists does not count.",
                lambda a, b, k: (lists_of(a, k) == lists_of(b, k)).float().mean()),
        mistake("union", "You divide by the size of both lists together (Jaccard). Divide by k.",
                lambda a, b, k: (n := in_common(lists_of(a, k), lists_of(b, k))).div(2 * k - n).mean()),
        mistake("never anything in common", "Nothing is ever shared in yours. Do you compare similarities (.values), or make a set of "
                "tensors, which looks at the objects and not at their numbers? Compare .indices, as numbers: .tolist().",
                lambda a, b, k: torch.tensor(0.0)),
        mistake("in anybody's list", "You ask whether a neighbour is in the list of any image, as torch.isin does with whole tables. "
                "Compare each image's two lists.", lambda a, b, k: torch.isin(lists_of(a, k), lists_of(b, k)).float().mean()),
        mistake("the nearest left out", "The image itself is left out twice, so that its nearest neighbour is missing. Leave out one "
                "entry.",
                ("topk(k).indices", "topk(k + 1).indices[:, 1:]")),
        mistake("farthest", "You take the least similar images. topk takes the largest values: give it similarities, not "
                "distances, or largest=False.",
                ("h @ h.T", "(1 - h @ h.T)")),
        mistake("divided twice by k", "A mean over the table [N, k, k] divides by k twice. Count what is shared, over k.",
                lambda a, b, k: in_common(lists_of(a, k), lists_of(b, k)).mean() / k**2),
        mistake("a count", "That is how many are shared. The share is that over k.",
                ("() / k", "()"), lambda a, b, k: in_common(lists_of(a, k), lists_of(b, k)).sum()),
        mistake("diagonal 0", "A cosine can be below 0, and then an image is still among its own neighbours. Set the diagonal below "
                "-1, or to -inf.",
                ("fill_diagonal_(-2)", "fill_diagonal_(0)")),
        mistake("Euclidean distance", "You compare distances of vectors of different lengths. Cosine compares directions: scale each "
                "row to length 1 first.",
                (("h = F.normalize(h, dim=1)", "h = h * 1"), ("(h @ h.T).fill_diagonal_(-2)",
                "(-torch.cdist(h, h)).fill_diagonal_(-1e9)"))),
        mistake("one in common is enough", "You ask whether there is a common neighbour at all. Count how many are in both lists, over k.",
                (".sum(1).mean() / k", ".any(1).float().mean()")),
        mistake("all in common", "You ask whether the two lists are the same. Count how many are in both lists, over k.",
                (".sum(1).mean() / k", ".sum(1).eq(k).float().mean()")),
    ),
)  # fmt: skip

EXERCISES = [CKA, HSIC, EFFECT, SHARED]
