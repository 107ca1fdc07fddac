"""Checkpoints: state dicts and plain values, written so that a crash leaves the last good one, read without
unpickling code."""

import hashlib
import os
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor, nn

from sslkit.interchange import read_safetensors

FORMAT = 1


def save(path: str | Path, state: dict) -> None:
    """Write `state` (tensors and plain values, nested) to `path`, all or nothing, with a checksum of all of it.

    It goes to a new file in the same folder, is forced to disk, and takes the old one's place in one step: a process
    that is killed at any moment leaves either the old checkpoint or the new one. What a killed process left behind is
    removed here. TypeError, which names it, for a value that `load` would refuse; OSError where the disk is full or the
    folder cannot be written to.
    """
    path = Path(path)
    check_plain(state)
    whole = {"format": FORMAT, "checksum": checksum(state), **state}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".{path.name}.*"):
            leftover.unlink(missing_ok=True)
        replace_by(path, whole)
    except (OSError, RuntimeError) as error:  # PyTorch's writer raises RuntimeError when the disk is full
        kept = "The one from before is still there, whole" if path.is_file() else "Nothing is saved there yet"
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise OSError(
            f"the checkpoint could not be written to {path} ({reason}). {kept}. Make room, or see that the folder can be written to, "
            "then resume; or start again with another folder"
        ) from error


def replace_by(path: Path, state: dict) -> None:
    """Put a file with this state in the place of `path`, in one step."""
    name = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(name, "wb") as file:
            torch.save(state, file)
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


def checksum(state: dict) -> str:
    """SHA-256 of all names, values, shapes and numbers of a state, in order."""
    digest = hashlib.sha256()

    def feed(value: Any) -> None:
        if isinstance(value, Tensor):
            digest.update(f"{value.dtype} {list(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        elif isinstance(value, dict | list | tuple):
            digest.update(f"{type(value).__name__[-4:]} {len(value)}".encode())  # an OrderedDict is a Dict
            for inner in value.items() if isinstance(value, dict) else value:
                feed(inner)
        else:
            digest.update(f"{value!r};".encode())

    feed(state)
    return digest.hexdigest()


def check_plain(value: Any, where: str = "the checkpoint") -> None:
    """TypeError unless value is a tensor or a plain value, or nests them in dicts, lists and tuples; `where` leads to
    it."""
    if type(value) in (dict, OrderedDict):
        for key, inner in value.items():
            check_plain(key, f"a key of {where}")
            check_plain(inner, f"{where}[{key!r}]")
    elif type(value) in (list, tuple):
        for i, inner in enumerate(value):
            check_plain(inner, f"{where}[{i}]")
    elif isinstance(value, Tensor) and (value.is_meta or value.layout != torch.strided or value.is_quantized):
        raise TypeError(
            f"{where} is a tensor of another kind (meta, sparse or quantised): a checkpoint keeps plain ones"
        )
    elif type(value) not in (Tensor, nn.Parameter, str, int, float, bool, type(None)):
        raise TypeError(
            f"{where} is a {type(value).__name__}: a checkpoint keeps tensors and plain values alone, so that it can be "
            "read without running code"
        )


def load(path: str | Path) -> dict:
    """The state in `path` (.safetensors: an encoder that `sslkit export` wrote), on the CPU. Only tensors and plain values
    are read, never code (weights_only=True).

    FileNotFoundError where there is none; ValueError for a broken file, one that holds anything else, or one that a newer
    kit wrote.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    if path.suffix == ".safetensors":
        weights, about = read_safetensors(path)
        return verified(path, {**about, "encoder": weights})
    try:
        whole = zipfile.is_zipfile(path)  # torch.save writes zip files; a cut one has lost its directory
    except zipfile.BadZipFile:
        whole = False
    if not whole:
        raise ValueError(
            f"{path} is not a checkpoint of this kit, or was cut off while it was copied: fetch it again, or train again"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError("it is compressed, as no checkpoint is")  # a small file could fill the memory
            damaged = archive.testzip()  # torch does not look at the checksums that it writes
        if damaged:
            raise ValueError(f"{damaged} is damaged: its checksum is wrong")
        state = torch.load(path, map_location="cpu", weights_only=True)
        check_plain(state)
    except Exception as error:
        reason = " ".join(str(error).split())
        if "weights_only" in reason:  # PyTorch's own message goes on to advise loading it all the same
            reason = "it holds something else, which could run code. Do not load it by other means"
        raise ValueError(
            f"{path} is not a readable checkpoint of this kit (tensors and plain values; nothing else is loaded): {shorten(reason, 300)}"
        ) from error
    return verified(path, state)


def verified(path: Path, state: Any) -> dict:
    """The state, unless its format is not the kit's, or its checksum not that of what it holds: then ValueError."""
    version = state.get("format") if isinstance(state, dict) else None
    if not isinstance(version, int):
        raise ValueError(f"{path} holds tensors, but is not a checkpoint of this kit")
    if version > FORMAT:
        raise ValueError(f"{path} is of format {version}, this kit reads up to {FORMAT}: update the kit")
    written = state.pop("checksum", None)  # the first ones had none
    if written is not None and written != checksum({key: value for key, value in state.items() if key != "format"}):
        raise ValueError(
            f"{path} is damaged: its numbers are not those that were written. Fetch it again, or train again"
        )
    return state


@contextmanager
def in_words(path: str | Path) -> Iterator[None]:
    """Whatever a forged or foreign checkpoint makes the block raise, as a ValueError that names the file."""
    try:
        yield
    except (ValueError, OSError):  # their messages say what is wrong
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {shorten(' '.join(str(error).split()), 300)}"
        raise ValueError(f"{path} is not a run that this kit can read: {reason}") from error


def check_matches(state: dict, *, method: nn.Module, settings: dict | None = None) -> None:
    """ValueError unless the checkpoint is of this method, with weights of the same names and shapes, and (where given) of
    the same settings: a resumed run with another recipe or seed would be neither the one nor the other."""
    name = type(method).__name__
    if state.get("method") != name:
        raise ValueError(f"the checkpoint is of the method {state.get('method')}, not of {name}")
    check_weights(state.get("model"), method)
    for key, value in (settings or {}).items():
        then = state.get(key)
        if isinstance(value, dict) and isinstance(then, dict):  # what else an older kit wrote into it does no harm
            changed = [f"{k} {short(then.get(k))} then, {short(v)} now" for k, v in value.items() if then.get(k) != v]
            difference = f"another {key}: {', '.join(changed)}" if changed else ""
        else:
            difference = f"{key} {then!r}, not {value!r}" if then != value else ""
        if difference:
            raise ValueError(f"the run was started with {difference}. Resume it as it was, or start a new run")


def short(value: Any) -> str:
    """A value as Python writes it, cut to 60 characters."""
    return shorten(repr(value), 60)


def check_weights(theirs: Any, network: nn.Module) -> None:
    """ValueError unless these are tensors of the names, shapes and kinds of the network's."""
    if not isinstance(theirs, dict) or not all(isinstance(value, Tensor) for value in theirs.values()):
        raise ValueError("the checkpoint holds no network: it has no 'model' of tensors")
    mine = network.state_dict()
    reshaped = [key for key in mine if key in theirs and mine[key].shape != theirs[key].shape]
    different = [
        f"{key}: {list(theirs[key].shape)} in the checkpoint, {list(mine[key].shape)} here" for key in reshaped
    ]
    different += [f"{key}: only here" for key in mine if key not in theirs]
    different += [f"{key}: only in the checkpoint" for key in theirs if key not in mine]
    if different:
        more = f" (and {len(different) - 3} more)" if len(different) > 3 else ""
        raise ValueError(f"the checkpoint's network has another shape: {'; '.join(different[:3])}{more}")
    for key, value in mine.items():
        if theirs[key].is_floating_point() != value.is_floating_point() or theirs[key].is_complex():
            raise ValueError(f"the checkpoint's {key} holds {theirs[key].dtype}, the network's {value.dtype}")
