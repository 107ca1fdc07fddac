"""Runs on disk: a finished one as a method again, its encoder alone, and a list of all that there are."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from sslkit import chapters, checkpoint
from sslkit.datasets.root import HOME, SHIPPED
from sslkit.nets import build_encoder
from sslkit.train import Recipe, device

READY = SHIPPED / "encoders"
PREFIX = "encoder."


def load_run(folder: str | Path, encoder: nn.Module | None = None) -> tuple[nn.Module, dict]:
    """The trained method of a run's folder (or of a checkpoint file) on this process's device, and the checkpoint it
    came from. encoder: a new network of the same architecture, for a run with one of the reader's own. ValueError, in
    words, for what is no such run."""
    path = checkpoint_file(folder)
    state = checkpoint.load(path)
    if "encoder" in state:
        raise ValueError(f"{folder} holds an encoder alone, without the rest of the method: read it with load_encoder")
    check_about(path, state)
    with checkpoint.in_words(path):
        make = chapters.get(state["name"]).METHOD
        method = on_device(make(made_encoder(folder, state, encoder), **state["recipe"].get("options", {})))
        checkpoint.check_matches(state, method=method)
        method.load_state_dict(state["model"])
    return method.eval(), state


def load_encoder(folder: str | Path, encoder: nn.Module | None = None) -> tuple[nn.Module, dict]:
    """The encoder of a run's folder, of a checkpoint file, or of a file that holds an encoder alone (as most of
    data/encoders do), in evaluation mode on this process's device, and the checkpoint it came from.

    Unlike load_run it needs no method of that name, only a network of that shape; encoder: such a network, for a run with
    one of the reader's own. ValueError where that does not fit.
    """
    path = checkpoint_file(folder)
    state = checkpoint.load(path)
    weights = state.get("encoder")
    if weights is None and isinstance(model := state.get("model"), dict):
        weights = {key[len(PREFIX) :]: v for key, v in model.items() if isinstance(key, str) and key.startswith(PREFIX)}
    if not weights:
        raise ValueError(f"{path} holds no encoder: train with `python -m sslkit pretrain`, or pass about= to train()")
    check_about(path, state)
    with checkpoint.in_words(path):
        network = on_device(made_encoder(folder, state, encoder))
        try:
            checkpoint.check_weights(weights, network)
        except ValueError as error:
            raise ValueError(f"{path} holds an encoder of another shape than this kit's: {error}") from error
        network.load_state_dict(weights)
    return network.eval(), state


def shelf(name: str, data: str = "scenes") -> nn.Module:
    """The encoder of a method that learned for about an hour and ships with the kit (tests/benchmarks/shelf.py)."""
    return load_encoder(READY / "shelf" / f"{name}_{data}.pt")[0]


def check_about(path: Path, state: dict) -> None:
    """ValueError unless a checkpoint says what it is of, in values that can be."""
    if missing := [key for key in ("name", "data", "channels", "recipe", "step") if key not in state]:
        raise ValueError(
            f"{path} does not say its {', '.join(missing)}: train with `python -m sslkit pretrain`, or pass about= to train()"
        )
    kinds = {"name": str, "data": str, "channels": int, "step": int, "network": str}
    for key, kind in kinds.items():
        if key in state and type(state[key]) is not kind:
            raise ValueError(f"{path} is no run of this kit: its {key} is {state[key]!r}")
    try:
        Recipe.read(state["recipe"])
    except ValueError as error:
        raise ValueError(f"{path} is no run of this kit: {error}") from error


def made_encoder(folder: str | Path, state: dict, given: nn.Module | None) -> nn.Module:
    """A new encoder of the kind that a checkpoint was trained with."""
    if given is not None:
        return given
    network = state.get("network", Recipe.read(state["recipe"]).encoder)
    if "network" in state and ":" not in network:
        raise ValueError(
            f"{folder} was trained with a network of your own, {network}: pass a new one of the kind, encoder=wrap({network}), with "
            "`wrap` of sslkit.nets"
        )
    return build_encoder(network, state["channels"])


def on_device(module: nn.Module) -> nn.Module:
    """The module on this process's device, its convolutions in the order that is faster."""
    return module.to(device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Run:
    """A finished run. name: the method's, as on the command line; data: what it was trained on; images: steps x batch;
    shipped: it came with the kit. `load_encoder(run.path)` reads it."""

    path: Path
    name: str
    data: str
    seed: int
    encoder: str
    steps: int
    batch: int
    shipped: bool

    @property
    def images(self) -> int:
        """How many images it was shown, each as often as it came."""
        return self.steps * self.batch

    @property
    def passes(self) -> int:
        """How many images went through an encoder in training."""
        return self.images * chapters.passes_of(self.name)


def all_runs(folder: str | Path | None = None, data: str | None = "scenes") -> tuple[list[Run], list[str]]:
    """The finished runs in a folder (runs/ of the kit), oldest first, after those that ship with the kit; and what was
    left out, as "path: reason".

    data: only runs on this set, None for all; runs on others are no mistake and are passed over in silence. A run that
    is broken, half written, not finished, or of a network that this kit does not know is left out, never an error.
    """
    folder = Path(folder) if folder is not None else HOME / "runs"
    shipped = sorted(READY.glob("*.pt"))
    mine = sorted(folder.rglob("checkpoint.pt"), key=written) if folder.is_dir() else []
    runs, left_out = [], []
    for path in [*shipped, *mine]:
        try:
            run = describe(path, path in shipped, data)
        except (ValueError, TypeError, KeyError, AttributeError, OSError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            left_out.append(f"{path}: {reason.removeprefix(str(path)).lstrip(': ')}")
            continue
        if run is not None:
            runs.append(run)
    return runs, left_out


def describe(path: Path, shipped: bool, data: str | None) -> Run | None:
    """The run in a checkpoint file, None for one on other data. ValueError for a run that is no use, and what a broken file makes it
    raise."""
    state = checkpoint.load(path)
    if data is not None and state.get("data") != data:
        if "data" in state:
            return None
        raise ValueError("it does not say on which data it was trained")
    _, state = load_encoder(path)  # proves that it can be read
    recipe = Recipe.read(state["recipe"])
    if state["step"] < recipe.steps:
        raise ValueError(f"not finished, step {state['step']} of {recipe.steps}")
    home = path if shipped else path.parent
    return Run(home, state["name"], state["data"], state["seed"], recipe.encoder, recipe.steps, recipe.batch, shipped)


def checkpoint_file(folder: str | Path) -> Path:
    """checkpoint.pt in a run's folder, or the file itself."""
    path = Path(folder)
    return path / "checkpoint.pt" if path.is_dir() or not path.suffix else path


def written(path: Path) -> float:
    """When a file was last written; 0 for one that has just gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
