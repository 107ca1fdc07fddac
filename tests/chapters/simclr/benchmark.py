"""What each part of SimCLR is worth: short runs on `scenes` with one thing changed, several seeds.

    python tests/benchmarks/run.py simclr [--steps 150] [--seeds 3] [--out results/simclr_ablations.json]

Each run uses the laptop recipe with fewer steps. All variants of a seed start from the same weights and see
the same number of images in the same order; batches of another size take more or fewer steps, with the
learning rate in proportion to the batch. Judged on the validation split: kNN with 5,000 training scenes, and
a linear probe on these whose C is chosen on that split too, for all variants alike. The test split is not
touched. One process a core, one thread each, which does more in a second than all threads on one run. Nothing
else may run meanwhile.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tables import on_val, save, scenes, spread
from torch import nn

from sslkit.chapters.simclr.method import METHOD, RECIPES
from sslkit.train import Recipe, build, train


def without(part: int):
    """A change of the method: one of its views (0 crop, 1 colour jitter, 2 grey) left out."""

    def change(method):
        del method.view.views[part]

    return change


def no_projector(method):
    """The loss directly on h."""
    method.projector = nn.Identity()


VARIANTS = {  # name: changed options of the method, change of the built method, batch size over the recipe's
    "as it is": ({}, None, 1),
    "no crop": ({}, without(0), 1),
    "no colour jitter": ({}, without(1), 1),
    "no grey": ({}, without(2), 1),
    "temperature 0.03": ({"temperature": 0.03}, None, 1),
    "temperature 1": ({"temperature": 1.0}, None, 1),
    "no projector": ({}, no_projector, 1),
    "batch / 4": ({}, None, 1 / 4),
    "batch x 2": ({}, None, 2),
}


def variant(recipe: Recipe, name: str) -> Recipe:
    """The recipe of a variant: as many image passes as `recipe`."""
    options, _, factor = VARIANTS[name]
    steps, batch = round(recipe.steps / factor), round(recipe.batch * factor)
    return recipe.but(steps=steps, batch=batch, lr=recipe.lr * factor, options=recipe.options | options)


def one(name: str, seed: int, recipe: Recipe, limit: int | None) -> dict[str, float]:
    """Train and judge one variant; "untrained" is the first weights of all of them."""
    torch.set_num_threads(1)
    data, change = scenes(limit), None
    if name != "untrained":
        recipe, change = variant(recipe, name), VARIANTS[name][1]
    method = build(METHOD, recipe, data.channels, seed)
    if change:
        change(method)
    if name != "untrained":
        for _ in train(method, data.train.x, recipe, seed=seed):
            pass
    return on_val(method, data)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=["untrained", *VARIANTS], help="some of the variants")
    parser.add_argument("--limit", type=int, help="only so many scenes of each split, to try the command")
    parser.add_argument("--out", type=Path, default=Path("results/simclr_ablations.json"))
    args = parser.parse_args()
    recipe, seeds = RECIPES["laptop"].but(steps=args.steps), range(args.seeds)
    names = args.only or ["untrained", *VARIANTS]
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    start = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        runs = {(name, seed): pool.submit(one, name, seed, recipe, args.limit) for seed in seeds for name in names}
        found = {}
        for (name, seed), run in runs.items():
            found[name, seed] = run.result()
            numbers = ", ".join(f"{judge} {value:.3f}" for judge, value in found[name, seed].items())
            print(f"{time.perf_counter() - start:4.0f} s  seed {seed}  {name:18} {numbers}", flush=True)
    judges = list(found[names[0], 0])
    rows = {j: {name: [found[name, seed][j] for seed in seeds] for name in names} for j in judges}
    for name in names:
        line = f"{name:18}"
        for j in judges:
            line += f"   {j} {spread(rows[j][name])}"
        print(line)
    result = {
        "command": f"python tests/benchmarks/run.py simclr --steps {args.steps} --seeds {args.seeds}"
        + (f" --only {' '.join(repr(name) for name in names)}" if args.only else ""),
        "seeds": list(seeds),
        "steps": args.steps,
        "batch": recipe.batch,
        "split": "val",
        "seconds": round(time.perf_counter() - start),
        "rows": rows,
    }
    save(args.out, result)
