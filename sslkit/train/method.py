"""What a method is, for the type checker and for readers: no base class, but a network with these functions.

Beside them a method may have `after_step(progress)` (a teacher, a queue), `chance(batch)`, the loss of a guess, and
`parameter_groups()`, rates of its own.
"""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Learner(Protocol):
    """All that `train` asks of a network."""

    def pretext(self, x: Any, generator: torch.Generator, /) -> Any:
        """A batch, as x[index] gives it, to a task."""

    def forward(self, task: Any, /) -> tuple[Tensor, dict[str, Tensor]]:
        """A task to its loss [] and extras, tensors to look at."""


@runtime_checkable
class Method(Learner, Protocol):
    """A network that learns without labels, and what is kept of it."""

    encoder: nn.Module

    def encode(self, x: Tensor, /) -> Tensor:
        """Images in [0, 1] or tokens to features [N, D]."""
