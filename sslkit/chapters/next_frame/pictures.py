"""The pictures of chapter 08 that stand still."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit import evidence, plots
from sslkit.chapters.next_frame import figures
from sslkit.chapters.next_frame.knowing import LONGER, astray, bounces, redrawn, rollout_knowing
from sslkit.datasets import Split
from sslkit.datasets.moving import generate
from sslkit.plots.axes import name_lines, panels
from sslkit.plots.curves import draw_losses
from sslkit.plots.picture import COLOURS, drawing, render

# Nine places of a picture: a hue for left, middle and right, light above and dark below. Chosen as plots.COLOURS were, for all eyes.
NINTHS = ("#D7AB02", "#8F7000", "#4C3B00", "#79B4FF", "#0072DD", "#003B7C", "#FE7CCB", "#CB0094", "#6F004F")
TILE = 64  # pixels of a kernel: as wide as a frame of 32 that is shown twice as large


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
    """Kernels [N, K, K] as images [N, 1, TILE, TILE], each as bright as its largest entry, with a black border."""
    times, left = TILE // kernel.shape[1], TILE % kernel.shape[1]
    large = (kernel / kernel.amax((1, 2), keepdim=True)).repeat_interleave(times, 1).repeat_interleave(times, 2)
    return F.pad(large, (left // 2, left - left // 2) * 2)[:, None]


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
        title="Bright in the kernel: where the network thinks the emoji may go",
        caption="Above: true displacement in pixels (right, down). Kernel: 9 x 9 displacements; the middle is no motion.",
        side=80,
    )


def longer(n: int, frames: int, seed: int = LONGER) -> tuple[Tensor, Tensor]:
    """Clips uint8 [n, frames, 3, H, W] and the backgrounds that lie behind their emoji, uint8 [n, 3, H, W]."""
    x, ground = redrawn(generate(n, seed=seed, frames=frames), seed)
    return x, (ground * 255).round().to(torch.uint8)


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
        title="Truth, two rivals blind to motion, and what the network dreams up",
        caption=f"Clips made for this figure. After {past} frames the network sees nothing but its own predictions.",
        side=88,
        first=past + 2,
        colours=48,
    )


@drawing
def rollouts(rows: dict[str, Tensor], kernels: Tensor, past: int) -> plots.Picture:
    """Errors frame by frame of what `films` gives, against the truth; and how far the kernels [n, ahead, K, K] of the network's
    roll-out go astray."""
    truth = rows["truth"][:, past:].float()
    names = {"predicted": "the network", "copy last": "copy the last frame", "erase": "erase the emoji"}
    errors = {
        shown: (rows[name][:, past:] - truth).div(255).square().mean((0, 2, 3, 4)) for name, shown in names.items()
    }
    rolled, known = rollout_knowing(len(truth), past, truth.shape[1])
    errors["knows the motion"] = (rolled - known).square().mean((0, 2, 3, 4))
    far = astray(kernels, past)
    ends = ", ".join(f"{name} {error[-1]:.4f}" for name, error in errors.items())
    lost = ", ".join(f"{name} {off[-1]:.1f}" for name, off in far.items())
    title = "Rolled out, the network loses its lead over a rival that only erases"
    caption = (
        f"{len(truth)} clips made for this figure. Left: who knows the motion is a kernel with the true motion, mask and "
        f"background. After {truth.shape[1]}: {ends}. Right: from the true place of the emoji to where the network's kernels, by "
        f"their centres of mass, have moved it. After {truth.shape[1]}: {lost}."
    )
    heads = ("mean squared error", "pixels from the true place")
    fig, (left, right) = panels(title, caption, 3.4, "frames ahead", grid="y", heads=heads, wspace=0.08)
    draw_losses(left, errors, None, 1)
    draw_losses(right, far, None, 1, (COLOURS[0], COLOURS[5], COLOURS[1]))  # who stands still copies
    for ax in (left, right):
        name_lines(ax, "upper left")
        ax.set_ylim(0, 1.45 * ax.get_ylim()[1])
    what = f"Curves of {heads[0]}: {', '.join(errors)}; of {heads[1]}: {', '.join(far)}"
    return render(fig, title, caption, what, colours=96)


def where_map(h: dict[str, Tensor], split: Split) -> plots.Picture:
    """Maps of clips, coloured by the ninth of the picture that the emoji is in at the end; the legend is laid out as the picture is."""
    pick = plots.subsample(len(split), 800)
    column, row = (split.factors[name][:, -1].sub(5.5).div(7).long().clamp(0, 2) for name in ("x", "y"))
    names = [f"{down} {across}" for across in ("left", "middle", "right") for down in ("upper", "middle", "lower")]
    names[4] = "centre"
    laid = [
        (name, plots.tsne(one[pick], perplexity=min(30, len(pick) // 4)), (3 * column + row)[pick])
        for name, one in h.items()
    ]
    return plots.tsne_maps(
        laid,
        names,
        title="Before, a crowd; after, clips lie by where the emoji is",
        caption=f"t-SNE of {len(pick)} test clips, perplexity 30, seed 0. A hue for left, middle and right; light above, dark below.",
        colours=NINTHS,
        per_row=3,
    )


@evidence.or_a_note
def seeds(title: str) -> plots.Picture:
    """results/next_frame.json as a scoreboard; errors as plain numbers."""
    found = evidence.results("next_frame")
    table = evidence.by_row(found["rows"], {name: name for name in ("untrained", "next frame", "copy last")})
    caption = (
        f"{len(found['seeds'])} seeds, {found['steps']} steps of {found['batch']} clips; test clips. Kind: probe fitted on all 5,000 "
        "clips. Error, of each clip's last frame: lower is better."
    )
    shares = [judge for judge in found["rows"] if "error" not in judge]
    return plots.scoreboard(table, title, f"{caption} {found['command']}.", highlight="next frame", percent=shares)


def windows(split: Split, past: int, gravity: float) -> tuple[Tensor, Tensor]:
    """All windows of past + 1 frames of a split's clips, uint8 [M, past + 1, 3, H, W], and in which of them the emoji
    bounces, bool [M]."""
    hit = bounces(split, gravity)
    starts = range(split.x.shape[1] - past)
    x = torch.cat([split.x[:, t : t + past + 1] for t in starts])
    return x, torch.cat([hit[:, t : t + past].any(1) for t in starts])
