"""What MoCo's parts are worth beside SimCLR's on `scenes`, several seeds: the queue's length, shuffled batch norm, and what
the missing gradient of the keys costs. The momentum of the teacher is among the chapter's ablations.

    python tests/benchmarks/run.py moco [--steps 900] [--seeds 3] [--only queue shuffle passes] [--jobs 2]
                                    [--out results/moco_ablations.json]

All runs have MoCo's laptop recipe, SimCLR's too, but for the number of steps: `--steps`, and in one row twice as many. A row
that stands in two groups is one run. Judged on the validation split: kNN with 5,000 training scenes, and a linear probe on
these whose C is chosen on that split too, for all runs alike; of MoCo also how many of 512 validation queries find their own key in the
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
from sslkit.train import build, train


class OneSided(simclr.SimCLR):
    """SimCLR in which the second view of each pair gets no gradient, as MoCo's keys get none."""

    def forward(self, batch):
        z1 = self.projector(self.encoder(batch[0]))
        with torch.no_grad():
            z2 = self.projector(self.encoder(batch[1]))
        return simclr.info_nce(z1, z2, self.temperature), {}


SIMCLR = (simclr.SimCLR, 1, simclr.RECIPES["laptop"].options)
MOCO = (MoCo, 1, RECIPES["laptop"].options)
GROUPS = {  # {group: {row: (method, factor on the steps, options)}}
    "queue": {
        "SimCLR": SIMCLR,
        "queue 64": (MoCo, 1, {"queue": 64}),
        "queue 512": (MoCo, 1, {"queue": 512}),
        "queue 2048": MOCO,
        "queue 16384": (MoCo, 1, {"queue": 16_384}),
        "queue 16384, momentum 0.999": (MoCo, 1, {"queue": 16_384, "momentum": 0.999}),
    },
    "shuffle": {
        "one group": MOCO,
        "not shuffled": (MoCo, 1, {"queue": 2048, "groups": 8, "shuffle": False}),
        "shuffled": (MoCo, 1, {"queue": 2048, "groups": 8}),
    },
    "passes": {
        "SimCLR": SIMCLR,
        "SimCLR, one view without gradient": (OneSided, *SIMCLR[1:]),
        "MoCo": MOCO,
        "MoCo, twice the steps": (MoCo, 2, RECIPES["laptop"].options),
    },
}
UNTRAINED = (MoCo, 0, {})


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
    make, factor, options = row
    data, recipe = scenes(limit), RECIPES["laptop"].but(steps=factor * steps, options=options)
    method = build(make, recipe, data.channels, seed)
    if not recipe.steps:
        return on_val(method, data)
    losses = [record.loss for record in train(method, data.train.x, recipe, seed=seed)]
    told = {"loss": statistics.mean(losses[-50:])}
    if make is MoCo:
        companions = {"same": False, "other": True}
        told |= {f"key found, {word} companions": keys_found(method, data, mix) for word, mix in companions.items()}
    return on_val(method, data) | told


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS), help="some of the groups")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--limit", type=int, help="only so many scenes of each split, to try the command")
    parser.add_argument("--out", type=Path, default=Path("results/moco_ablations.json"))
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    start, groups = time.perf_counter(), {}
    chosen = {group: {"untrained": UNTRAINED} | GROUPS[group] for group in args.only}
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
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
                    about = {"batch": RECIPES["laptop"].batch, "steps": args.steps}
                    part = groups.setdefault(group, about | {"rows": {}})
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
