"""probe: what the features of a run are worth."""

import argparse
from pathlib import Path
from typing import Any

from sslkit.commands.inputs import load_for_run
from sslkit.commands.options import data_options
from sslkit.probes import report
from sslkit.runs import load_run


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("probe", help="stage two: judge a run's encoder with labels")
    command.set_defaults(run=run)
    command.add_argument("path", type=Path, metavar="run", help="folder of a run")
    command.add_argument("--seeds", type=int, default=5, help="label subsets and untrained encoders to average over")
    data_options(command)


def run(args: argparse.Namespace) -> None:
    """Print the scoreboard."""
    method, state = load_run(args.path)
    print(report(method, load_for_run(args, state), state["name"], range(args.seeds)))
