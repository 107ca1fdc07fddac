"""The image files of a folder read into splits: what each holds, which split it belongs to, what is left out and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

from sslkit.progress import progress

from .images import UnreadableImage, check_image, decode_all, pool
from .listing import Sample
from .splits import split_by_key

Parts = dict[str, list[Sample]]


@dataclass(frozen=True)
class Reading:
    """How files become splits.

    size, channels  of the images: pixels of a side; 3 (RGB) or 1 (grey)
    val, test, seed the shares of the two splits where the folder has none, and which files they are
    memory_gb       images are kept in memory (uint8) up to this, else streamed from the files
    workers         threads that decode (see images.pool)
    """

    size: int = 32
    channels: int = 3
    val: float = 0.1
    test: float = 0.2
    seed: int = 0
    memory_gb: float = 2.0
    workers: int | None = None

    def streams(self, count: int) -> bool:
        """Whether `count` images are too many for memory."""
        return count * self.channels * self.size**2 > self.memory_gb * 1e9


def read_files(folder: Path, parts: Parts, reading: Reading, streamed: bool) -> dict[str, Any]:
    """What the files hold, as plain values: the names, labels and images of each split, the classes, and what was left out."""
    paths = [path for samples in parts.values() for path, _ in samples]
    keys, unreadable = _keys(folder, paths, streamed, reading.workers)
    parts = {part: [sample for sample in samples if sample[0] in keys] for part, samples in parts.items()}
    parts, copies = _held_out(_cut(parts, keys, reading), keys)
    classes = sorted({label for samples in parts.values() for _, label in samples if label is not None})
    skipped, splits = unreadable + copies, {}
    for part, samples in parts.items():
        files = [folder / path for path, _ in samples]
        x, failed = (None, {}) if streamed else decode_all(files, reading.size, reading.channels, reading.workers)
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


def _keys(folder: Path, paths: list[str], check: bool, workers: int | None) -> tuple[dict[str, bytes], list[str]]:
    """{path: content_key}, and "path: reason" for what cannot be read or, with `check`, is not a complete image."""
    show = progress("looking at files", len(paths), "files")

    def look(path: str) -> bytes | str:
        try:
            if check:
                check_image(folder / path)
            return content_key(folder / path)
        except (UnreadableImage, OSError) as error:
            return str(error)

    keys, unreadable = {}, []
    for start in range(0, len(paths), 4096):
        chunk = paths[start : start + 4096]
        for path, key in zip(chunk, pool(workers).map(look, chunk)):
            if isinstance(key, bytes):
                keys[path] = key
            else:
                unreadable.append(f"{path}: {key}")
        show(start + len(chunk))
    return keys, unreadable


def _cut(parts: Parts, keys: dict[str, bytes], reading: Reading) -> Parts:
    """The same samples as train, val, test (and unlabelled), whatever splits there were."""
    parts = dict(parts)
    if "val" in parts and "test" not in parts:
        parts["test"] = parts.pop("val")
    samples = parts.pop("all", None) or parts.pop("train", [])
    val, test = (0.0 if part in parts else share for part, share in (("val", reading.val), ("test", reading.test)))
    cut = split_by_key([keys[path] for path, _ in samples], val, test, reading.seed)
    for part, index in zip(("train", "val", "test"), cut):
        parts.setdefault(part, [samples[i] for i in index.tolist()])
    return parts


def _held_out(parts: Parts, keys: dict[str, bytes]) -> tuple[Parts, list[str]]:
    """The samples without those files of val, train and unlabelled whose content test, or test and val, hold too; and
    "path: a copy of another" for these."""
    parts, skipped, held = dict(parts), [], {keys[path]: path for path, _ in parts["test"]}
    for part in ("val", "train", "unlabelled"):
        samples = parts.get(part, [])
        copies = {path: held[keys[path]] for path, _ in samples if keys[path] in held}
        skipped += [f"{path}: a copy of {other}" for path, other in copies.items()]
        if part in parts:
            parts[part] = [sample for sample in samples if sample[0] not in copies]
        if part == "val":
            held |= {keys[path]: path for path, _ in parts[part]}
    return parts, skipped
