"""What a step of training reports."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from sslkit.measures import collapse, effective_rank
from sslkit.nets import evaluated

ROWS = 256  # features that spread and rank are measured on: more cost time and say the same
# The spread below which they have collapsed. Projections are centred: healthy ones stay above 0.6, those of SimSiam without
# its stop-gradient end below 0.3. Features after a ReLU, or a ViT's, point to one side even when they are good.
LEAST = {"z": 0.3, "h": 0.1}
# And the effective rank. Where z goes through a batch norm its numbers must vary, and a collapse shows in their saying all the same:
# BYOL without predictor keeps a spread of 0.4 and a rank of 4 (results/ablations/byol_scenes.json); healthy runs have 10 and more.
FEWEST = 5.0


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
    """How far the features of a batch have collapsed: their "spread" (sslkit.measures.collapse), their effective "rank",
    and whether they have "collapsed".

    Of what the loss compares, extras["z"] [N, K], where the method gives it: batch norm inside an encoder keeps its
    features apart even when the loss could not care less. Else of extras["h"], else of the encoder's features of these
    images. Nothing for a method that has none of them.
    """
    name = "z" if "z" in extras else "h"
    features = extras.get(name)
    if features is None and isinstance(images, Tensor) and hasattr(method, "encode"):
        features = evaluated(method, images[:ROWS])
    if features is None or not features.isfinite().all():
        return {}
    spread, rank = collapse(features[:ROWS]), effective_rank(features[:ROWS])
    fewest = min(FEWEST, features.shape[1] / 8) if name == "z" else 0.0
    return {"spread": spread, "rank": rank, "collapsed": spread < LEAST[name] or rank < max(1.5, fewest)}
