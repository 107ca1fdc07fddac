"""What MoCo's parts are worth in short runs on `scenes`, several seeds: the queue's length, the teacher's momentum,
shuffled batch norm, and what the missing gradient of the keys costs.

    python tests/benchmarks/run.py moco [--steps 400] [--seeds 3] [--only queue momentum shuffle passes]
                                    [--out results/moco_ablations.json]

All runs of a seed see as many images as `--steps` batches of 64 (but "twice the steps"), and all use the optimiser of
MoCo's laptop recipe, SimCLR too, with its learning rate times the root of the ratio of the batches. A row that stands in
two groups is one run. Judged on the validation split: kNN with 5,000 training scenes, and a linear probe on these whose C
is chosen on that split too, for all runs alike; of MoCo also how many of 512 validation queries find their own key in the
queue, when key and query have the same companions in batch norm and when not. The test split is not touched. One process
a core, one thread each. Nothing else may run meanwhile.
"""

import argparse
import copy
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tables import on_val, save, scenes, spread

from sslkit.chapters.moco.method import RECIPES, MoCo
from sslkit.chapters.moco.pictures import found
from sslkit.chapters.simclr import method as simclr
from sslkit.train import Recipe, build, train


class OneSided(simclr.SimCLR):
    """SimCLR in which the second view of each pair gets no gradient, as MoCo's keys get none."""

    def forward(self, batch):
        z1 = self.projector(self.encoder(batch[0]))
        with torch.no_grad():
            z2 = self.projector(self.encoder(batch[1]))
        return simclr.info_nce(z1, z2, self.temperature), {}


SIMCLR = simclr.RECIPES["laptop"].options
NORMAL = (MoCo, 64, 1, {"queue": 1024})
GROUPS = {  # {group: {row: (method, batch, factor on the steps, options)}}
    "queue": {"SimCLR": (simclr.SimCLR, 32, 1, SIMCLR)}
    | {f"queue {length}": (MoCo, 32, 1, {"queue": length}) for length in (64, 512, 4096)},
    "momentum": {
        f"momentum {m:g}": (MoCo, 64, 1, {"queue": 1024, "momentum": m}) if m != 0.99 else NORMAL
        for m in (0.0, 0.99, 0.999, 1.0)
    },
    "shuffle": {
        "one group": NORMAL,
        "not shuffled": (MoCo, 64, 1, {"queue": 1024, "groups": 8, "shuffle": False}),
        "shuffled": (MoCo, 64, 1, {"queue": 1024, "groups": 8}),
    },
    "passes": {
        "SimCLR": (simclr.SimCLR, 64, 1, SIMCLR),
        "SimCLR, one view without gradient": (OneSided, 64, 1, SIMCLR),
        "MoCo": NORMAL,
        "MoCo, twice the steps": (MoCo, 64, 2, {"queue": 1024}),
    },
}
UNTRAINED = (MoCo, 64, 0, {})


def recipe_of(row: tuple, steps: int) -> Recipe:
    """The recipe of one row, for `steps` batches of 64."""
    _, batch, factor, options = row
    laptop = RECIPES["laptop"]
    lr = laptop.lr * (batch / laptop.batch) ** 0.5
    return laptop.but(steps=factor * steps * 64 // batch, batch=batch, lr=lr, options=options)


@torch.no_grad()
def keys_found(method, scenes, mixed: bool) -> float:
    """The share of validation queries that find their own key, in batches of 64 with batch norm as in training."""
    model, hits = copy.deepcopy(method).train(), []
    model.shuffle = mixed
    for k, x in enumerate(scenes.val.x[:512].unfold(0, 64, 64).movedim(-1, 1)):
        _, extras = model(model.pretext(x, torch.Generator().manual_seed(k)))
        hits.append(found(extras["q"], extras["k"], model.queue))
    return torch.cat(hits).float().mean().item()


def one(row: tuple, seed: int, steps: int, limit: int | None) -> dict[str, float]:
    """Train and judge one row; with no steps, the first weights."""
    torch.set_num_threads(1)
    data, recipe = scenes(limit), recipe_of(row, steps)
    method = build(row[0], recipe, data.channels, seed)
    if not recipe.steps:
        return on_val(method, data)
    losses = [record.loss for record in train(method, data.train.x, recipe, seed=seed)]
    half = losses[len(losses) // 2 :]
    jumps = statistics.mean(abs(a - b) for a, b in zip(half, half[1:]))
    told = {"loss": statistics.mean(losses[-50:]), "change of the loss per step": jumps}
    if row[0] is MoCo:
        companions = {"same": False, "other": True}
        told |= {f"key found, {word} companions": keys_found(method, data, mix) for word, mix in companions.items()}
    return on_val(method, data) | told


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS), help="some of the groups")
    parser.add_argument("--limit", type=int, help="only so many scenes of each split, to try the command")
    parser.add_argument("--out", type=Path, default=Path("results/moco_ablations.json"))
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    start, groups = time.perf_counter(), {}
    chosen = {group: {"untrained": UNTRAINED} | GROUPS[group] for group in args.only}
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        runs = {}
        for seed in range(args.seeds):
            for row in (row for rows in chosen.values() for row in rows.values()):
                if (key := (seed, repr(row))) not in runs:
                    runs[key] = pool.submit(one, row, seed, args.steps, args.limit)
        for seed in range(args.seeds):
            for group, rows in chosen.items():
                for name, row in rows.items():
                    told = runs[seed, repr(row)].result()
                    numbers = ", ".join(f"{judge} {value:.3f}" for judge, value in told.items())
                    print(f"{time.perf_counter() - start:4.0f} s  seed {seed}  {group}, {name}: {numbers}", flush=True)
                    batch = next(reversed(rows.values()))[1]
                    part = groups.setdefault(group, {"batch": batch, "steps": args.steps * 64 // batch, "rows": {}})
                    for judged, value in told.items():
                        part["rows"].setdefault(name, {}).setdefault(judged, []).append(round(value, 4))
    for group, part in groups.items():
        print(f"{group}: {part['steps']} steps of {part['batch']}")
        for row, judges in part["rows"].items():
            words = "   ".join(f"{j} {spread(values)}" for j, values in judges.items())
            print(f"  {row:14} {words}")
    result = {
        "command": f"python tests/benchmarks/run.py moco --steps {args.steps} --seeds {args.seeds}"
        + (f" --only {' '.join(args.only)}" if len(args.only) < len(GROUPS) else ""),
        "seeds": list(range(args.seeds)),
        "split": "val",
        "seconds": round(time.perf_counter() - start),
        "groups": groups,
    }
    save(args.out, result)
