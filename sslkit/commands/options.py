"""All commands and their options."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import get_args

from sslkit import chapters
from sslkit.export import FORMATS
from sslkit.train import SCALES, Recipe

OVERRIDES = [f for f in fields(Recipe) if f.name != "options"]


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog="python -m sslkit", description="Self-supervised learning from the command line."
    )
    commands = top.add_subparsers(
        dest="command", required=True, metavar="data | pretrain | probe | finetune | generate | export | explore"
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
    looking = commands.add_parser("explore", help="maps of what runs have learned, side by side, as one HTML page")
    looking.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of runs")
    looking.add_argument("--out", type=Path, default=Path("explorer.html"), help="the page (default explorer.html)")
    for command in (pretrain, probe, tune, looking):
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
    for command in (listing, pretrain, probe, tune, words, exporting, looking):
        command.set_defaults(parser=command)
    return top


def seed(words: str) -> int:
    """The number in --seed: one that fits into a random generator together with the step's."""
    if not -(2**32) < (number := int(words)) < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is too large: it takes one below {2**32:,}")
    return number
