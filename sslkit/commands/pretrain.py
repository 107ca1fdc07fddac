"""pretrain: stage one, a method learns from samples without labels."""

import argparse
import json
import re
import signal
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from sslkit import chapters, dist
from sslkit.commands.inputs import load_for_method
from sslkit.commands.options import data_options, seed
from sslkit.commands.processes import resuming, say
from sslkit.datasets import Dataset
from sslkit.plots import spread_words
from sslkit.progress import duration
from sslkit.train import SCALES, Recipe, Record, build, choose, chosen_precision, device, interrupts_wait, scale, train
from sslkit.train.hardware import keep_memory

OVERRIDES = [field for field in fields(Recipe) if field.name != "options"]
LOGGED = ("step", "loss", "lr", "seconds", "images_per_second", "spread", "rank")  # of a Record, where it has them
PAUSE = 5  # seconds of training between two lines


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("pretrain", help="stage one: train a method on images without labels")
    command.set_defaults(run=run)
    command.add_argument("method", help=", ".join(chapters.methods()))
    command.add_argument("--scale", choices=SCALES, help="default: by hardware, or SSLKIT_SCALE")
    command.add_argument("--out", type=Path, help="folder of the run (default runs/METHOD-DATA-SEED)")
    command.add_argument("--seed", type=seed, default=0)
    command.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    for override in OVERRIDES:
        kind = next(iter(get_args(override.type)), override.type)  # float | None: float
        command.add_argument(f"--{override.name.replace('_', '-')}", type=kind, help="overrides the recipe")
    data_options(command)


@dataclass(frozen=True)
class Plan:
    """What a command line asks for: a recipe, the data set (`source`: its name on the command line), the folder of the run."""

    recipe: Recipe
    source: str
    data: Dataset
    out: Path


def run(args: argparse.Namespace) -> int:
    """Train, print a line now and then, log each step in out/log.jsonl. Ctrl-C and SIGTERM (a cluster wants the machine) end
    it after the step in hand; then the exit code is 128 + the signal, as shells have it."""
    plan = planned(args)
    recipe, data, noun = plan.recipe, plan.data, plan.data.kind.noun
    method: Any = build(chapters.get(args.method).METHOD, recipe, data.kind.inputs, args.seed)
    chance = method.chance(min(recipe.batch, len(data.pretrain))) if hasattr(method, "chance") else None
    announce(args, plan)
    if device().type == "cpu" and dist.world() == 1:  # several processes share one memory
        keep_memory()
    printed, record, measured, logged = 0.0, None, None, dist.is_main()
    with interrupts_wait(signal.SIGINT, signal.SIGTERM) as asked:
        about = described(args, plan)
        for record in train(
            method, data.pretrain, recipe, seed=args.seed, out=plan.out, resume=args.resume, about=about, stop=asked
        ):
            logged = logged and log(plan.out / "log.jsonl", record)
            measured = record if record.spread is not None else measured
            if record.seconds - printed > PAUSE or record.step == record.steps:
                printed = record.seconds
                say(progress_line(record, chance, measured, noun))
    if measured:
        say(spread_words(measured))
    if record and record.step < record.steps:
        say(f"Kept in {plan.out}. Go on with: {resuming(args.given)}")
        return 128 + (asked() or signal.SIGTERM)
    say(f"Kept in {plan.out}. Judge it: python -m sslkit probe {plan.out}")
    return 0


def planned(args: argparse.Namespace) -> Plan:
    """The recipe of the scale with what the options override, and the data read; ValueError where the options do not fit
    together, or the folder of the run holds one already or, with --resume, none."""
    changes = {f.name: value for f in OVERRIDES if (value := getattr(args, f.name)) is not None}
    recipe = choose(chapters.get(args.method).RECIPES, args.scale).but(**changes)
    source = args.data or chapters.data_of(args.method)
    data_in_a_name = re.sub(r"[/:\\]", "_", source)  # folder:C:\photos too
    out = args.out or Path("runs") / f"{args.method}-{data_in_a_name}-{args.seed}"
    begun = (out / "checkpoint.pt").exists()
    if begun and not args.resume:
        raise ValueError(f"{out} holds a run already: add --resume to go on with it, or choose another --out")
    if args.resume and not begun:
        raise ValueError(
            f"there is no checkpoint in {out} to resume: leave --resume out, or name the run's folder with --out"
        )
    data = load_for_method(args, source)
    return Plan(recipe.but(options=recipe.options | data.kind.options), source, data, out)


def described(args: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """What the checkpoint keeps of a run beside its state, so that it can be judged without the options it was started with."""
    inputs, size = plan.data.kind.inputs, plan.data.train.x.shape[-1]
    about = {"name": args.method, "data": plan.source, "channels": inputs, "size": size, "scale": scale(args.scale)}
    if plan.data.tokenizer is not None:
        about["tokenizer"] = plan.data.tokenizer.state()  # a run can be read without the texts
    return about


def announce(args: argparse.Namespace, plan: Plan) -> None:
    """Print what is trained, on what, and where."""
    samples = f"{len(plan.data.pretrain):,} {plan.data.kind.noun}"
    say(f"{args.method} on {plan.data.name}: {samples}, {scale(args.scale)} scale, {dist.world()} process(es)")
    say(f"seed {args.seed}, {plan.recipe}")
    dtype, why = chosen_precision(device().type)
    say(f"{device()} in {str(dtype).removeprefix('torch.')}: {why}")


def progress_line(record: Record, chance: float | None, measured: Record | None, noun: str) -> str:
    """How far a run is; chance: the level of its loss, where it has one; measured: the last record with a spread."""
    level = f" (chance {chance:.3f})" if chance is not None else ""
    level += f"   spread {measured.spread:.2f}, rank {measured.rank:.1f}" if measured else ""
    return (
        f"step {record.step:6} of {record.steps}   loss {record.loss:.3f}{level}   "
        f"{record.images_per_second:,.0f} {noun}/s   {duration(record.seconds_left)} left"
    )


def log(path: Path, record: Record) -> bool:
    """Append a line with a record's numbers. False, after a message, where that fails: a run is worth more than its log."""
    line = {key: round(value, 6) for key in LOGGED if (value := getattr(record, key)) is not None}
    try:
        with open(path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return True
    except OSError as error:
        print(f"{path} cannot be written ({error.strerror}): the run goes on without its log.", file=sys.stderr)
        return False
