"""The chapters of the course, a folder each: method.py and exercises.py are generated from the notebook, the rest is written by hand.

They are found by looking. What a method module may say beside METHOD and RECIPES, all of it optional: KIND, the kind of data it
learns from ("images"; see sslkit.datasets.kinds); DATA, the set it learns from unless another is named ("scenes", "text" for
tokens); PASSES, how many images go through an encoder for each image of a batch (1).
"""

import importlib
import importlib.util
import pkgutil
from types import ModuleType

DATA = {"images": "scenes", "clips": "moving", "tokens": "text"}  # what ships of each kind


def names() -> list[str]:
    """All chapters, by name."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def part(chapter: str, name: str) -> ModuleType | None:
    """A module of a chapter ("method", "exercises", "mistakes", "figures", "widget"), None where it has none of that name."""
    path = f"{__name__}.{chapter}.{name}"
    return importlib.import_module(path) if importlib.util.find_spec(path) else None


def methods() -> list[str]:
    """The chapters that `get` knows: those with a METHOD (a notebook may export functions alone)."""
    return [name for name in names() if hasattr(part(name, "method"), "METHOD")]


def get(name: str) -> ModuleType:
    """The module of a method, with its METHOD and RECIPES; ValueError when there is none of that name."""
    module = part(name, "method") if name in names() else None
    if module is None or not hasattr(module, "METHOD"):
        raise ValueError(f"no method {name!r}; there are: {', '.join(methods()) or 'none yet'}")
    return module


def kind_of(name: str) -> str:
    """The kind of data that a method learns from."""
    return getattr(get(name), "KIND", "images")


def data_of(name: str) -> str:
    """The data set that a method learns from unless another is named."""
    return getattr(get(name), "DATA", DATA.get(kind_of(name), "scenes"))


def passes_of(name: str) -> int:
    """How many images go through an encoder in training for each image of a batch; 1 for a run that is no chapter's method."""
    return getattr(part(name, "method"), "PASSES", 1) if name in names() else 1


def title(name: str) -> str:
    """A method's name as the papers write it; the name itself for what is no chapter's method."""
    return getattr(get(name), "TITLE", get(name).METHOD.__name__) if name in methods() else name
