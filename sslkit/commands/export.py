"""export: a run's encoder as a file for other programs."""

import argparse
from pathlib import Path
from typing import Any

from sslkit.export import FORMATS, export


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("export", help="write a run's encoder to a file for other programs")
    command.set_defaults(run=run)
    command.add_argument("path", type=Path, metavar="run", help="folder of a run, or a checkpoint")
    command.add_argument("--to", choices=FORMATS, required=True, help="weights alone, or the whole computation")
    command.add_argument("--out", type=Path, help="the file (default RUN/encoder.FORMAT)")


def run(args: argparse.Namespace) -> None:
    """Write the file, and print where it is and how large."""
    path = export(args.path, args.to, args.out)
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")
