"""Answers to the exercises of many_gpus: known numbers, right ones written differently, wrong ones."""

import torch


def share_by_offset(order, step, batch, rank, world):
    size = batch // world
    start = step * batch + rank * size
    return order[start : start + size]


def share_by_view(order, step, batch, rank, world):
    whole = order[: len(order) // batch * batch]
    return whole.view(-1, world, batch // world)[step, rank]


def gradient_by_slices(gradients, rank):
    size = gradients.shape[1] // gradients.shape[0]
    return sum(copy[rank * size : (rank + 1) * size] for copy in gradients)


def gradient_by_view(gradients, rank):
    W, rows, K = gradients.shape
    return torch.einsum("pnk->nk", gradients.view(W, W, rows // W, K)[:, rank])


def statistics_by_moments(means, variances):
    mean = means.mean(0)
    return mean, (variances + means**2).mean(0) - mean**2


def statistics_by_var(means, variances):
    return means.mean(0), variances.mean(0) + means.var(0, unbiased=False)


def rate_by_share(rate, batch, world, step, warmup):
    done = min(step / warmup, 1.0) if warmup else 1.0
    return (1 - done) * rate + done * rate * (batch * world) / batch


KNOWN = [
    ("many_gpus.my_share", ([3, 1, 0, 2, 7, 5, 4, 6], 1, 4, 1, 2), [4, 6]),
    ("many_gpus.gather_gradient", ([[[1.0], [2.0]], [[10.0], [20.0]]], 1), [[22.0]]),
    ("many_gpus.joint_statistics", ([[0.0], [2.0]], [[1.0], [3.0]]), ([1.0], [3.0])),
    ("many_gpus.scaled_rate", (0.1, 32, 4, 2, 4), 0.25),
]

RIGHT = {
    "many_gpus.my_share": [share_by_offset, share_by_view],
    "many_gpus.gather_gradient": [gradient_by_slices, gradient_by_view],
    "many_gpus.joint_statistics": [statistics_by_moments, statistics_by_var],
    "many_gpus.scaled_rate": [
        rate_by_share,
        lambda r, b, w, s, warm: r * (1 + (w - 1) * min(s, warm) / warm) if warm else r * w,
    ],
}

NAMED = [
    ("many_gpus.my_share", lambda o, s, b, r, w: share_by_offset(o, s, b, 0, w), "the same images in every process"),
    ("many_gpus.gather_gradient", lambda g, r: gradient_by_slices(g, r) / len(g), "the mean over the processes"),
    ("many_gpus.joint_statistics", lambda m, v: (m.mean(0), v.mean(0)), "the mean of the variances"),
    ("many_gpus.scaled_rate", lambda r, b, w, s, warm: w * r, "no warm-up"),
    ("many_gpus.my_share", lambda o, s, b, r, w: o[s * b + r : s * b + r + b // w], "parts that overlap"),
    ("many_gpus.my_share", lambda o, s, b, r, w: share_by_offset(o, 0, b, r, w), "the step not used"),
    ("many_gpus.my_share", lambda o, s, b, r, w: share_by_offset(o, 0, b, s + r, w), "a step too short"),
    (
        "many_gpus.gather_gradient",
        lambda g, r: gradient_by_slices(g, r) - g[r].chunk(len(g))[r],
        "without its own copy",
    ),
    ("many_gpus.joint_statistics", lambda m, v: (m.mean(0), v.sum(0)), "sums instead of means"),
    ("many_gpus.joint_statistics", lambda m, v: (m.mean(0), v.mean(0) - m.var(0, correction=0)), "taken off"),
    (
        "many_gpus.joint_statistics",
        lambda m, v: (m.mean(0), v.mean(0) + m.std(0, correction=0)),
        "deviation of the means",
    ),
    ("many_gpus.scaled_rate", lambda r, b, w, s, warm: r * w if s >= warm else r, "a jump"),
    ("many_gpus.scaled_rate", lambda r, b, w, s, warm: r * w ** (s / warm if s < warm else 1), "a curve"),
    (
        "many_gpus.scaled_rate",
        lambda r, b, w, s, warm: r + r * w * s / warm if s < warm else r * w,
        "the whole scaled rate added",
    ),
]

UNNAMED = [
    ("many_gpus.gather_gradient", lambda g, r: gradient_by_slices(g, r) + 0.01),
    ("many_gpus.scaled_rate", lambda r, b, w, s, warm: rate_by_share(r, b, w, s, warm) * 1.01),
]
