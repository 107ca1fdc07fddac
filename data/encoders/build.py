"""Make small files of trained networks, to ship with the kit: weights in half precision, no optimiser.

    python data/encoders/build.py RUN TARGET        the whole method of a run, for sslkit.runs.load_run
    python data/encoders/build.py --all RUNS        encoders alone, for sslkit.runs.load_encoder: of every method that has a
                                                    finished run RUNS/METHOD-0 on scenes, and of a network trained here with
                                                    all labels, unless its file is there; then README.md
    python data/encoders/build.py --readme          README.md alone, with the scores in results/compare.json

RUNS is a folder as tests/benchmarks/run.py compare makes it. SimCLR ships as a whole method, made by the first form: other
chapters need its projector.
"""

import hashlib
import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path

from sslkit import checkpoint
from sslkit.chapters import get
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.probes import supervised
from sslkit.runs import PREFIX, all_runs
from sslkit.train import Recipe

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = ("method", "name", "recipe", "channels", "size", "data", "seed", "step", "scale")
JUDGES = ("kNN", "linear probe")
SUPERVISED = Recipe(
    steps=500, lr=2e-3, batch=128, encoder="small7", optimizer="adamw", weight_decay=0.05
)  # as probes.supervised
INTRODUCTION = """# Ready encoders

For chapters that need a pretrained network at once. Weights in half precision, in the kit's checkpoint format (tensors and
plain values, nothing is unpickled).
`from sslkit.runs import load_encoder; encoder, state = load_encoder("data/encoders/{example}")`;
`simclr_scenes.pt` holds the projector too, for `load_run`.
Written by `build.py`, this page included. `shelf/` holds what up to an hour of training gave (`sslkit.runs.shelf("simclr")`,
made by `tests/benchmarks/shelf.py`), with features along the way.

Accuracy in % on the test split of `scenes`: this file's seed (before rounding to half precision), in brackets the mean ± standard
deviation of all seeds in `results/compare.json`, made by `python tests/benchmarks/run.py compare`.

"""
LICENCE = "MIT licence, as the kit; trained on drawings of Noto Emoji (see ../emoji/README.md)."


def half(weights: dict) -> dict:
    """Weights with their floating ones in half precision."""
    return {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}


def write(target: Path, state: dict) -> None:
    checkpoint.save(target, state)
    print(target, target.stat().st_size, "bytes")


def whole(run: Path, target: Path) -> None:
    """The whole method of a run's folder."""
    state = checkpoint.load(run / "checkpoint.pt")
    write(target, {key: state[key] for key in KEPT} | {"model": half(state["model"])})


def encoders(runs: Path) -> None:
    """An encoder of each method's seed 0, and a supervised one."""
    for run in sorted(runs.glob("*-0")):
        name = run.name.removesuffix("-0")
        if not (run / "checkpoint.pt").exists():
            continue
        state = checkpoint.load(run / "checkpoint.pt")
        target = HERE / f"{name}_scenes.pt"
        ships_whole = target.exists() and "model" in checkpoint.load(target)
        if ships_whole or state["step"] < state["recipe"]["steps"] or state["data"] != "scenes":
            print(f"{run}: left out ({'ships whole' if ships_whole else 'not a finished run on scenes'})")
            continue
        weights = {k.removeprefix(PREFIX): v for k, v in state["model"].items() if k.startswith(PREFIX)}
        write(target, {key: state[key] for key in KEPT} | {"encoder": half(weights)})
    target = HERE / "supervised_scenes.pt"
    if target.exists():
        return
    data = load("scenes")
    network = supervised(build_encoder(SUPERVISED.encoder), data, seed=0, steps=SUPERVISED.steps)
    about = ("supervised", "supervised", asdict(SUPERVISED), 3, 32, "scenes", 0, SUPERVISED.steps, "laptop")
    write(target, dict(zip(KEPT, about)) | {"encoder": half(network[0].state_dict())})


def readme() -> str:
    """README.md: a row for each file."""
    results = ROOT / "results/compare.json"
    rows = json.loads(results.read_text())["rows"] if results.exists() else {}
    lines = ["| file | kB | made by | " + " | ".join(JUDGES) + " | sha256 |", "|---" * (len(JUDGES) + 4) + "|"]
    runs, _ = all_runs(HERE / "none", data=None)
    for run in runs:
        options = "" if run.name == "supervised" else changed(run)
        command = f"`python -m sslkit pretrain {run.name} --data {run.data} --scale laptop --seed {run.seed} --steps {run.steps}{options}`"
        if run.name == "supervised":
            command = (
                f"`sslkit.probes.supervised`, seed {run.seed}, {run.steps} steps of {run.batch} on all 20,000 labels"
            )
        scores = [score(rows.get(judge, {}).get(run.name, []), run.seed) for judge in JUDGES]
        digest = hashlib.sha256(run.path.read_bytes()).hexdigest()
        size = f"{run.path.stat().st_size / 1000:,.0f}"
        lines.append(f"| `{run.path.name}` | {size} | {command} | {' | '.join(scores)} | {digest} |")
    return INTRODUCTION.format(example=runs[-1].path.name) + "\n".join(lines) + f"\n\n{LICENCE}\n"


def changed(run) -> str:
    """Options of the command for what is not in the method's laptop recipe."""
    recipe, laptop = asdict(Recipe.read(checkpoint.load(run.path)["recipe"])), asdict(get(run.name).RECIPES["laptop"])
    names = ("encoder", "optimizer", "lr", "weight_decay", "small_views")
    return "".join(f" --{name.replace('_', '-')} {recipe[name]}" for name in names if recipe[name] != laptop[name])


def score(values: list[float], seed: int) -> str:
    """One seed's accuracy, and that of all seeds."""
    if len(values) <= seed:
        return "not measured"
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * values[seed]:.1f} ({100 * statistics.mean(values):.1f}{spread})"


def main(words: list[str]) -> None:
    if len(words) == 2 and words[0] == "--all":
        encoders(Path(words[1]))
    elif len(words) == 2 and not words[0].startswith("-"):
        whole(Path(words[0]), Path(words[1]))
        return
    elif words != ["--readme"]:
        sys.exit(__doc__)
    (HERE / "README.md").write_text(readme())


if __name__ == "__main__":
    main(sys.argv[1:])
