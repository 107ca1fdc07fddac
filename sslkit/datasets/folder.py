"""`folder:PATH`: a user's own images, in class folders, in split folders, or just images."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

from sslkit.progress import progress

from . import cache
from .contract import Dataset, Split
from .images import UnreadableImage, check_image, decode_all, formats, pool
from .listing import Sample, arrange, image_files, suffixes_of
from .root import in_home
from .splits import split_by_key
from .streamed import StreamedImages

SIZE = 32
FEWEST = 3  # images per class: one for each split


def load(
    path: str | Path,
    *,
    size: int | None = None,
    root: Path | None = None,
    channels: int = 3,
    labelled: bool | None = None,
    val: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    memory_gb: float = 2.0,
    workers: int | None = None,
) -> Dataset:
    """The images in the folder `path` and below, at `size` x `size` (32): shorter side resized, middle kept.

    Classes are the folders on the first level; fewer than two, or `labelled=False`, means no labels (y None,
    classes []). First-level folders train, val and test are used as such, `unlabelled` for pretraining only;
    a missing val is taken out of train, and of train and val alone val becomes the test split, as ImageNet's.
    Otherwise a hash of a file's content decides on its split, in the fractions `val` and `test` on average:
    no file changes its split when others are added or it is renamed, and copies of a file stay together.
    Frames of one video or pictures of one object are no copies: part those by folders train, val and test.

    channels    3 (RGB) or 1 (grey). Transparency is laid on mid grey.
    memory_gb   kept in memory (uint8) up to this, else streamed from the files by `workers` threads
    root        where a relative `path` is looked for too

    Unreadable files, and copies of what val or test holds, are left out: a warning tells, `dataset.skipped`
    lists them. Raises FileNotFoundError, NotADirectoryError or ValueError where nothing can be learnt.
    """
    if not str(path).strip():
        raise ValueError("name the folder that holds your images, as in folder:/home/me/photos")
    folder = _find(in_home(path), root)
    paths, problems = image_files(folder)
    if not paths:
        raise ValueError(f"{folder} holds no image files (.jpg, .png, .webp, .tif ...), but {suffixes_of(folder)}")
    try:
        parts, misplaced = arrange(paths, labelled)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error
    return from_samples(
        f"folder:{path}", folder, parts, val=val, test=test, seed=seed, skipped=problems + misplaced,
        size=size or SIZE, channels=channels, memory_gb=memory_gb, workers=workers,
    )  # fmt: skip


def from_samples(
    name: str,
    folder: Path,
    parts: dict[str, list[Sample]],
    *,
    size: int,
    channels: int = 3,
    val: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    memory_gb: float = 2.0,
    workers: int | None = None,
    about: str = "",
    skipped: list[str] | None = None,
) -> Dataset:
    """A Dataset of files under `folder`, listed as listing.arrange does; other arguments as in `load`."""
    count = sum(map(len, parts.values()))
    streamed = count * channels * size**2 > memory_gb * 1e9
    paths = [path for samples in parts.values() for path, _ in samples]
    settings, readable = [size, channels, val, test, seed, streamed], formats()  # pillow-heif may be there by now
    place = cache.entry(folder, paths, settings, [parts, skipped, readable])
    found = cache.load(place)
    if found is None:
        found = _read(folder, parts, paths, size, channels, val, test, seed, streamed, workers)
        cache.save(place, found)
    classes, skipped = found["classes"], [*(skipped or []), *found["skipped"]]
    splits = {
        part: Split(
            StreamedImages([folder / name for name in one["names"]], size, channels, workers) if streamed else one["x"],
            one["y"],
            names=one["names"],
        )
        for part, one in found["splits"].items()
    }
    if skipped:
        shown = "\n  ".join(skipped[:3])
        warnings.warn(
            f"{name}: {len(skipped)} of {count} files are left out (all are in dataset.skipped):\n  {shown}",
            stacklevel=3,
        )
    _check_counts(folder, splits, classes, skipped)
    about = about or (
        f"your images in {folder}, {size} x {size}"
        + (f", {len(classes)} classes" if classes else ", without labels: for pretraining")
    )
    train, val_, test_ = (splits[part] for part in ("train", "val", "test"))
    return Dataset(name, train, val_, test_, classes, splits.get("unlabelled"), about, skipped)


def _read(
    folder: Path,
    parts: dict[str, list[Sample]],
    paths: list[str],
    size: int,
    channels: int,
    val: float,
    test: float,
    seed: int,
    streamed: bool,
    workers: int | None,
) -> dict[str, Any]:
    """What the files hold, as plain values: the names, labels and images of each split, the classes, and what was left out."""
    skipped: list[str] = []
    keys = _keys(folder, paths, streamed, workers, skipped)
    parts = {part: [s for s in samples if s[0] in keys] for part, samples in parts.items()}
    parts = _held_out(_cut(parts, keys, val, test, seed), keys, skipped)
    classes = sorted({label for samples in parts.values() for _, label in samples if label is not None})
    splits: dict[str, dict[str, Any]] = {}
    for part, samples in parts.items():
        x, failed = (
            (None, {}) if streamed else decode_all([folder / path for path, _ in samples], size, channels, workers)
        )
        skipped += [f"{samples[i][0]}: {reason}" for i, reason in sorted(failed.items())]
        keep = [i for i in range(len(samples)) if i not in failed]
        labels = [classes.index(str(samples[i][1])) for i in keep] if classes and part != "unlabelled" else None
        splits[part] = {
            "x": x[keep] if failed and x is not None else x,
            "y": None if labels is None else torch.tensor(labels, dtype=torch.int64),
            "names": [samples[i][0] for i in keep],
        }
    return {"splits": splits, "classes": classes, "skipped": skipped}


def content_key(path: Path) -> bytes:
    """16 bytes that are equal for equal files. Of a file over 4 MB: its length and three pieces of 1 MB."""
    piece, length = 1 << 20, os.path.getsize(path)
    digest = blake2b(b"%d:" % length, digest_size=16)
    with open(path, "rb") as file:
        if length <= 4 * piece:
            digest.update(file.read())
        else:
            for start in (0, length // 2, length - piece):
                file.seek(start)
                digest.update(file.read(piece))
    return digest.digest()


def _find(path: Path, root: Path | None) -> Path:
    for folder in [path] if root is None or path.is_absolute() else [path, root / path]:
        if folder.is_dir():
            return folder.resolve()
        if folder.exists():
            raise NotADirectoryError(f"{folder} is a file: unpack it, and name the folder of the images")
    raise FileNotFoundError(f"there is no folder {path}" + (f" in {Path.cwd()}" * (not path.is_absolute())))


def _keys(folder: Path, paths: list[str], check: bool, workers: int | None, skipped: list[str]) -> dict[str, bytes]:
    """{path: content_key}; what cannot be read, or with `check` is no complete image, goes to `skipped`."""
    show = progress("looking at files", len(paths), "files")

    def look(path: str) -> bytes | str:
        try:
            if check:
                check_image(folder / path)
            return content_key(folder / path)
        except (UnreadableImage, OSError) as error:
            return str(error)

    keys = {}
    for start in range(0, len(paths), 4096):
        chunk = paths[start : start + 4096]
        for path, key in zip(chunk, pool(workers).map(look, chunk)):
            if isinstance(key, bytes):
                keys[path] = key
            else:
                skipped.append(f"{path}: {key}")
        show(start + len(chunk))
    return keys


def _cut(
    parts: dict[str, list[Sample]], keys: dict[str, bytes], val: float, test: float, seed: int
) -> dict[str, list[Sample]]:
    """The same samples as train, val, test (and unlabelled), whatever splits there were."""
    parts = dict(parts)
    if "val" in parts and "test" not in parts:
        parts["test"] = parts.pop("val")
    samples = parts.pop("all", None) or parts.pop("train", [])
    cut = split_by_key(
        [keys[path] for path, _ in samples], 0.0 if "val" in parts else val, 0.0 if "test" in parts else test, seed
    )
    for part, index in zip(("train", "val", "test"), cut):
        parts.setdefault(part, [samples[i] for i in index.tolist()])
    return parts


def _held_out(parts: dict[str, list[Sample]], keys: dict[str, bytes], skipped: list[str]) -> dict[str, list[Sample]]:
    """Without those files of val, train and unlabelled whose content test, or test and val, hold too."""
    parts, held = dict(parts), {keys[path]: path for path, _ in parts["test"]}
    for part in ("val", "train", "unlabelled"):
        samples = parts.get(part, [])
        copies = {path: held[keys[path]] for path, _ in samples if keys[path] in held}
        skipped += [f"{path}: a copy of {other}" for path, other in copies.items()]
        if part in parts:
            parts[part] = [sample for sample in samples if sample[0] not in copies]
        if part == "val":
            held |= {keys[path]: path for path, _ in parts[part]}
    return parts


def _check_counts(folder: Path, splits: dict[str, Split], classes: list[str], skipped: list[str]) -> None:
    sizes = {part: len(split) for part, split in splits.items()}
    first = f"; the first of {len(skipped)} problems is {skipped[0]}" if skipped else ""
    if not sum(sizes.values()):
        raise ValueError(f"no file in {folder} can be read as an image{first}")
    if not classes:
        if not sizes["train"]:
            raise ValueError(f"{folder} holds too few images to train on: {sizes}{first}")
        return
    labels = {part: y.tolist() for part in ("train", "val", "test") if (y := splits[part].y) is not None}
    counts = {part: Counter(found) for part, found in labels.items()}
    totals = {label: sum(c[i] for c in counts.values()) for i, label in enumerate(classes)}
    few = [f"{label} ({n})" for label, n in totals.items() if n < FEWEST]
    few = few or [f"{label} (none in train)" for i, label in enumerate(classes) if not counts["train"][i]]
    if few:
        raise ValueError(
            f"{folder}: a class needs {FEWEST} images at least, there are {', '.join(few[:5])}. "
            f"Add some, or load with labelled=False if the folders are not classes{first}"
        )
    if empty := [part for part in ("val", "test") if not sizes[part]]:
        raise ValueError(
            f"{folder}: too few images for a {' and a '.join(empty)} split ({sizes}). Add some, "
            "or make folders train, val and test yourself"
        )
    for part in ("val", "test"):
        if missing := [label for i, label in enumerate(classes) if not counts[part][i]]:
            warnings.warn(
                f"{folder}: {part} shows no image of {', '.join(missing[:5])}; with so few images, "
                "make folders train, val and test yourself",
                stacklevel=4,
            )
