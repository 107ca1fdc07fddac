"""The pictures of chapter 14: clouds of points, two hinges, three terms, and the fate of four networks."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from sslkit import plots
from sslkit.plots.axes import DASHED, name_lines, panels, plain_bar
from sslkit.plots.picture import COLOURS, FAINT, WIDTH, Picture, array, drawing, render


def toys(n: int = 40) -> dict[str, tuple[Tensor, Tensor]]:
    """Four made-up networks: z1 and z2 [n, 2] of n images."""
    draw = torch.Generator().manual_seed(0)
    one, two, other, noise = torch.randn(4, n, 2, generator=draw)
    line = torch.tensor([1.0, 0.9]) * one[:, :1]
    return {
        "A": (0.03 * one + 0.4, 0.03 * two + 0.4),
        "B": (line + 0.08 * two, line + 0.08 * other),
        "C": (one, other),
        "D": (one, one + 0.15 * noise),
    }


def cloud(ax, z1: np.ndarray, z2: np.ndarray, reach: float, images: int = 60) -> None:
    """Two numbers of each image: a blue point for view 1, an orange one for view 2, a line between them."""
    z1, z2 = z1[:images], z2[:images]
    ax.plot(*np.stack([z1, z2], 1).transpose(2, 1, 0), color=FAINT, linewidth=0.7, alpha=0.7, zorder=1)
    for z, colour in ((z1, COLOURS[0]), (z2, COLOURS[1])):
        ax.scatter(*z.T, s=13, color=colour, linewidths=0, zorder=2)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.locator_params(nbins=3)


@drawing
def four_clouds() -> Picture:
    """The four of them side by side."""
    title = "Four networks, forty images, two numbers each: three have failed"
    caption = "Made-up numbers. Blue: view 1; orange: view 2; a line joins the two views of an image."
    fig, axes = panels(title, caption, 2.5, "number 1", "number 2", heads=toys(), w_pad=0.03)
    for ax, (z1, z2) in zip(axes, toys().values()):
        cloud(ax, array(z1), array(z2), reach=3.8)
    return render(fig, title, caption, "Four clouds of points", colours=64)


def terms_of_clouds(terms: Callable[[Tensor, Tensor], tuple]) -> Picture:
    """Their three terms."""
    names = ("invariance", "variance", "covariance")
    table = {name: dict(zip(names, map(float, terms(*pair)))) for name, pair in toys().items()}
    caption = "The four clouds of section 1, each with its three terms, unweighted."
    title = "Each failure has a term of its own; only D is good at all three"
    return plots.scoreboard(table, title, caption, highlight="D", percent=False)


@drawing
def hinges(variance: Callable[[Tensor], Tensor]) -> Picture:
    """The variance term over the deviation of one number, and what it would be without the root."""
    deviations = np.linspace(0, 1.6, 81)
    unit = torch.tensor([[-1.0], [1.0]], dtype=torch.float64) / 2**0.5  # its deviation over N - 1 is 1
    ours = [float(variance(unit * deviation)) for deviation in deviations]
    title = "With the root the pull stays the same; without it, it fades near collapse"
    caption = "One number with a given deviation over the batch. Dashed: the deviation that is asked for."
    xlabel = "deviation of the number over the batch"
    fig, (ax,) = panels(title, caption, 2.4, xlabel, "penalty", grid="y", width=WIDTH * 0.7)
    ax.plot(deviations, ours, color=COLOURS[0], linewidth=2, label="1 - deviation (VICReg)")
    ax.plot(deviations, np.maximum(0, 1 - deviations**2), color=COLOURS[1], linewidth=2, label="1 - variance")
    ax.axvline(1, **DASHED)
    name_lines(ax)
    return render(fig, title, caption, "Two curves over the deviation", colours=64)


def falling(terms: Iterable[Iterable[float]], weights: dict[str, float], last: int = 100) -> Picture:
    """The three terms of each step [steps, 3], each times its weight; and their means over the `last` steps."""
    curves = {name: [weights[name] * value for value in values] for name, values in zip(weights, zip(*terms))}
    last = min(last, *map(len, curves.values()))
    ends = ", ".join(f"{name} {np.mean(values[-last:]):.2f}" for name, values in curves.items())
    caption = f"Each term times its weight; together they are the loss. Means of the last {last} steps: {ends}."
    return plots.losses(curves, title="Variance falls, covariance rises, invariance settles", caption=caption)


@drawing
def fates(zs: dict[str, Tensor], numbers: int = 16) -> Picture:
    """{name: z [2N, K], first views first}: two numbers as a cloud, and below it the size of the covariances of some numbers."""
    title = "Lines, a shrunken cloud, bright cells: each missing term shows"
    caption = (
        "One training batch of each network. Above: its first two numbers, with a line between the two views of an image "
        f"(60 images). Blue: view 1; orange: view 2. Below: the size of the covariances of its first {numbers} numbers, view 1."
    )
    fig, axes = panels(title, caption, 4.5, heads=[*zs, *[""] * len(zs)], rows=2, w_pad=0.03, h_pad=0.03)
    clouds, matrices = axes[: len(zs)], axes[len(zs) :]
    clouds[0].set_ylabel("number 2")
    matrices[0].set_ylabel("number")
    for above, below, z in zip(clouds, matrices, zs.values()):
        z1, z2 = (array(view).astype(float) for view in z.cpu().float().chunk(2))
        centre = np.concatenate([z1, z2]).mean(0)
        above.set_xlabel("number 1")
        cloud(above, (z1 - centre)[:, :2], (z2 - centre)[:, :2], reach=4)
        below.set_xlabel("number")
        covariance = np.abs(np.cov(z1[:, :numbers].T))
        image = below.imshow(covariance, cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        below.spines[:].set_visible(False)
        below.set(xticks=[0, numbers - 1], yticks=[0, numbers - 1])
    plain_bar(fig.colorbar(image, ax=matrices, shrink=0.72, pad=0.01), "|covariance|")
    return render(fig, title, caption, f"Clouds and covariances of {', '.join(zs)}", colours=128)
