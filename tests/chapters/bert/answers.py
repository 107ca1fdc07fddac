"""Answers to the exercises of bert: known numbers, right ones written differently, wrong ones."""

import math

import torch
import torch.nn.functional as F


def replace_by_writing(tokens, mask, die, other):
    shown = tokens.clone()
    shown[mask & (die < 0.8)] = 2
    random = mask & (die >= 0.8) & (die < 0.9)
    shown[random] = other[random]
    return shown


def replace_by_choice(tokens, mask, die, other):
    kind = (die >= 0.8).long() + (die >= 0.9).long()
    choices = torch.stack([torch.full_like(tokens, 2), other, tokens])
    return torch.where(mask, choices.gather(0, kind[None])[0], tokens)


def loss_ignored(logits, targets, mask):
    return F.cross_entropy(logits.transpose(1, 2), targets.masked_fill(~mask, -100))


def loss_by_hand(logits, targets, mask):
    log_p = logits - logits.exp().sum(-1, keepdim=True).log()
    return -log_p.gather(2, targets[:, :, None])[:, :, 0][mask].mean()


def mean_loop(x, tokens):
    return torch.stack([row[words != 0].mean(0) for row, words in zip(x, tokens)])


def attend_loop(q, k, v, padding):
    passages = []
    for a, b, c, hidden in zip(q, k, v, padding):
        passages.append((a @ b[~hidden].T / math.sqrt(a.shape[1])).softmax(1) @ c[~hidden])
    return torch.stack(passages)


def attend_masked(q, k, v, padding, hidden, dim):
    scores = torch.einsum("nid,njd->nij", q, k) / math.sqrt(q.shape[2])
    return scores.masked_fill(hidden, -math.inf).softmax(dim) @ v


KNOWN = [
    (
        "bert.replace_hidden",
        ([[5, 6, 7, 8]], [[True, True, True, False]], [[0.3, 0.85, 0.95, 0.1]], [[21, 22, 23, 24]]),
        [[2, 22, 7, 8]],
    ),
    ("bert.masked_cross_entropy", ([[[0.0, 0.0], [9.0, 1.0]]], [[1, 1]], [[True, False]]), math.log(2)),
    ("bert.mean_without_padding", ([[[1.0], [3.0], [8.0]]], [[5, 6, 0]]), [[2.0]]),
    (
        "bert.attend_both_ways",
        ([[[0.0], [0.0], [0.0]]], [[[1.0], [2.0], [3.0]]], [[[2.0], [4.0], [90.0]]], [[False, False, True]]),
        [[[3.0], [3.0], [3.0]]],
    ),
]

RIGHT = {
    "bert.replace_hidden": [replace_by_writing, replace_by_choice],
    "bert.masked_cross_entropy": [
        loss_ignored,
        loss_by_hand,
        lambda a, y, m: F.cross_entropy(a[m], y[m]),
    ],
    "bert.mean_without_padding": [
        mean_loop,
        lambda x, t: x.masked_fill((t == 0)[:, :, None], 0).sum(1) / (t != 0).sum(1, keepdim=True),
        lambda x, t: torch.einsum("ntd,nt->nd", x, F.normalize((t != 0).to(x.dtype), p=1, dim=1)),
    ],
    "bert.attend_both_ways": [
        attend_loop,
        lambda q, k, v, p: F.scaled_dot_product_attention(q, k, v, attn_mask=~p[:, None]),
    ],
}

NAMED = [
    ("bert.replace_hidden", lambda x, m, d, o: torch.where(m, 2, x), "always <mask>"),
    ("bert.masked_cross_entropy", lambda a, y, m: F.cross_entropy(a.transpose(1, 2), y), "all places"),
    ("bert.masked_cross_entropy", lambda a, y, m: F.cross_entropy(a[~m], y[~m]), "visible places"),
    ("bert.masked_cross_entropy", lambda a, y, m: F.cross_entropy(a[m], y[m]).item(), "no gradient"),
    ("bert.mean_without_padding", lambda x, t: x.sum(1) / x.shape[1], "padding counts"),
    (
        "bert.attend_both_ways",
        lambda q, k, v, p: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        "causal",
    ),
    ("bert.attend_both_ways", lambda q, k, v, p: F.scaled_dot_product_attention(q, k, v), "padding is looked at"),
    # with the minus infinity that hint 2 names these three give NaN
    ("bert.attend_both_ways", lambda *x: attend_masked(*x, x[3][:, :, None], 2), "padding hidden as query"),
    ("bert.attend_both_ways", lambda *x: attend_masked(*x, x[3][:, None], 1), "softmax over the queries"),
    ("bert.attend_both_ways", lambda *x: attend_masked(*x, ~x[3][:, None], 2), "everything but padding hidden"),
    (
        "bert.replace_hidden",
        lambda x, m, d, o: torch.where(m & (d < 0.9), o, torch.where(m & (d < 0.8), 2, x)),
        "no <mask> left",
    ),
    ("bert.masked_cross_entropy", lambda a, y, m: F.cross_entropy(a.transpose(1, 2), y * m), "targets zeroed"),
    (
        "bert.masked_cross_entropy",
        lambda a, y, m: F.nll_loss(a.log_softmax(1)[m], y[m]),
        "softmax over the places",
    ),
    ("bert.replace_hidden", lambda x, m, d, o: replace_by_writing(x, m | (d >= 0.8), d, o), "mask ignored"),
    ("bert.replace_hidden", lambda x, m, d, o: torch.where(m & (d >= 0.8) & (d < 0.9), o, x), "first step lost"),
    ("bert.replace_hidden", lambda x, m, d, o: replace_by_writing(x, m, d - 1e-6, o), "exactly 0.8"),
    (
        "bert.attend_both_ways",
        lambda q, k, v, p: attend_masked(k, q, v, p, p[:, None], 2),
        "queries and keys exchanged",
    ),
    (
        "bert.attend_both_ways",
        lambda q, *x: attend_masked(q * (q.shape[2] / q.shape[1]) ** 0.5, *x, x[2][:, None], 2),
        "divided by the root of T",
    ),
    (
        "bert.attend_both_ways",
        lambda *x: attend_masked(*x, x[3][:, None], 2).masked_fill(x[3][:, :, None], 0),
        "padding gets zeros",
    ),
    (
        "bert.masked_cross_entropy",
        lambda a, y, m: F.cross_entropy(a[m & (y > 0)], y[m & (y > 0)]),
        "targets 0 left out",
    ),
    ("bert.masked_cross_entropy", lambda a, y, m: F.nll_loss(a.softmax(2)[m], y[m]), "no logarithm"),
    (
        "bert.masked_cross_entropy",
        lambda a, y, m: F.cross_entropy(a[m].softmax(1), y[m]) * m.float().mean(),
        "divided by all and softmax twice",
    ),
    ("bert.mean_without_padding", lambda x, t: x[t != 0].mean(0), "one mean for all passages"),
    (
        "bert.attend_both_ways",
        lambda q, k, v, p: F.scaled_dot_product_attention(q, k, v, attn_mask=p[:, None].expand(-1, q.shape[1], -1)),
        "everything but padding hidden",
    ),
]

UNNAMED = [
    ("bert.masked_cross_entropy", lambda a, y, m: F.cross_entropy(a[m], y[m]) + 0.01),
    ("bert.replace_hidden", lambda x, m, d, o: replace_by_writing(x, m, d, o).flip(1)),
    ("bert.mean_without_padding", lambda x, t: mean_loop(x, t) * 1.1),
]
