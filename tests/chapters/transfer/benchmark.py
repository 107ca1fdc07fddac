"""What labels are worth after pretraining: accuracy against labels per class, on the set pretrained on and on others,
and the semi-supervised third way.

    python tests/benchmarks/run.py transfer [--data scenes] [--seeds 3] [--runs FOLDER] [--out results/transfer.json]

--data takes any set of images with labels (cifar10, folder:PATH): SimCLR is pretrained on its images first, with the
laptop recipe, one encoder a seed, kept in FOLDER (default runs/transfer-DATA) and found there the next time. Then, for
each seed: frozen probe, fine-tuning and training from scratch with 1 to 100 labels per class; the same with fewer
counts on emoji and fashion; three times the steps at 10, 20 and 50 labels; FixMatch and its parts. Learning rates are chosen on
val by each network for itself, FixMatch's settings on val of scenes; each number touches the test split once.
Pretraining takes 2 to 3 minutes a seed on two cores, the rest about 13 minutes. One process a core, one thread each,
which does more in a second than all threads on one run; nothing else may run meanwhile. --parts takes some parts only,
--steps and --limit make a short trial.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import torch
from tables import percent, save

from sslkit import checkpoint
from sslkit.chapters.simclr.method import METHOD, RECIPES
from sslkit.chapters.transfer.method import semi_supervised
from sslkit.datasets import load
from sslkit.probes import ARMS, crossing, finetune, label_efficiency, lead, reinitialised
from sslkit.runs import load_run
from sslkit.train import build, precision, train

ELSEWHERE = {"emoji": (1, 10, 100), "fashion": (1, 10, 100)}  # labels per class
COUNTS = (1, 2, 5, 10, 20, 50, 100)
STEPS, LONGER, SEMI_STEPS, THRESHOLD = 120, 3, 300, 0.8
LONGER_COUNTS = (
    10,
    20,
    50,
)  # labels per class: where a network from scratch catches up with ten labels after pretraining
FIXMATCH = {"steps": SEMI_STEPS, "threshold": THRESHOLD}
SEMI = {  # at 10 labels per class: (from the pretrained encoder, options of semi_supervised)
    "labels alone, from SimCLR": (True, {"weight": 0.0}),
    "pseudo-labels, from SimCLR": (True, {"threshold": 0.0, "strong": None, "rise": (0.2, 0.8)}),
    "FixMatch without its strong view, from SimCLR": (True, {"strong": None}),
    "FixMatch with threshold 0.95, from SimCLR": (True, {"threshold": 0.95}),
    "labels alone, from scratch": (False, {"weight": 0.0}),  # the control of FixMatch from scratch
}
PARTS = ("curve", "elsewhere", "longer", "semi")


@lru_cache
def data(name: str, limit: int | None):
    """A set with three channels."""
    options = {"artist": "both"} if name == "emoji" else {}
    return load(name, limit=limit, channels=3, **options)


def rarest(images) -> int:
    """How many training images the rarest class has."""
    return int(images.train.y.bincount(minlength=len(images.classes)).min())


@lru_cache
def encoder(folder: Path):
    return load_run(folder)[0].encoder


def fixmatch(start, images, per_class, seed, change):
    return semi_supervised(start, images, per_class, seed, **(FIXMATCH | change))


def one(part: str, name: str, seed: int, folder: Path, limit: int | None, change: dict) -> dict:
    """One part of the measurement for one seed: {arm: {labels per class: accuracy}}. change: shorter steps, for a trial."""
    torch.set_num_threads(1)
    images, pretrained = data(name, limit), encoder(folder)
    steps, short = change.get("steps", STEPS), {k: v for k, v in change.items() if k == "steps"}
    if part == "curve":
        table = label_efficiency(pretrained, images, COUNTS, seeds=[seed], steps=steps)
    elif part == "elsewhere":
        table = label_efficiency(pretrained, images, ELSEWHERE[name], seeds=[seed], steps=steps)
    elif part == "longer":
        starts = {"fine-tuned": pretrained, "from scratch": reinitialised(pretrained, seed)}
        table = {
            arm: {count: [finetune(start, images, count, seed, steps=LONGER * steps).test] for count in LONGER_COUNTS}
            for arm, start in starts.items()
        }
    elif part == "semi":
        table = {
            row: {
                10: [
                    fixmatch(pretrained if warm else reinitialised(pretrained, seed), images, 10, seed, options | short)
                ]
            }
            for row, (warm, options) in SEMI.items()
        }
    else:  # "FixMatch, from SimCLR", "FixMatch, from scratch": curves
        start = reinitialised(pretrained, seed) if part.endswith("scratch") else pretrained
        counts = (10,) if part.endswith("scratch") else [n for n in (1, 10, 100) if n <= rarest(images)]
        table = {part: {count: [fixmatch(start, images, count, seed, short)] for count in counts}}
    return {arm: {count: round(values[0], 4) for count, values in points.items()} for arm, points in table.items()}


def pretrain(name: str, seed: int, folder: Path, limit: int | None, steps: int) -> int:
    """SimCLR on the images of a set, unless `folder` holds a finished run; how many steps it had."""
    path = folder / "checkpoint.pt"
    if path.exists():
        state = checkpoint.load(path)
        if state["data"] != name or state["seed"] != seed or state["step"] < state["recipe"]["steps"]:
            raise ValueError(f"{path} is no finished run on {name} with seed {seed}: remove it, or name another --runs")
        return state["step"]
    images, recipe = data(name, limit), RECIPES["laptop"].but(steps=steps)
    method = build(METHOD, recipe, images.channels, seed)
    about = {"name": "simclr", "data": name, "channels": 3, "size": images.train.x.shape[-1], "scale": "laptop"}
    for record in train(method, images.pretrain, recipe, seed=seed, out=folder, about=about):
        last = record
    print(f"seed {seed}: pretrained in {last.seconds:.0f} s, loss {last.loss:.3f}", flush=True)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, help="folder with simclr-0, simclr-1, ...; what is missing is pretrained")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--pretrain-steps", type=int, default=RECIPES["laptop"].steps)
    parser.add_argument("--steps", type=int, help="steps of all training with labels, for a trial")
    parser.add_argument("--limit", type=int, help="only so many images of each split, for a trial")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if (few := rarest(data(args.data, args.limit))) < 10:
        parser.error(f"{args.data} has a class with {few} training images only; each needs ten, better a hundred")
    seeds, begin = list(range(args.seeds)), time.perf_counter()
    runs = args.runs or Path("runs") / f"transfer-{args.data.replace(':', '_').replace('/', '_')}"
    folders = [runs / f"simclr-{seed}" for seed in seeds]
    for seed, folder in zip(seeds, folders):
        args.pretrain_steps = pretrain(args.data, seed, folder, args.limit, args.pretrain_steps)
    change = {"steps": args.steps} if args.steps else {}
    semi = [f"FixMatch, from {start}" for start in ("SimCLR", "scratch")]
    wanted = [
        (part, args.data) for part in (*semi, *PARTS) if part in args.parts or (part in semi and "semi" in args.parts)
    ]
    wanted = [(part, name) for part, name in wanted if part != "elsewhere"]
    wanted += [("elsewhere", name) for name in ELSEWHERE if "elsewhere" in args.parts and name != args.data]
    order = {"curve": 0}  # the longest first
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    workers = 1 if torch.cuda.is_available() else os.cpu_count()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = {
            (part, name, seed): pool.submit(one, part, name, seed, folder, args.limit, change)
            for part, name in sorted(wanted, key=lambda job: order.get(job[0], 1))
            for seed, folder in zip(seeds, folders)
        }
        found: dict = {}
        for (part, name, seed), job in jobs.items():
            for arm, points in job.result().items():
                for count, value in points.items():
                    found.setdefault((part, name), {}).setdefault(arm, {}).setdefault(count, []).append(value)
            print(f"{time.perf_counter() - begin:4.0f} s  {part} on {name}, seed {seed}", flush=True)
    result = report(args, seeds, found, semi)
    result["seconds"] = round(time.perf_counter() - begin)
    if args.out:
        save(args.out, result)


def report(args, seeds: list[int], found: dict, semi: list[str]) -> dict:
    """Print what was found, and put it into the form that is kept."""
    curves: dict = {}
    for (part, name), table in found.items():
        if part in ("curve", "elsewhere", *semi):
            curves.setdefault(name, {}).update(table)
    for name, table in curves.items():
        print(f"\n{name}: test accuracy by labels per class")
        for arm, points in table.items():
            print(f"  {arm:24}" + "  ".join(f"{count}: {percent(values)}" for count, values in sorted(points.items())))
        if set(ARMS) <= set(table):
            pair = table["fine-tuned"], table["from scratch"]
            gains = "  ".join(f"{count}: {percent(values)}" for count, values in lead(*pair).items())
            print(f"  {'lead of fine-tuned':24}{gains}")
            meet = crossing(*pair)
            print("  the curves never meet" if meet is None else f"  the curves meet at {meet:.0f} labels per class")
    rows = {
        part: {arm: points[10] for arm, points in table.items()} for (part, _), table in found.items() if part == "semi"
    }
    for part, table in rows.items():
        print(f"\n{part}, 10 labels per class")
        for arm, values in table.items():
            print(f"  {arm:44}{percent(values)}  {values}")
    ten = {arm: points[10] for arm, points in curves.get(args.data, {}).items() if 10 in points}
    if "semi" in rows:
        rows["semi"] |= {
            f"FixMatch with threshold {THRESHOLD}, from SimCLR": ten[semi[0]],
            f"FixMatch with threshold {THRESHOLD}, from scratch": ten[semi[1]],
        }
    longer, times = {}, found.get(("longer", args.data), {})
    for count in LONGER_COUNTS if times else ():
        for steps, table in ((args.steps or STEPS, curves.get(args.data, {})), (LONGER * (args.steps or STEPS), times)):
            arms = {arm: table[arm][count] for arm in times if count in table.get(arm, {})}
            longer[f"{count} labels, {steps} steps"] = arms
            print(f"{count} labels, {steps} steps: {arms}")
    return {
        "command": f"python tests/benchmarks/run.py transfer --data {args.data} --seeds {args.seeds}",
        "data": args.data,
        "classes": {name: len(data(name, args.limit).classes) for name in {args.data: 0} | curves},
        "seeds": seeds,
        "pretrain_steps": args.pretrain_steps,
        "steps": args.steps or STEPS,
        "semi_steps": args.steps or SEMI_STEPS,
        "threshold": THRESHOLD,
        "precision": str(precision("cpu")),
        "torch": torch.__version__,
        "curves": curves,
        "longer": longer,
        "semi": rows.get("semi", {}),
    }  # fmt: skip
