"""Clips with random turns: what may come next, what the best guess would cost, and what a network paints."""

import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.next_frame.knowing import redrawn
from sslkit.chapters.next_frame.pictures import bright
from sslkit.datasets import Split
from sslkit.datasets.moving import borders, generate, render, travel


def speed(split: Split) -> Tensor:
    """Pixels per frame [N], which neither turns nor bounces change."""
    return torch.stack([split.factors[name][:, 0] for name in ("vx", "vy")]).norm(dim=0)


def radius(kernel: Tensor) -> Tensor:
    """How far kernels [N, K, K] move things on average, in pixels [N], whatever the direction: of a ring, its radius."""
    at = torch.arange(kernel.shape[1]) - kernel.shape[1] // 2
    return (kernel * (at[:, None].square() + at.square()).sqrt()).sum((1, 2))


def clearest(split: Split, ground: Tensor, past: int, n: int = 8) -> Tensor:
    """Clips in which the emoji is far from the borders and stands out from the ground: half of them slow, half fast."""
    middle = sum((split.factors[name][:, past - 1] - 16).abs() for name in ("x", "y"))
    hidden = (split.x[:, past - 1].float() / 255 - ground).abs().mean((1, 2, 3)) < 0.02
    slow, fast = ((way * speed(split) - 0.1 * middle - 9 * hidden).argsort(descending=True) for way in (-1, 1))
    return torch.cat([slow[: n // 2], fast[: n - n // 2]])


def wandering(past: int, n: int = 8, seed: int = 78) -> tuple[Split, Tensor]:
    """Clips with random turns, the clearest of 60, and the backgrounds behind their emoji, float [n, 3, H, W]."""
    split = generate(60, seed=seed, frames=past + 1, turns=1.0)
    split.x, ground = redrawn(split, seed)
    clear = clearest(split, ground, past, n)
    return split[clear], ground[clear]


def possible(split: Split, ground: Tensor, row: int, count: int, past: int) -> Tensor:
    """Possible next frames of a clip after its first `past` frames, with random turns: float [count, 3, H, W]."""
    f = {name: values[row : row + 1].expand(count, *values.shape[1:]) for name, values in split.factors.items()}
    place = torch.stack([f["x"][:, past - 1], f["y"][:, past - 1]], 1)
    velocity = torch.stack([f["vx"][:, past - 1], f["vy"][:, past - 1]], 1)
    generator = torch.Generator().manual_seed(row)
    places, _ = travel(place, velocity, *borders(f["size"]), 2, turns=1.0, generator=generator)
    still = ground[row : row + 1].expand(count, -1, -1, -1)
    return render(f["emoji"], still, places[:, 1:], f["size"], f["hue"])[:, 0].float() / 255


def least_loss(past: int, n: int = 200, count: int = 64, seed: int = 79) -> float:
    """What the mean of all futures would have as its loss, where each step has a random direction: nobody can do better."""
    split = generate(n, seed=seed, frames=past + 1, turns=1.0)
    split.x, ground = redrawn(split, seed)
    best, copying = 0.0, 0.0
    for row, last in enumerate(split.x[:, past - 1].float() / 255):
        found = possible(split, ground, row, count, past)
        best += found.var(0).mean().item()  # the expected squared error of their true mean
        copying += (found - last).square().mean().item()
    return best / copying


def blur(split: Split, ground: Tensor, unsure: tuple, sure: tuple, past: int) -> plots.Picture:
    """Two futures, the mean of 64, and what two networks predict for the clips of `wandering`: (frame, kernel, mask) each."""
    found = torch.stack([possible(split, ground, row, 64, past) for row in range(len(split))])
    last, mean = split.x[:, past - 1].float() / 255, found.mean(1)
    guesses = {"the prediction": unsure[0], "the last frame": last, "one future": found[:, 0]}
    apart = ", ".join(f"{name} {(x - mean).square().mean():.4f}" for name, x in guesses.items())
    return plots.rows(
        {
            "last frame": last,
            "one future": found[:, 0],
            "another": found[:, 1],
            "mean of 64": mean,
            "predicted": unsure[0],
            "its kernel": bright(unsure[1]),
            "kernel of section 4": bright(sure[1]),
        },
        [f"{v:.1f}" for v in speed(split).tolist()],
        title="Asked for the unknowable, the network paints a blur, nearer to the mean than a real future is",
        caption="Clips made for this figure, with random turns. Above: speed in pixels per frame. Squared error to the "
        f"mean of 64 futures: {apart}. "
        "The network of section 4, trained where films can be predicted, keeps a sharper kernel.",
        side=80,
    )
