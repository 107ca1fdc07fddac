"""A chapter's ablations: its laptop recipe at full length with one thing changed at a time, several seeds.

    python tests/benchmarks/ablate.py [CHAPTER [ABLATION ...]] [--data scenes] [--seeds 3] [--jobs 2] [--again] [--out results/ablations]

Without a chapter it lists those that declare some (sslkit/chapters/CHAPTER/ablations.py). All variants of a seed start from the same
weights where shapes allow it, and see as many images in the same order. Judged on the validation split by the scoreboard's kNN and
linear probe with the labels of 5,000 training samples; the test split is not touched. --jobs processes with one thread each, which do
more in a second than all threads on one run. Each run is written as it ends: a second call makes only what is missing, and what was
made with another recipe again; with --again it makes all. What an ablation marks as `once` is a picture, not a measurement, and made
with seed 0 alone.
"""

import argparse
import importlib
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from tables import machine, on_val, print_table, save

from sslkit.chapters import data_of, get
from sslkit.datasets import load
from sslkit.measures import effective_rank
from sslkit.probes import features
from sslkit.train import Recipe, train

ROOT = Path(__file__).resolve().parents[2]
UNTRAINED = "untrained"  # the first weights of "as it is"


def declared() -> list[str]:
    """The chapters that declare ablations."""
    return sorted(path.parent.name for path in (ROOT / "sslkit/chapters").glob("*/ablations.py"))


def declarations(chapter: str):
    """A chapter's module of ablations."""
    return importlib.import_module(f"sslkit.chapters.{chapter}.ablations")


def of(chapter: str) -> dict:
    """{name: Ablation} of a chapter."""
    return declarations(chapter).ABLATIONS


def one(chapter: str, name: str, seed: int, recipe: Recipe, data_name: str, limit: int | None) -> dict:
    """Train and judge one variant."""
    import torch

    torch.set_num_threads(1)
    data, ablation = load(data_name, limit=limit), of(chapter).get(name, next(iter(of(chapter).values())))
    method, start = ablation.build(get(chapter).METHOD, recipe, data.channels, seed), time.process_time()
    curve: list[list[float]] = []
    spread: list[list[float]] = []  # of a method without a chance level: step, spread and rank of its outputs
    if name != UNTRAINED:
        for record in train(method, data.pretrain, ablation.recipe(recipe), seed=seed):
            if record.due(60):
                curve.append([record.step, round(record.loss, 4)])
            if record.spread is not None:
                spread.append([record.step, round(record.spread, 4), round(record.rank, 2)])
    spent = round(time.process_time() - start)
    scores = {judge: round(score, 4) for judge, score in on_val(method, data).items()}
    rank = round(effective_rank(features(method, data.val.x)), 1)
    told = {"scores": scores, "curve": curve, "spread": spread, "rank of h": rank, "core seconds": spent}
    also = getattr(declarations(chapter), "also", None)  # what a chapter measures besides
    return told | (also(method, data) if also else {})


def table(runs: dict[str, dict[str, dict]], seeds: int) -> dict[str, dict[str, list[float]]]:
    """{judge: {name: one value a seed}}, of the seeds that are done; some variants may have fewer than others."""
    done = {name: [by[str(s)]["scores"] for s in range(seeds) if str(s) in by] for name, by in runs.items()}
    judges = dict.fromkeys(judge for scores in done.values() for score in scores for judge in score)
    return {
        judge: {name: [score[judge] for score in scores] for name, scores in done.items() if scores} for judge in judges
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapter", nargs="?", choices=declared())
    parser.add_argument("names", nargs="*", metavar="ABLATION")
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--steps", type=int, help="another length than the recipe's, for a trial")
    parser.add_argument("--limit", type=int, help="only so many samples of each split, for a trial")
    parser.add_argument(
        "--again", action="store_true", help="those that are there, too: they may lack what runs keep by now"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results/ablations")
    args = parser.parse_intermixed_args()
    if not args.chapter:
        print(*declared(), sep="\n")
        return
    if unknown := set(args.names) - {UNTRAINED, *of(args.chapter)}:
        parser.error(f"{args.chapter} has no {', '.join(unknown)}; it has {', '.join(of(args.chapter))}")
    recipe, data_name = get(args.chapter).RECIPES["laptop"], args.data or data_of(args.chapter)
    recipe = recipe.but(steps=args.steps or recipe.steps)
    path = args.out / f"{args.chapter}_{data_name.replace('/', '_')}.json"
    about = {"recipe": asdict(recipe), "limit": args.limit}
    kept = json.loads(path.read_text()) if path.exists() else {}
    runs = kept["runs"] if kept and all(kept[key] == value for key, value in about.items()) else {}
    seeds = max([args.seeds, *(1 + int(seed) for by in runs.values() for seed in by)])  # a call for fewer forgets none
    names = args.names or [UNTRAINED, *of(args.chapter)]
    once = {name for name, ablation in of(args.chapter).items() if ablation.once}
    wanted = [(name, seed) for name in names for seed in range(args.seeds) if not seed or name not in once]
    todo = [(name, seed) for name, seed in wanted if args.again or str(seed) not in runs.get(name, {})]
    command = f"python tests/benchmarks/ablate.py {args.chapter} --data {data_name} --seeds {seeds}"
    command += f" --steps {args.steps}" if args.steps else ""
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
        failed: list[str] = []
        running = {pool.submit(one, args.chapter, *run, recipe, data_name, args.limit): run for run in todo}
        for future in as_completed(running):
            name, seed = running[future]
            if error := future.exception():  # the others go on
                failed.append(f"seed {seed}  {name}: {type(error).__name__}: {error}")
                print(failed[-1], flush=True)
                continue
            runs.setdefault(name, {})[str(seed)] = future.result()
            print(f"seed {seed}  {name:20} {future.result()['scores']}", flush=True)
            ordered = {name: runs[name] for name in [UNTRAINED, *of(args.chapter)] if name in runs}
            rows = table(ordered, seeds)
            head = {"command": command, "data": data_name, "split": "val", "seeds": list(range(seeds))}
            save(path, {**head, **about, **machine(), "rows": rows, "runs": ordered})
    print_table(table(runs, seeds), width=20)
    if failed:
        raise SystemExit("\n".join(["not made:", *failed]))


if __name__ == "__main__":
    main()
