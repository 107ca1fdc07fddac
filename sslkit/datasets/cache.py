"""What was read from a folder of many files, kept on disk, so that a second start takes seconds.

An entry's name is a hash of all that the result depends on: the settings, the formats that can be read, and of every file its path, length
and time of change. So an entry is never stale, and may be deleted at any time. Where nothing can be written, everything works without.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from .root import data_root, in_home

FEWEST = 1000  # files; fewer are read in no time
VERSION = 1  # to be raised when the same files would be read otherwise


def folder() -> Path:
    """Where entries are: SSLKIT_CACHE where it is set, else beside the downloads."""
    return in_home(os.environ.get("SSLKIT_CACHE") or data_root() / "cache")


def megabytes() -> float:
    """What all entries take on disk."""
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in folder().glob("*.pt")) / 1e6
    return 0.0


def entry(base: Path, files: list[str], settings: Any, listing: Any) -> Path | None:
    """The place of what is made of `files` (paths below `base`) with `settings`; listing: what else follows from which files there are
    (plain values both). None where it does not pay, or where a file cannot be looked at."""
    if len(files) < FEWEST:
        return None
    whose = hashlib.sha256(json.dumps([VERSION, str(base), settings]).encode()).hexdigest()[:16]
    what = hashlib.sha256(json.dumps(listing).encode())
    try:
        for file in files:
            about = os.stat(base / file)
            what.update(f"{file}\0{about.st_size}\0{about.st_mtime_ns}\0".encode("utf-8", "surrogatepass"))
    except OSError:
        return None
    return folder() / f"{whose}-{what.hexdigest()[:32]}.pt"


def load(path: Path | None) -> Any:
    """What was kept at a place; None where nothing (whole) is."""
    if path is None:
        return None
    try:
        return torch.load(path, weights_only=True)
    except Exception:  # a file that is cut off or foreign raises nearly anything
        return None


def save(path: Path | None, value: Any) -> None:
    """Keep plain values and tensors, whole or not at all, in place of what older states of the same folder gave."""
    if path is None:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(value, part)
        os.replace(part, path)
        for old in path.parent.glob(f"{path.name.partition('-')[0]}-*.pt"):
            if old != path:
                old.unlink(missing_ok=True)
    except (OSError, RuntimeError):  # no room, or no right to write: then the next start reads the files again
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
