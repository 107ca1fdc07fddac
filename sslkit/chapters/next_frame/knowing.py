"""Clips whose backgrounds are known, and a rival that knows: a motion kernel that is given the true motion, mask and background."""

import torch
from torch import Tensor

from sslkit.chapters.next_frame.method import shift
from sslkit.datasets.contract import Split
from sslkit.datasets.moving import generate, render
from sslkit.datasets.scenes import backgrounds

LONGER = 77  # seed of the clips that are rolled out


def redrawn(split: Split, seed: int) -> tuple[Tensor, Tensor]:
    """The clips of a generated split on backgrounds that are known: uint8 [N, T, 3, H, W], and float [N, 3, H, W] without the emoji."""
    f, generator = split.factors, torch.Generator().manual_seed(seed)
    ground = backgrounds(f["background"], torch.rand(len(split), generator=generator), generator)
    places = torch.stack([f["x"], f["y"]], dim=2)
    return render(f["emoji"], ground, places, f["size"], f["hue"]), ground


def between_pixels(displacement: Tensor, side: int = 9) -> Tensor:
    """Kernels [N, side, side] that move by displacement [N, 2] (right, down; pixels): one between pixels is shared out among the
    four around it."""
    near = (1 - (displacement[:, :, None] - (torch.arange(side) - side // 2)).abs()).clamp(min=0)
    return near[:, 1, :, None] * near[:, 0, None]


def rollout_knowing(n: int, past: int, ahead: int, seed: int = LONGER) -> tuple[Tensor, Tensor]:
    """Its roll-out of the clips of `pictures.longer`, fed with its own frames, and the truth, float [n, ahead, 3, H, W] each."""
    split = generate(n, seed=seed, frames=past + ahead)
    x, ground = redrawn(split, seed)
    f, places = split.factors, torch.stack([split.factors["x"], split.factors["y"]], dim=2)
    on_black, on_white = (
        render(f["emoji"], torch.full_like(ground, shade), places, f["size"], f["hue"]) / 255 for shade in (0.0, 1.0)
    )
    mask = 1 - (on_white - on_black).mean(2, keepdim=True)  # [n, T, 1, H, W], 1 where the emoji hides what is behind it
    frame, rolled = x[:, past - 1] / 255, []
    for t in range(past, past + ahead):
        moved = shift(frame, between_pixels(places[:, t] - places[:, t - 1]))
        frame = mask[:, t] * moved + (1 - mask[:, t]) * ground
        rolled.append(frame)
    return torch.stack(rolled, dim=1), x[:, past:] / 255
