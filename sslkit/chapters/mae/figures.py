"""What only this chapter draws."""

from typing import Any

import torch
from torch import Tensor


def question(method: Any, x: Tensor, generator: torch.Generator) -> tuple[str, Tensor]:
    """What the method asks of one image x [1, C, H, W], twice: words, and the pictures [4, C, H, W], what it sees and the answer."""
    views, _, mask = method.pretext(x.repeat(2, 1, 1, 1), generator)
    size, hidden = method.encoder.patch, mask.view(2, 1, *method.grid(views))
    seen = torch.where(hidden.repeat_interleave(size, 2).repeat_interleave(size, 3), torch.tensor(0.5), views)
    return "MAE: what is hidden?", torch.stack([seen, views], 1).flatten(0, 1)
