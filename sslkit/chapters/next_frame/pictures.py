"""The pictures of chapter 08 that stand still."""

from typing import Any

import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.next_frame import figures
from sslkit.datasets.moving import borders, generate, render, travel
from sslkit.datasets.scenes import backgrounds


def questions(clips: Tensor) -> plots.Picture:
    """Films frame by frame, with what is given and what is asked for."""
    then = [f"then {t}" for t in range(2, clips.shape[1] - 2)]
    return plots.rows(
        {f"clip {n + 1}": clip for n, clip in enumerate(clips)},
        ["past 1", "past 2", "past 3", "next?", *then],
        title="Three frames are given, the fourth is asked for",
        caption="Validation clips. Of one clip of eight frames, five such questions can be made.",
        side=76,
    )


def liveliest(x: Tensor, past: int) -> Tensor:
    """Eight clips among those with the most change."""
    change = (x[:, past].float() - x[:, past - 1]).square().mean((1, 2, 3))
    return change.argsort(descending=True)[: 8 * 12 : 12]


def predictions(x: Tensor, prediction: Tensor, past: int) -> plots.Picture:
    """What was predicted of test clips [N, T, C, H, W], and the errors."""
    some = liveliest(x, past)
    last, true, guess = x[some, past - 1].float() / 255, x[some, past].float() / 255, prediction[some]
    shown = {"last frame": last, "next frame": true, "predicted": guess}
    return plots.rows(
        shown | {"error": (guess - true).abs(), "error of copying": (last - true).abs()},
        title="It moves the emoji; the errors that are left lie along edges",
        caption=f"Eight of {len(x):,} test clips, among those with the most change. Errors: black is right.",
        side=80,
    )


def bright(kernel: Tensor) -> Tensor:
    """Kernels [N, K, K] as images, each as bright as its largest entry."""
    return (kernel / kernel.amax((1, 2), keepdim=True))[:, None]


def kernels(x: Tensor, kernel: Tensor, mask: Tensor, prediction: Tensor, true: Tensor, past: int) -> plots.Picture:
    """Kernels and masks beside what they make."""
    some = liveliest(x, past)
    return plots.rows(
        {
            "last frame": x[some, past - 1],
            "kernel": bright(kernel[some]),
            "mask": mask[some],
            "predicted": prediction[some],
        },
        [f"{vx:+.1f}, {vy:+.1f}" for vx, vy in true[some].tolist()],
        title="The bright spot in the kernel is where the emoji goes",
        caption="Above: true displacement, to the right and down. Kernel: 9 x 9 displacements, none is the middle.",
        side=80,
    )


def longer(n: int, frames: int, seed: int = 77) -> tuple[Tensor, Tensor]:
    """Clips uint8 [n, frames, 3, H, W] and the backgrounds that lie behind their emoji, uint8 [n, 3, H, W]."""
    f, generator = generate(n, seed=seed, frames=frames).factors, torch.Generator().manual_seed(seed)
    ground = backgrounds(f["background"], torch.rand(n, generator=generator), generator)
    places = torch.stack([f["x"], f["y"]], dim=2)
    return render(f["emoji"], ground, places, f["size"], f["hue"]), (ground * 255).round().to(torch.uint8)


def films(x: Tensor, ground: Tensor, rolled: Tensor, past: int) -> tuple[dict[str, Tensor], list[str]]:
    """Truth, a copy of the last frame, the emoji erased, and the network's roll-out, as uint8 clips; and the names of their frames."""
    ahead = rolled.shape[1]
    rows = {
        "truth": x[:, past:],
        "copy last": x[:, past - 1 : past].expand(-1, ahead, -1, -1, -1),
        "erase": ground[:, None].expand(-1, ahead, -1, -1, -1),
        "predicted": (rolled * 255).round().to(torch.uint8),
    }
    times = [*(str(t - past) for t in range(past)), *(f"+{t + 1}" for t in range(ahead))]
    return {name: torch.cat([x[:, :past], row], dim=1) for name, row in rows.items()}, times


def dream(rows: dict[str, Tensor], times: list[str], past: int) -> plots.Picture:
    """The films, moving."""
    return figures.motion(
        {name: x[:5] for name, x in rows.items()},
        times,
        title="Truth, two rivals that know nothing, and what the network dreams up",
        caption=f"Clips made for this figure. After {past} frames the network sees nothing but its own predictions.",
        side=88,
        first=past + 2,
        colours=48,
    )


def rollouts(rows: dict[str, Tensor], past: int) -> plots.Picture:
    """Errors frame by frame of what `films` gives, against the truth."""
    truth = rows["truth"][:, past:].float()
    names = {"copy last": "copy the last frame", "erase": "erase the emoji", "predicted": "the network"}
    errors = {
        shown: (rows[name][:, past:] - truth).div(255).square().mean((0, 2, 3, 4)) for name, shown in names.items()
    }
    return plots.losses(
        errors,
        title="Rolled out, the network loses its lead on a rival that only erases",
        caption=f"Step: frames ahead. {len(truth)} clips made for this figure.",
        ylabel="mean squared error",
        window=1,
    )


def where_map(h: dict[str, Tensor], split: Any) -> plots.Picture:
    """Maps of clips, coloured by the ninth of the picture that the emoji is in at the end."""
    pick = plots.subsample(len(split), 800)
    column, row = (split.factors[name][:, -1].sub(5.5).div(7).long().clamp(0, 2) for name in ("x", "y"))
    names = [f"{down} {across}" for down in ("upper", "middle", "lower") for across in ("left", "middle", "right")]
    laid = [
        (name, plots.tsne(one[pick], perplexity=min(30, len(pick) // 4)), (3 * row + column)[pick])
        for name, one in h.items()
    ]
    return plots.tsne_maps(
        laid,
        names,
        title="Before, a crowd; after, clips lie by where the emoji is",
        caption=f"t-SNE of {len(pick)} test clips, perplexity 30, seed 0.",
    )


def clearest(split: Any, past: int, n: int = 7) -> Tensor:
    """Clips in which the emoji is fast and far from the borders."""
    middle = sum((split.factors[name][:, past - 1] - 16).abs() for name in ("x", "y"))
    speed = torch.stack([split.factors[name][:, past - 1] for name in ("vx", "vy")]).norm(dim=0)
    return (speed - 0.3 * middle).argsort(descending=True)[:n]


def futures(split: Any, row: int, count: int, past: int) -> Tensor:
    """Possible next frames of a clip after its first `past` frames, with random turns: float [count, 3, H, W]."""
    f = {name: values[row : row + 1].expand(count, *values.shape[1:]) for name, values in split.factors.items()}
    place = torch.stack([f["x"][:, past - 1], f["y"][:, past - 1]], 1)
    velocity = torch.stack([f["vx"][:, past - 1], f["vy"][:, past - 1]], 1)
    generator = torch.Generator().manual_seed(row)
    places, _ = travel(place, velocity, *borders(f["size"]), 2, turns=1.0, generator=generator)
    still = split.x[row].float().div(255).median(0).values[None].expand(count, -1, -1, -1)  # the background, nearly
    return render(f["emoji"], still, places[:, 1:], f["size"], f["hue"])[:, 0].float() / 255


def blur(split: Any, clips: Tensor, unsure: tuple, sure: tuple, past: int) -> plots.Picture:
    """Two futures, the mean of 64, and what two networks predict: (frame, kernel, mask) each."""
    possible = [futures(split, row, 64, past) for row in clips.tolist()]
    mean = torch.stack([p.mean(0) for p in possible])
    to_mean = (unsure[0] - mean).square().mean()
    to_one = torch.stack([(d - p).square().mean() for d, p in zip(unsure[0], possible)]).mean()
    return plots.rows(
        {
            "last frame": split.x[clips, past - 1],
            "one future": torch.stack([p[0] for p in possible]),
            "another": torch.stack([p[1] for p in possible]),
            "mean of 64": mean,
            "predicted": unsure[0],
            "its kernel": bright(unsure[1]),
            "kernel of section 4": bright(sure[1]),
        },
        title="Asked for the unknowable: two futures, the mean of 64, and what it paints",
        caption=f"Validation clips with random turns. Squared error to the mean of 64 futures {to_mean:.4f}, to one of them {to_one:.4f}. "
        "The network of section 4, trained where films can be predicted, keeps a sharp kernel.",
        side=80,
    )
