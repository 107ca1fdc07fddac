"""Answers to the exercises of gpt: known numbers, right ones written differently, wrong ones."""

import math

import torch
import torch.nn.functional as F


def attention_sdpa(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def attention_added_mask(q, k, v):
    T = q.shape[1]
    mask = torch.full((T, T), float("-inf")).triu(1)
    return torch.softmax(torch.einsum("nid,njd->nij", q, k) / math.sqrt(q.shape[2]) + mask, dim=2) @ v


def attention_by_exponentials(q, k, v):
    weights = (q @ k.mT / q.shape[-1] ** 0.5).exp().tril()
    return (weights / weights.sum(-1, keepdim=True)) @ v


def loss_ignore(logits, tokens, pad):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], ignore_index=pad)


def loss_by_hand(logits, tokens, pad):
    guesses, answers = logits[:, :-1].log_softmax(-1), tokens[:, 1:]
    chosen = guesses.gather(2, answers[:, :, None])[:, :, 0]
    return -chosen[answers != pad].mean()


def nucleus_by_rank(p, top_p):
    ranked, order = p.sort(1, descending=True)
    many = (ranked.cumsum(1) < top_p).sum(1, keepdim=True) + 1
    kept = p * (order.argsort(1) < many)
    return kept / kept.sum(1, keepdim=True)


def nucleus_logits(p, top_p):
    """On logits, as libraries do it."""
    logits = p.log()
    ranked, order = logits.sort(1, descending=True)
    drop = ranked.softmax(1).cumsum(1) >= top_p
    drop = torch.cat([torch.zeros_like(drop[:, :1]), drop[:, :-1]], dim=1)
    return logits.masked_fill(drop.gather(1, order.argsort(1)), float("-inf")).softmax(1)


def top_k(p, top_p):
    likeliest = p.topk(int(top_p * p.shape[1]), dim=1)
    return F.normalize(torch.zeros_like(p).scatter(1, likeliest.indices, likeliest.values), p=1, dim=1)


def attention_not_itself(q, k, v):
    """As the hints suggest, one place off: the first row sees nobody, NaN."""
    future = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool).triu()
    return (q @ k.mT / q.shape[2] ** 0.5).masked_fill(future, -torch.inf).softmax(-1) @ v


def nucleus_one_too_few(p, top_p):
    ranked, order = p.sort(1, descending=True)
    kept = torch.zeros_like(p).scatter(1, order, ranked * (ranked.cumsum(1) <= top_p))
    return kept / kept.sum(1, keepdim=True)


KNOWN = [
    ("gpt.causal_attention", ([[[1.0], [0.0]]], [[[5.0], [2.0]]], [[[4.0], [8.0]]]), [[[4.0], [6.0]]]),
    ("gpt.shifted_loss", ([[[0.0, 0.0], [9.0, 1.0], [5.0, 5.0]]], [[1, 1, 0]], 0), math.log(2)),
    ("gpt.nucleus", ([[0.15, 0.5, 0.05, 0.3]], 0.7), [[0.0, 0.625, 0.0, 0.375]]),
    ("gpt.text_bits_per_byte", ([math.log(2), 3 * math.log(2)], [2, 0]), 2.0),
]

RIGHT = {
    "gpt.causal_attention": [attention_sdpa, attention_added_mask, attention_by_exponentials],
    "gpt.shifted_loss": [loss_ignore, loss_by_hand],
    "gpt.nucleus": [nucleus_by_rank, nucleus_logits],
    "gpt.text_bits_per_byte": [
        lambda nats, lengths: (nats * math.log2(math.e)).sum() / lengths.sum(),
        lambda nats, lengths: nats.sum().item() / 0.6931471805599453 / lengths.sum().item(),
    ],
}

NAMED = [
    ("gpt.causal_attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v), "no mask"),
    ("gpt.causal_attention", lambda q, k, v: attention_sdpa(q * 2 ** 0.5, k * (q.shape[2] / 2) ** 0.5, v), "not scaled"),
    ("gpt.causal_attention", lambda q, k, v: attention_sdpa(q, k, v).detach(), "no gradient"),
    ("gpt.causal_attention", attention_not_itself, "not itself"),
    ("gpt.shifted_loss", lambda x, t, pad: F.cross_entropy(x.flatten(0, 1), t.flatten(), ignore_index=pad), "not shifted"),
    ("gpt.shifted_loss", lambda x, t, pad: F.cross_entropy(x[:, :-1].flatten(0, 1), t[:, 1:].flatten()), "padding counts"),
    ("gpt.nucleus", lambda p, top_p: p * (nucleus_by_rank(p, top_p) > 0), "not made to sum to 1"),
    ("gpt.nucleus", nucleus_one_too_few, "one too few"),
    ("gpt.text_bits_per_byte", lambda nats, lengths: nats.sum() / lengths.sum(), "nats"),
    ("gpt.text_bits_per_byte", lambda nats, lengths: (nats / lengths).mean() / math.log(2), "mean of the tokens' bits per byte"),
    ("gpt.text_bits_per_byte", lambda nats, lengths: torch.log2(nats.exp()).mean(), "bits per token"),
    ("gpt.causal_attention", lambda q, k, v: attention_sdpa(k, q, v), "queries and keys exchanged"),
    ("gpt.causal_attention", lambda q, k, v: (q @ k.mT).softmax(2).tril() @ v, "masked after the softmax and not scaled"),
    ("gpt.shifted_loss", lambda x, t, pad: loss_ignore(x.flatten(0, 1)[None], t.flatten()[None], pad), "shifted across passages"),
    ("gpt.shifted_loss", lambda x, t, pad: loss_ignore(x.softmax(2), t, pad), "softmax twice"),
    ("gpt.nucleus", lambda p, top_p: (kept := p * (nucleus_by_rank(p, top_p) > 0)) / kept.sum(), "one sum for all rows"),
    ("gpt.nucleus", lambda p, top_p: torch.where(nucleus_by_rank(p, top_p) > 0, p, 0).softmax(1), "softmax of what stays"),
    ("gpt.nucleus", lambda p, top_p: F.normalize(p * (p.cumsum(1) - p < top_p), p=1), "not sorted"),
    ("gpt.text_bits_per_byte", lambda nats, lengths: nats.log().sum() / math.log(2) / lengths.sum(), "a second logarithm"),
    ("gpt.text_bits_per_byte", lambda nats, lengths: nats @ (lengths / lengths.sum()) / math.log(2), "weighted by the length"),
    (
        "gpt.nucleus",
        lambda p, top_p: torch.where(nucleus_by_rank(p, top_p) > 0, p, -math.inf).softmax(1),
        "softmax among what stays",
    ),
    ("gpt.nucleus", top_k, "a share of the vocabulary"),
]  # fmt: skip

UNNAMED = [
    ("gpt.causal_attention", lambda q, k, v: attention_sdpa(q, k, v) + 0.1),
    ("gpt.shifted_loss", lambda x, t, pad: 1.1 * loss_ignore(x, t, pad)),
    ("gpt.nucleus", lambda p, top_p: nucleus_by_rank(p, top_p).flip(1)),
]
