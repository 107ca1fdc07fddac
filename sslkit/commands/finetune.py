"""finetune: what labels are worth to a run's encoder, beside the same network from scratch."""

import argparse
from pathlib import Path
from typing import Any

from sslkit.commands.inputs import load_for_run
from sslkit.commands.options import data_options
from sslkit.commands.processes import say
from sslkit.probes import finetune_report
from sslkit.runs import load_run


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser(
        "finetune", help="stage two: train a run's encoder on a few labels, beside one from scratch"
    )
    command.set_defaults(run=run)
    command.add_argument("path", type=Path, metavar="run", help="folder of a run, or a checkpoint")
    amount = command.add_mutually_exclusive_group()
    amount.add_argument("--per-class", type=int, default=10, help="labels of each class (default 10)")
    amount.add_argument("--all", action="store_true", help="all labels")
    command.add_argument("--seeds", type=int, default=3, help="choices of labels to average over")
    command.add_argument("--steps", type=int, default=120, help="optimiser steps of each training")
    command.add_argument("--out", type=Path, help="keep checkpoints in this folder")
    command.add_argument("--resume", action="store_true", help="go on from the checkpoints in --out")
    data_options(command)


def run(args: argparse.Namespace) -> None:
    """Print the accuracy of both, for each choice of labels as it is found, and their means."""
    method, state = load_run(args.path)
    data = load_for_run(args, state)
    if data.kind.judge != "scoreboard":
        raise ValueError(
            f"{data.name} holds {data.kind.noun}; fine-tuning takes images or text: name a set with --data"
        )
    if args.resume and args.out is None:
        raise ValueError("--resume goes on from checkpoints: name their folder with --out")
    per_class = None if args.all else args.per_class
    options = {"on_result": say, "out": args.out, "resume": args.resume, "steps": args.steps}
    say(finetune_report(method, data, per_class, range(args.seeds), **options))
