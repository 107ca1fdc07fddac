"""Answers to the exercises of transfer: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def subset_by_counting(y, per_class, order):
    """The rank of each row within its class, by a running count."""
    kinds = F.one_hot(y[order])
    rank = (kinds.cumsum(0) * kinds).sum(1)
    return order[rank <= per_class].sort().values


def subset_numpy(y, per_class, order):
    order, kinds = order.numpy(), y.numpy()
    return torch.from_numpy(np.sort(np.concatenate([order[kinds[order] == c][:per_class] for c in np.unique(kinds)])))


def rates_loop(layers, lr, decay):
    rates = [lr]
    while len(rates) < layers:
        rates.insert(0, rates[0] * decay)
    return torch.tensor(rates)


def loss_by_hand(weak, strong, threshold):
    with torch.no_grad():
        p = F.softmax(weak, dim=1)
        target = F.one_hot(p.argmax(1), p.shape[1]) * (p.max(1, keepdim=True).values >= threshold)
    return -(target * F.log_softmax(strong, dim=1)).sum() / len(weak)


def loss_of_the_sure(weak, strong, threshold):
    p = weak.softmax(1).detach()
    keep = p.amax(1) >= threshold
    return F.cross_entropy(strong[keep], p[keep].argmax(1), reduction="sum") / len(strong)


def leaking(weak, strong, threshold):
    """The right value, and a gradient through the guess."""
    p = weak.softmax(1)
    sure = p.amax(1)
    weight = (sure >= threshold) * sure / sure.detach()
    return (F.cross_entropy(strong, p.argmax(1), reduction="none") * weight).mean()


def saved_numpy(counts, accuracy, target):
    if target > accuracy.max():
        return math.inf
    return float(np.exp(np.interp(target, accuracy.numpy(), np.log(counts.numpy()))))


def saved_walk(counts, accuracy, target):
    points = list(zip(counts.tolist(), accuracy.tolist()))
    if points[0][1] >= target:
        return points[0][0]
    for (a, low), (b, high) in zip(points, points[1:]):
        if high >= target:
            return a * (b / a) ** ((target - low) / (high - low))
    return float("inf")


KNOWN = [
    ("transfer.nested_subset", ([0, 1, 0, 1, 0, 1], 1, [4, 2, 5, 0, 3, 1]), [4, 5]),
    ("transfer.rates_per_layer", (3, 1.0, 0.5), [0.25, 0.5, 1.0]),
    ("transfer.consistency_loss", ([[2.0, 0.0], [0.5, 0.0]], [[0.0, 1.0], [1.0, 0.0]], 0.8), math.log(1 + math.e) / 2),
    ("transfer.labels_saved", ([1.0, 10.0, 100.0], [0.1, 0.3, 0.7], 0.5), 10**1.5),
]

RIGHT = {
    "transfer.nested_subset": [subset_by_counting, subset_numpy],
    "transfer.rates_per_layer": [rates_loop, lambda n, lr, d: torch.tensor([lr * d ** (n - 1 - i) for i in range(n)])],
    "transfer.consistency_loss": [loss_by_hand, loss_of_the_sure],
    "transfer.labels_saved": [saved_numpy, saved_walk],
}

NAMED = [
    ("transfer.consistency_loss", leaking, "no stop-gradient"),
    (
        "transfer.consistency_loss",
        lambda w, s, t: F.cross_entropy(s[w.softmax(1).amax(1) >= t], w[w.softmax(1).amax(1) >= t].argmax(1)),
        "mean over the sure ones",
    ),
    ("transfer.consistency_loss", lambda w, s, t: loss_by_hand(s, w, t), "views exchanged"),
    ("transfer.consistency_loss", lambda w, s, t: loss_by_hand(w, s, t).item(), "no gradient"),
    ("transfer.nested_subset", lambda y, n, order: subset_by_counting(y, n, order.flip(0)), "the last of each class"),
    ("transfer.nested_subset", lambda y, n, order: subset_by_counting(y, n + 1, order), "one too many"),
    (
        "transfer.nested_subset",
        lambda y, n, order: y[subset_by_counting(y, n, order)].sort().values,
        "labels instead of rows",
    ),
    (
        "transfer.nested_subset",
        lambda y, n, order: torch.tensor([r for r in order if r in subset_by_counting(y, n, order)]),
        "not sorted",
    ),
    ("transfer.nested_subset", lambda y, n, order: subset_by_counting(y, n, order).sort(), "values and indices"),
    ("transfer.rates_per_layer", lambda n, lr, d: rates_loop(n, lr, 1 - d), "1 - decay"),
    (
        "transfer.rates_per_layer",
        lambda n, lr, d: torch.tensor([lr * d] * (n - 1) + [lr]),
        "one rate for all but the last",
    ),
    ("transfer.consistency_loss", lambda w, s, t: loss_by_hand(s.detach(), s, t), "weak view not used"),
    (
        "transfer.consistency_loss",
        lambda w, s, t: F.cross_entropy(s, w.argmax(1)) * (w.softmax(1).amax(1) >= t).float().mean(),
        "mean before the threshold",
    ),
    ("transfer.labels_saved", lambda c, a, t: saved_numpy(c, a, t) if t > a[0] else 0, "enough already"),
    ("transfer.labels_saved", lambda c, a, t: saved_numpy(c, a.log(), math.log(t)), "logarithm of the accuracy"),
    (
        "transfer.labels_saved",
        lambda c, a, t: math.inf if t > a.max() else math.exp(np.interp(t, a.numpy(), np.log10(c.numpy()))),
        "two logarithms",
    ),
    ("transfer.rates_per_layer", lambda n, lr, d: rates_loop(n, lr, d).flip(0), "upside down"),
    (
        "transfer.labels_saved",
        lambda c, a, t: math.inf if t > a.max() else float(np.interp(t, a.numpy(), c.numpy())),
        "straight in the labels",
    ),
    (
        "transfer.nested_subset",
        lambda y, n, order: subset_by_counting(y, n, order[y[order] < y.max()]),
        "the last class left out",
    ),
    ("transfer.rates_per_layer", lambda n, lr, d: torch.linspace(lr * d, lr, n), "a straight line"),
    ("transfer.rates_per_layer", lambda n, lr, d: rates_loop(n, lr, 1 / d).flip(0), "lr for the first"),
    ("transfer.labels_saved", lambda c, a, t: math.inf if t == a[-1] else saved_numpy(c, a, t), "reached at the end"),
    ("transfer.labels_saved", lambda c, a, t: saved_numpy(c[[0, -1]], a[[0, -1]], t), "one line for all"),
]

UNNAMED = [
    ("transfer.consistency_loss", lambda w, s, t: loss_by_hand(w, s, t) + 0.01),
    ("transfer.rates_per_layer", lambda n, lr, d: rates_loop(n, lr, d) * 1.1),
    ("transfer.labels_saved", lambda c, a, t: 2 * saved_numpy(c, a, t)),
]
