"""What labels are worth after pretraining: accuracy against labels per class, on the set pretrained on and on others,
and the semi-supervised third way.

    python tests/benchmarks/run.py transfer [--data scenes] [--seeds 3] [--runs FOLDER] [--out results/transfer.json]

--data takes any set of images with labels (cifar10, folder:PATH): SimCLR is pretrained on its images first, with the
laptop recipe, one encoder a seed, kept in FOLDER (default runs/transfer-DATA) and found there the next time. Then, for
each seed: frozen probe, fine-tuning and training from scratch with 1 to 100 labels per class; the same with fewer
counts on emoji and fashion; three times the steps at 10, 20 and 50 labels, and a third learning rate for training from scratch;
FixMatch and its parts, the same on labels alone, and on labels alone with strong views. Learning rates are chosen on
val by each network for itself and kept, FixMatch's settings on val of scenes; each number touches the test split once.
Pretraining takes 2 to 3 minutes a seed on two cores, the rest about 25 minutes. One process a core, one thread each,
which does more in a second than all threads on one run; nothing else may run meanwhile. --parts makes some parts only and
keeps the others as --out has them; "control" and "rates" start from scratch and pretrain nothing. --steps and --limit make a
short trial.
"""

import argparse
import json
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
from sslkit.chapters.transfer.method import STRONG, semi_supervised
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.probes import ARMS, FineTuned, crossing, finetune, label_efficiency, lead, reinitialised
from sslkit.runs import load_run
from sslkit.train import build, precision, train

ELSEWHERE = {"emoji": (1, 10, 100), "fashion": (1, 10, 100)}  # labels per class
COUNTS = (1, 2, 5, 10, 20, 50, 100)
STEPS, LONGER, SEMI_STEPS, THRESHOLD = 120, 3, 300, 0.8
LONGER_COUNTS = (10, 20, 50)  # labels per class: where a network from scratch catches up with ten after pretraining
RATES = (3e-4, 2e-3, 5e-3)  # those of `finetune`, and one above them
FIXMATCH = {"steps": SEMI_STEPS, "threshold": THRESHOLD}
ALONE, STRONGLY = {"weight": 0.0}, {"weight": 0.0, "weak": STRONG}
SEMI = {  # at 10 labels per class, by part: options of semi_supervised
    "semi": {
        "pseudo-labels, from SimCLR": {"threshold": 0.0, "strong": None, "rise": (0.2, 0.8)},
        "FixMatch without its strong view, from SimCLR": {"strong": None},
        "FixMatch with threshold 0.95, from SimCLR": {"threshold": 0.95},
    },
    "control": {"labels alone, from scratch": ALONE},
    "strong": {
        "labels alone, strong views, from SimCLR": STRONGLY,
        "labels alone, strong views, from scratch": STRONGLY,
    },
}
CURVES = {  # at 1, 10 and 100 labels per class, or at 10, with "semi"
    "FixMatch, from SimCLR": {},
    "FixMatch, from scratch": {},
    "labels alone, from SimCLR": ALONE,
}
PARTS = ("curve", "elsewhere", "longer", "rates", *SEMI)
COLD = {"rates", "control"}  # parts that need no pretrained encoder


@lru_cache
def data(name: str, limit: int | None):
    """A set with three channels."""
    options = {"artist": "both"} if name == "emoji" else {}
    return load(name, limit=limit, channels=3, **options)


def rarest(images) -> int:
    """How many training images the rarest class has."""
    return int(images.train.y.bincount(minlength=len(images.classes)).min())


@lru_cache
def encoder(folder: Path | None):
    """The pretrained encoder in a folder; without one, a new one of the same kind."""
    return load_run(folder)[0].encoder if folder else build_encoder(RECIPES["laptop"].encoder)


def fixmatch(start, images, per_class, seed, change):
    return semi_supervised(start, images, per_class, seed, **(FIXMATCH | change))


def one(part: str, name: str, seed: int, folder: Path | None, limit: int | None, change: dict) -> dict:
    """One part of the measurement for one seed: {arm: {labels per class: accuracy, or what `finetune` found}}. change: shorter
    steps, for a trial."""
    torch.set_num_threads(1)
    images, pretrained = data(name, limit), encoder(folder)
    starts = {"fine-tuned": pretrained, "from scratch": reinitialised(pretrained, seed)}
    steps, short = change.get("steps", STEPS), {k: v for k, v in change.items() if k == "steps"}

    def tuned(counts, arms=tuple(starts), **options) -> dict:
        there = [n for n in counts if n <= rarest(images)]
        return {arm: {n: finetune(starts[arm], images, n, seed, **options) for n in there} for arm in arms}

    if part in ("curve", "elsewhere"):
        counts = COUNTS if part == "curve" else ELSEWHERE[name]
        table = label_efficiency(pretrained, images, counts, seeds=[seed], arms=["frozen probe"])
        frozen = {n: values[0] for n, values in table["frozen probe"].items()}
        return {"frozen probe": frozen} | tuned(frozen, steps=steps)
    if part == "longer":
        return tuned(LONGER_COUNTS, steps=LONGER * steps)
    if part == "rates":
        return tuned(LONGER_COUNTS, ["from scratch"], steps=steps, lrs=RATES)
    rows = SEMI.get(part) or {part: CURVES[part]}
    counts = (1, 10, 100) if part in CURVES and not part.endswith("scratch") else (10,)
    return {
        row: {
            n: fixmatch(
                starts["from scratch" if row.endswith("scratch") else "fine-tuned"], images, n, seed, options | short
            )
            for n in counts
            if n <= rarest(images)
        }
        for row, options in rows.items()
    }


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
    kept = json.loads(args.out.read_text()) if args.out and args.out.exists() and set(args.parts) != set(PARTS) else {}
    runs = args.runs or Path("runs") / f"transfer-{args.data.replace(':', '_').replace('/', '_')}"
    cold = set(args.parts) <= COLD
    folders = [None if cold else runs / f"simclr-{seed}" for seed in seeds]
    if cold:
        args.pretrain_steps = kept.get("pretrain_steps", args.pretrain_steps)
    asked = {"data": args.data, "seeds": seeds, "pretrain_steps": args.pretrain_steps, "steps": args.steps or STEPS}
    if other := [key for key, value in asked.items() if kept.get(key, value) != value]:
        parser.error(f"{args.out} was made with another setting of {', '.join(other)}")
    for seed, folder in zip(seeds, folders):
        if folder is not None:
            args.pretrain_steps = pretrain(args.data, seed, folder, args.limit, args.pretrain_steps)
    change = {"steps": args.steps} if args.steps else {}
    wanted = [(part, args.data) for part in PARTS if part in args.parts and part != "elsewhere"]
    wanted += [(part, args.data) for part in CURVES if "semi" in args.parts]
    wanted += [("elsewhere", name) for name in ELSEWHERE if "elsewhere" in args.parts and name != args.data]
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    workers = 1 if torch.cuda.is_available() else os.cpu_count()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = {
            (part, name, seed): pool.submit(one, part, name, seed, folder, args.limit, change)
            for part, name in wanted  # the longest first
            for seed, folder in zip(seeds, folders)
        }
        found: dict = {}
        for (part, name, seed), job in jobs.items():
            for arm, points in job.result().items():
                for count, value in points.items():
                    found.setdefault((part, name), {}).setdefault(arm, {}).setdefault(count, []).append(value)
            print(f"{time.perf_counter() - begin:4.0f} s  {part} on {name}, seed {seed}", flush=True)
    result = report(args, seeds, found)
    result["seconds"] = round(time.perf_counter() - begin)
    if args.out:
        made = json.loads(json.dumps(result))
        if kept:
            del made["seconds"]  # those of all parts in one go
        save(args.out, over(kept, made))


def over(kept: dict, made: dict) -> dict:
    """What was made laid over what was kept, in dictionaries inside it as well."""
    return kept | {
        key: over(kept[key], value) if isinstance(value, dict) and isinstance(kept.get(key), dict) else value
        for key, value in made.items()
    }


def accuracies(table: dict) -> dict:
    """{arm: {labels per class: [test accuracy, one a seed]}} of what was found."""
    return {
        arm: {
            n: [round(value.test if isinstance(value, FineTuned) else value, 4) for value in values]
            for n, values in points.items()
        }
        for arm, points in table.items()
    }


def chosen(table: dict) -> dict:
    """{arm: {labels per class: [learning rate, one a seed]}} of the arms that choose one."""
    tuned = {arm: points for arm, points in table.items() if all(isinstance(v[0], FineTuned) for v in points.values())}
    return {arm: {n: [value.lr for value in values] for n, values in points.items()} for arm, points in tuned.items()}


def report(args, seeds: list[int], found: dict) -> dict:
    """Print what was found, and put it into the form that is kept."""
    curves: dict = {}
    rates: dict = {}
    for (part, name), table in found.items():
        if part in ("curve", "elsewhere", *CURVES):
            curves.setdefault(name, {}).update(accuracies(table))
            rates.setdefault(name, {}).update(chosen(table))
    for name, table in curves.items():
        print(f"\n{name}: test accuracy by labels per class")
        for arm, points in table.items():
            print(f"  {arm:26}" + "  ".join(f"{count}: {percent(values)}" for count, values in sorted(points.items())))
        if set(ARMS) <= set(table):
            pair = table["fine-tuned"], table["from scratch"]
            gains = "  ".join(f"{count}: {percent(values)}" for count, values in lead(*pair).items())
            print(f"  {'lead of fine-tuned':26}{gains}")
            meet = crossing(*pair)
            print("  the curves never meet" if meet is None else f"  the curves meet at {meet:.0f} labels per class")
    ten = {arm: points[10] for arm, points in curves.get(args.data, {}).items() if 10 in points}
    semi = {arm: ten[arm] for arm in ("labels alone, from SimCLR",) if arm in ten}
    for (part, _), table in found.items():
        if part in SEMI:
            semi |= {arm: points[10] for arm, points in accuracies(table).items()}
    for start in ("from SimCLR", "from scratch"):
        if f"FixMatch, {start}" in ten:
            semi[f"FixMatch with threshold {THRESHOLD}, {start}"] = ten[f"FixMatch, {start}"]
    print("\n10 labels per class" if semi else "")
    for arm, values in semi.items():
        print(f"  {arm:44}{percent(values)}  {values}")
    longer, times = {}, accuracies(found.get(("longer", args.data), {}))
    for count in LONGER_COUNTS if times else ():
        for steps, table in ((args.steps or STEPS, curves.get(args.data, {})), (LONGER * (args.steps or STEPS), times)):
            arms = {arm: table[arm][count] for arm in times if count in table.get(arm, {})}
            longer[f"{count} labels, {steps} steps"] = arms
            print(f"{count} labels, {steps} steps: {arms}")
    three = {}
    for count, values in found.get(("rates", args.data), {}).get("from scratch", {}).items():
        three[f"{count} labels"] = {
            "val": {f"{lr:g}": [round(value.val[lr], 4) for value in values] for lr in RATES},
            "chosen": [value.lr for value in values],
            "test": [round(value.test, 4) for value in values],
        }
        print(f"{count} labels, from scratch, three learning rates: {three[f'{count} labels']}")
    usual = args.pretrain_steps == RECIPES["laptop"].steps
    return {
        "command": f"python tests/benchmarks/run.py transfer --data {args.data} --seeds {args.seeds}"
        + ("" if usual else f" --pretrain-steps {args.pretrain_steps}"),
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
        "learning rates": rates,
        "three rates, from scratch": three,
        "longer": longer,
        "semi": semi,
    }  # fmt: skip
