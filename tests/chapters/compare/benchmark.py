"""Every method of the course for images side by side on `scenes`: equal numbers of image passes, the same judges, several seeds.

    python tests/benchmarks/run.py compare --runs FOLDER [--seeds 3] [--found] [--only METHOD ... [--first SEED]] [--out FILE]

FOLDER/METHOD-SEED are runs as `python -m sslkit pretrain METHOD --seed SEED --steps STEPS --out FOLDER/METHOD-SEED` makes
them (MoCo with the settings SHARED of SimCLR), STEPS such that 460,800 images pass through the encoder, as in 900 steps of
SimCLR. What is missing is pretrained here (2 to 12 minutes a run), what is not finished goes on; with --found it is left out.
Judging takes about 40 seconds a run. With --only the rows of these methods are made and the others kept as --out has them; the
kept ones enter the CKA with the encoder of seed 0 that ships in data/encoders. With --first 1 these rows keep
their seed 0, and the seeds from 1 on are added. Three controls go into files of their own: --colour makes
results/compare_colour.json instead, SimCLR with views that leave colours alone, and --whole results/compare_whole.json, SimCLR
with views of full size from the first step on, both by the same judges; --layers results/compare_layers.json, how alike each
layer of SimCLR is to that of seed 1.

Two supervised networks stand beside them: the one of all scoreboards (500 steps), and one that sees as many images as the others.

One protocol for all rows, that of the scoreboard: features of the encoder in evaluation mode; kNN and linear probe (C chosen
on val) with the labels of 10,000 training images, few labels (three draws of ten a class); fine-tuning on ten labels a
class (one draw a seed; of an untrained network that is training from scratch); a ridge probe for each known factor (penalty chosen
on val); all on the test split, once a row. How far features move when one factor changes, on scenes drawn for it. Alignment
and uniformity of standardised features, and linear CKA (debiased) between rows, on val. Pixels have no seed.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import torch
from tables import cost, machine, save
from torch import Tensor

from sslkit.chapters import get, kind_of, methods, passes_of
from sslkit.chapters.compare.lineup import USUAL, untrained
from sslkit.chapters.compare.pictures import layer_by_layer
from sslkit.chapters.simclr import method as simclr
from sslkit.chapters.simclr.ablations import no_colour
from sslkit.datasets import load
from sslkit.datasets.controlled import scene_pairs
from sslkit.measures import alignment, cka, uniformity
from sslkit.nets import build_encoder, parameter_count
from sslkit.probes import features, finetune, pixels, standardise, supervised
from sslkit.probes.factors import read_factors, total_effect
from sslkit.probes.finetuning import evenly
from sslkit.probes.scores import LABELLED, judge
from sslkit.runs import load_encoder
from sslkit.train import Recipe, build, train

METHODS = [name for name in methods() if kind_of(name) == "images"]
BUDGET = 460_800  # image passes: 900 of SimCLR's steps
DRAWS, PER_CLASS, PAIRS = 3, 10, 1000
JUDGES = {"knn": "kNN", "linear_probe": "linear probe", "few_labels": "few labels", "effective_rank": "effective rank"}
SHARED = ("encoder", "optimizer", "lr", "weight_decay", "small_views")
FINE_TUNED = "fine-tuned, 10 labels"
SUPERVISED, AS_LONG = "supervised", "supervised, as long"
CONTROLS = {  # of SimCLR's views: {option: (what its row is called, changes of the recipe, of the method)}
    "colour": ("SimCLR, no colour changes", {}, no_colour),
    "whole": ("SimCLR, whole views", {"small_views": None}, None),
}


def recipe_of(name: str):
    """The laptop recipe with as many steps as the budget allows, and with the network and optimiser that most methods share where its
    own network is the older small one."""
    recipe, shared = get(name).RECIPES["laptop"], simclr.RECIPES["laptop"]
    if recipe.encoder == Recipe.encoder:
        recipe = recipe.but(**{setting: getattr(shared, setting) for setting in SHARED})
    return recipe.but(steps=BUDGET // (recipe.batch * passes_of(name)))


def trained(folder: Path, name: str, seed: int, data, found: bool) -> torch.nn.Module | None:
    """The encoder of a run; pretrained or trained on where need be, or None."""
    out = folder / f"{name}-{seed}"
    exists = (out / "checkpoint.pt").exists()
    if name == SUPERVISED:
        return supervised(build_encoder(USUAL), data, seed=seed)[0]
    if name == AS_LONG and found and not exists:
        return None
    if name == AS_LONG:
        return supervised(build_encoder(USUAL), data, seed=seed, steps=BUDGET // 128, out=out, resume=exists)[0]
    recipe = recipe_of(name)
    if exists:
        encoder, state = load_encoder(out)
        if state["step"] >= state["recipe"]["steps"]:
            passes = state["step"] * state["recipe"]["batch"] * passes_of(name)
            if passes != BUDGET or state["seed"] != seed or state["data"] != "scenes":
                raise ValueError(f"{out} is of {passes:,} passes, seed {state['seed']}, on {state['data']}")
            return encoder
    if found:
        return None
    module = get(name)
    method = build(module.METHOD, recipe, data.channels, seed)
    about = {"name": name, "data": data.name, "channels": data.channels, "size": 32, "scale": "laptop"}
    for _ in train(method, data.pretrain, recipe, seed=seed, out=out, resume=exists, about=about):
        pass
    return method.encoder.eval()


class Judges:
    """What all rows are judged on, drawn once."""

    def __init__(self):
        self.data = data = load("scenes")
        self.splits = [data.train[evenly(len(data.train), LABELLED)], data.val, data.test]
        self.views = simclr.simclr_views()(data.val.x.repeat(2, 1, 1, 1), torch.Generator().manual_seed(0)).chunk(2)
        self.scenes, self.changed = scene_pairs(PAIRS)

    @staticmethod
    def see(network, x: Tensor) -> Tensor:
        """What a network makes of images; their pixels for None."""
        return pixels(x) if network is None else features(network, x)

    def row(self, name: str, network, seed: int) -> tuple[dict, dict, dict, Tensor]:
        """Judges, factors read, factors that move, and val features, of an encoder; of the pixels for None."""
        see = partial(self.see, network)
        h = [see(split.x) for split in self.splits]
        draws = list(range(DRAWS * seed, DRAWS * (seed + 1)))
        scores = judge(name, h, [split.y for split in self.splits], draws, PER_CLASS)
        mean, scale = standardise(h[1])
        z1, z2 = ((see(view) - mean) / scale for view in self.views)
        row = {title: getattr(scores, key) for key, title in JUDGES.items()}
        if network is not None:
            row[FINE_TUNED] = finetune(network, self.data, PER_CLASS, seed).test
        row |= {"alignment": alignment(z1, z2), "uniformity": uniformity((h[1] - mean) / scale)}
        before = see(self.scenes)
        moves = {factor: total_effect(before, see(x)) for factor, x in self.changed.items()}
        return row, read_factors(h, self.splits), moves, h[1]


def core_seconds(name: str, recipe: Recipe, data) -> int:
    """What a run costs, in seconds of one core: small views and whole ones are timed apart, a few steps each."""

    def fresh() -> torch.nn.Module:
        return build(get(name).METHOD, recipe, data.channels)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    share = recipe.small_share if recipe.small_views else 0.0
    small, whole = (
        cost(fresh, data.train.x, recipe, small) if part else 0.0 for small, part in ((True, share), (False, 1 - share))
    )
    torch.set_num_threads(threads)
    return round(recipe.steps * (share * small + (1 - share) * whole))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--found", action="store_true", help="judge the finished runs that are there, pretrain nothing")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*METHODS, SUPERVISED, AS_LONG],
        metavar="METHOD",
        help="keep the other rows of --out",
    )
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="add seeds from this one on to these rows")
    parser.add_argument("--colour", action="store_true", help="SimCLR without colour changes alone, --seeds of it")
    parser.add_argument("--whole", action="store_true", help="SimCLR without small views alone, --seeds of it")
    parser.add_argument("--layers", action="store_true", help="SimCLR beside its seed 1 alone, layer by layer")
    parser.add_argument("--out", type=Path, default=Path("results/compare.json"))
    args = parser.parse_args()
    for option in CONTROLS:
        if getattr(args, option):
            return control(option, args.seeds)
    if args.layers:
        return layers(args.runs)
    if args.first and not args.only:
        parser.error("--first adds seeds to the rows that --only names")
    start, judges, seeds = time.perf_counter(), Judges(), range(args.seeds)
    before = json.loads(args.out.read_text()) if args.only else {}
    tables: dict[str, dict] = {name: before.get(name, {}) for name in ("rows", "read", "moved")}
    for name in args.only or []:
        there = len(tables["rows"]["kNN"].get(name, []))
        if not args.first:
            for table in [*tables["rows"].values(), tables["read"], tables["moved"]]:
                table.pop(name, None)
        elif there != args.first:
            parser.error(f"{args.out} has {there} seeds of {name}: --first {there} adds to them")
    kept = {(name, 0): judges.see(network, judges.data.val.x) for name, network in shipped(tables["read"]).items()}

    def add(name: str, network, seed: int) -> None:
        row, read, moves, kept[name, seed] = judges.row(name, network, seed)
        for judged, value in row.items():
            tables["rows"].setdefault(judged, {}).setdefault(name, []).append(round(value, 4))
        for table, values in (("read", read), ("moved", moves)):
            for factor, value in values.items():
                tables[table].setdefault(name, {}).setdefault(factor, []).append(round(value, 4))
        spoken = ", ".join(f"{judged} {value:.3f}" for judged, value in row.items())
        print(f"{time.perf_counter() - start:4.0f} s  seed {seed}  {name}: {spoken}", flush=True)

    if not args.only:
        add("pixels", None, 0)
    for seed in seeds[args.first :]:
        networks = {} if args.only else untrained_ones(seed)
        rows = args.only or [*METHODS, SUPERVISED, AS_LONG]
        networks |= {name: trained(args.runs, name, seed, judges.data, args.found) for name in rows}
        for name, encoder in networks.items():
            if encoder is not None:
                add(name, encoder, seed)
    order = ["pixels", *untrained_ones(0), *METHODS, SUPERVISED, AS_LONG]

    def ordered(table: dict) -> dict:
        return {name: table[name] for name in order if name in table}

    tables = {name: ordered(table) for name, table in tables.items() if name != "rows"} | {
        "rows": {judged: ordered(table) for judged, table in tables["rows"].items()}
    }
    names = [name for name in tables["read"] if (name, 0) in kept]
    made = set(args.only or names)
    alike = {
        a: {b: compared(kept, a, b, seeds) if made & {a, b} else before["cka"][a][b] for b in names} for a in names
    }
    result = {
        "command": f"python tests/benchmarks/run.py compare --runs FOLDER --seeds {args.seeds}",  # makes all, in one go
        "data": "scenes",
        "seeds": list(seeds),
        "passes": BUDGET,
        "labelled": LABELLED,
        "draws": DRAWS,
        "pairs": PAIRS,
        "methods": before["methods"]  # what a run costs is timed in one go
        if args.first or not set(args.only or METHODS) & set(METHODS)
        else {name: method_facts(name, judges.data) for name in METHODS if (name, 0) in kept},
        "seconds": round(time.perf_counter() - start),
        **machine(),
        **tables,
        "cka": alike,
    }
    save(args.out, result)


def control(option: str, seeds: int) -> None:
    """SimCLR at equal passes with one thing changed in its views: one of CONTROLS, by the judges of all rows."""
    called, settings, change = CONTROLS[option]
    judges, tables = Judges(), {"rows": {}, "read": {}, "moved": {}}
    recipe = recipe_of("simclr").but(**settings)
    about = {
        "command": f"python tests/benchmarks/run.py compare --runs FOLDER --{option} --seeds {seeds}",
        "data": "scenes",
        "core seconds": core_seconds("simclr", recipe, judges.data),
    }
    for seed in range(seeds):
        method = build(simclr.METHOD, recipe, judges.data.channels, seed)
        if change:
            change(method)
        for _ in train(method, judges.data.pretrain, recipe, seed=seed):
            pass
        *found, _ = judges.row(called, method.encoder.eval(), seed)
        for table, values in zip(tables.values(), found):
            for name, value in values.items():
                table.setdefault(name, []).append(round(value, 4))
        print(f"seed {seed}: {found}", flush=True)
        path = Path(f"results/compare_{option}.json")
        save(path, {**about, "seeds": list(range(seed + 1)), **machine(), **tables})


def layers(folder: Path) -> None:
    """CKA of SimCLR's seed 0 (as it ships) and 1, layer by layer, on the images of chapter 23."""
    data = load("scenes")
    networks = [load_encoder(Path("data/encoders/simclr_scenes.pt"))[0], trained(folder, "simclr", 1, data, False)]
    about = {"command": "python tests/benchmarks/run.py compare --runs FOLDER --layers", "data": "scenes"}
    alike = {k: round(value, 4) for k, value in layer_by_layer(*networks, data.val[1::2].x[:500]).items()}
    save(Path("results/compare_layers.json"), {**about, "seeds": [0, 1], **machine(), "CKA": alike})


def untrained_ones(seed: int) -> dict[str, torch.nn.Module]:
    """An untrained network of each kind that takes part, by the name of its row."""
    torch.manual_seed(seed)
    return dict(untrained(kind) for kind in dict.fromkeys([USUAL, *(recipe_of(name).encoder for name in METHODS)]))


def shipped(names) -> dict[str, torch.nn.Module | None]:
    """Networks of seed 0 of these rows, from the files that ship with the kit; None for the pixels."""
    fresh = untrained_ones(0) | {"pixels": None}
    files = {name: Path(f"data/encoders/{name}_scenes.pt") for name in names}
    there = {name: load_encoder(path)[0] for name, path in files.items() if path.exists()}
    return {name: (there | fresh)[name] for name in names if name in there | fresh}


def compared(kept: dict[tuple[str, int], Tensor], a: str, b: str, seeds) -> list[float]:
    """Debiased CKA of a's seed 0 with each seed of b, of itself with its other seeds alone where there are any."""
    others = [s for s in seeds if (b, s) in kept and (a, 0) != (b, s)] or [0]
    return [round(cka(kept[a, 0], kept[b, s], debiased=True), 4) for s in others]


def method_facts(name: str, data) -> dict:
    """The length of a method's run, its network, and what it costs."""
    recipe = recipe_of(name)
    facts = {
        "steps": recipe.steps,
        "batch": recipe.batch,
        "passes per image": passes_of(name),
        "encoder": recipe.encoder,
        "untrained": untrained(recipe.encoder)[0],
    }
    facts["parameters"] = parameter_count(build_encoder(recipe.encoder))
    return facts | {"core seconds": core_seconds(name, recipe, data)}
