"""The command line: python -m sslkit data | pretrain METHOD | probe RUN | finetune RUN | generate RUN "prompt" |
export RUN. Under
torchrun, pretrain and finetune use all processes."""

import argparse
import json
import os
import shlex
import signal
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch

from sslkit import chapters, datasets, dist
from sslkit.datasets.kinds import EXAMPLES, SPOKEN
from sslkit.export import FORMATS, export
from sslkit.plots import duration, spread_words
from sslkit.probes import finetune_report, report
from sslkit.runs import load_run
from sslkit.tokenizer import BytePair
from sslkit.train import SCALES, Recipe, Record, build, choose, chosen_precision, device, interrupts_wait, scale, train

LOGGED = ("step", "loss", "lr", "seconds", "images_per_second", "spread", "rank")  # of a Record, where it has them
OVERRIDES = [f for f in fields(Recipe) if f.name != "options"]


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog="python -m sslkit", description="Self-supervised learning from the command line."
    )
    commands = top.add_subparsers(
        dest="command", required=True, metavar="data | pretrain | probe | finetune | generate | export"
    )

    listing = commands.add_parser("data", help="list the data sets: what is on disk, sizes, licences")
    pretrain = commands.add_parser("pretrain", help="stage one: train a method on images without labels")
    pretrain.add_argument("method", help=", ".join(chapters.methods()))
    pretrain.add_argument("--scale", choices=SCALES, help="default: by hardware, or SSLKIT_SCALE")
    pretrain.add_argument("--out", type=Path, help="folder of the run (default runs/METHOD-DATA-SEED)")
    pretrain.add_argument("--seed", type=seed, default=0)
    pretrain.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    for override in OVERRIDES:
        kind = next(iter(get_args(override.type)), override.type)  # float | None: float
        pretrain.add_argument(f"--{override.name.replace('_', '-')}", type=kind, help="overrides the recipe")

    probe = commands.add_parser("probe", help="stage two: judge a run's encoder with labels")
    probe.add_argument("run", type=Path, help="folder of a run")
    probe.add_argument("--seeds", type=int, default=5, help="label subsets and untrained encoders to average over")
    tune = commands.add_parser(
        "finetune", help="stage two: train a run's encoder on a few labels, beside one from scratch"
    )
    tune.add_argument("run", type=Path, help="folder of a run, or a checkpoint")
    amount = tune.add_mutually_exclusive_group()
    amount.add_argument("--per-class", type=int, default=10, help="labels of each class (default 10)")
    amount.add_argument("--all", action="store_true", help="all labels")
    tune.add_argument("--seeds", type=int, default=3, help="choices of labels to average over")
    tune.add_argument("--steps", type=int, default=120, help="optimiser steps of each training")
    tune.add_argument("--out", type=Path, help="keep checkpoints in this folder")
    tune.add_argument("--resume", action="store_true", help="go on from the checkpoints in --out")
    for command in (pretrain, probe, tune):
        command.add_argument(
            "--data",
            help="a data set's name, folder:PATH, text:PATH or video:PATH (default: scenes, or what the method is made for; what the "
            "run saw)",
        )
        command.add_argument("--size", type=int, help="working resolution in pixels, for sets of larger images")
        command.add_argument("--frames", type=int, help="frames of a clip, for sets of films")
        command.add_argument("--every", type=int, help="keep every Nth frame of a film, for video:PATH")
        command.add_argument("--limit", type=int, help="use at most N samples of each split")
    words = commands.add_parser("generate", help="let a run of gpt go on with a text")
    words.add_argument("run", type=Path, help="folder of a run")
    words.add_argument(
        "prompt", nargs="?", default="", help="what to go on with (default: the start of a new document)"
    )
    words.add_argument("--tokens", type=int, default=100, help="how many to add at most")
    words.add_argument("--temperature", type=float, default=0.8, help="0: always the likeliest token")
    words.add_argument("--top-k", type=int, help="choose among the K likeliest tokens")
    words.add_argument("--top-p", type=float, help="choose among the likeliest that have this share together")
    words.add_argument("--seed", type=seed, default=0)
    exporting = commands.add_parser("export", help="write a run's encoder to a file for other programs")
    exporting.add_argument("run", type=Path, help="folder of a run, or a checkpoint")
    exporting.add_argument("--to", choices=FORMATS, required=True, help="weights alone, or the whole computation")
    exporting.add_argument("--out", type=Path, help="the file (default RUN/encoder.FORMAT)")
    for command in (listing, pretrain, probe, tune, words, exporting):
        command.set_defaults(parser=command)
    return top


def seed(words: str) -> int:
    """The number in --seed: one that fits into a random generator together with the step's."""
    if not -(2**32) < (number := int(words)) < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is too large: it takes one below {2**32:,}")
    return number


def load_data(args: argparse.Namespace, name: str, run: dict | None = None) -> datasets.Dataset:
    """The data set of --data, --size, --frames, --every and --limit; as the run of a checkpoint saw it: in its channels, a
    user's own images and films at its size, text in its tokens."""
    if run and ("tokenizer" in run) != datasets.is_text(name):
        raise another_kind(run, name, "images or clips" if "tokenizer" in run else "text")
    if run and "tokenizer" in run:
        tokenizer = BytePair.from_state(run["tokenizer"])
        return datasets.load(name, limit=args.limit, tokenizer=tokenizer, context=run["size"])
    channels, size = (run["channels"], run["size"]) if run else (None, None)
    if args.size is not None or not name.startswith(("folder:", "video:")):
        size = args.size
    options = {"size": size, "frames": args.frames, "every": args.every}
    options = {option: value for option, value in options.items() if value is not None}
    return datasets.load(name, limit=args.limit, channels=channels, **options)


def list_data() -> None:
    """One line per data set."""
    print(f"{'name':14}{'where':14}{'MB':>7}{'classes':>9}   about")
    for info in datasets.available():
        about = info.about if info.licence in info.about else f"{info.about} · licence: {info.licence}"
        print(f"{info.name:14}{info.where:14}{info.megabytes:7.1f}{info.classes:9}   {about}")
    print(
        f"folder:PATH   your own images\nDownloads go to {datasets.data_root() / 'downloads'} (SSLKIT_DATA changes that)."
    )


def go_on(given: list[str]) -> str:
    """The command that resumes the run of these arguments, with as many processes."""
    words = shlex.join([*given, *(["--resume"] if "--resume" not in given else [])])
    if dist.world() == 1:
        return f"python -m sslkit {words}"
    if int(os.environ.get("GROUP_WORLD_SIZE", 1)) > 1:
        return f"your torchrun command on all machines, that is, ... -m sslkit {words}"
    return f"torchrun --standalone --nproc-per-node {dist.world()} -m sslkit {words}"


def pretrain(args: argparse.Namespace) -> int:
    """Train, print a line now and then, log each to out/log.jsonl. Ctrl-C and SIGTERM (a cluster wants the machine) end
    it after the step in hand; then the exit code is 128 + the signal, as shells have it."""
    module = chapters.get(args.method)
    changes = {f.name: getattr(args, f.name) for f in OVERRIDES if getattr(args, f.name) is not None}
    recipe = choose(module.RECIPES, args.scale).but(**changes)
    args.data = args.data or chapters.data_of(args.method)
    out = args.out or Path("runs") / f"{args.method}-{args.data.replace('/', '_').replace(':', '_')}-{args.seed}"
    if (out / "checkpoint.pt").exists() and not args.resume:
        raise ValueError(f"{out} holds a run already: add --resume to go on with it, or choose another --out")
    if args.resume and not (out / "checkpoint.pt").exists():
        raise ValueError(
            f"there is no checkpoint in {out} to resume: leave --resume out, or name the run's folder with --out"
        )
    data = load_data(args, args.data)
    kind, wanted = data.kind, chapters.kind_of(args.method)
    if kind.name != wanted:
        raise ValueError(
            f"{args.method} learns from {SPOKEN.get(wanted, wanted)}, and {args.data} holds {kind.noun}: try --data {EXAMPLES[wanted]}"
        )
    recipe = recipe.but(options=recipe.options | kind.options)
    method: Any = build(module.METHOD, recipe, kind.inputs, args.seed)
    chance = method.chance(min(recipe.batch, len(data.pretrain))) if hasattr(method, "chance") else None
    about = {
        "name": args.method,
        "data": args.data,
        "channels": kind.inputs,
        "size": data.train.x.shape[-1],
        "scale": scale(args.scale),
    }
    if data.tokenizer is not None:
        about["tokenizer"] = data.tokenizer.state()  # a run can be read without the texts
    say = print if dist.is_main() else (lambda *_, **__: None)
    say(
        f"{args.method} on {data.name}: {len(data.pretrain):,} {kind.noun}, {about['scale']} scale, {dist.world()} process(es)"
    )
    say(f"seed {args.seed}, {recipe}")
    dtype, why = chosen_precision(device().type)
    say(f"{device()} in {str(dtype).removeprefix('torch.')}: {why}")
    spoken, record, seen = 0.0, None, None
    logged = dist.is_main()
    with interrupts_wait(signal.SIGINT, signal.SIGTERM) as asked:
        for record in train(
            method, data.pretrain, recipe, seed=args.seed, out=out, resume=args.resume, about=about, stop=asked
        ):
            logged = logged and log(out / "log.jsonl", record)
            seen = record if record.spread is not None else seen
            if record.seconds - spoken > 5 or record.step == record.steps:
                spoken = record.seconds
                level = f" (chance {chance:.3f})" if chance is not None else ""
                level += f"   spread {seen.spread:.2f}, rank {seen.rank:.1f}" if seen else ""
                say(f"step {record.step:6} of {record.steps}   loss {record.loss:.3f}{level}   "
                    f"{record.images_per_second:,.0f} {kind.noun}/s   {duration(record.seconds_left)} left", flush=True)  # fmt: skip
    if seen:
        say(spread_words(seen))
    if record and record.step < record.steps:
        say(f"Kept in {out}. Go on with: {go_on(args.given)}")
        return 128 + (asked() or signal.SIGTERM)
    say(f"Kept in {out}. Judge it: python -m sslkit probe {out}")
    return 0


def log(path: Path, record: Record) -> bool:
    """Append a line with a record's numbers; False, once it is said, where that fails: a run is worth more than its log."""
    line = {key: round(value, 6) for key in LOGGED if (value := getattr(record, key)) is not None}
    try:
        with open(path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return True
    except OSError as error:
        print(f"{path} cannot be written ({error.strerror}): the run goes on without its log.", file=sys.stderr)
        return False


def probe(args: argparse.Namespace) -> None:
    """Print what the features of a run are worth."""
    method, state = load_run(args.run)
    data = load_data(args, args.data or state["data"], state)
    check_kind(state, data)
    print(report(method, data, state["name"], range(args.seeds)))


def check_kind(state: dict, data: datasets.Dataset) -> None:
    """ValueError for films where a run can see images alone."""
    if data.kind.name == "clips" and chapters.kind_of(state["name"]) != "clips":
        raise another_kind(state, data.name, data.kind.noun)


def another_kind(state: dict, name: str, noun: str) -> ValueError:
    """What is wrong where a run cannot see the samples of a set."""
    wanted = chapters.kind_of(state["name"])
    learned = f"{state['name']} learned from {SPOKEN.get(wanted, wanted)}"
    return ValueError(f"{learned}, and {name} holds {noun}: try --data {EXAMPLES[wanted]}")


def finetune(args: argparse.Namespace) -> None:
    """Print what labels are worth: a run's encoder fine-tuned, and the same network from scratch."""
    method, state = load_run(args.run)
    data = load_data(args, args.data or state["data"], state)
    check_kind(state, data)
    if data.kind.judge != "scoreboard":
        raise ValueError(
            f"{data.name} holds {data.kind.noun}; fine-tuning takes images or text: name a set with --data"
        )
    per_class = None if args.all else args.per_class
    if args.resume and args.out is None:
        raise ValueError("--resume goes on from checkpoints: name their folder with --out")
    say = partial(print, flush=True) if dist.is_main() else (lambda *_: None)
    options = {"on_result": say, "out": args.out, "resume": args.resume, "steps": args.steps}
    say(finetune_report(method, data, per_class, range(args.seeds), **options))


def generate(args: argparse.Namespace) -> None:
    """Print the prompt and what a run of GPT makes of it, until it ends the document."""
    method, state = load_run(args.run)
    module = chapters.get(state["name"])
    if not hasattr(module, "generate"):
        raise ValueError(f"{args.run} is a run of {state['name']}, which writes no text: pretrain gpt")
    if args.tokens < 0:
        raise ValueError(f"--tokens {args.tokens}: it takes 0 or more")
    if not (args.temperature == 0 or 0.001 <= args.temperature <= 1000):
        raise ValueError(f"--temperature {args.temperature}: it takes 0, or a number from 0.001 to 1000")
    tokenizer, generator = BytePair.from_state(state["tokenizer"]), torch.Generator(device()).manual_seed(args.seed)
    prompt = torch.tensor([tokenizer.encode(args.prompt)], dtype=torch.int64)
    knobs = {"temperature": args.temperature, "top_k": args.top_k, "top_p": args.top_p, "end": tokenizer.end}
    written = module.generate(method, prompt, args.tokens, generator, **knobs)[0, prompt.shape[1] :].tolist()
    print(
        args.prompt + tokenizer.decode(written[: written.index(tokenizer.end)] if tokenizer.end in written else written)
    )


def write_encoder(args: argparse.Namespace) -> None:
    """Export a run's encoder, and say where it is."""
    path = export(args.run, args.to, args.out)
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors that a user can mend are said in a line, without a traceback."""
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        args.parser.error(f"no option {' '.join(unknown)}; the options are listed above")
    args.given = sys.argv[1:] if argv is None else argv
    dist.init()
    try:
        commands = {"data": lambda _: list_data(), "pretrain": pretrain, "probe": probe, "finetune": finetune}
        commands |= {"generate": generate, "export": write_encoder}
        return commands[args.command](args) or 0
    except (ValueError, OSError, FloatingPointError) as error:
        lost = isinstance(error, ConnectionError) and dist.world() > 1
        print(f"python -m sslkit {args.command}: {error}" + f" Go on with: {go_on(args.given)}" * lost, file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"python -m sslkit {args.command}: {str(error) or 'stopped'}", file=sys.stderr)
        return 128 + signal.SIGINT
    except RuntimeError as error:  # ahead of the first step; train() has its own words for it
        if not dist.is_lost(error):
            raise
        print(
            f"python -m sslkit {args.command}: another process is gone, so process {dist.rank()} ends.", file=sys.stderr
        )
        return 2
    finally:
        dist.finish()


if __name__ == "__main__":
    sys.exit(main())
