"""The data set that a command names, and whether a run can see it."""

import argparse
from typing import Any

from sslkit import chapters, datasets
from sslkit.datasets import cache
from sslkit.datasets.kinds import EXAMPLES, SPOKEN
from sslkit.tokenizer import BytePair


def load_data(args: argparse.Namespace, name: str, run: dict | None = None) -> datasets.Dataset:
    """The data set of --data, --size, --frames, --every and --limit; as the run of a checkpoint saw it: in its channels, a
    user's own images and films at its size, text in its tokens."""
    reads = run is not None and chapters.kind_of(run["name"]) == "tokens"
    if run and reads != datasets.is_text(name):
        raise another_kind(run, name, "images or clips" if reads else "text")
    if run and reads:
        tokenizer = BytePair.from_state(said(run, "tokenizer"))
        return datasets.load(name, limit=args.limit, tokenizer=tokenizer, context=said(run, "size"))
    channels, size = run["channels"] if run else None, args.size
    if run and size is None and name.startswith(("folder:", "video:")):
        size = said(run, "size")
    options = {"size": size, "frames": args.frames, "every": args.every}
    options = {option: value for option, value in options.items() if value is not None}
    return datasets.load(name, limit=args.limit, channels=channels, **options)


def said(run: dict, key: str) -> Any:
    """What a checkpoint says under a key; ValueError where train() was not told it."""
    if key not in run:
        raise ValueError(
            f"the run does not say its {key}: train with `python -m sslkit pretrain`, or pass it in about= to train()"
        )
    return run[key]


def check_kind(state: dict, data: datasets.Dataset) -> None:
    """ValueError for films where a run can see images alone."""
    if data.kind.name == "clips" and chapters.kind_of(state["name"]) != "clips":
        raise another_kind(state, data.name, data.kind.noun)


def another_kind(state: dict, name: str, noun: str) -> ValueError:
    """What is wrong where a run cannot see the samples of a set."""
    wanted = chapters.kind_of(state["name"])
    learned = f"{state['name']} learned from {SPOKEN.get(wanted, wanted)}"
    return ValueError(f"{learned}, and {name} holds {noun}: try --data {EXAMPLES[wanted]}")


def list_data() -> None:
    """One line per data set."""
    print(f"{'name':14}{'where':14}{'MB':>7}{'classes':>9}   about")
    for info in datasets.available():
        about = info.about if info.licence in info.about else f"{info.about} · licence: {info.licence}"
        print(f"{info.name:14}{info.where:14}{info.megabytes:7.1f}{info.classes:9}   {about}")
    print(
        "folder:PATH   your own images\ntext:PATH     your own .txt files\nvideo:PATH    your own films, a file or a folder of frames\n"
        f"Downloads go to {datasets.data_root() / 'downloads'} (SSLKIT_DATA changes that). What was read "
        f"from large folders is kept in {cache.folder()} ({cache.megabytes():.1f} MB; safe to delete; SSLKIT_CACHE changes that)."
    )
