"""What features are worth, whatever the data: each kind of samples has its judge."""

from collections.abc import Sequence

from torch import nn

from sslkit.datasets import Dataset
from sslkit.probes.clips import clip_report
from sslkit.probes.scores import Scoreboard, scoreboard


def report(model: nn.Module, data: Dataset, name: str, seeds: Sequence[int] = range(5)) -> Scoreboard | str:
    """The judgement of a trained method or encoder on a set: a Scoreboard, of clips a table in words. Both print.

    data.kind says which judge it is; seeds: of the choices of few labels, where there are any.
    """
    if data.kind.judge == "clips":
        return clip_report(model, data, name)
    return scoreboard(model, data, name=name, seeds=seeds)
