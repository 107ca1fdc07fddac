"""The pictures of chapter 13: four small networks, and correlation matrices side by side."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sslkit import evidence, plots
from sslkit.plots.axes import plain_axes, plain_bar
from sslkit.plots.picture import INK, TEXT_SIZE, WIDTH, Picture, array, drawing, frame, render

FACTORS = {"kind": "kind", "background": "background", "x": "left-right", "y": "up-down", "hue": "hue"}
TURNING = "Size of the correlation of each number of view 1 (rows) with each of view 2 (columns), one training batch, first 32 numbers."


def toys() -> dict[str, tuple[Tensor, Tensor]]:
    """Four made-up networks: what each says, z1 and z2 [8, 4], about two views of eight images."""
    signs = torch.tensor([[(-1.0) ** (image >> bit & 1) for bit in range(3)] for image in range(8)])
    four = torch.cat([signs, signs.prod(1, keepdim=True)], dim=1)  # no two columns correlate
    noise = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(3))
    return {
        "A: the same about every image": (torch.full((8, 4), 0.7),) * 2,
        "B: one thing, four times": (four[:, :1].expand(8, 4),) * 2,
        "C: four things": (four,) * 2,
        "D: something else about each view": (noise[0], noise[1]),
    }


def three_networks() -> Picture:
    """What the first three of them say."""
    shown = {name.partition(":")[0]: z1 for name, (z1, _) in list(toys().items())[:3]}  # A, B, C: no answer yet
    caption = "Made-up numbers: rows are images, columns what a network says of them. Both views of an image get the same row."
    title = "Three networks, eight images, four numbers each: which one is worth having?"
    return matrices(shown, title, caption, limits=(-1, 1), label="what it says", labels=("number", "image"))


def three_matrices(correlation: Callable[[Tensor, Tensor], Tensor]) -> Picture:
    """The cross-correlation matrices of these three."""
    shown = {name: correlation(*pair) for name, pair in list(toys().items())[:3]}
    caption = "Size of the correlation of each number of view 1 (rows) with each number of view 2 (columns)."
    return matrices(shown, "Only four different things give the identity", caption)


def two_parts(kept: list[Tensor]) -> str:
    """How far each of these cross-correlation matrices is from the identity, on its diagonal and off it, in words for a caption."""
    all_c = [array(matrix).astype(float) for matrix in kept]
    diagonals = ", ".join(f"{np.diag(c).mean():.2f}" for c in all_c)
    rest = ", ".join(f"{np.sqrt(np.mean(c[~np.eye(len(c), dtype=bool)] ** 2)):.2f}" for c in all_c)
    return f"Diagonal: {diagonals} on average (wanted: 1). Off it: {rest} (wanted: 0; root mean square; all {len(all_c[0])} numbers)."


def one_matrix(matrix: Tensor, step: int, most: int) -> Picture:
    """A cross-correlation matrix, and its two parts as numbers."""
    c = array(matrix).astype(float)
    caption = f"{two_parts([matrix])} The first {min(most, len(c))} are shown."
    title = f"Step {step:,}: each number of view 1 against each of view 2"
    return plots.heatmap(
        np.abs(c[:most, :most]), title=title, caption=caption, label="|correlation|", limits=(0, 1), numbers=False
    )


def ablations(chapter: str, title: str, *rows: str) -> Picture:
    """What some of a chapter's ablations gave beside the method as it is and an untrained network, with the effective rank of h."""
    shown = {row: row for row in ("untrained", "as it is", *rows)}
    name = f"ablations/{chapter}_scenes"
    return evidence.scoreboard(name, shown, title, highlight="as it is", also={"rank of h": "rank of h"})


@drawing
def matrices(
    named: dict[str, Tensor],
    title: str = "",
    caption: str = "",
    most: int = 32,
    limits: tuple[float, float] = (0, 1),
    label: str = "|correlation|",
    labels: tuple[str, str] = ("number, view 2", "number, view 1"),
) -> Picture:
    """Matrices side by side in one colour scale (cividis), at most `most` rows and columns of each; sizes where the scale begins
    at 0."""
    shown = {name: array(m).astype(float)[:most, :most] for name, m in named.items()}
    room = WIDTH - 1.25
    gap = 0.22
    tall = max(len(m) / m.shape[1] for m in shown.values())
    panel = min((room - gap * (len(shown) - 1)) / len(shown), 2.4, 3.4 / tall)
    fig, (left, bottom, _, _) = frame(WIDTH, panel * tall + 0.75, title, caption)
    inch_w, inch_h = fig.get_size_inches()
    for k, (name, m) in enumerate(shown.items()):
        at = left + (0.45 + k * (panel + gap)) / inch_w
        ax = fig.add_axes((at, bottom + 0.42 / inch_h, panel / inch_w, panel * tall / inch_h))
        plain_axes(ax, labels[0] if k == 0 else "", labels[1] if k == 0 else "")
        ax.set_title(name, size=TEXT_SIZE, color=INK, loc="left", pad=4)
        values = np.abs(m) if limits[0] == 0 else m
        image = ax.imshow(
            values, cmap="cividis", vmin=limits[0], vmax=limits[1], interpolation="nearest", aspect="auto"
        )
        ax.spines[:].set_visible(False)
        ax.set(xticks=[0, m.shape[1] - 1], yticks=[0, len(m) - 1] if k == 0 else [])
    end = left + (0.45 + len(shown) * (panel + gap)) / inch_w
    bar = fig.colorbar(image, cax=fig.add_axes((end, bottom + 0.42 / inch_h, 0.12 / inch_w, panel * tall / inch_h)))
    plain_bar(bar, label)
    # With fewer colours the brightest are lost, which are on the diagonal alone.
    return render(fig, title, caption, f"Matrices: {', '.join(shown)}", colours=256)
