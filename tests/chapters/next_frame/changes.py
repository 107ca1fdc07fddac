"""The method as chapter 08 has it with one thing changed, at full length: what its "what if?" answers, and more.

    python tests/chapters/next_frame/changes.py [NAME ...] [--seeds 1] [--out results/next_frame_changes.json]

Without names: all of RUNS. Every run is kept as soon as it is done, and those that are there are not made again; with --seconds a call
ends after so long, in the middle of a run too, and the next call goes on. Judged as by benchmark.py: test clips, probes chosen on val.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[2] / "benchmarks"), str(Path(__file__).resolve().parent)]
from benchmark import judge  # noqa: E402
from tables import machine, save, settings  # noqa: E402

from sslkit.chapters.next_frame.method import METHOD, RECIPES  # noqa: E402
from sslkit.datasets import load  # noqa: E402
from sslkit.train import build, train  # noqa: E402

LAPTOP = RECIPES["laptop"]
RUNS = {  # name: (recipe, options of the data)
    "two past frames": (LAPTOP.but(options={"past": 2}), {}),
    "reach of 2": (LAPTOP.but(options={"reach": 2}), {}),
    "turning a little": (LAPTOP, {"turns": 0.3}),
    "one past frame": (LAPTOP.but(options={"past": 1}), {}),
    "pooled encoder": (LAPTOP.but(encoder="small"), {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/next_frame_changes.json"))
    parser.add_argument("--seconds", type=float, default=1e9, help="how long a call may take")
    args = parser.parse_args()
    command = f"python tests/chapters/next_frame/changes.py --seeds {args.seeds}"
    result = {"command": command, **settings(load("moving"), args.seeds, LAPTOP), **machine()}
    result["runs"] = json.loads(args.out.read_text())["runs"] if args.out.exists() else {}
    until = time.monotonic() + args.seconds
    for name, seed in [(name, seed) for seed in range(args.seeds) for name in args.names or RUNS]:
        kept, (recipe, options) = result["runs"].setdefault(name, {}), RUNS[name]
        if str(seed) in kept:
            continue
        if time.monotonic() > until:
            return
        data, method = load("moving", **options), build(METHOD, recipe, 3, seed)
        out = Path(tempfile.gettempdir()) / "next_frame_changes" / f"{name} {seed}".replace(" ", "_")
        going_on = (out / "checkpoint.pt").exists()
        stop = lambda: time.monotonic() > until  # noqa: E731
        for record in train(method, data.pretrain, recipe, seed=seed, out=out, resume=going_on, stop=stop):
            if record.step % 100 == 0:
                print(f"{name}, seed {seed}: {record.step} of {recipe.steps}, {record.loss:.3f}", flush=True)
        if record.step < recipe.steps:
            return
        kept[str(seed)] = {key: round(value, 4) for key, value in judge(method.eval(), data).items()}
        print(f"{name}, seed {seed}: {kept[str(seed)]}", flush=True)
        save(args.out, result)
    print("done")


if __name__ == "__main__":
    main()
