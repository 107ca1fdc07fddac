"""What chapter 19 changes, one thing at a time: `python tests/benchmarks/ablate.py bert` trains each. The bugs: section 8."""

from typing import Any

from sslkit.chapters.bert.method import SPECIAL, mask_tokens
from sslkit.train import Ablation


def no_lean(method: Any) -> None:
    """No head is told where its neighbours are."""
    for block in method.encoder.blocks:
        block.attention.near = False


def next_door(method: Any) -> None:
    """A bug: the answers are those of the passage next door."""
    pretext = method.pretext

    def mixed(tokens, generator):
        shown, targets, mask = pretext(tokens, generator)
        return shown, targets.roll(1, 0), mask

    method.pretext = mixed


def every_place(method: Any) -> None:
    """A bug: the loss counts every place, hidden or not."""
    share, vocabulary = method.share, method.encoder.vocabulary
    known = {"rule": method.rule, "mask_token": method.mask_token, "special": method.special}

    def all_of_it(tokens, generator):
        shown, targets, _ = mask_tokens(tokens, vocabulary, generator, share=share, **known)
        return shown, targets, targets > max(SPECIAL)

    method.pretext, method.share = all_of_it, 1.0  # `forward` then scores every place


ABLATIONS = {
    "as it is": Ablation(),
    "without the lean": Ablation(change=no_lean),
    "answer left in": Ablation(options={"rule": (0.0, 0.0, 1.0)}, once=True),
    "passage next door": Ablation(change=next_door, once=True),
    "every place counts": Ablation(change=every_place, once=True),
}
BUGS = {"A": "answer left in", "B": "passage next door", "C": "every place counts"}  # of "diagnose"
