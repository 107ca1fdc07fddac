"""What an MAE is worth by four judges: kNN, linear probe, fine-tuned on ten labels of each class, and on all labels.

    python tests/benchmarks/run.py mae [--encoder data/encoders/mae_scenes.pt] [--data scenes] [--seeds 3] [--steps-all 1000] [--jobs 2]
        [--out results/mae_labels.json]

One pretrained encoder; beside it the same network from fresh weights, one for each seed: frozen as it is for the first two judges,
trained from scratch for the others. A seed draws the ten labels, the order of training, and the fresh weights. Fine-tuning on ten
labels takes 120 steps, on all --steps-all; each network gets the better of two learning rates by validation accuracy, and touches the
test split once. --jobs processes with one thread each. About an hour on two cores.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tables import machine, print_table, save

from sslkit.datasets import load
from sslkit.probes import features, finetune, knn_accuracy, linear_probe, reinitialised
from sslkit.runs import load_encoder
from sslkit.train import device

ROOT = Path(__file__).resolve().parents[3]
STEPS, BATCH = 120, 128
NEW, PRETRAINED = "new network", "MAE"


def judge(row: str, seed: int, path: Path, name: str, limit: int | None, steps_all: int) -> dict[str, float]:
    """Test accuracy of one start by the four judges."""
    torch.set_num_threads(1)
    data, encoder = load(name, limit=limit), load_encoder(path)[0]
    start = (encoder if row == PRETRAINED else reinitialised(encoder, seed)).to(device())
    h = [features(start, split.x) for split in (data.train, data.val, data.test)]
    y = [data.train.y, data.val.y, data.test.y]
    return {
        "kNN": knn_accuracy(h[0], y[0], h[2], y[2]),
        "linear probe": linear_probe(h[0], y[0], h[1], y[1]).score(h[2], y[2]),
        "fine-tuned on 100": finetune(start, data, 10, seed, steps=STEPS).test,
        "fine-tuned on all": finetune(start, data, None, seed, steps=steps_all, batch=BATCH).test,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ROOT / "data/encoders/mae_scenes.pt")
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps-all", type=int, default=1000, help="steps of fine-tuning on all labels")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=int, help="only so many images of each split, for a trial")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    about = (args.encoder, args.data, args.limit, args.steps_all)
    rows: dict[str, dict[str, list[float]]] = {}
    wanted = [(row, seed) for row in (NEW, PRETRAINED) for seed in range(args.seeds)]
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
        for (row, seed), found in zip(wanted, pool.map(judge, *zip(*((*run, *about) for run in wanted)))):
            print(f"{row}, seed {seed}: {found}", flush=True)
            for judged, value in found.items():
                rows.setdefault(judged, {}).setdefault(row, []).append(round(value, 4))
    print_table(rows)
    if args.out:
        state = load_encoder(args.encoder)[1]
        result = {
            "command": f"python tests/benchmarks/run.py mae --data {args.data} --seeds {args.seeds} --steps-all {args.steps_all}",
            "encoder": {"seed": state["seed"], "recipe": state["recipe"]},
            "data": args.data,
            "split": "test",
            "seeds": list(range(args.seeds)),
            "steps": args.steps_all,
            "batch": BATCH,
            **machine(),
            "rows": rows,
        }
        save(args.out, result)
