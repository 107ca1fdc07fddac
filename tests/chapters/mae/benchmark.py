"""What an MAE is worth by four judges: kNN, linear probe, fine-tuned on ten labels of each class, and on all labels.

    python tests/benchmarks/run.py mae [--data scenes] [--seeds 3] [--steps-all 1500 3000] [--jobs 2] [--out results/mae_labels.json]

Two pretrained encoders, MAE's and SimCLR's; beside each the same network from fresh weights, one for each seed: frozen as it is for
the first two judges, trained from scratch for the others. A seed draws the ten labels, the order of training, and the fresh weights.
Fine-tuning on ten labels takes 120 steps; on all --steps-all, and where several lengths are given each is a training of its own: who
gains nothing from the longer one has reached the plateau. Each network gets the better of two learning rates by validation accuracy,
and touches the test split once a judge. --jobs processes with one thread each; what is done is written at once, and a second call with
the same lengths goes on. 1,000 steps on all labels take twenty core minutes for each start and seed of MAE's network, three for SimCLR's.
"""

import argparse
import json
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
STARTS = {
    "new network": ("mae", False),
    "MAE": ("mae", True),
    "new ConvNet": ("simclr", False),
    "SimCLR": ("simclr", True),
}


def ready(method: str, name: str) -> Path:
    """The encoder that ships."""
    return ROOT / f"data/encoders/{method}_{name}.pt"


def judge(row: str, seed: int, name: str, limit: int | None, lengths: tuple[int, ...]) -> dict[str, float]:
    """Test accuracy of one start by the four judges; the last once for each length, the longest first."""
    torch.set_num_threads(1)
    method, pretrained = STARTS[row]
    data, encoder = load(name, limit=limit), load_encoder(ready(method, name))[0]
    start = (encoder if pretrained else reinitialised(encoder, seed)).to(device())
    h = [features(start, split.x) for split in (data.train, data.val, data.test)]
    y = [data.train.y, data.val.y, data.test.y]
    return {
        "kNN": knn_accuracy(h[0], y[0], h[2], y[2]),
        "linear probe": linear_probe(h[0], y[0], h[1], y[1]).score(h[2], y[2]),
        "fine-tuned on 100": finetune(start, data, 10, seed, steps=STEPS).test,
        **{
            judged: finetune(start, data, None, seed, steps=steps, batch=BATCH).test
            for judged, steps in every(lengths).items()
        },
    }


def every(lengths: tuple[int, ...]) -> dict[str, int]:
    """The judges with all labels: {name: steps}."""
    longest, *shorter = sorted(lengths, reverse=True)
    return {"fine-tuned on all": longest} | {f"on all, {steps:,} steps": steps for steps in shorter}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--steps-all", type=int, nargs="+", default=[1500, 3000], help="steps of fine-tuning on all labels"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=int, help="only so many images of each split, for a trial")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    lengths = tuple(sorted(args.steps_all))
    state = load_encoder(ready("mae", args.data))[1]
    words = " ".join(map(str, lengths))
    result = {
        "command": f"python tests/benchmarks/run.py mae --data {args.data} --seeds {args.seeds} --steps-all {words}",
        "encoder": {"seed": state["seed"], "recipe": state["recipe"]},
        "data": args.data,
        "limit": args.limit,
        "split": "test",
        "seeds": list(range(args.seeds)),
        "steps": lengths[-1],
        "lengths": list(lengths),
        "batch": BATCH,
        **machine(),
    }
    kept = json.loads(args.out.read_text()) if args.out and args.out.exists() else {}
    same = all(kept.get(key) == result[key] for key in ("encoder", "data", "limit", "lengths"))
    rows: dict[str, dict[str, list[float]]] = kept["rows"] if same else {}
    done = {row: min((len(by.get(row, [])) for by in rows.values()), default=0) for row in STARTS}
    wanted = [(row, seed) for seed in range(args.seeds) for row in STARTS if seed >= done[row]]
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
        tasks = [pool.submit(judge, *run, args.data, args.limit, lengths) for run in wanted]
        for (row, seed), task in zip(wanted, tasks):
            print(f"{row}, seed {seed}: {task.result()}", flush=True)
            for judged, value in task.result().items():
                rows.setdefault(judged, {}).setdefault(row, []).append(round(value, 4))
            if args.out:
                save(args.out, {**result, "rows": rows})
    print_table(rows)
