"""What a method's laptop recipe gives: several seeds on one data set, beside pixels, the untrained encoder, and
training from scratch.

    python tests/benchmarks/pretrain.py simclr [--data scenes] [--seeds 3] [--out FILE]

For each seed: new weights, new order, new views; the scoreboard (test split, frozen features), and fine-tuning with
10 labels per class against from scratch (three draws of labels each, or --draws). Settings are the recipe's, none is chosen here.
About 3 to 4 minutes a seed on two cores.
"""

import argparse
import time
from pathlib import Path

from tables import machine, print_table, save, settings

from sslkit.chapters import get, methods
from sslkit.datasets import load
from sslkit.probes import finetune, scoreboard
from sslkit.train import build, train

JUDGES = {"knn": "kNN", "linear_probe": "linear probe", "few_labels": "few labels", "effective_rank": "effective rank"}
FINE_TUNING = "fine-tuning, 10 labels per class"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=methods())
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=3, help="choices of ten labels per class, for each seed")
    parser.add_argument("--steps", type=int, help="another length than the recipe's, for a trial")
    parser.add_argument("--supervised", action="store_true", help="the row of a network trained on all labels, too")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    module = get(args.method)
    name, recipe = module.METHOD.__name__, module.RECIPES["laptop"]
    recipe = recipe.but(steps=args.steps or recipe.steps)
    data = load(args.data)
    table: dict[str, dict[str, list[float]]] = {judge: {} for judge in (*JUDGES.values(), FINE_TUNING)}
    seconds = []

    def add(judge: str, row: str, value: float) -> None:
        table[judge].setdefault(row, []).append(round(value, 4))

    for seed in range(args.seeds):
        method, start = build(module.METHOD, recipe, data.channels, seed), time.perf_counter()
        for record in train(method, data.pretrain, recipe, seed=seed):
            last = record
        seconds.append(round(last.seconds, 1))
        print(f"seed {seed}: {last.steps} steps in {last.seconds:.0f} s, loss {last.loss:.3f}", flush=True)
        draws = range(args.draws * seed, args.draws * (seed + 1))
        board = scoreboard(method, data, name=name, seeds=draws, seed=seed, with_supervised=args.supervised)
        for row in board.rows:
            for key, judge in JUDGES.items():
                add(judge, row.name, getattr(row, key))
        untrained = build(module.METHOD, recipe, data.channels, seed)
        for draw in draws:
            add(FINE_TUNING, "from scratch", finetune(untrained, data, seed=draw).test)
            add(FINE_TUNING, name, finetune(method, data, seed=draw).test)
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s in all", flush=True)
    print_table(table)
    if args.out:
        result = {
            "method": name,
            "command": f"python tests/benchmarks/pretrain.py {args.method} --data {args.data} --seeds {args.seeds}"
            + f" --draws {args.draws}" * (args.draws != 3)
            + " --supervised" * args.supervised,
            **settings(data, args.seeds, recipe),
            "training_seconds": seconds,
            **machine(),
            "rows": table,
        }
        save(args.out, result)


if __name__ == "__main__":
    main()
