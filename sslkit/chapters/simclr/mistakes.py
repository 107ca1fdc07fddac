"""Exercises of chapter 10: positives, similarities, InfoNCE, false negatives.

Everywhere the 2 N views of N images are stacked as torch.cat([z1, z2]): row i and row i + N are one image.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.simclr.exercises import info_nce, positive_index
from sslkit.checks.exercise import Exercise, draw_labels, draw_rows, mistake


def positive_index_loop(n: int) -> Tensor:
    images = [*range(n), *range(n)]
    partner = []
    for row, image in enumerate(images):
        partner += [other for other, its_image in enumerate(images) if its_image == image and other != row]
    return torch.tensor(partner)


POSITIVE = Exercise(
    "positive_index", positive_index_loop, trials=lambda: [(3,), (2,), (4,), (7,)],
    mistakes=(
        mistake("the row itself", "You point each row at itself. The positive is the other view of the same image.",
                (") + n", ")")),
        mistake("modulo n", "Your first views point at themselves, as they do modulo n. There are 2 n rows: take the sum modulo 2 n.",
                ("% (2 * n)", "% (n)")),
        mistake("off by one", "You are off by one row: row 0 belongs to row n.",
                ("+ n", "+ n + 1"), ("+ n", "+ n - 1"), lambda n: (torch.arange(2 * n) + 1) % (2 * n),
                lambda n: torch.arange(2 * n).roll(1)),
        mistake("neighbours as pairs", "You pair rows 0 and 1, 2 and 3, ...: that is for views stacked alternately. Here all "
                "first views come before all second views.",
                lambda n: torch.arange(2 * n).view(n, 2).flip(1).flatten()),
        mistake("only the first views", "You answer for the n first views. The second views are anchors too: 2 n entries.",
                ("(2 * n) +", "(n) +")),
        mistake("past the end", "For the second views you point past the last row. They belong to rows 0 .. n - 1.",
                ("(torch.arange(2 * n) + n) % (2 * n)", "torch.arange(2 * n) + n")),
        mistake("brackets", "`%` and `*` go from left to right, so yours takes modulo 2 first. Put 2 * n in brackets.",
                ("% (2 * n)", "% 2 * n")),
        mistake("mirrored", "You pair the first row with the last. Row i belongs to row i + n.", lambda n: torch.arange(2 * n).flip(0)),
        mistake("second views for all", "You point all rows at second views. Those of the second views are the first ones, 0 .. n - 1.",
                lambda n: torch.arange(n, 2 * n).repeat(2)),
    ),
)  # fmt: skip


def similarity_matrix_loop(z: Tensor) -> Tensor:
    rows = []
    for i, a in enumerate(z.double()):
        rows.append(
            torch.stack(
                [
                    a.new_tensor(-math.inf) if i == j else (a * b).sum() / (a.norm() * b.norm())
                    for j, b in enumerate(z.double())
                ]
            )
        )
    return torch.stack(rows)


def table(z: Tensor, own: float | None = -math.inf, dim: int | None = 1) -> Tensor:
    """The solution with the diagonal set to own (None: left), and dim normalised (None: nothing)."""
    z = z if dim is None else F.normalize(z, dim=dim)
    return z @ z.T if own is None else (z @ z.T).masked_fill(torch.eye(len(z), dtype=torch.bool), own)


SIMILARITY = Exercise(
    "similarity_matrix", similarity_matrix_loop, grad=True, trials=lambda: [(draw_rows(s, m, d),) for s, (m,
        d) in enumerate([(3, 2), (4, 3), (10, 5)])],
    mistakes=(
        mistake("no normalisation", "These are dot products. Scale each row to length 1 first.", ("z = F.normalize(z, dim=1)", "pass")),
        mistake("one length for the whole table", "You divide the whole table by one length. Each row has its own: .norm(dim=1, "
                "keepdim=True).",
                ("F.normalize(z, dim=1)", "z / z.norm()")),
        mistake("each row with itself alone", "You compare row i with row i alone. The table has every row with every other: [M, M].",
                lambda z: F.cosine_similarity(z, z), lambda z: (F.normalize(z) * F.normalize(z)).sum(1)),
        mistake("cosine along another axis", "F.cosine_similarity takes dim=1 unless told otherwise. Of z[:, None] and z[None] the "
                "features are the last axis: dim=2.",
                lambda z: F.cosine_similarity(z[:, None], z[None])),
        mistake("diagonal left in", "The diagonal still holds each view's similarity with itself. Set it to -inf.",
                ('(z @ z.T).masked_fill(itself, float("-inf"))', "z @ z.T")),
        mistake("diagonal 0", "exp(0) is 1, so softmax would still give each view weight on itself. Set the diagonal to -inf.",
                ('float("-inf")', "0.0")),
        mistake("diagonal +inf", "With +inf softmax would give each view all weight on itself. It must be -inf.", ("-inf", "inf")),
        mistake("a large negative number", "A large negative number works in float32, but overflows in half precision. Use "
                "float('-inf').",
                *[lambda z, own=own: table(z, own=own) for own in (-1e9, -1e10, -1e4, -9e15)]),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.", ("dim=1", "dim=0")),
        mistake("distance", "You return distances. Similarity is the cosine, 1 for equal directions.",
                lambda z: torch.cdist(F.normalize(z), F.normalize(z)), lambda z: torch.cdist(z, z),
                lambda z: (-torch.cdist(F.normalize(z), F.normalize(z))).fill_diagonal_(-math.inf),
                lambda z: (-torch.cdist(z, z)).fill_diagonal_(-math.inf)),
        mistake("numbers instead of views", "z.T @ z compares the D columns. The table is one of the M rows: z @ z.T, [M, M].",
                lambda z: F.normalize(z).T @ F.normalize(z), lambda z: table(F.normalize(z).T, dim=None)),
        mistake("one side normalised", "Only one of the two factors has rows of length 1. A cosine needs both.",
                lambda z: (F.normalize(z) @ z.T).fill_diagonal_(-math.inf), lambda z: (z @ F.normalize(z).T).fill_diagonal_(-math.inf)),
        mistake("diagonal -1", "exp(-1) is not 0, so softmax would still give each view weight on itself. Set the diagonal to -inf.",
                ('float("-inf")', "-1.0")),
        mistake("-inf times 0", "You multiply by -inf, and 0 * inf is NaN: so it is everywhere off the diagonal. Fill -inf in on the "
                "diagonal alone: masked_fill.",
                ('(z @ z.T).masked_fill(itself, float("-inf"))', 'z @ z.T + itself * float("-inf")')),
        mistake("mask the wrong way round", "You set everything but the diagonal to -inf. masked_fill fills where the mask is True: "
                "torch.eye as it is.",
                ("(itself,", "(~itself,")),
        mistake("divided by the squared length", "You divide each row by the square of its length. Divide by the length itself.",
                ("F.normalize(z, dim=1)", "z / z.square().sum(1, keepdim=True)")),
    ),
)  # fmt: skip


def info_nce_loop(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    views = [view / view.square().sum().sqrt() for view in [*z1.double(), *z2.double()]]
    n, total = len(z1), 0.0
    for i, anchor in enumerate(views):
        weights = {}
        for j, other in enumerate(views):
            if j != i:
                weights[j] = torch.exp((anchor * other).sum() / temperature)
        partner = i + n if i < n else i - n
        total = total - torch.log(weights[partner] / sum(weights.values()))
    return total / (2 * n)


def nce_rows(
    z1: Tensor,
    z2: Tensor,
    t: float,
    *,
    dim: int | None = 1,
    power: int = -1,
    own: float | None = -math.inf,
    partner: Tensor | None = None,
) -> Tensor:
    """The loss of each of the 2 N anchors with one thing changed."""
    logits = table(torch.cat([z1, z2]), own=None, dim=dim) * t**power
    if own is not None:
        logits = logits.masked_fill(torch.eye(len(logits), dtype=torch.bool), own)
    return F.cross_entropy(logits, positive_index(len(z1)) if partner is None else partner, reduction="none")


def decoupled(z1: Tensor, z2: Tensor, t: float) -> Tensor:
    logits, partner = table(torch.cat([z1, z2])) / t, positive_index(len(z1))
    taken = F.one_hot(partner, len(logits)).bool()
    return (logits.masked_fill(taken, -math.inf).logsumexp(1) - logits[taken]).mean()


def across(z1: Tensor, z2: Tensor, t: float) -> Tensor:
    """N x N: each view of z1 picks its partner among the views of z2 only."""
    return F.cross_entropy(F.normalize(z1) @ F.normalize(z2).T / t, torch.arange(len(z1)))


def one_side(z1: Tensor, z2: Tensor, above: float, below: float) -> Tensor:
    """The loss with one temperature for the positives and one for the denominator."""
    cosines = table(torch.cat([z1, z2]))
    partner = positive_index(len(z1))
    return ((cosines / below).logsumexp(1) - cosines.gather(1, partner[:, None]).squeeze(1) / above).mean()


INFO_NCE = Exercise(
    "info_nce", info_nce_loop, grad=True,
    trials=lambda: [
        (draw_rows(s, n, d), draw_rows(s + 50, n, d), t)
        for s, (n, d, t) in enumerate([(2, 2, 0.5), (3, 4, 1.0), (4, 8, 0.1), (5, 3, 0.2), (4, 16, 2.0)])
    ],
    mistakes=(
        mistake("no normalisation", "The similarity is a cosine: scale each row of z1 and z2 to length 1 first.",
                ("z = F.normalize(at_least_float32(z), dim=1)", "pass")),
        mistake("one length for the whole table", "You divide the whole table by one length. Each row has its own: .norm(dim=1, "
                "keepdim=True).",
                ("F.normalize(at_least_float32(z), dim=1)", "z / z.norm()"),
                lambda a, b, t: nce_rows(a / a.norm(), b / b.norm(), t, dim=None).mean()),
        mistake("self-similarity in the denominator", "Each view is compared with itself too, which is the most similar of all. "
                "Set the diagonal to -inf before the softmax.",
                (".masked_fill(itself, -math.inf)", "")),
        mistake("diagonal 0 instead of -inf", "exp(0) is 1, so a diagonal of 0 still adds to the denominator. Set it to -inf.",
                lambda a, b, t: nce_rows(a, b, t, own=0.0).mean()),
        mistake("temperature multiplied", "Divide the similarities by the temperature: a small one must sharpen the softmax.",
                ("T /", "T *")),
        mistake("temperature ignored", "The temperature is not used. Divide the similarities by it.", ("T / temperature", "T")),
        mistake("positives off by one", "Your positives are one row off: row i of torch.cat([z1, z2]) belongs to row i + N, and "
                "row i + N to row i.",
                ("(N)", "(N - 1)"), ("(N)", "(N + 1)"),
                lambda a, b, t: nce_rows(a, b, t, partner=torch.arange(2 * len(a)).roll(-1)).mean(),
                lambda a, b, t: info_nce(a, b.roll(1, 0), t), lambda a, b, t: info_nce(a, b.roll(-1, 0), t)),
        mistake("neighbours as pairs", "You pair rows 0 and 1, 2 and 3, ...: that is for views stacked alternately. In "
                "torch.cat([z1, z2]) row i belongs to row i + N.",
                lambda a, b, t: nce_rows(a, b, t, partner=torch.arange(2 * len(a)).view(-1, 2).flip(1).flatten()).mean()),
        mistake("one view as anchors", "Only one of the two views is an anchor. Let all 2 N rows pick their partner.",
                ("math.inf), positive", "math.inf)[:N], positive[:N]"), ("math.inf), positive", "math.inf)[N:], positive[N:]")),
        mistake("sum instead of mean", "You add up the anchors. Take the mean over all 2 N.",
                (", positive", ', positive, reduction="sum"')),
        mistake("divided by N", "You divide the sum by N, but there are 2 N anchors.",
                lambda a, b, t: nce_rows(a, b, t).sum() / len(a)),
        mistake("sign", "The log of a probability is negative; the loss is minus it. Yours pulls the views of one image apart.",
                ("return F", "return -F")),
        mistake("positive left out of the denominator", "Your denominator holds the 2 N - 2 negatives only (that is the "
                "decoupled loss, Yeh et al. 2022). In equation 1 it holds the positive as well: everything but the anchor itself.",
                decoupled),
        mistake("negatives from the other view only", "Each anchor is compared with the N views on the other side (as in CLIP). "
                "The N - 1 other images of its own side are negatives too: 2 N - 1 candidates.",
                lambda a, b, t: (across(a, b, t) + across(b, a, t)) / 2, lambda a, b, t: across(a, b, t) + across(b, a, t)),
        mistake("N x N, one direction", "Only z1 picks, and only among z2. All 2 N views are anchors, each with all 2 N - 1 "
                "other views as candidates.",
                across, lambda a, b, t: across(b, a, t), lambda a, b, t: across(a, b, 1 / t),
                lambda a, b, t: F.cross_entropy(a @ b.T / t, torch.arange(len(a)))),
        mistake("temperature on one side", "Only some of the similarities are divided by the temperature. Divide all of them, above and "
                "below the line.",
                lambda a, b, t: one_side(a, b, t, 1.0), lambda a, b, t: one_side(a, b, 1.0, t)),
        mistake("no log", "You use the probability itself. Take its log.",
                lambda a, b, t: -(-nce_rows(a, b, t)).exp().mean(), lambda a, b, t: 1 - (-nce_rows(a, b, t)).exp().mean()),
        mistake("log of the mean", "You take the log of the mean probability. Take the log of each anchor's first, then the mean.",
                lambda a, b, t: -(-nce_rows(a, b, t)).exp().mean().log()),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.",
                ("dim=1", "dim=0"), lambda a, b, t: nce_rows(F.normalize(a, dim=0), F.normalize(b, dim=0), t, dim=None).mean()),
        mistake("one view without gradient", "One view is detached. SimCLR has no stop-gradient: both views are trained.",
                ("z2]", "z2.detach()]"), ("z1,", "z1.detach(),")),
        mistake("diagonal in the loss", "Your loss takes the log-probability of a row with itself, and that is -inf. Row i belongs to row "
                "i + N, and row i + N to row i.",
                (".roll(N)", ""), (".roll(N)", " % N"),
                *[lambda a, b, t, own=own: nce_rows(a, b, t, own=own, partner=torch.arange(2 * len(a))).mean() for own in (-1e9, -1e4)]),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("itself, -math.inf)", "itself, -math.inf).softmax(1)"), ("z @ z.T / temperature", "(z @ z.T / temperature).softmax(1)")),
    ),
)  # fmt: skip


def false_negative_rate_loop(y: Tensor) -> Tensor:
    views = [(image, label) for image, label in enumerate(y.tolist()) for _ in range(2)]
    rates = []
    for image, label in views:
        negatives = [other for its_image, other in views if its_image != image]
        rates.append(negatives.count(label) / len(negatives))
    return torch.tensor(sum(rates) / len(rates), dtype=torch.float64)


def same_class(y: Tensor) -> Tensor:
    return (y[:, None] == y[None, :]).float()


FALSE_NEGATIVES = Exercise(
    "false_negative_rate", false_negative_rate_loop,
    trials=lambda: [
        (torch.tensor([0, 0, 1]),),
        (torch.tensor([0, 1, 2, 2, 2]),),
        (draw_labels(1, 8, 3),),
        (draw_labels(2, 32, 10),),
        (torch.arange(6),),
    ],
    mistakes=(
        mistake("the image itself counted", "You count each image as a negative of itself. Leave the diagonal out, above and "
                "below the line.",
                lambda y: same_class(y).mean()),
        mistake("one over the classes", "That is the expectation for balanced classes. Count it in this batch.",
                lambda y: 1 / len(y.unique()), lambda y: 1 / (y.max() + 1)),
        mistake("divided by N", "Each image has N - 1 others, not N: divide by N (N - 1).", ("n - 1", "n")),
        mistake("diagonal left above the line", "You divide by the N (N - 1) pairs of different images, but the N pairs of an "
                "image with itself are still in the sum.",
                ("() - n", "()")),
        mistake("the partner counted", "The other view of the same image is the positive, not a negative: 2 N - 2 negatives.",
                lambda y: (2 * same_class(y).sum(1) - 1).mean() / (2 * len(y) - 1)),
        mistake("true negatives", "That is the fraction of negatives of another class. Count those of the same class.",
                lambda y: 1 - same_class(y).mean(),
                ("same.sum() - n) / (n * (n - 1)", "1 - (same.sum() - n) / (n * (n - 1))")),
        mistake("count instead of fraction", "You return how many there are per anchor. Divide by the number of negatives.",
                ("n * (n - 1)", "n"), lambda y: 2 * (same_class(y).sum(1).mean() - 1)),
        mistake("1 taken off", "You take 1 off the whole sum. Each of the N images is in it once with itself: take N off.",
                ("sum() - n", "sum() - 1")),
        mistake("mean over the classes", "You average over the classes, so a rare one weighs as much as a frequent one. Average over the "
                "anchors.",
                lambda y: torch.stack([((y == c).sum() - 1) / (len(y) - 1) for c in y.unique()]).mean()),
        mistake("half of the pairs", "You have half of it: something is counted once above the line, but twice below it.",
                lambda y: same_class(y).triu(1).sum() / (len(y) * (len(y) - 1))),
        mistake("the partner left above the line", "You divide by the 2 N - 2 negatives, but above the line the partner, which is the "
                "positive, is still counted.",
                lambda y: (2 * same_class(y).sum(1) - 1).mean() / (2 * len(y) - 2)),
    ),
)  # fmt: skip

EXERCISES = [POSITIVE, SIMILARITY, INFO_NCE, FALSE_NEGATIVES]
