"""What a network makes of the same images at moments of its training: for the map as it forms."""

from typing import Any

from torch import Tensor, nn

from sslkit.probes.features import features
from sslkit.progress import duration
from sslkit.train import Record


class Snapshots:
    """Features of images x at about `moments` moments of a training of `steps` steps, dense at first, when most happens.

    snapshots = Snapshots(data.val.x[:600], recipe.steps)
    snapshots.take(method)
    for record in train(method, x, recipe):
        snapshots.update(method, record)
    plots.forming(snapshots.h), snapshots.times
    """

    def __init__(self, x: Any, steps: int, moments: int = 24):
        if steps < 1 or moments < 2:
            raise ValueError(
                f"snapshots need a training and two moments of it, got {steps} steps and {moments} moments"
            )
        self.x = x
        self.due = {max(1, round(steps * (k / (moments - 1)) ** 2)) for k in range(1, moments)}
        self.h: list[Tensor] = []
        self.times: list[str] = []

    def take(self, method: nn.Module, time: str = "untrained") -> None:
        """Keep what the method makes of the images now."""
        self.h.append(features(method, self.x))
        self.times.append(time)

    def update(self, method: nn.Module, record: Record) -> None:
        """Keep it if this record's step is one of the moments."""
        if record.step in self.due:
            self.take(method, duration(record.seconds))
