"""The two collapses of DINO: the laptop recipe, a quarter of it, with centring, sharpening, both or neither.

    python tests/benchmarks/run.py dino [--steps 750] [--seeds 1] [--jobs 2] [--out results/dino_collapse.json]

Every 1/50 of a run the loss, the teacher's entropy, the KL divergence of the student from it, and spread and effective rank of the
student's scores are noted; in the end kNN and a linear probe on val with 5,000 labels. The test split is not touched.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from tables import machine, on_val, save, scenes

from sslkit.chapters.dino.ablations import NO_CENTRE, NOT_SHARP
from sslkit.chapters.dino.method import METHOD, RECIPES
from sslkit.train import Recipe, build, train

ARMS = {"both": {}, "centring only": NOT_SHARP, "sharpening only": NO_CENTRE, "neither": NO_CENTRE | NOT_SHARP}


def one(arm: str, seed: int, recipe: Recipe, limit: int | None) -> dict:
    """Train and judge one arm; of "untrained", the first weights."""
    import torch

    torch.set_num_threads(1)
    data, curve = scenes(limit), []
    recipe = recipe.but(options=recipe.options | ARMS.get(arm, {}))
    method = build(METHOD, recipe, data.channels, seed)
    if arm in ARMS:
        for record in train(method, data.pretrain, recipe, seed=seed):
            if record.due(50):
                point = {"step": record.step, "loss": record.loss, "spread": record.spread, "rank": record.rank}
                point |= {name: record.extras[name].item() for name in ("entropy", "kl")}
                curve.append({name: value and round(value, 4) for name, value in point.items()})
    return {"scores": {judge: round(score, 4) for judge, score in on_val(method, data).items()}, "curve": curve}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=750)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=int, help="only so many scenes of each split, for a trial")
    parser.add_argument("--out", type=Path, default=Path("results/dino_collapse.json"))
    args = parser.parse_args()
    recipe = RECIPES["laptop"].but(steps=args.steps)
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    about = {"recipe": asdict(recipe), "limit": args.limit}
    kept = json.loads(args.out.read_text()) if args.out.exists() else {}
    runs = kept["runs"] if kept and all(kept[key] == value for key, value in about.items()) else {}
    todo = [(arm, s) for s in range(args.seeds) for arm in ("untrained", *ARMS) if str(s) not in runs.get(arm, {})]
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
        running = {pool.submit(one, *run, recipe, args.limit): run for run in todo}
        for future in as_completed(running):
            arm, seed = running[future]
            runs.setdefault(arm, {})[str(seed)] = future.result()
            print(f"seed {seed}  {arm:16} {future.result()['scores']}", flush=True)
            head = {
                "command": f"tests/benchmarks/run.py dino --steps {args.steps} --seeds {args.seeds}",
                "split": "val",
                "seeds": list(range(args.seeds)),
                "prototypes": build(METHOD, recipe).head.prototypes.out_features,
                **about,
                **machine(),
            }
            save(args.out, {**head, "runs": {arm: runs[arm] for arm in ("untrained", *ARMS) if arm in runs}})


if __name__ == "__main__":
    main()
