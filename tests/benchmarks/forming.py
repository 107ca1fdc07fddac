"""The moving picture of README.md: the map as it forms while SimCLR trains.

    python tests/benchmarks/forming.py [--moments 24] [--images 500] [--keep runs/forming.pt] [--out notebooks/pictures/forming.webp]

SimCLR's laptop recipe on `scenes`, seed 0; t-SNE of validation images, each map from where the one before stands (plots.forming), coloured
by kinds that training never saw. What the network made of the images is kept in --keep, so that drawing again needs no training.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sslkit import plots
from sslkit.chapters.simclr.method import RECIPES, SimCLR
from sslkit.datasets import load
from sslkit.plots.maps import thumbnail_canvas, unit_square
from sslkit.plots.picture import COLOURS, INK, SHARP, drawn, frame
from sslkit.probes import Snapshots, features, knn_accuracy
from sslkit.train import build, train

ROOT = Path(__file__).resolve().parents[2]
BETWEEN, MILLISECONDS = 3, 110  # frames from moment to moment, and how long each is shown
SIDE, WIDTH, HEIGHT = 15, 6.2, 3.9  # pixels of an image; inches


def measured(moments: int, images: int) -> dict:
    """What the network makes of the images at each moment, with the kNN accuracy."""
    data, recipe = load("scenes"), RECIPES["laptop"]
    method = build(SimCLR, recipe, data.channels, seed=0)
    chosen = data.val[torch.from_numpy(plots.subsample(len(data.val), images))]
    snapshots, accuracies = Snapshots(chosen.x, recipe.steps, moments), []

    def judge() -> None:
        while len(accuracies) < len(snapshots.h):
            h = features(method, data.train.x[:4000]), features(method, data.val.x)
            accuracies.append(knn_accuracy(h[0], data.train.y[:4000], h[1], data.val.y))

    snapshots.take(method, "0 s")
    judge()
    for record in train(method, data.pretrain, recipe):
        snapshots.update(method, record)
        judge()
    steps = [0, *sorted(snapshots.due)]
    return {"h": snapshots.h, "steps": steps, "knn": accuracies, "x": chosen.x, "y": chosen.y}


def picture(xy: np.ndarray, x, y, words: str) -> Image.Image:
    """One frame: the images at their points, framed by kind."""
    fig, box = frame(WIDTH, HEIGHT, "Nobody told it what is what", words)
    ax = fig.add_axes(box)
    ax.axis("off")
    pixels = [round(100 * SHARP * length) for length in (WIDTH, HEIGHT)]
    canvas = overlapping(unit_square(xy, (0.03, 0.04)), x, y, *pixels)
    ax.imshow(canvas, extent=(0, 1, 0, 1), aspect="auto", interpolation="nearest")
    ax.spines[:].set_color(INK)
    image = Image.fromarray(drawn(fig))
    return image.resize([round(0.7 * length) for length in image.size], Image.Resampling.LANCZOS)


def overlapping(xy: np.ndarray, x, y, width: int, height: int) -> np.ndarray:
    """All images at their points on white, those that come later on top: which ones are seen does not flicker."""
    canvas = np.full((height, width, 3), 255, np.uint8)
    for i in range(len(xy)):
        one, _ = thumbnail_canvas(
            np.array([[0.5, 0.5]]), x[i : i + 1], y[i : i + 1], COLOURS, SHARP * SIDE, *[SHARP * SIDE + 8] * 2
        )
        rows, columns = np.flatnonzero(one[..., 3].any(1)), np.flatnonzero(one[..., 3].any(0))
        tile = one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, :3]
        h, w = tile.shape[:2]
        top, left = int((1 - xy[i, 1]) * (height - h)), int(xy[i, 0] * (width - w))
        canvas[top : top + h, left : left + w] = tile
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=24)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--keep", type=Path, default=ROOT / "runs" / "forming.pt")
    parser.add_argument("--out", type=Path, default=ROOT / "notebooks" / "pictures" / "forming.webp")
    args = parser.parse_args()
    if not args.keep.exists():
        args.keep.parent.mkdir(parents=True, exist_ok=True)
        torch.save(measured(args.moments, args.images), args.keep)
    found = torch.load(args.keep)
    maps, frames, durations = plots.forming(found["h"]), [], []
    for k in range(len(maps)):
        steps = BETWEEN if k + 1 < len(maps) else 1
        for between in range(steps):
            share = between / steps
            xy = maps[k] if steps == 1 else (1 - share) * maps[k] + share * maps[k + 1]
            words = f"{found['steps'][k]} of {found['steps'][-1]} steps without labels"
            words += f": kNN finds the kind of {100 * found['knn'][k]:.0f} % of the images"
            frames.append(picture(xy, found["x"], found["y"].numpy(), words))
            durations.append(MILLISECONDS)
    durations[0], durations[-1] = 1200, 3500
    buffer = io.BytesIO()
    options = dict(save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=35, method=6)
    frames[0].save(buffer, "webp", **options)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(buffer.getvalue())
    print(
        f"{args.out}: {len(frames)} frames, {len(buffer.getvalue()) / 1e6:.1f} MB; kNN {found['knn'][0]:.1%} to {found['knn'][-1]:.1%}"
    )


if __name__ == "__main__":
    main()
