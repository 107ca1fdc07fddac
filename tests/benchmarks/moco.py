"""What MoCo's parts are worth in short runs on `scenes`, several seeds: the queue's length, the teacher's momentum,
shuffled batch norm.

    python tests/benchmarks/moco.py [--steps 500] [--seeds 3] [--only queue momentum shuffle] [--out results/moco_ablations.json]

Three groups, each with its own batch; within a group all runs of a seed see the same images in the same order, and
the learning rate is the laptop recipe's in proportion to the batch. `--steps` counts batches of 64; a group with
another batch takes as many images. Judged on the validation split: kNN with 5,000 training scenes, and a linear probe on
these whose C is chosen on that split too, for all runs alike; in the group `shuffle` also how many of 512 validation
queries find their own key in the queue, when key and query have the same companions in batch norm and when not. The test
split is not touched. One process a core, one thread each. Nothing else may run meanwhile.
"""

import argparse
import copy
import json
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import torch

from sslkit import probes
from sslkit.datasets import load
from sslkit.methods import moco, simclr
from sslkit.train import Recipe, build, train

BANK = 5000  # training scenes with labels for the probes
LENGTHS, MOMENTA = (64, 512, 4096), (0.0, 0.9, 0.99, 0.999, 1.0)
GROUPS = {  # name: batch, {row: (method's module, options over the recipe's)}
    "queue": (
        32,
        {"SimCLR": (simclr, {})} | {f"queue {length}": (moco, {"queue": length}) for length in LENGTHS},
    ),
    "momentum": (64, {f"momentum {m:g}": (moco, {"momentum": m, "queue": 1024}) for m in MOMENTA}),
    "shuffle": (
        64,
        {
            "one group": (moco, {"queue": 1024}),
            "not shuffled": (moco, {"queue": 1024, "groups": 8, "shuffle": False}),
            "shuffled": (moco, {"queue": 1024, "groups": 8}),
        },
    ),
}


def recipe_of(group: str, row: str, steps: int) -> tuple[type, Recipe]:
    """The method and the recipe of one row; as many images as `steps` batches of 64."""
    batch, rows = GROUPS[group]
    module, options = rows[row]
    laptop = module.RECIPES["laptop"]
    lr = laptop.lr * batch / laptop.batch
    return module.METHOD, laptop.but(steps=steps * 64 // batch, batch=batch, lr=lr, options=laptop.options | options)


@lru_cache
def data(limit: int | None):
    return load("scenes", limit=limit)


def judge(method, scenes) -> dict[str, float]:
    """Accuracy on val by kNN and by linear probe."""
    bank, val = scenes.train[:BANK], scenes.val
    h, val_h = probes.features(method, bank.x), probes.features(method, val.x)
    near = probes.accuracy(probes.knn(h, bank.y, val_h), val.y)
    return {"kNN": near, "linear probe": probes.linear_probe(h, bank.y, val_h, val.y).val_score}


@torch.no_grad()
def keys_found(method, scenes, mixed: bool) -> float:
    """The share of validation queries that find their own key, in batches of 64 with batch norm as in training."""
    model, hits = copy.deepcopy(method).train(), []
    model.shuffle = mixed
    for k, x in enumerate(scenes.val.x[:512].split(64)):
        _, extras = model(model.pretext(x, torch.Generator().manual_seed(k)))
        hits.append(moco.found(extras["q"], extras["k"], model.queue))
    return torch.cat(hits).float().mean().item()


def one(group: str, row: str, seed: int, steps: int, limit: int | None) -> dict[str, float]:
    """Train and judge one row; "untrained" is the first weights of all of them."""
    torch.set_num_threads(1)
    scenes = data(limit)
    if row == "untrained":
        return judge(build(moco.METHOD, moco.RECIPES["laptop"], scenes.channels, seed), scenes)
    method_class, recipe = recipe_of(group, row, steps)
    method = build(method_class, recipe, scenes.channels, seed)
    losses = [record.loss for record in train(method, scenes.train.x, recipe, seed=seed)]
    half = losses[len(losses) // 2 :]
    jumps = statistics.mean(abs(a - b) for a, b in zip(half, half[1:]))
    extra = {"loss": statistics.mean(losses[-50:]), "jumps of the loss": jumps}
    if group == "shuffle":
        extra |= {f"key found, {word} companions": keys_found(method, scenes, mixed)
                  for word, mixed in (("same", False), ("other", True))}  # fmt: skip
    return judge(method, scenes) | extra


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS), help="some of the groups")
    parser.add_argument("--limit", type=int, help="only so many scenes of each split, to try the command")
    parser.add_argument("--out", type=Path, default=Path("results/moco_ablations.json"))
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    start, groups = time.perf_counter(), {}
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        # Seeds outside: if it has to be stopped, all rows have the same ones.
        runs = {
            (seed, group, row): pool.submit(one, group, row, seed, args.steps, args.limit)
            for seed in range(args.seeds)
            for group in args.only
            for row in ("untrained", *GROUPS[group][1])
        }
        for (seed, group, row), run in runs.items():
            found = run.result()
            numbers = ", ".join(f"{judge} {value:.3f}" for judge, value in found.items())
            print(f"{time.perf_counter() - start:4.0f} s  seed {seed}  {group:8} {row:14} {numbers}", flush=True)
            batch = GROUPS[group][0]
            part = groups.setdefault(group, {"batch": batch, "steps": args.steps * 64 // batch, "rows": {}})
            for judge_name, value in found.items():
                part["rows"].setdefault(row, {}).setdefault(judge_name, []).append(round(value, 4))
    for group, part in groups.items():
        print(f"{group}: {part['steps']} steps of {part['batch']}")
        for row, judges in part["rows"].items():
            spread = {j: statistics.stdev(values) if len(values) > 1 else 0.0 for j, values in judges.items()}
            words = "   ".join(f"{j} {statistics.mean(values):.3f} ± {spread[j]:.3f}" for j, values in judges.items())
            print(f"  {row:14} {words}")
    result = {
        "command": f"python tests/benchmarks/moco.py --steps {args.steps} --seeds {args.seeds}"
        + (f" --only {' '.join(args.only)}" if len(args.only) < len(GROUPS) else ""),
        "seeds": list(range(args.seeds)),
        "split": "val",
        "seconds": round(time.perf_counter() - start),
        "groups": groups,
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
