"""MAE's own judges: what the mask ratio does to the features, and whether it paints better than two tricks.

    python tests/benchmarks/run.py mae [--data scenes] [--seeds 3] [--steps 500] [--out results/mae_ratios.json]

For each seed and each mask ratio a run of --steps steps of the laptop recipe, all else equal; kNN and a linear probe (C
fixed) on frozen features, with the labels of 4,000 training images, on the validation split. For each seed one more run
on raw pixels at the recipe's ratio: the squared error on hidden patches of the test split, beside the mean colour of the
visible patches and a copy of the nearest. Fine-tuning against from scratch is in tests/benchmarks/pretrain.py mae.
About 7 minutes for three seeds on two cores.
"""

import argparse
import time
from pathlib import Path

import torch
from tables import machine, print_table, save, settings

from sslkit.chapters.mae.method import (
    METHOD,
    RECIPES,
    copy_nearest,
    hidden_patches,
    mae_loss,
    mean_colour,
    patchify,
    random_masking,
)
from sslkit.datasets import load
from sslkit.probes import features, knn_accuracy, linear_probe
from sslkit.train import build, train

RATIOS = (0.25, 0.5, 0.75, 0.9)
LABELLED, HIDDEN = 4000, 0.75


def judge(method, data) -> dict[str, float]:
    """Validation accuracy of frozen features."""
    few = data.train[:LABELLED]
    h, val = features(method, few.x), features(method, data.val.x)
    probe = linear_probe(h, few.y, grid=(0.1,), steps=60, tolerance=1e-4)
    return {
        "kNN": knn_accuracy(h, few.y, val, data.val.y),
        "linear probe": probe.score(val, data.val.y),
    }


@torch.no_grad()
def reconstruction(method, x, seed: int) -> dict[str, float]:
    """Mean squared error of raw pixels in [0, 1] on hidden patches of images x uint8, by painter."""
    method.eval()
    size, x = method.encoder.patch, x.float() / 255
    grid, patches = method.grid(x), patchify(x, method.encoder.patch)
    visible = random_masking(len(x), patches.shape[1], HIDDEN, torch.Generator().manual_seed(seed))
    mask = hidden_patches(visible, patches.shape[1])
    painted = torch.cat([method.paint(x[rows], visible[rows]) for rows in torch.arange(len(x)).split(500)])
    painters = {
        "MAE": painted,
        "copy the nearest": copy_nearest(patches, visible, grid),
        "mean colour": mean_colour(patches, visible, patches.shape[2] // size**2),
    }
    return {name: mae_loss(p, patches, mask, normalised=False).item() for name, p in painters.items()}


def trained(recipe, data, seed: int):
    """A new method after its run, and how long that took."""
    method = build(METHOD, recipe, data.channels, seed)
    for record in train(method, data.pretrain, recipe, seed=seed):
        last = record
    return method, last


def add(table: dict, values: dict[str, float]) -> None:
    for name, value in values.items():
        table.setdefault(name, []).append(round(value, 5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    recipe, data, start = RECIPES["laptop"].but(steps=args.steps), load(args.data), time.perf_counter()
    ratios: dict[str, dict] = {str(ratio): {} for ratio in RATIOS}
    untrained, painting, seconds = {}, {}, {str(ratio): [] for ratio in RATIOS}
    for seed in range(args.seeds):
        add(untrained, judge(build(METHOD, recipe, data.channels, seed), data))
        for ratio in RATIOS:
            method, last = trained(recipe.but(options={**recipe.options, "ratio": ratio}), data, seed)
            add(ratios[str(ratio)], judge(method, data))
            seconds[str(ratio)].append(round(last.seconds, 1))
            print(f"seed {seed}, {ratio:.0%} hidden: {last.seconds:.0f} s, loss {last.loss:.3f}", flush=True)
        raw = recipe.but(options={**recipe.options, "ratio": HIDDEN, "normalised": False})
        add(painting, reconstruction(trained(raw, data, seed)[0], data.test.x, seed))
        print(f"seed {seed} done, {time.perf_counter() - start:.0f} s", flush=True)
    print_table({"untrained": untrained, **ratios, "error on hidden patches": painting}, digits=4, width=18)
    if args.out:
        result = {
            "command": f"python tests/benchmarks/run.py mae --data {args.data} --seeds {args.seeds} --steps {args.steps}",
            **settings(data, args.seeds, recipe),
            "training_seconds": seconds,
            **machine(),
            "untrained": untrained,
            "ratios": ratios,
            "reconstruction": painting,
        }
        save(args.out, result)
