"""The shelf: what each method's `shelf` recipe gives after about an hour on two cores.

    python tests/benchmarks/shelf.py [METHOD ...] [--data scenes] [--seeds 3]

METHOD: those that have such a recipe, all of them by default. A run that was stopped goes on where it was; one that is finished is judged
again in minutes. So it can be left alone in the background: `nohup python tests/benchmarks/shelf.py > shelf.log &`.

Kept: data/encoders/shelf/METHOD_DATA.pt, the encoder of seed 0 in half precision, for sslkit.runs.load_encoder;
data/encoders/shelf/METHOD_DATA_forming.pt, its features of validation samples along the way, for plots.forming;
results/shelf/METHOD_DATA.json: recipe, command, log, time, and the scores of all seeds.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch
from parts import load as load_file
from tables import machine, print_table, save
from torch import Tensor

from sslkit import checkpoint
from sslkit.chapters import data_of, get, methods
from sslkit.datasets import load
from sslkit.probes import Snapshots, features, knn_accuracy, scoreboard
from sslkit.train import Recipe, build, train

ROOT = Path(__file__).resolve().parents[2]
SHIPPING = load_file(ROOT / "data/encoders/build.py")
JUDGES = {"knn": "kNN", "linear_probe": "linear probe", "few_labels": "few labels", "effective_rank": "effective rank"}
BANK = 5000  # training samples with labels, for kNN along the way
MOMENTS, SAMPLES, WIDTH = 16, 500, 32  # along the way: moments, validation samples, numbers kept of each


def on_the_shelf() -> list[str]:
    """The methods that have a recipe for it."""
    return [name for name in methods() if "shelf" in get(name).RECIPES]


def run(name: str, recipe: Recipe, data, seed: int, out: Path) -> torch.nn.Module:
    """The trained method of a seed; trained on, where it was stopped. Seed 0 also keeps what it sees along the way."""
    method, path = build(get(name).METHOD, recipe, data.channels, seed), out / "checkpoint.pt"
    resume = path.exists()
    done = 0
    if resume:
        state = checkpoint.load(path)
        method.load_state_dict(state["model"])
        done = state["step"]
    lines = [line for line in logged(out) if line["step"] <= done]  # what came after is lost, and comes again
    spent, start = max((line["core_seconds"] for line in lines), default=0.0), time.process_time()
    every = max(1, recipe.steps // 200)
    due = {0} | Snapshots(data.val.x, recipe.steps, MOMENTS).due if seed == 0 else set()
    about = {
        "name": name,
        "data": data.name,
        "channels": data.channels,
        "size": data.train.x.shape[-1],
        "scale": "shelf",
    }
    if done in due:  # once more, where it was stopped while it looked
        look(method, data, done, out)
    for record in train(method, data.pretrain, recipe, seed=seed, out=out, resume=resume, about=about):
        if record.step % every == 0 or record.step == recipe.steps:
            line = {"step": record.step, "loss": round(record.loss, 4), "seconds": round(record.seconds, 1)}
            lines.append(line | {"core_seconds": round(spent + time.process_time() - start, 1)})
            (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            if record.step % (10 * every) == 0:
                print(f"{name}, seed {seed}: {line} of {recipe.steps}", flush=True)
        if record.step in due:
            look(method, data, record.step, out)
    return method


def logged(out: Path) -> list[dict]:
    """The lines of a run's log."""
    path = out / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def look(method, data, step: int, out: Path) -> None:
    """Keep what the method makes of validation samples now, and how well kNN does on all of them."""
    bank, val = data.train[:BANK], data.val
    h, val_h = features(method, bank.x), features(method, val.x)
    knn = knn_accuracy(h, bank.y, val_h, val.y)
    checkpoint.save(out / "moments" / f"{step}.pt", {"step": step, "knn": knn, "h": narrow(val_h[:SAMPLES])})


def narrow(h: Tensor) -> Tensor:
    """Features [N, D] along their WIDTH widest directions, in half precision: a map of them looks the same."""
    centred = (h - h.mean(dim=0)).float()
    u, s, _ = torch.linalg.svd(centred, full_matrices=False)
    return (u * s)[:, :WIDTH].half()


def keep(name: str, data, recipe: Recipe, folders: list[Path], boards: list, command: str, root: Path) -> None:
    """Write what the runs gave to data/encoders/shelf and results/shelf."""
    shelf, target = root / "data/encoders/shelf", f"{name}_{data.name}"
    state = checkpoint.load(folders[0] / "checkpoint.pt")
    prefix = SHIPPING.PREFIX
    weights = {key.removeprefix(prefix): v for key, v in state["model"].items() if key.startswith(prefix)}
    about = {key: state[key] for key in SHIPPING.KEPT}
    SHIPPING.write(shelf / f"{target}.pt", about | {"encoder": SHIPPING.half(weights)})
    moments = sorted((checkpoint.load(path) for path in (folders[0] / "moments").glob("*.pt")), key=lambda m: m["step"])
    along = {"step": [m["step"] for m in moments], "knn": [round(m["knn"], 4) for m in moments]}
    SHIPPING.write(shelf / f"{target}_forming.pt", along | {"h": torch.stack([m["h"] for m in moments])})
    ends = [logged(folder)[-1] for folder in folders]
    result = {
        "command": command,
        "recipe": asdict(recipe),
        **machine(),
        "seeds": list(range(len(folders))),
        **{key: [end[key] for end in ends] for key in ("seconds", "core_seconds")},
        "rows": {
            title: {
                row.name: [round(getattr(board.rows[k], key), 4) for board in boards]
                for k, row in enumerate(boards[0].rows)
            }
            for key, title in JUDGES.items()
        },
        "caption": boards[0].caption,
        "along the way (val, kNN)": along,
        "log of seed 0": logged(folders[0]),
    }
    save(root / "results/shelf" / f"{target}.json", result)
    print_table(result["rows"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"of {', '.join(on_the_shelf())}")
    parser.add_argument("--data", help="default: what the method is made for")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="another length than the recipe's, for a trial")
    parser.add_argument("--limit", type=int, help="only so many samples of each split, for a trial")
    parser.add_argument("--root", type=Path, default=ROOT, help="where data/, results/ and runs/ are")
    args = parser.parse_args()
    for name in args.methods or on_the_shelf():
        if name not in on_the_shelf():
            parser.error(f"{name} has no shelf recipe; there are {', '.join(on_the_shelf())}")
        recipe = get(name).RECIPES["shelf"]
        recipe = recipe.but(steps=args.steps or recipe.steps)
        data = load(args.data or data_of(name), limit=args.limit)
        command = f"python tests/benchmarks/shelf.py {name} --data {data.name} --seeds {args.seeds}"
        command += f" --steps {args.steps}" * bool(args.steps) + f" --limit {args.limit}" * bool(args.limit)
        folders, boards = [], []
        for seed in range(args.seeds):
            folders.append(args.root / "runs/shelf" / f"{name}-{data.name}-{seed}")
            method = run(name, recipe, data, seed, folders[-1])
            draws = range(3 * seed, 3 * seed + 3)
            boards.append(scoreboard(method, data, name=name, seeds=draws, seed=seed, with_supervised=False))
            keep(
                name, data, recipe, folders, boards, command, args.root
            )  # after each seed: an early one is worth having


if __name__ == "__main__":
    main()
