"""What does the batch do? A method's laptop recipe with as many image passes as in chapter 23, in batches of another size.

    python tests/benchmarks/batches.py METHOD [METHOD ...] --batch BATCH [--data scenes] [--seed 0]

460,800 images pass through the encoder: 900 steps of SimCLR with batches of 256, 3,600 with batches of 64. One thread. Judged like
a row of chapter 23: kNN and linear probe on the test split with the labels of 10,000 training images. Each run is added to
results/batches.json as it ends; what is there already is not made again. `--data folder:cifar10` there is CIFAR-10 as a folder
of images, cifar10/train/CLASS and cifar10/test/CLASS.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is there

import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from parts import CHAPTERS  # noqa: E402
from parts import load as load_file
from tables import machine, save  # noqa: E402

from sslkit.chapters import get, passes_of  # noqa: E402
from sslkit.datasets import load  # noqa: E402
from sslkit.probes import features  # noqa: E402
from sslkit.probes.features import evenly  # noqa: E402
from sslkit.probes.scores import LABELLED, judge  # noqa: E402
from sslkit.train import build, train  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "results" / "batches.json"
COMPARE = load_file(CHAPTERS / "compare" / "benchmark.py")


def one(name: str, batch: int, data, seed: int) -> dict:
    """Train and judge one run; name "untrained" trains nothing."""
    method_name = "simclr" if name == "untrained" else name
    recipe = COMPARE.recipe_of(method_name)
    recipe = recipe.but(batch=batch, steps=COMPARE.BUDGET // (batch * passes_of(method_name)))
    method, start = build(get(method_name).METHOD, recipe, data.channels, seed), time.process_time()
    if name != "untrained":
        for record in train(method, data.pretrain, recipe, seed=seed):
            if record.due(10):
                print(
                    f"{name}, batch {batch}: step {record.step} of {record.steps}, loss {record.loss:.3f}", flush=True
                )
    spent = round(time.process_time() - start)
    splits = [data.train[evenly(len(data.train), LABELLED)], data.val, data.test]
    found = judge(name, [features(method, split.x) for split in splits], [split.y for split in splits], [seed], 10)
    scores = {"kNN": round(found.knn, 4), "linear probe": round(found.linear_probe, 4)}
    return {"method": name, "batch": batch, "data": data.name, "seed": seed, **scores, "core seconds": spent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+", choices=["untrained", *COMPARE.METHODS], metavar="METHOD")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data, key = load(args.data), ("method", "batch", "data", "seed")
    for name in args.methods:
        wanted = (name, args.batch, data.name, args.seed)
        runs = json.loads(OUT.read_text())["runs"] if OUT.exists() else []
        if any(tuple(run[part] for part in key) == wanted for run in runs):
            continue
        found = one(name, args.batch, data, args.seed)
        print(found, flush=True)
        with FileLock(OUT.with_suffix(".lock")):  # two runs may end at the same time
            runs = json.loads(OUT.read_text())["runs"] if OUT.exists() else []
            runs = sorted(
                [*runs, found], key=lambda run: [str(run[part]) for part in ("data", "method", "batch", "seed")]
            )
            about = {"command": "python tests/benchmarks/batches.py METHOD --batch BATCH --data DATA --seed SEED"}
            save(OUT, about | {"split": "test", "passes": COMPARE.BUDGET, **machine(), "runs": runs})


if __name__ == "__main__":
    main()
