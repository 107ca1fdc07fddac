"""Whether a reader's own files are enough to learn from, and what to tell of them."""

from __future__ import annotations

from pathlib import Path

import torch

from .contract import Dataset, Split

FEWEST = 3  # images of a class: one for each split


def check_counts(folder: Path, splits: dict[str, Split], classes: list[str], skipped: list[str]) -> None:
    """ValueError unless there are images to train on and, where there are classes, some of each: in all, and in train."""
    sizes = {part: len(split) for part, split in splits.items()}
    first = f"; the first of {len(skipped)} problems is {skipped[0]}" if skipped else ""
    if not sum(sizes.values()):
        raise ValueError(f"no file in {folder} can be read as an image{first}")
    if not sizes["train"] and not classes:
        raise ValueError(f"{folder} holds too few images to train on: {sizes}{first}")
    counts = {part: per_class(splits[part], classes) for part in ("train", "val", "test")}
    totals = {label: sum(numbers) for label, *numbers in zip(classes, *counts.values())}
    few = [f"{label} ({n})" for label, n in totals.items() if n < FEWEST]
    few = few or [f"{label} (none in train)" for label, n in zip(classes, counts["train"]) if not n]
    if few:
        raise ValueError(
            f"{folder}: each class needs at least {FEWEST} images, one of them in train; too few: {', '.join(few[:5])}. "
            f"Add some, or load with labelled=False if the folders are not classes{first}"
        )
    if classes and (empty := [part for part in ("val", "test") if not sizes[part]]):
        raise ValueError(
            f"{folder}: too few images for a {' and a '.join(empty)} split ({sizes}). Add some, "
            "or make folders train, val and test yourself"
        )


def remarks(data: Dataset) -> list[str]:
    """What was left out of a reader's own files, and the classes of images that val or test lacks: a sentence each."""
    found = []
    if data.skipped:
        count = f"{len(data.skipped)} {'files are' if len(data.skipped) > 1 else 'file is'}"
        lines = [f"{data.name}: {count} left out, wholly or in part (data.skipped lists all):", *data.skipped[:3]]
        found.append("\n  ".join(lines))
    for part in ("val", "test") if data.kind.name == "images" else ():
        counts = per_class(data.splits[part], data.classes)
        if missing := [label for label, n in zip(data.classes, counts) if not n]:
            found.append(
                f"{data.name}: {part} shows no image of {', '.join(missing[:5])}; with so few images, make folders train, "
                "val and test yourself"
            )
    return found


def per_class(split: Split, classes: list[str]) -> list[int]:
    """How many samples of each class a split holds; [] without labels."""
    return [] if split.y is None else torch.bincount(split.y, minlength=len(classes)).tolist()
