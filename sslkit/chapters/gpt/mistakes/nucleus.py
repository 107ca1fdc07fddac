"""Exercise of chapter 20: top-p."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.gpt.exercises import nucleus
from sslkit.checks.exercise import Exercise, generator, mistake


def nucleus_loop(p: Tensor, top_p: float) -> Tensor:
    result = torch.zeros(p.shape, dtype=torch.float64)
    for n in range(len(p)):
        total = 0.0
        for token in sorted(range(p.shape[1]), key=lambda i: -p[n, i].item()):
            result[n, token] = p[n, token].item()
            total += p[n, token].item()
            if total >= top_p:
                break
        result[n] /= result[n].sum()
    return result


def chances(seed: int, N: int, V: int, spread: float = 1.5) -> Tensor:
    """Rows that sum to 1, no two entries alike, no partial sum on the edge of a round top_p."""
    dice = generator(seed)
    return (torch.randn(N, V, generator=dice) * spread).softmax(dim=1)


def cut(keep) -> tuple:
    """Two forms that keep the tokens of which keep(ranked, cumulated, top_p) is True: as most write it, 0 / 0 where none
    stays, and guarded."""

    def form(p: Tensor, top_p: float, least: float) -> Tensor:
        ranked, order = p.sort(dim=1, descending=True)
        kept = torch.zeros_like(p).scatter(1, order, ranked * keep(ranked, ranked.cumsum(1), top_p))
        return kept / kept.sum(1, keepdim=True).clamp(min=least)

    return tuple(lambda p, top_p, least=least: form(p, top_p, least) for least in (0.0, 1e-12))


def by_number(p: Tensor, keep: Tensor) -> Tensor:
    return p * keep / (p * keep).sum(1, keepdim=True)


NUCLEUS = Exercise(
    "nucleus",
    nucleus_loop,
    trials=lambda: [
        (torch.tensor([[0.15, 0.5, 0.05, 0.3]]), 0.7),
        (torch.tensor([[0.9, 0.04, 0.06], [0.2, 0.37, 0.43]]), 0.6),
        (chances(1, 4, 10), 0.9),
        (chances(2, 3, 30, 2.5), 0.5),
        (chances(3, 3, 6), 1.0),
        (torch.tensor([[0.125, 0.5, 0.25, 0.0625, 0.0625]]), 0.75),  # reached exactly: that is enough
    ],
    mistakes=(
        mistake(
            "one too few",
            "You stop before top_p is reached. The token that reaches it belongs to the nucleus, and the likeliest always does.",
            ("cumsum(dim=1) - ranked", "cumsum(dim=1)"),
            (("cumsum(dim=1) - ranked", "cumsum(dim=1)"), ("< top_p", "<= top_p")),
            *cut(lambda r, c, top_p: c <= top_p),
            *cut(lambda r, c, top_p: c < top_p),
            *cut(lambda r, c, top_p: (c <= top_p) | (c == r)),
            *cut(lambda r, c, top_p: ~torch.cat([c[:, :1], c[:, :-1]], 1).ge(top_p)),
        ),
        mistake(
            "one too many",
            "You keep a token too many. One stays only if the likelier ones together have less than top_p.",
            *cut(lambda r, c, top_p: F.pad((c - r)[:, :-1], (1, 0)) < top_p),
            *cut(lambda r, c, top_p: c - r <= top_p),
        ),
        mistake(
            "one number for all rows",
            "You keep as many tokens in each row as in the first. Each row has a nucleus of its own.",
            *cut(lambda r, c, top_p: torch.arange(r.shape[1]) < ((c - r)[0] < top_p).sum()),
        ),
        mistake(
            "not sorted",
            "You go through the tokens by number. The likeliest come first: sort.",
            lambda p, top_p: by_number(p, p.cumsum(1) - p < top_p),
            lambda p, top_p: by_number(p, p.cumsum(1) <= top_p),
        ),
        mistake(
            "sorted along the rows",
            "You sort each column. Each row is a distribution of its own: dim=1.",
            (("p.sort(dim=1", "p.sort(dim=0"), ("cumsum(dim=1)", "cumsum(dim=0)"), ("scatter(1", "scatter(0")),
        ),
        mistake(
            "one sum for all rows",
            "You divide by the sum of all rows. Each row sums to 1 by itself: dim=1, keepdim=True.",
            ("kept.sum(dim=1, keepdim=True)", "kept.sum()"),
            ("kept.sum(dim=1, keepdim=True)", "kept.sum(dim=0, keepdim=True)"),
        ),
        mistake(
            "the likeliest alone",
            "You keep the likeliest token alone. Go on until the tokens together have top_p.",
            lambda p, top_p: F.one_hot(p.argmax(1), p.shape[1]).to(p),
        ),
        mistake(
            "mask not put back",
            "Your mask goes by rank, but you lay it on the tokens by number. Put it back in their order first: scatter.",
            lambda p, top_p: by_number(p, (r := p.sort(1, descending=True).values).cumsum(1) - r < top_p),
        ),
        mistake(
            "what is beyond kept",
            "You keep the unlikely rest and throw the nucleus away. The condition is the wrong way round.",
            *cut(lambda r, c, top_p: c > top_p),
            *cut(lambda r, c, top_p: c - r >= top_p),
            *cut(lambda r, c, top_p: c >= top_p),
        ),
        mistake(
            "1 for each token that stays",
            "You return 1 for each token that stays, or equal shares. Keep its probability.",
            ("ranked * (before < top_p)", "(before < top_p).to(p)"),
            (("ranked * (before < top_p)", "(before < top_p).to(p)"), ("kept / kept.sum(dim=1, keepdim=True)", "kept")),
        ),
        mistake(
            "softmax of what stays",
            "A softmax gives the tokens with 0 a share again. Divide by the sum.",
            ("kept / kept.sum(dim=1, keepdim=True)", "kept.softmax(dim=1)"),
        ),
        mistake(
            "softmax among what stays",
            "A softmax of probabilities evens them out. Divide what stays by its sum.",
            ("kept / kept.sum(dim=1, keepdim=True)", "kept.masked_fill(kept == 0, -torch.inf).softmax(dim=1)"),
        ),
        mistake(
            "a share of the vocabulary",
            "You keep top_p times V tokens. top_p is a share of the probability, not of the tokens.",
            *cut(lambda r, c, top_p: torch.arange(r.shape[1]) < int(top_p * r.shape[1])),
            *cut(lambda r, c, top_p: torch.arange(r.shape[1]) < round(top_p * r.shape[1])),
        ),
        mistake(
            "sums in place of probabilities",
            "You keep the running sums. Keep the probabilities where the sum allows it.",
            ("ranked * (before", "ranked.cumsum(dim=1) * (before"),
        ),
        mistake(
            "not made to sum to 1",
            "You cut, but the row no longer sums to 1: divide by what is left.",
            ("kept / kept.sum(dim=1, keepdim=True)", "kept"),
        ),
        mistake(
            "divided by top_p",
            "You divide by top_p. What stays adds up to more, since the last token goes beyond it: divide by the sum of what stays.",
            ("kept.sum(dim=1, keepdim=True)", "top_p"),
        ),
        mistake(
            "a threshold for each token",
            "You keep the tokens whose own probability is above a threshold. It is their sum, likeliest first, that counts.",
            *cut(lambda r, c, top_p: r >= 1 - top_p),
            *cut(lambda r, c, top_p: r >= top_p),
            *cut(lambda r, c, top_p: r >= top_p * r[:, :1]),
        ),
        mistake(
            "the unlikeliest first",
            "You sort the wrong way round and keep the unlikeliest tokens: descending=True.",
            (", descending=True", ""),
        ),
        mistake(
            "not put back",
            "You return the probabilities in sorted order. Put each back in its token's place with scatter.",
            ("torch.zeros_like(p).scatter(1, order, ranked * (before < top_p))", "ranked * (before < top_p)"),
        ),
        mistake(
            "gathered in place of scattered",
            "gather with the order sorts once more. To undo a sort, scatter with it.",
            lambda p, top_p: (
                nucleus(p, top_p).sort(dim=1, descending=True).values.gather(1, p.argsort(1, descending=True))
            ),
        ),
        mistake("nothing cut", "You return the row as it is: nothing is cut.", lambda p, top_p: p.clone()),
    ),
)
