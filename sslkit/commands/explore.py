"""explore: maps of what runs have learned, as one HTML page."""

import argparse
from pathlib import Path
from typing import Any

import torch

from sslkit import plots
from sslkit.commands.inputs import load_for_run
from sslkit.commands.options import data_options
from sslkit.probes import backbone, features, reinitialised
from sslkit.runs import load_run

IMAGES = 1000  # of the validation split


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("explore", help="maps of what runs have learned, side by side, as one HTML page")
    command.set_defaults(run=run)
    command.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of runs")
    command.add_argument("--out", type=Path, default=Path("explorer.html"), help="the page (default explorer.html)")
    data_options(command)


def run(args: argparse.Namespace) -> None:
    """Write the page, an untrained network's map and one for each run, and print where it is."""
    from sslkit.widgets import embedding_explorer  # widgets take a second to import, which only this needs

    runs = [load_run(folder) for folder in args.runs]
    first, state = runs[0]
    data = load_for_run(args, state).judged
    if data.kind.name != "images":
        raise ValueError(f"{data.name} holds {data.kind.noun}: the explorer shows images")
    split = data.val[torch.from_numpy(plots.subsample(len(data.val), IMAGES))]
    found = {"untrained": features(reinitialised(backbone(first)), split.x)}
    for method, state in runs:
        name = f"{state['name']}, {state['step']:,} steps"
        while name in found:
            name += "'"
        found[name] = features(method, split.x)
    factors = {name: values for name, values in split.factors.items() if name != "emoji" and values.ndim == 1}
    title = f"{len(split):,} images of {data.name}: what each network takes to be alike"
    explorer = embedding_explorer(found, split.x, split.y, data.classes, split.names, title=title, factors=factors)
    print(f"{explorer.save(args.out)}: open it in a browser; it needs no network")
