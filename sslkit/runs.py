"""A finished run on disk, as a method again."""

from pathlib import Path

from torch import nn

from sslkit import checkpoint, methods
from sslkit.train import Recipe, build


def load_run(folder: str | Path) -> tuple[nn.Module, dict]:
    """The trained method of a run's folder (or of a checkpoint file) on this process's device, and the checkpoint it
    came from."""
    path = Path(folder)
    state = checkpoint.load(path / "checkpoint.pt" if path.is_dir() or not path.suffix else path)
    method = build(methods.get(state["name"]).METHOD, Recipe(**state["recipe"]), state["channels"])
    checkpoint.check_matches(state, method=method)
    method.load_state_dict(state["model"])
    return method.eval(), state
