"""What next_frame's laptop recipe gives: several seeds on `moving`, beside the untrained encoder and copying.

    python tests/benchmarks/run.py next_frame [--seeds 3] [--out results/next_frame.json]

For each seed: new weights and a new order; the R2 of ridge probes for position and velocity in the last frame of test
clips, the accuracy of a linear probe for the kind, and the squared error of the predicted frame over that of copying
the last. Probes are fitted on the 5,000 training clips, their settings chosen on val. Settings of the training are the
recipe's, none is chosen here. About two minutes a seed on two cores.
"""

import argparse
import time
from pathlib import Path

import torch
from tables import machine, print_table, save, settings

from sslkit.chapters.next_frame.method import METHOD, RECIPES
from sslkit.datasets import load
from sslkit.probes import features, quick_linear_probe, ridge_probe
from sslkit.probes.clips import measured, prediction_error
from sslkit.train import build, train

ERROR = "error / copying"


def judge(method, data) -> dict[str, float]:
    """Position, velocity and kind read off the features of test clips, and the error of the predicted frame."""
    splits = (data.train, data.val, data.test)
    h = [features(method, split.x) for split in splits]
    y = [torch.stack([measured(split)[name] for name in ("x", "y", "vx", "vy")], 1) for split in splits]
    score = ridge_probe(h[0], y[0], h[1], y[1]).score(h[2], y[2])
    kind = quick_linear_probe(h[0], data.train.y, h[1], data.val.y)
    return {
        "position R2": score[:2].mean().item(),
        "velocity R2": score[2:].mean().item(),
        "kind": kind.score(h[2], data.test.y),
        ERROR: prediction_error(method, data.test.x),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="another length than the recipe's, for a trial")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    recipe = RECIPES["laptop"]
    recipe = recipe.but(steps=args.steps or recipe.steps)
    data, seconds = load("moving"), []
    table: dict[str, dict[str, list[float]]] = {}

    def add(row: str, values: dict[str, float]) -> None:
        for name, value in values.items():
            table.setdefault(name, {}).setdefault(row, []).append(round(value, 4))

    for seed in range(args.seeds):
        method, start = build(METHOD, recipe, data.channels, seed), time.perf_counter()
        untrained = judge(method, data)
        untrained.pop(ERROR)
        add("untrained", untrained)
        for record in train(method, data.pretrain, recipe, seed=seed):
            last = record
        seconds.append(round(last.seconds, 1))
        print(f"seed {seed}: {last.steps} steps in {last.seconds:.0f} s, loss {last.loss:.3f}", flush=True)
        add("next frame", judge(method, data))
        add("copy last", {ERROR: 1.0})
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s in all", flush=True)
    print_table(table)
    if args.out:
        result = {
            "command": f"python tests/benchmarks/run.py next_frame --seeds {args.seeds}",
            **settings(data, args.seeds, recipe),
            "training_seconds": seconds,
            **machine(),
            "rows": table,
        }
        save(args.out, result)
