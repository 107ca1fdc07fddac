"""A table of triples: what follows each two tokens, the strongest of the models made by counting."""

from collections.abc import Callable

import torch
from torch import Tensor

from sslkit.chapters.gpt.method import shifted


def trigram(
    inputs: Tensor, targets: Tensor, pairs: Tensor, end: int, prior: float = 30.0, pad: int = 0
) -> Callable[[Tensor], Tensor]:
    """predict(inputs [n, T]) -> log p of each token after the two before it, [n, T, V]. inputs, targets: int64 [N, T], see
    `shifted`; pairs [V, V]: the bigram's log p, which counts as `prior` more tokens seen after each two."""
    V, real = len(pairs), targets != pad

    def two(x: Tensor) -> Tensor:
        return shifted(x, end) * V + x

    triples, counts = (two(inputs)[real] * V + targets[real]).unique(return_counts=True)
    known, kinds = (triples // V).unique_consecutive(return_counts=True)  # two tokens, and how many triples begin so
    first, likely = kinds.cumsum(0) - kinds, prior * pairs.exp()
    total = torch.zeros(len(known)).index_add(0, torch.arange(len(known)).repeat_interleave(kinds), counts.float())

    def predict(x: Tensor) -> Tensor:
        asked = two(x).flatten()
        at = torch.searchsorted(known, asked).clamp(max=len(known) - 1)
        seen = known[at] == asked
        n = kinds[at] * seen
        row = torch.arange(len(asked)).repeat_interleave(n)
        place = torch.arange(len(row)) + (first[at] - (n.cumsum(0) - n)).repeat_interleave(n)
        p = likely[x].flatten(0, 1)
        p.index_put_((row, triples[place] % V), counts[place].float(), accumulate=True)
        return (p / (total[at] * seen + prior)[:, None]).log().view(*x.shape, V)

    return predict
