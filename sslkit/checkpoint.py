"""Checkpoints: state dicts and plain values, written so that a crash leaves the last good one, read without
unpickling code."""

import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from textwrap import shorten

import torch
from torch import Tensor, nn

FORMAT = 1


def save(path: str | Path, state: dict) -> None:
    """Write `state` (tensors and plain values, nested) to `path`, all or nothing.

    It goes to a new file in the same folder, is forced to disk, and takes the old one's place in one step: a process
    that is killed at any moment leaves either the old checkpoint or the new one. What a killed process left behind is
    removed here. TypeError for a value that `load` would refuse, which names it.
    """
    path = Path(path)
    check_plain(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)
    name = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(name, "wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name itself must reach the disk; Windows cannot open folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def check_plain(value, where: str = "the checkpoint") -> None:
    """TypeError unless value is a tensor or a plain value, or nests them in dicts, lists and tuples; `where` leads to
    it."""
    if type(value) in (dict, OrderedDict):
        for key, inner in value.items():
            check_plain(key, f"a key of {where}")
            check_plain(inner, f"{where}[{key!r}]")
    elif type(value) in (list, tuple):
        for i, inner in enumerate(value):
            check_plain(inner, f"{where}[{i}]")
    elif type(value) not in (Tensor, nn.Parameter, str, int, float, bool, type(None)):
        raise TypeError(
            f"{where} is a {type(value).__name__}: a checkpoint keeps tensors and plain values alone, so that it can be "
            "read without running code"
        )


def load(path: str | Path) -> dict:
    """The state in `path`, on the CPU. Only tensors and plain values are read, never code (weights_only=True).

    FileNotFoundError where there is none; ValueError in words for a broken file, one that holds anything else, or one
    that a newer kit wrote.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    if not zipfile.is_zipfile(path):  # torch.save writes zip files; a cut one has lost its directory
        raise ValueError(
            f"{path} is no checkpoint of this kit, or was cut off while it was copied: fetch it again, or train again"
        )
    try:
        with zipfile.ZipFile(path) as archive:  # torch does not look at the checksums that it writes
            damaged = archive.testzip()
        if damaged:
            raise ValueError(f"{damaged} is damaged: its checksum is wrong")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} is not a readable checkpoint of this kit (tensors and plain values; nothing else is loaded): {error}"
        ) from error
    version = state.get("format") if isinstance(state, dict) else None
    if not isinstance(version, int):
        raise ValueError(f"{path} holds tensors, but is no checkpoint of this kit")
    if version > FORMAT:
        raise ValueError(f"{path} is of format {version}, this kit reads up to {FORMAT}: update the kit")
    return state


def check_matches(state: dict, *, method: nn.Module, settings: dict | None = None) -> None:
    """ValueError in words unless the checkpoint is of this method, with weights of the same names and shapes, and
    (where given) of the same settings: a resumed run with another recipe or seed would be neither the one nor the
    other."""
    name = type(method).__name__
    if state.get("method") != name:
        raise ValueError(f"the checkpoint is of the method {state.get('method')}, not of {name}")
    mine, theirs = method.state_dict(), state.get("model")
    if not isinstance(theirs, dict):
        raise ValueError("the checkpoint holds no network: it has no 'model'")
    different = [f"{key}: {list(theirs[key].shape)} in the checkpoint, {list(mine[key].shape)} here"
                 for key in mine if key in theirs and mine[key].shape != theirs[key].shape]  # fmt: skip
    different += [f"{key}: only here" for key in mine if key not in theirs] + [
        f"{key}: only in the checkpoint" for key in theirs if key not in mine
    ]
    if different:
        more = f" (and {len(different) - 3} more)" if len(different) > 3 else ""
        raise ValueError(f"the checkpoint's network has another shape: {'; '.join(different[:3])}{more}")
    for key, value in (settings or {}).items():
        if state.get(key) == value:
            continue
        if isinstance(value, dict) and isinstance(state.get(key), dict):
            changed = [
                f"{k} {shorten(repr(state[key].get(k)), 60)} then, {shorten(repr(v), 60)} now"
                for k, v in value.items()
                if state[key].get(k) != v
            ]
            raise ValueError(
                f"the run was started with another {key}: {', '.join(changed)}. Resume it as it was, or start a new run"
            )
        raise ValueError(
            f"the run was started with {key} {state.get(key)!r}, not {value!r}. Resume it as it was, or start a new run"
        )
