"""A run's encoder as a file for other programs: safetensors, ONNX, or PyTorch's own exported program."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from sslkit.checkpoint import checksum
from sslkit.interchange import package, write_safetensors
from sslkit.nets import architecture
from sslkit.runs import load_encoder

FORMATS = ("safetensors", "onnx", "pt2")
# Of a run, beside its weights.
KEPT = ("name", "data", "channels", "size", "recipe", "seed", "step", "scale", "network")


def export(run: str | Path, to: str, out: str | Path | None = None, encoder: nn.Module | None = None) -> Path:
    """Write the encoder of a run (see `load_encoder`; encoder: for one of the reader's own) to a file, and return its path.

    to "safetensors": the weights, with what it takes to build the network, so that `load_encoder` reads the file again.
    "onnx", "pt2": the whole computation, for ONNX runtimes and for torch.export.load: images float32 [N, C, H, W] in [0, 1]
    of the run's size, or tokens int64 [N, T] of its length, N from 1, to features float32 [N, D]. out: by default
    encoder.FORMAT beside the checkpoint. ValueError for an unknown format, or where a package is missing.
    """
    if to not in FORMATS:
        raise ValueError(f"no format {to!r}; there are {', '.join(FORMATS)}")
    for name in ("onnx", "onnxscript") if to == "onnx" else ():
        package(name)
    network, state = load_encoder(run, encoder)
    network = network.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    path = Path(out) if out else folder / f"encoder.{to}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if to == "safetensors":
        weights = dict(sorted(network.state_dict().items()))
        about = json.loads(json.dumps({key: state[key] for key in KEPT if key in state} | {"format": 1}))
        about["checksum"] = checksum({**{k: v for k, v in about.items() if k != "format"}, "encoder": weights})
        write_safetensors(path, weights, about)
        return path
    x, shapes = example(state), ({0: torch.export.Dim("batch", min=1)},)
    with quietly(), torch.no_grad():
        if to == "pt2":
            program = torch.export.export(network, (x,), dynamic_shapes=shapes)
            with open(path, "wb") as file:  # given a path that cannot be written, PyTorch raises a RuntimeError
                torch.export.save(program, file)
        else:
            torch.onnx.export(network, (x,), path, input_names=["input"], output_names=["features"], dynamo=True,
                              dynamic_shapes=shapes, external_data=False, verbose=False)  # fmt: skip
    return path


def example(state: dict) -> Tensor:
    """Two inputs of the kind and size that the encoder of a checkpoint was trained on."""
    size = state.get("size", 32)
    if architecture(state["recipe"].get("encoder", "small")).reads == "tokens":
        return torch.ones(2, size, dtype=torch.int64)
    return torch.rand(2, state["channels"], size, size)


@contextmanager
def quietly() -> Iterator[None]:
    """Without the exporters' remarks about their own versions."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
