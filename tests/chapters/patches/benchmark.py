"""Shortcuts in the game of patches: gap, jitter, colour and a colour cast switched on and off, several seeds each.

    python tests/benchmarks/run.py patches [--seeds 3] [--steps 300] [--out results/patches_shortcuts.json]

For each setting and seed a short training with the laptop recipe; then how often the pretext question is answered on
validation images of its own kind (with the colour cast, where it was trained with one), and what the features of whole scenes
(never with the cast) are worth: kNN and linear probe for the kinds, on the validation split. Nothing is chosen here and
the test split is not touched. About 15 minutes on two cores.
"""

import argparse
import time
from pathlib import Path

import torch
from tables import machine, save, settings, spread

from sslkit.chapters.patches.method import METHOD, RECIPES, colour_cast
from sslkit.datasets import load
from sslkit.probes import accuracy, features, knn, linear_probe
from sslkit.probes.features import evaluating
from sslkit.train import build, train

SETTINGS: dict[str, dict] = {  # name: options; "cast" is not one of the method but of the images
    "gap 2, jitter 1": {},
    "gap 2, no jitter": {"jitter": 0},
    "no gap, no jitter": {"gap": 0, "jitter": 0},
    "colour dropped": {"colour": "drop"},
    "cast": {"cast": True},
    "cast, colour dropped": {"cast": True, "colour": "drop"},
    "cast, grey": {"cast": True, "colour": "grey"},
    "same: gap 2, jitter 1": {"task": "same"},
    "same: no gap, no jitter": {"task": "same", "gap": 0, "jitter": 0},
    "same: grey": {"task": "same", "colour": "grey"},
}
TOLD, KNN, LINEAR = "question answered", "kind by kNN", "kind by linear probe"


@torch.no_grad()
def told(method: torch.nn.Module, x: torch.Tensor) -> float:
    """The share of right answers to the pretext task on images x."""
    first, second, label = method.pretext(x, torch.Generator().manual_seed(0))
    with evaluating(method):
        logits = method.logits(first, second)
    return accuracy(logits.argmax(1) if logits.ndim == 2 else (logits > 0).long(), label)


def judge(encoder: torch.nn.Module, train_split, val) -> dict[str, float]:
    """kNN and linear probe for the kinds; half of val chooses the probe's C, the other half judges."""
    h, h_val = features(encoder, train_split.x), features(encoder, val.x)
    half = len(val) // 2
    probe = linear_probe(h, train_split.y, h_val[:half], val.y[:half], steps=60, tolerance=1e-4)
    nearest = knn(h, train_split.y, h_val[half:])
    return {KNN: accuracy(nearest, val.y[half:]), LINEAR: probe.score(h_val[half:], val.y[half:])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--only", nargs="*", help="names of settings, for a trial")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    recipe, data, start = RECIPES["laptop"].but(steps=args.steps), load("scenes"), time.perf_counter()
    images = {False: (data.pretrain, data.val.x), True: (colour_cast(data.pretrain), colour_cast(data.val.x))}
    few, rows = data.train[:3000], {}
    for seed in range(args.seeds):
        for name, options in {"untrained": {}, **SETTINGS}.items():
            if args.only and name not in args.only:
                continue
            options = dict(options)
            x, x_val = images[options.pop("cast", False)]
            setting = recipe.but(options=recipe.options | options)
            method = build(METHOD, setting, data.channels, seed)
            found = {}
            if name != "untrained":
                for _ in train(method, x, setting, seed=seed):
                    pass
                found[TOLD] = told(method, x_val[:1000])
            found |= judge(method, few, data.val)
            for key, value in found.items():
                rows.setdefault(name, {}).setdefault(key, []).append(round(value, 4))
            print(f"seed {seed} {name}: {', '.join(f'{k} {v:.3f}' for k, v in found.items())}", flush=True)
    for name, judges in rows.items():
        print(f"{name:26} {', '.join(f'{k} {spread(v)}' for k, v in judges.items())}")
    seconds = round(time.perf_counter() - start)
    print(f"{seconds} s")
    if args.out:
        result = {
            "command": f"python tests/benchmarks/run.py patches --seeds {args.seeds} --steps {args.steps}",
            **settings(data, args.seeds, recipe),
            "seconds": seconds,
            **machine(),
            "rows": rows,
        }
        save(args.out, result)
