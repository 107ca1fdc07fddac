"""What a second process costs: images per second and process, and the share of a step that is communication.

    python tests/benchmarks/run.py many_gpus [METHOD ...] [--steps 40] [--rounds 3] [--out results/processes.json]

Each method trains with the settings of its laptop recipe, one thread a process: alone with its batch, and in two processes
(torchrun, gloo) with that batch *each*, so that a process has the same work. Communication is measured in the run itself: every
collective call of the main thread (gather, its way back, running statistics, stopping together) is timed, and so is the wait for
DDP's all_reduce, as the backward pass with it less the same one without it (`no_sync`). It holds the wait for the slower process.
About two and a half minutes a method. Nothing else may run on the machine, which needs a core for each process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from tables import save

from sslkit import dist
from sslkit.chapters import data_of, get, methods
from sslkit.datasets import load
from sslkit.train import autocast, build, make_optimizer, precision, train

RUN = Path(__file__).parents[2] / "benchmarks" / "run.py"
WARM_UP = 5  # steps that do not count
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--local-addr",
    "127.0.0.1",
    "--nproc-per-node",
]


def training_speed(name: str, steps: int) -> float:
    """Images per second over all processes, by the training loop's own clock."""
    module = get(name)
    recipe = module.RECIPES["laptop"]
    recipe = recipe.but(steps=steps + WARM_UP, batch=recipe.batch * dist.world())
    data = load(data_of(name), limit=4000)
    method = build(module.METHOD, recipe, data.channels)
    records = list(train(method, data.pretrain, recipe))
    first, last = records[WARM_UP - 1], records[-1]
    return (last.step - first.step) * min(recipe.batch, len(data.pretrain)) / (last.seconds - first.seconds)


def step_seconds(name: str, steps: int) -> dict[str, float]:
    """Seconds of a step on a ready task, with the gradients' all_reduce and without, and of all other collectives in it."""
    module = get(name)
    recipe = module.RECIPES["laptop"]
    data = load(data_of(name), limit=1000)
    method = build(module.METHOD, recipe, data.channels).train()
    optimizer, wrapped = make_optimizer(method, recipe), dist.wrap(method)
    where = next(method.parameters()).device
    task = method.pretext(data.pretrain[: recipe.batch].to(where), torch.Generator(where).manual_seed(dist.rank()))
    spent = [0.0]
    originals = {call: getattr(dist.torch_dist, call) for call in ("all_gather", "all_reduce")}

    def timed(call):
        def run(*args, **kwargs):
            start = time.perf_counter()
            try:
                return originals[call](*args, **kwargs)
            finally:
                spent[0] += time.perf_counter() - start

        return run

    for call in originals:
        setattr(dist.torch_dist, call, timed(call))
    seconds = {"with": 0.0, "without": 0.0, "collectives": 0.0}
    for step in range(2 * (steps + WARM_UP)):  # in turns, so that a slow moment hits both alike
        kind = ("with", "without")[step % 2]
        spent[0], start = 0.0, time.perf_counter()
        with autocast(where):
            if kind == "with":
                loss, _ = wrapped(task)
            else:
                with wrapped.no_sync():
                    loss, _ = wrapped(task)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        dist.settle(method)
        optimizer.step()  # without all_reduce the weights drift apart, which costs no time
        if hasattr(method, "after_step"):
            method.after_step(0.5)
        dist.agree(loss.detach().float(), False)
        if step >= 2 * WARM_UP:
            seconds[kind] += time.perf_counter() - start
            seconds["collectives"] += spent[0] * (kind == "with")
    for call, original in originals.items():
        setattr(dist.torch_dist, call, original)
    return {kind: value / steps for kind, value in seconds.items()}


def worker(name: str, steps: int, out: Path) -> None:
    """One process: measure, and let process 0 write."""
    dist.init()
    found = {"images_per_second": training_speed(name, steps)}
    if dist.world() > 1:
        seconds = step_seconds(name, steps)
        # What the backward pass takes longer for its all_reduce; noise may make it negative.
        reduce = max(0.0, seconds["with"] - seconds["without"])
        found["communication"] = min(1.0, (seconds["collectives"] + reduce) / seconds["with"])
    if dist.is_main():
        out.write_text(json.dumps(found))
    dist.finish()


def measure(name: str, world: int, steps: int) -> dict[str, float]:
    """Start the processes and read what they found."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [*TORCHRUN, str(world), str(RUN), "many_gpus", name, "--steps", str(steps), "--worker", str(out)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, env=environment)
        return json.loads(out.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"of {', '.join(methods())}; default all")
    parser.add_argument("--steps", type=int, default=40, help="timed steps in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    chosen = args.methods or methods()
    if args.worker:
        worker(chosen[0], args.steps, args.worker)
        return
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for name in chosen:
        found[name] = {"1": {}, "2": {}}
        for _ in range(args.rounds):
            for world in (1, 2):  # in turns
                for kind, value in measure(name, world, args.steps).items():
                    found[name][str(world)].setdefault(kind, []).append(round(value, 4))
        one, two = (statistics.mean(found[name][world]["images_per_second"]) for world in "12")
        share = statistics.mean(found[name]["2"]["communication"])
        print(
            f"{name:12} {one:7,.0f} images/s alone, {two / 2:7,.0f} a process in two ({two / 2 / one:.0%}), "
            f"communication {share:.1%} of a step",
            flush=True,
        )
    if args.out:
        result = {
            "command": "python tests/benchmarks/run.py many_gpus"
            + "".join(f" {name}" for name in args.methods)
            + f" --steps {args.steps} --rounds {args.rounds}",
            "steps": args.steps,
            "rounds": args.rounds,
            "cores": os.cpu_count(),
            "precision": str(precision("cpu")),
            "torch": torch.__version__,
            "methods": found,
        }
        save(args.out, result)
