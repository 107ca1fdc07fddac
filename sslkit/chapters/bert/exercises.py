# Generated from notebooks/19_bert.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Task

def replace_hidden(tokens: Tensor, mask: Tensor, die: Tensor, other: Tensor) -> Tensor:
    """What the network is shown: tokens with the hidden ones replaced by the 80/10/10 rule.

    tokens: int64 [N, T]; mask: bool [N, T], True = hidden; die: [N, T], a random number in
    [0, 1) for each place; other: int64 [N, T], a random token for each place. Where a place is
    hidden: die below 0.8 shows token 2, which is <mask>; from 0.8 to below 0.9 shows other; from
    0.9 on the token stays. Returns a new int64 [N, T].
    """
    shown = torch.where(mask & (die < 0.8), 2, tokens)
    return torch.where(mask & (die >= 0.8) & (die < 0.9), other, shown)


def attend_both_ways(q: Tensor, k: Tensor, v: Tensor, padding: Tensor) -> Tensor:
    """Each token's weighted mean of the values of all tokens, on both sides, but not of padding.

    q, k, v: [N, T, D], one head; padding: bool [N, T], True where a token is <pad>; at least one
    in a row is not. The weight of token j for query i is the softmax over j of
    q_i . k_j / sqrt(D), and 0 for padding. Returns [N, T, D].
    """
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    return scores.masked_fill(padding[:, None], -math.inf).softmax(dim=2) @ v


def masked_cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Mean cross-entropy over the hidden places.

    logits: [N, T, V], a score for each of V tokens; targets: int64 [N, T], the true tokens;
    mask: bool [N, T], True = hidden, at least one. Returns one number with a gradient.
    """
    rows = logits.flatten(0, 1)
    losses = F.cross_entropy(rows, targets.flatten(), reduction="none").view_as(targets)
    return (losses * mask).sum() / mask.sum()


def mean_without_padding(x: Tensor, tokens: Tensor) -> Tensor:
    """One feature for each passage: the mean of its tokens' vectors, without those of padding.

    x: [N, T, D]; tokens: int64 [N, T], 0 is <pad>, at least one is not. Returns [N, D].
    """
    kept = (tokens != 0)[:, :, None].to(x.dtype)
    return (x * kept).sum(dim=1) / kept.sum(dim=1)


TASKS = {
    "replace_hidden": Task(
        title="The 80/10/10 rule · *optional*",
        difficulty=2,
        minutes=10,
        task="Write `replace_hidden(tokens, mask, die, other)` without a loop: `die` decides for each hidden place whether it becomes `<mask>` (number 2), the token of `other`, or stays.",
        hints=(
            "Start with the tokens. Two of the three cases change something, and only where the mask is True.",
            "`torch.where(condition, a, b)` takes a where the condition holds and b elsewhere; conditions join with `&`.",
            "`shown = torch.where(mask & (die < 0.8), 2, tokens)`, then the same for `(die >= 0.8) & (die < 0.9)` with `other`.",
        ),
    ),
    "attend_both_ways": Task(
        title="Look both ways, but not at padding",
        difficulty=3,
        minutes=15,
        task="Write `attend_both_ways(q, k, v, padding)`: attention of one head, in which every token looks both ways, and none looks at padding.",
        hints=(
            "The weight of padding must be 0 and the others must still add up to 1. So it has to go before the softmax.",
            "The softmax of minus infinity is 0: `scores.masked_fill(..., -math.inf)`. The scores are [N, query, key].",
            "Padding is a property of the *key*: `padding[:, None]` is [N, 1, T] and hides the same keys from every query.",
        ),
    ),
    "masked_cross_entropy": Task(
        title="The loss · *optional*",
        difficulty=2,
        minutes=10,
        task="Write `masked_cross_entropy(logits, targets, mask)`: minus the log of the probability of the true token, mean over the hidden places alone.",
        hints=(
            "First the loss of every place, [N, T]. Then a mean in which only the hidden ones count.",
            '`F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")` gives the loss of each place.',
            "Bring it back to [N, T] by `.view_as(targets)`; then `(losses * mask).sum() / mask.sum()`.",
        ),
    ),
    "mean_without_padding": Task(
        title="The feature of a passage",
        difficulty=2,
        minutes=10,
        task="Write `mean_without_padding(x, tokens)`: the mean over a passage's tokens, in which `<pad>` (number 0) does not count.",
        hints=(
            "A mean over some is a sum in which the others are zero, divided by how many there are.",
            "`tokens != 0` is True where there is text. Give it a third dimension with `[:, :, None]` to multiply x with it.",
            "`kept = (tokens != 0)[:, :, None]`, then `(x * kept).sum(1) / kept.sum(1)`.",
        ),
    ),
}
