"""The files that a chapter's tests bring along, tests/chapters/NAME/PART.py, found by looking."""

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"


@lru_cache
def load(path: Path) -> ModuleType:
    """A file as a module of its own."""
    name = f"chapters_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def parts(name: str) -> dict[str, ModuleType]:
    """{chapter: its module of that name}, for the chapters that have one."""
    return {path.parent.name: load(path) for path in sorted(CHAPTERS.glob(f"*/{name}.py"))}
