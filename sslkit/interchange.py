"""Weights in the safetensors format, which other programs read: tensors, and a note beside them."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

from torch import Tensor

NOTE = "sslkit"  # the name under which a file of the kit keeps what network the weights are of


def write_safetensors(path: Path, weights: dict[str, Tensor], about: dict) -> None:
    """Write weights, and `about` (plain values) beside them."""
    content = package("safetensors.torch").save(weights, {NOTE: json.dumps(about), "format": "pt"})
    path.write_bytes(content)  # its own save_file raises a SafetensorError where a file cannot be written


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """The weights in a file, by name, and what the kit wrote beside them. ValueError for a broken file, or another program's."""
    safetensors = package("safetensors")
    try:
        with safetensors.safe_open(path, "pt") as file:
            note = (file.metadata() or {}).get(NOTE)
            weights = {key: file.get_tensor(key) for key in sorted(file.keys())}
        about = json.loads(note) if note is not None else None
    except (safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    if not isinstance(about, dict):
        raise ValueError(
            f"{path} holds weights, but not what network they are of: it was not written by `sslkit export`"
        )
    return weights, about


def package(name: str) -> ModuleType:
    """A package that the kit itself does not need; ValueError where it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        missing = name.split(".")[0]
        raise ValueError(f"this format needs {missing}, which is not installed: pip install {missing}") from error
