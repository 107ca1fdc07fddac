"""How fast each method trains at laptop scale: against the same step fed with ready inputs, and against others' pipelines where its
chapter has one (tests/chapters/NAME/rivals.py).

    pip install -e ".[benchmark]"
    python tests/benchmarks/speed.py [METHOD ...] [--steps 60] [--out results/speed.json]

All train the same network on the same images with the same batch size, in turns, in one process:
- `sslkit`: `sslkit.train.train`, a new pretext task each step;
- `ready`: the same step on a task that was made before: the limit of this network on this machine;
- rivals: lightly's documented SimCLR, for one; left out where its package is not installed.
Nothing else may run on the machine meanwhile.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
from parts import parts
from tables import machine, save
from torch import nn

from sslkit.chapters import data_of, get, methods
from sslkit.datasets import load
from sslkit.train import build, train

WARM_UP = 5  # steps that do not count


class Ready(nn.Module):
    """A method whose pretext task is always the same ready batch."""

    def __init__(self, method: nn.Module, batch):
        super().__init__()
        self.method, self.batch = method, batch

    def pretext(self, x, generator):
        return self.batch

    def forward(self, batch):
        return self.method(batch)

    def chance(self, batch_size: int) -> float:
        return 0.0  # so that nobody measures how its features spread

    def after_step(self, progress: float) -> None:
        getattr(self.method, "after_step", lambda _: None)(progress)


def samples_per_second(records, batch: int) -> float:
    """Over all records after the warm-up, by the training loop's own clock."""
    records = list(records)
    first, last = records[WARM_UP - 1], records[-1]
    return (last.step - first.step) * batch / (last.seconds - first.seconds)


def measure(name: str, steps: int, rounds: int) -> dict[str, list[float]]:
    """Images, clips or passages of text per second of a method and of its rivals, one number a round: {"sslkit": ..., "ready": ...}."""
    module = get(name)
    recipe = module.RECIPES["laptop"].but(steps=steps + WARM_UP, small_views=None)  # ready inputs have one size
    data = load(data_of(name), limit=4000)
    method = build(module.METHOD, recipe, data.channels)
    with torch.no_grad():
        ready = Ready(method, method.pretext(data.pretrain[: recipe.batch], torch.Generator().manual_seed(0)))
    speeds: dict[str, list[float]] = {"sslkit": [], "ready": []}
    for _ in range(rounds):  # in turns, so that a slow minute hits both alike
        speeds["sslkit"].append(samples_per_second(train(method, data.pretrain, recipe), recipe.batch))
        speeds["ready"].append(samples_per_second(train(ready, data.pretrain, recipe), recipe.batch))
    for rival, rate in getattr(parts("rivals").get(name), "RIVALS", {}).items():
        try:
            speeds[rival] = [rate(data.train.x, recipe, max(10, steps // 3)) for _ in range(2)]
        except ImportError:
            print(f'{rival} is not installed: pip install -e ".[benchmark]"')
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=methods(), metavar="METHOD", help=f"of {', '.join(methods())}")
    parser.add_argument("--steps", type=int, default=60, help="timed steps in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    speeds = {}
    for name in args.methods:
        speeds[name] = measure(name, args.steps, args.rounds)
        own = statistics.mean(speeds[name]["sslkit"])
        for other, values in speeds[name].items():
            mean = statistics.mean(values)
            print(f"{name:12} {other:8} {mean:8,.0f} /s   sslkit / {other} {own / mean:.2f}", flush=True)
    if args.out:
        kept = json.loads(args.out.read_text()) if args.out.exists() else {}  # of methods that were not run now
        command = f"python tests/benchmarks/speed.py --steps {args.steps} --rounds {args.rounds}"
        result = {
            **machine(),
            "commands": kept.get("commands", {}) | {name: command for name in speeds},
            "images_per_second": kept.get("images_per_second", {}) | speeds,
        }
        save(args.out, result)


if __name__ == "__main__":
    main()
