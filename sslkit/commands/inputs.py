"""The data set that a command names (see options.data_options), and whether a method or a run can see it."""

import argparse
from typing import Any

from sslkit import chapters, datasets
from sslkit.datasets.kinds import EXAMPLES, SPOKEN
from sslkit.tokenizer import BytePair


def load_for_method(args: argparse.Namespace, name: str) -> datasets.Dataset:
    """The data set `name`, for METHOD to learn from; ValueError where it holds samples of another kind."""
    check_text(args.method, "learns", name)
    data = datasets.load(name, limit=args.limit, **reading_options(args))
    if data.kind.name != chapters.kind_of(args.method):
        raise wrong_kind(args.method, "learns", name, data.kind.noun)
    return data


def load_for_run(args: argparse.Namespace, run: dict) -> datasets.Dataset:
    """The data set of --data, or else the run's own, as the run of a checkpoint saw it: in its channels, a user's own images
    and films at its size, text in its tokens. ValueError where the run cannot see such samples."""
    name, learner = args.data or run["data"], run["name"]
    check_text(learner, "learned", name)
    if chapters.kind_of(learner) == "tokens":
        tokenizer = BytePair.from_state(required(run, "tokenizer"))
        return datasets.load(name, limit=args.limit, tokenizer=tokenizer, context=required(run, "size"))
    options = reading_options(args)
    if "size" not in options and name.startswith(("folder:", "video:")):
        options["size"] = required(run, "size")
    data = datasets.load(name, limit=args.limit, channels=run["channels"], **options)
    if data.kind.name == "clips" and chapters.kind_of(learner) != "clips":
        raise wrong_kind(learner, "learned", name, data.kind.noun)
    return data


def reading_options(args: argparse.Namespace) -> dict[str, int]:
    """--size, --frames and --every, where they are given."""
    return {key: value for key in ("size", "frames", "every") if (value := getattr(args, key)) is not None}


def required(run: dict, key: str) -> Any:
    """What a checkpoint holds under a key; ValueError where train() was not told it."""
    if key not in run:
        raise ValueError(
            f"the run does not say its {key}: train with `python -m sslkit pretrain`, or pass it in about= to train()"
        )
    return run[key]


def check_text(learner: str, verb: str, name: str) -> None:
    """ValueError where a set is text and a method takes something else, or the other way round: before a minute goes into
    reading it."""
    reads = chapters.kind_of(learner) == "tokens"
    if datasets.is_text(name) != reads:
        raise wrong_kind(learner, verb, name, "images or clips" if reads else "text")


def wrong_kind(learner: str, verb: str, name: str, noun: str) -> ValueError:
    """The error for a method that "learns", or a run that "learned", from another kind of samples than a set holds."""
    wanted = chapters.kind_of(learner)
    return ValueError(
        f"{learner} {verb} from {SPOKEN.get(wanted, wanted)}, and {name} holds {noun}: try --data {EXAMPLES[wanted]}"
    )
