"""The command line: python -m sslkit data | pretrain METHOD | probe RUN. Under torchrun, pretrain uses all
processes."""

import argparse
import json
import os
import sys
from dataclasses import fields
from pathlib import Path

from sslkit import datasets, dist, methods
from sslkit.plots import duration
from sslkit.probes import clip_report, scoreboard
from sslkit.runs import load_run
from sslkit.train import SCALES, Recipe, build, choose, scale, train

OVERRIDES = [f for f in fields(Recipe) if f.name != "options"]


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog="python -m sslkit", description="Self-supervised learning from the command line."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="data | pretrain | probe")

    listing = commands.add_parser("data", help="list the data sets: what is on disk, sizes, licences")
    pretrain = commands.add_parser("pretrain", help="stage one: train a method on images without labels")
    pretrain.add_argument("method", help=", ".join(methods.names()))
    pretrain.add_argument("--scale", choices=SCALES, help="default: by hardware, or SSLKIT_SCALE")
    pretrain.add_argument("--out", type=Path, help="folder of the run (default runs/METHOD-DATA-SEED)")
    pretrain.add_argument("--seed", type=int, default=0)
    pretrain.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    for override in OVERRIDES:
        pretrain.add_argument(f"--{override.name.replace('_', '-')}", type=override.type, help="overrides the recipe")

    probe = commands.add_parser("probe", help="stage two: judge a run's encoder with labels")
    probe.add_argument("run", type=Path, help="folder of a run")
    probe.add_argument("--seeds", type=int, default=5, help="label subsets and untrained encoders to average over")
    for command in (pretrain, probe):
        command.add_argument(
            "--data",
            help="a data set's name, folder:PATH or video:PATH (default: scenes, or what the method is made for; what the "
            "run saw)",
        )
        command.add_argument("--size", type=int, help="working resolution in pixels, for sets of larger images")
        command.add_argument("--frames", type=int, help="frames of a clip, for sets of films")
        command.add_argument("--every", type=int, help="take each so-manyth frame of a film, for video:PATH")
        command.add_argument("--limit", type=int, help="use only so many images of each split")
    for command in (listing, pretrain, probe):
        command.set_defaults(parser=command)
    return top


def load_data(
    args: argparse.Namespace, name: str, channels: int | None = None, size: int | None = None
) -> datasets.Dataset:
    """The data set of --data, --size, --frames, --every and --limit; a user's own images and films by default at `size`,
    that of the run."""
    size = args.size or (size if name.startswith(("folder:", "video:")) else None)
    options = {"size": size, "frames": args.frames, "every": args.every}
    options = {option: value for option, value in options.items() if value}
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


def pretrain(args: argparse.Namespace) -> None:
    """Train, print a line now and then, log each to out/log.jsonl."""
    module = methods.get(args.method)
    changes = {f.name: getattr(args, f.name) for f in OVERRIDES if getattr(args, f.name) is not None}
    recipe = choose(module.RECIPES, args.scale).but(**changes)
    args.data = args.data or getattr(module, "DATA", "scenes")
    out = args.out or Path("runs") / f"{args.method}-{args.data.replace('/', '_').replace(':', '_')}-{args.seed}"
    if (out / "checkpoint.pt").exists() and not args.resume:
        raise ValueError(f"{out} holds a run already: add --resume to go on with it, or choose another --out")
    if args.resume and not (out / "checkpoint.pt").exists():
        raise ValueError(
            f"there is no checkpoint in {out} to resume: leave --resume out, or name the run's folder with --out"
        )
    data = load_data(args, args.data)
    method = build(module.METHOD, recipe, data.channels, args.seed)
    chance = method.chance(min(recipe.batch, len(data.pretrain)))
    about = {
        "name": args.method,
        "data": args.data,
        "channels": data.channels,
        "size": data.train.x.shape[-1],
        "scale": scale(args.scale),
    }
    say = print if dist.is_main() else (lambda *_, **__: None)
    things = "clips" if data.train.x.ndim == 5 else "images"
    say(
        f"{args.method} on {data.name}: {len(data.pretrain):,} {things}, {about['scale']} scale, {dist.world()} process(es)"
    )
    say(f"seed {args.seed}, {recipe}")
    if dist.is_main():
        out.mkdir(parents=True, exist_ok=True)
    records = train(method, data.pretrain, recipe, seed=args.seed, out=out, resume=args.resume, about=about)
    told = 0.0
    with open(out / "log.jsonl" if dist.is_main() else os.devnull, "a", buffering=1) as log:  # a line at a time
        for record in records:
            line = {
                key: round(getattr(record, key), 6) for key in ("step", "loss", "lr", "seconds", "images_per_second")
            }
            log.write(json.dumps(line) + "\n")
            if record.seconds - told > 5 or record.step == record.steps:
                told = record.seconds
                say(f"step {record.step:6} of {record.steps}   loss {record.loss:.3f} (chance {chance:.3f})   "
                    f"{record.images_per_second:,.0f} images/s   {duration(record.seconds_left)} left", flush=True)  # fmt: skip
    say(f"Kept in {out}. Judge it: python -m sslkit probe {out}")


def probe(args: argparse.Namespace) -> None:
    """Print the scoreboard of a run; keep its rows in run/scores.jsonl."""
    method, state = load_run(args.run)
    name = args.data or state["data"]
    data = load_data(args, name, state["channels"], state["size"])
    if data.train.x.ndim == 5:
        print(clip_report(method, data, state["name"]))
        return
    board = scoreboard(method, data, name=state["name"], seeds=range(args.seeds))
    print(board)
    board.save(args.run / "scores.jsonl")


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors that a user can mend are said in a line, without a traceback."""
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        args.parser.error(f"no option {' '.join(unknown)}; the options are listed above")
    dist.init()
    try:
        {"data": lambda _: list_data(), "pretrain": pretrain, "probe": probe}[args.command](args)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"python -m sslkit {args.command}: {error}", file=sys.stderr)
        return 2
    finally:
        dist.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
