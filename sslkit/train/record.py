"""What a step of training reports."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from sslkit import measures
from sslkit.measures import effective_rank, has_collapsed
from sslkit.nets import evaluated

ROWS = 256  # features that spread and rank are measured on: more cost time and say the same


@dataclass(frozen=True)
class Record:
    """What one step (on a GPU: ten steps) of training gave. seconds count training alone, not what the caller does
    in between. spread, rank: of the features, about a hundred times a run, for a method without a chance level, and
    whether they have collapsed: see `spread_of`. extras: the step's tensors; who keeps all records keeps all of those."""

    step: int  # steps done
    steps: int  # steps in all
    loss: float
    lr: float
    seconds: float
    images_per_second: float
    extras: dict[str, Tensor]
    spread: float | None = None
    rank: float | None = None
    collapsed: bool | None = None

    @property
    def seconds_left(self) -> float:
        """At the mean speed so far."""
        return self.seconds / self.step * (self.steps - self.step)

    def due(self, times: int) -> bool:
        """Whether this is one of about `times` evenly spread steps of the run; its first and its last step always are."""
        return self.step in (1, self.steps) or self.step % max(1, self.steps // times) == 0


def spread_of(method: nn.Module, extras: dict[str, Tensor], images: Any) -> dict[str, Any]:
    """How far the features of a batch have collapsed: their "spread" (sslkit.measures.spread), their effective "rank",
    and whether they have "collapsed" (sslkit.measures.has_collapsed).

    Of what the loss compares, extras["z"] [N, K], where the method gives it: batch norm inside an encoder keeps its
    features apart even where the loss does not depend on it. Else of extras["h"], else of the encoder's features of these
    images. Nothing for a method that has none of them.
    """
    name = "z" if "z" in extras else "h"
    features = extras.get(name)
    if features is None and isinstance(images, Tensor) and hasattr(method, "encode"):
        features = evaluated(method, images[:ROWS])
    if features is None or not features.isfinite().all():
        return {}
    spread, rank = measures.spread(features[:ROWS]), effective_rank(features[:ROWS])
    projected = features.shape[1] if name == "z" else None
    return {"spread": spread, "rank": rank, "collapsed": has_collapsed(spread, rank, projected)}
