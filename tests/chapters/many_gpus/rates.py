"""Section 10 of chapter 25 with more seeds: what a rate eight times as high makes up for, when the batch is eight times as large.

    python tests/chapters/many_gpus/rates.py [--seeds 3] [--out results/many_gpus_rates.json]

The chapter's settings and its loss on 500 validation scenes. Each run is kept as soon as it is done, and those that are there are not
made again. Three core minutes a seed.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
from tables import machine, save, settings  # noqa: E402

from sslkit.chapters.many_gpus.pictures import rotation_loss  # noqa: E402
from sslkit.chapters.rotation.method import METHOD, RECIPES  # noqa: E402
from sslkit.datasets import load  # noqa: E402
from sslkit.train import build, train  # noqa: E402

IMAGES = 16_000
BASE = RECIPES["laptop"].but(optimizer="sgd", weight_decay=5e-4, lr=0.03, batch=32, warmup=0.0)
SETTINGS = {
    "batch 32": BASE,
    "batch 256, same rate": BASE.but(batch=256),
    "batch 256, 8 x rate": BASE.but(batch=256, lr=8 * BASE.lr),
    "batch 256, 8 x rate, warm-up": BASE.but(batch=256, lr=8 * BASE.lr, warmup=0.25),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/many_gpus_rates.json"))
    args = parser.parse_args()
    data = load("scenes")
    command = f"python tests/chapters/many_gpus/rates.py --seeds {args.seeds}"
    result = {"command": command, **settings(data, args.seeds, BASE.but(steps=IMAGES // BASE.batch)), **machine()}
    result["losses"] = json.loads(args.out.read_text())["losses"] if args.out.exists() else {}
    for name, seed in [(name, seed) for seed in range(args.seeds) for name in SETTINGS]:
        kept, recipe = result["losses"].setdefault(name, []), SETTINGS[name]
        if len(kept) > seed:
            continue
        recipe = recipe.but(steps=IMAGES // recipe.batch)
        method = build(METHOD, recipe, data.channels, seed)
        *_, last = train(method, data.pretrain, recipe, seed=seed)
        kept.append(round(rotation_loss(method, data.val.x[:500]), 4))
        print(f"{name}, seed {seed}: loss {kept[-1]}, {last.seconds:.0f} s", flush=True)
        save(args.out, result)


if __name__ == "__main__":
    main()
