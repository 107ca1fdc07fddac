"""Options that several commands have."""

import argparse


def data_options(command: argparse.ArgumentParser) -> None:
    """Those that name a data set, and how much of it: what inputs.py loads."""
    command.add_argument(
        "--data",
        help="a data set's name, folder:PATH, text:PATH or video:PATH (default: scenes, or what the method is made for; what the "
        "run saw)",
    )
    command.add_argument("--size", type=int, help="working resolution in pixels, for sets of larger images")
    command.add_argument("--frames", type=int, help="frames of a clip, for sets of films")
    command.add_argument("--every", type=int, help="keep every Nth frame of a film, for video:PATH")
    command.add_argument("--limit", type=int, help="use at most N samples of each split")


def seed(words: str) -> int:
    """The number in --seed: one that fits into a random generator together with the step's."""
    if not -(2**32) < (number := int(words)) < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is too large: it takes one below {2**32:,}")
    return number
