"""What the program that draws the clips knows: backgrounds, places, bounces; and a rival that is given the true motion."""

import torch
from torch import Tensor

from sslkit.chapters.next_frame.method import shift
from sslkit.datasets.contract import Split
from sslkit.datasets.moving import generate, render
from sslkit.datasets.scenes import backgrounds
from sslkit.probes import r2

LONGER = 77  # seed of the clips that are rolled out


def places(split: Split, past: int) -> Tensor:
    """The true places in the last `past` frames of each clip, [N, 2 * past]: what a perfect encoder would hand on."""
    return torch.cat([split.factors[name][:, -past:] for name in ("x", "y")], dim=1)


def bounces(split: Split, gravity: float = 0.0) -> Tensor:
    """Whether the emoji bounces in each step of each clip, bool [N, T - 1]: its velocity changes by more than gravity makes it."""
    v = torch.stack([split.factors["vx"], split.factors["vy"]], dim=2)
    return (v[:, 1:] - v[:, :-1] - v.new_tensor([0.0, gravity])).abs().amax(2) > 1e-3


def by_bounce(guess: Tensor, true: Tensor, split: Split, past: int) -> dict[str, float]:
    """Mean R2 of position and velocity guessed [N, 4] for clips of a split; of velocity once more for those without and with a
    bounce in the last past - 1 steps, which are all that `past` frames show."""
    hit = bounces(split)[:, 1 - past :].any(1)
    score = r2(guess, true)
    found = {"position": score[:2].mean().item(), "velocity": score[2:].mean().item()}
    for name, rows in (("no bounce", ~hit), ("a bounce", hit)):
        found[name] = r2(guess[rows], true[rows])[2:].mean().item()
    return found


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


def astray(kernels: Tensor, past: int, seed: int = LONGER) -> dict[str, Tensor]:
    """How far a roll-out of the clips of `pictures.longer` goes astray, in pixels, frame by frame: {name: means [ahead]}.

    kernels [n, ahead, K, K] of the roll-out. Their centres of mass are displacements, which are added to the last place that was
    seen. The mean distance from the true place, of clips that have not bounced since, and of those that have; and for all clips
    that of an emoji that stands still.
    """
    n, ahead, side, _ = kernels.shape
    split = generate(n, seed=seed, frames=past + ahead)
    true, at = torch.stack([split.factors["x"], split.factors["y"]], dim=2), torch.arange(side) - side // 2
    moves = torch.stack([(kernels.sum(2) * at).sum(2), (kernels.sum(3) * at).sum(2)], dim=2)  # right, down
    seen, then = true[:, past - 1 : past], true[:, past:]
    off, still = (seen + moves.cumsum(1) - then).norm(dim=2), (seen - then).norm(dim=2)
    hit = bounces(split)[:, past - 1 :].cumsum(1) > 0
    free = [off[~hit[:, t], t].mean() for t in range(ahead)]
    bent = [off[hit[:, t], t].mean() for t in range(ahead)]
    return {
        "no bounce so far": torch.stack(free),
        "a bounce so far": torch.stack(bent),
        "standing still": still.mean(0),
    }
