"""data: the list of data sets."""

import argparse
from typing import Any

from sslkit import datasets
from sslkit.datasets import cache


def add(commands: Any) -> None:
    """The command; it has no options."""
    command = commands.add_parser("data", help="list the data sets: what is on disk, sizes, licences")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print one line for each data set, and where data are kept."""
    print(f"{'name':14}{'where':14}{'MB':>7}{'classes':>9}   about")
    for info in datasets.available():
        about = info.about if info.licence in info.about else f"{info.about} · licence: {info.licence}"
        print(f"{info.name:14}{info.where:14}{info.megabytes:7.1f}{info.classes:9}   {about}")
    print(
        "folder:PATH   your own images\ntext:PATH     your own .txt files\nvideo:PATH    your own films, a file or a folder of frames\n"
        f"Downloads go to {datasets.data_root() / 'downloads'} (SSLKIT_DATA changes that). What was read "
        f"from large folders is kept in {cache.folder()} ({cache.megabytes():.1f} MB; safe to delete; SSLKIT_CACHE changes that)."
    )
