"""What makes a method learn more in the same time: ideas, each changed alone, at equal processor time.

    python tests/benchmarks/engine.py [IDEA ...] [--method simclr] [--data scenes] [--seconds 240] [--seed 0]

Without an idea it lists them. Each trial gets as many steps as fit into --seconds of one core, by the processor time (not the
clock's) that a step took just before, small views and whole ones apart; so a busy machine does little harm. One thread. Judged on
the validation split alone, by kNN and a linear probe with 5,000 labels. What was found is added to results/engine.json.
MALLOC_TRIM_THRESHOLD_=131072 before the command gives freed memory back, as it was before train.hardware.keep_memory.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is there

import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from tables import cost, machine, on_val, save  # noqa: E402
from torch import nn  # noqa: E402

from sslkit.chapters import get  # noqa: E402
from sslkit.datasets import load  # noqa: E402
from sslkit.nets import PlainEncoder  # noqa: E402
from sslkit.train import Recipe, build, train  # noqa: E402
from sslkit.train.hardware import keep_memory  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "results" / "engine.json"
MUON = {"optimizer": "muon", "lr": 0.02, "weight_decay": 0.0}
ENGINE = MUON | {"encoder": "small7", "small_views": 20}
HALVES = (1, 2, 1, 2, 1, 2, 1)  # small7's strides


def options(**values):
    """The engine with other options of the method."""
    return ENGINE | {"options": values}


def net(widths, strides=HALVES):
    """The engine with another plain encoder."""
    return ENGINE | {"net": (widths, strides)}


IDEAS = {  # name: what it changes of the method's laptop recipe
    "today": {},
    "muon alone": MUON,
    "small views alone": {"small_views": 20},
    "small7 alone": {"encoder": "small7"},
    "muon, small7": MUON | {"encoder": "small7"},
    "muon, small views": MUON | {"small_views": 20},
    "engine": ENGINE,
    "lr 0.03": ENGINE | {"lr": 0.03},
    "lr 0.05": ENGINE | {"lr": 0.05},
    "lr 0.08": ENGINE | {"lr": 0.08},
    "weight decay 0.01": ENGINE | {"weight_decay": 0.01},
    "warm-up 0.02": ENGINE | {"warmup": 0.02},
    "16 pixels": ENGINE | {"small_views": 16},
    "24 pixels": ENGINE | {"small_views": 24},
    "share 0.5": ENGINE | {"small_share": 0.5},
    "share 0.85": ENGINE | {"small_share": 0.85},
    "batch 128": ENGINE | {"batch": 128},
    "batch 256": ENGINE | {"batch": 256},
    "batch 512": ENGINE | {"batch": 512},
    "temperature 0.2": options(temperature=0.2),
    "temperature 0.05": options(temperature=0.05),
    "crop 0.4": options(crop=0.4),
    "crop 0.1": options(crop=0.1),
    "jitter 0.25": options(jitter=0.25),
    "jitter 1": options(jitter=1.0),
    "hidden 1024": options(hidden=1024),
    "last layer 512": net((16, 32, 32, 64, 64, 128, 512)),
    "wider, 1.5": net((24, 48, 48, 96, 96, 192, 384)),
    "narrower, 0.75": net((12, 24, 24, 48, 48, 96, 192)),
    "wide early": net((32, 32, 32, 64, 64, 128, 256)),
    "eight layers": net((16, 32, 32, 64, 64, 128, 128, 256), (1, 2, 1, 2, 1, 2, 1, 1)),
    "half resolution at once": net((32, 32, 64, 64, 128, 256), (2, 1, 2, 1, 2, 1)),
    "gelu": ENGINE | {"act": nn.GELU},
    "batch 64": ENGINE | {"batch": 64},
    # with --method byol
    "batch 64, momentum 0.987": options(momentum=0.987) | {"batch": 64},
    "predictor rate 4": options(predictor_lr=4.0),
    "predictor rate 10": options(predictor_lr=10.0),
    "predictor rate 4, momentum 0.8 to 0.99": options(predictor_lr=4.0, momentum=0.8, last=0.99),
    "predictor rate 4, weight decay 0.1": options(predictor_lr=4.0) | {"weight_decay": 0.1},
    "predictor rate 4, jitter 1": options(predictor_lr=4.0, jitter=1.0),
    "predictor rate 4, lr 0.05": options(predictor_lr=4.0) | {"lr": 0.05},
    # with --method dino
    "momentum 0.95": options(momentum=0.95),
    "momentum 0.8": options(momentum=0.8),
    "momentum 0.95, centre 0.5": options(momentum=0.95, centre_momentum=0.5),
    "momentum 0.9, centre 0": options(momentum=0.9, centre_momentum=0.0),
    "momentum 0.95, lr 0.05": options(momentum=0.95) | {"lr": 0.05},
    "momentum 0.95, centre 0.5, lr 0.1": options(momentum=0.95, centre_momentum=0.5) | {"lr": 0.1},
}


def made(method_class, recipe: Recipe, idea: dict, channels: int, seed: int) -> nn.Module:
    """A new method with the idea's network."""
    method = build(method_class, recipe, channels, seed)
    if "net" in idea:
        torch.manual_seed(seed)
        method = method_class(PlainEncoder(channels, *idea["net"]), **recipe.options)
        method = method.to(memory_format=torch.channels_last)
    if "act" in idea:
        for module in list(method.encoder.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.ReLU):
                    setattr(module, name, idea["act"]())
    return method


def trial(name: str, method_name: str, data, seconds: float, seed: int) -> dict:
    """Train one idea for so many seconds of one core, and judge it on val."""
    module, idea = get(method_name), dict(IDEAS[name])
    laptop = module.RECIPES["laptop"]
    changes = {key: value for key, value in idea.items() if key not in ("net", "act", "options")}
    recipe = laptop.but(**changes, options=laptop.options | idea.get("options", {}))

    def fresh():
        return made(module.METHOD, recipe, idea, data.channels, seed)

    whole = cost(fresh, data.train.x, recipe, small=False)
    share = recipe.small_share if recipe.small_views else 0.0
    small = cost(fresh, data.train.x, recipe, small=True) if share else whole
    recipe = recipe.but(steps=round(seconds / (share * small + (1 - share) * whole)))
    method, start = fresh(), time.process_time()
    for record in train(method, data.train.x, recipe, seed=seed):
        if record.step % 200 == 0:
            print(f"{name}: step {record.step} of {record.steps}, loss {record.loss:.3f}", flush=True)
    spent = time.process_time() - start
    return {
        **on_val(method, data),
        "steps": recipe.steps,
        "core seconds": round(spent, 1),
        "ms a step": [round(1000 * cost, 1) for cost in (small, whole)],
        "loss": round(record.loss, 4),
        "memory kept": keep_memory(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ideas", nargs="*", choices=[[], *IDEAS], metavar="IDEA")
    parser.add_argument("--method", default="simclr")
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not args.ideas:
        print(*IDEAS, sep="\n")
    torch.set_num_threads(1)
    data = load(args.data)
    for name in args.ideas:
        found = trial(name, args.method, data, args.seconds, args.seed)
        command = f"python tests/benchmarks/engine.py {name!r} --method {args.method} --data {args.data}"
        command += f" --seconds {args.seconds:g} --seed {args.seed}"
        about = {"idea": name, "method": args.method, "data": args.data, "seconds": args.seconds, "seed": args.seed}
        print(about, found, flush=True)
        with FileLock(OUT.with_suffix(".lock")):  # several trials may end at the same time
            kept = json.loads(OUT.read_text()) if OUT.exists() else {"split": "val", **machine(), "trials": []}
            trials = [one for one in kept["trials"] if any(one[key] != value for key, value in about.items())]
            save(OUT, kept | {"trials": [*trials, {**about, **found, "command": command}]})


if __name__ == "__main__":
    main()
