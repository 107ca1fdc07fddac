"""explore: maps of what runs have learned, as one HTML page."""

import argparse

import torch

from sslkit import plots
from sslkit.commands.data import check_kind, load_data
from sslkit.probes import backbone, features, reinitialised
from sslkit.runs import load_run
from sslkit.widgets import embedding_explorer

IMAGES = 1000  # of the validation split


def explore(args: argparse.Namespace) -> None:
    """Write the page, and say where it is: an untrained network's map, and one for each run."""
    runs = [load_run(folder) for folder in args.runs]
    first, state = runs[0]
    data = load_data(args, args.data or state["data"], state).judged
    if data.kind.name != "images":
        raise ValueError(f"{data.name} holds {data.kind.noun}: the explorer shows images")
    split = data.val[torch.from_numpy(plots.subsample(len(data.val), IMAGES))]
    found = {"untrained": features(reinitialised(backbone(first)), split.x)}
    for method, state in runs:
        check_kind(state, data)
        name = f"{state['name']}, {state['step']:,} steps"
        while name in found:
            name += "'"
        found[name] = features(method, split.x)
    factors = {name: values for name, values in split.factors.items() if name != "emoji" and values.ndim == 1}
    title = f"{len(split):,} images of {data.name}: what each network takes to be alike"
    explorer = embedding_explorer(found, split.x, split.y, data.classes, split.names, title=title, factors=factors)
    print(f"{explorer.save(args.out)}: open it in a browser; it needs no network")
