"""Exercise of chapter 10: InfoNCE."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.simclr.exercises import info_nce
from sslkit.chapters.simclr.mistakes.variants import across, decoupled, nce_rows, one_side
from sslkit.checks.exercise import Exercise, draw_rows, mistake


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


INFO_NCE = Exercise(
    "info_nce",
    info_nce_loop,
    grad=True,
    trials=lambda: [
        (draw_rows(s, n, d), draw_rows(s + 50, n, d), t)
        for s, (n, d, t) in enumerate([(2, 2, 0.5), (3, 4, 1.0), (4, 8, 0.1), (5, 3, 0.2), (4, 16, 2.0)])
    ],
    mistakes=(
        mistake(
            "no normalisation",
            "The similarity is a cosine: scale each row of z1 and z2 to length 1 first.",
            ("z = F.normalize(at_least_float32(z), dim=1)", "pass"),
        ),
        mistake(
            "one length for the whole table",
            "You divide the whole table by one length. Each row has its own: .norm(dim=1, keepdim=True).",
            ("F.normalize(at_least_float32(z), dim=1)", "z / z.norm()"),
            lambda a, b, t: nce_rows(a / a.norm(), b / b.norm(), t, dim=None).mean(),
        ),
        mistake(
            "self-similarity in the denominator",
            "Each view is compared with itself too, which is the most similar of all. Set the diagonal to -inf before the softmax.",
            (".masked_fill(itself, -math.inf)", ""),
        ),
        mistake(
            "diagonal 0 instead of -inf",
            "exp(0) is 1, so a diagonal of 0 still adds to the denominator. Set it to -inf.",
            lambda a, b, t: nce_rows(a, b, t, own=0.0).mean(),
        ),
        mistake(
            "temperature multiplied",
            "Divide the similarities by the temperature: a small one must sharpen the softmax.",
            ("T /", "T *"),
        ),
        mistake(
            "temperature ignored",
            "The temperature is not used. Divide the similarities by it.",
            ("T / temperature", "T"),
        ),
        mistake(
            "positives off by one",
            "Your positives are one row off: row i of torch.cat([z1, z2]) belongs to row i + N, and row i + N to row i.",
            ("(N)", "(N - 1)"),
            ("(N)", "(N + 1)"),
            lambda a, b, t: nce_rows(a, b, t, partner=torch.arange(2 * len(a)).roll(-1)).mean(),
            lambda a, b, t: info_nce(a, b.roll(1, 0), t),
            lambda a, b, t: info_nce(a, b.roll(-1, 0), t),
        ),
        mistake(
            "neighbours as pairs",
            "You pair rows 0 and 1, 2 and 3, ...: that is for views stacked alternately. In torch.cat([z1, z2]) row i belongs to row i + N.",
            lambda a, b, t: nce_rows(a, b, t, partner=torch.arange(2 * len(a)).view(-1, 2).flip(1).flatten()).mean(),
        ),
        mistake(
            "one view as anchors",
            "Only one of the two views is an anchor. Let all 2 N rows pick their partner.",
            ("math.inf), positive", "math.inf)[:N], positive[:N]"),
            ("math.inf), positive", "math.inf)[N:], positive[N:]"),
        ),
        mistake(
            "sum instead of mean",
            "You add up the anchors. Take the mean over all 2 N.",
            (", positive", ', positive, reduction="sum"'),
        ),
        mistake(
            "divided by N",
            "You divide the sum by N, but there are 2 N anchors.",
            lambda a, b, t: nce_rows(a, b, t).sum() / len(a),
        ),
        mistake(
            "sign",
            "The log of a probability is negative; the loss is minus it. Yours pulls the views of one image apart.",
            ("return F", "return -F"),
        ),
        mistake(
            "positive left out of the denominator",
            "Your denominator holds the 2 N - 2 negatives only (that is the decoupled loss, Yeh et al. 2022). In equation 1 it holds the positive as well: everything but the anchor itself.",
            decoupled,
        ),
        mistake(
            "negatives from the other view only",
            "Each anchor is compared with the N views on the other side (as in CLIP). The N - 1 other images of its own side are negatives too: 2 N - 1 candidates.",
            lambda a, b, t: (across(a, b, t) + across(b, a, t)) / 2,
            lambda a, b, t: across(a, b, t) + across(b, a, t),
        ),
        mistake(
            "N x N, one direction",
            "Only z1 picks, and only among z2. All 2 N views are anchors, each with all 2 N - 1 other views as candidates.",
            across,
            lambda a, b, t: across(b, a, t),
            lambda a, b, t: across(a, b, 1 / t),
            lambda a, b, t: F.cross_entropy(a @ b.T / t, torch.arange(len(a))),
        ),
        mistake(
            "temperature on one side",
            "Only some of the similarities are divided by the temperature. Divide all of them, above and below the line.",
            lambda a, b, t: one_side(a, b, t, 1.0),
            lambda a, b, t: one_side(a, b, 1.0, t),
        ),
        mistake(
            "no log",
            "You use the probability itself. Take its log.",
            lambda a, b, t: -(-nce_rows(a, b, t)).exp().mean(),
            lambda a, b, t: 1 - (-nce_rows(a, b, t)).exp().mean(),
        ),
        mistake(
            "log of the mean",
            "You take the log of the mean probability. Take the log of each anchor's first, then the mean.",
            lambda a, b, t: -(-nce_rows(a, b, t)).exp().mean().log(),
        ),
        mistake(
            "normalised along the batch",
            "You scale each column to length 1. Scale each row: dim=1.",
            ("dim=1", "dim=0"),
            lambda a, b, t: nce_rows(F.normalize(a, dim=0), F.normalize(b, dim=0), t, dim=None).mean(),
        ),
        mistake(
            "one view without gradient",
            "One view is detached. SimCLR has no stop-gradient: both views are trained.",
            ("z2]", "z2.detach()]"),
            ("[z1,", "[z1.detach(),"),
        ),
        mistake(
            "diagonal in the loss",
            "Your loss takes the log-probability of a row with itself, and that is -inf. Row i belongs to row i + N, and row i + N to row i.",
            (".roll(N)", ""),
            (".roll(N)", " % N"),
            *[
                lambda a, b, t, own=own: nce_rows(a, b, t, own=own, partner=torch.arange(2 * len(a))).mean()
                for own in (-1e9, -1e4)
            ],
        ),
        mistake(
            "softmax twice",
            "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
            ("itself, -math.inf)", "itself, -math.inf).softmax(1)"),
            ("z @ z.T / temperature", "(z @ z.T / temperature).softmax(1)"),
        ),
    ),
)
