# Generated from notebooks/20_gpt.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Task

def text_bits_per_byte(nats: Tensor, lengths: Tensor) -> Tensor:
    """Bits that a text costs, for each of its bytes.

    nats: [M], -log p (natural logarithm) of each token; lengths: int64 [M], how many bytes of
    text the token stands for, 0 for one such as `<end>`, whose bits count all the same.
    Returns one number.
    """
    return nats.sum() / math.log(2) / lengths.sum()


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Each token's weighted mean of the values of itself and of those before it.

    q, k, v: queries, keys and values [N, T, D]. Weights: softmax over j <= i of
    q_i · k_j / sqrt(D). Returns [N, T, D]. Source: Vaswani et al. 2017, section 3.2.
    """
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    future = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(future, -torch.inf).softmax(dim=-1) @ v


def shifted_loss(logits: Tensor, tokens: Tensor, pad: int) -> Tensor:
    """Mean of -log p(next token): the logits at place i are a guess of token i + 1.

    logits: [N, T, V]; tokens: int64 [N, T]. The last logits have nothing to guess. Targets that
    are `pad` do not count; there is at least one that is not. Returns one number with a gradient.
    """
    guesses, answers = logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()
    losses = F.cross_entropy(guesses, answers, reduction="none")
    real = answers != pad
    return (losses * real).sum() / real.sum()


def nucleus(p: Tensor, top_p: float) -> Tensor:
    """Each row's distribution cut to its nucleus, and made to sum to 1 again.

    p: [N, V], rows sum to 1, no two numbers of a row are equal; top_p: in (0, 1]. The nucleus
    are the fewest tokens, the likeliest first, whose probabilities add up to top_p or more.
    Returns [N, V], 0 outside of it. Source: Holtzman et al. 2020, section 3.1.
    """
    ranked, order = p.sort(dim=1, descending=True)
    before = ranked.cumsum(dim=1) - ranked  # of all that are likelier
    kept = torch.zeros_like(p).scatter(1, order, ranked * (before < top_p))
    return kept / kept.sum(dim=1, keepdim=True)


TASKS = {
    "text_bits_per_byte": Task(
        title="Bits per byte",
        difficulty=1,
        minutes=5,
        task="Write `text_bits_per_byte(nats, lengths)`: the tokens of a text cost `nats`, each stands for `lengths` bytes. How many bits does a byte cost? `<end>` stands for no byte, but it has to be guessed too, so its bits count.",
        hints=(
            "Two sums: all the bits, and all the bytes.",
            "A nat is 1 / ln 2 = 1.44 bits.",
            "`nats.sum() / math.log(2) / lengths.sum()`.",
        ),
    ),
    "causal_attention": Task(
        title="Look back only",
        difficulty=3,
        minutes=15,
        task="Write `causal_attention(q, k, v)` without a loop: token i takes the weighted mean of the values of tokens 0 .. i, with weights softmax(q_i · k_j / sqrt(D)).",
        hints=(
            "All scores at once are one matrix product, [N, T, T]. What must stand where j > i, so that the softmax gives 0?",
            "The exponential of minus infinity is 0. `torch.ones(T, T, dtype=torch.bool).triu(1)` is True right of the diagonal.",
            "`scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5`, then `scores.masked_fill(future, -torch.inf)`, softmax over the last dimension, and `@ v`.",
        ),
    ),
    "shifted_loss": Task(
        title="The next one, not this one",
        difficulty=2,
        minutes=15,
        task="Write `shifted_loss(logits, tokens, pad)`: the network got `tokens` and gave `logits` at every place. Those at place i are its guess of token i + 1. Take the mean of minus the log probability of the true next tokens, without those that are `pad`.",
        hints=(
            "T tokens make T - 1 exercises. Which logits have no answer, and which token is nobody's answer?",
            "Leave out the last logits, `logits[:, :-1]`, and the first token, `tokens[:, 1:]`; then they belong together.",
            "`F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=pad)`.",
        ),
    ),
    "nucleus": Task(
        title="Top-p",
        difficulty=3,
        minutes=20,
        task="Write `nucleus(p, top_p)`: of each row keep the likeliest tokens, the fewest that together have `top_p` or more, set the others to 0, and divide by what is left, so that the row sums to 1. (`truncate` in section 3 does nearly this on logits. Try without looking.)",
        hints=(
            "Sort each row, likeliest first, and add up. Where may you stop? The token that reaches top_p is the last one in.",
            "A token stays if all the likelier ones together have less than top_p: `ranked.cumsum(1) - ranked < top_p`.",
            "`ranked, order = p.sort(dim=1, descending=True)`; put what stays back in its place by `torch.zeros_like(p).scatter(1, order, ...)`; divide by the sum.",
        ),
    ),
}
