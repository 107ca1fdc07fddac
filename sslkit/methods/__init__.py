"""The methods of the course. All modules here but this one are generated from notebooks/: never edit them."""

import importlib
import pkgutil
from types import ModuleType

from sslkit.nets import TEXT_ENCODERS


def names() -> list[str]:
    """What `get` knows: the modules that have a METHOD (a notebook may export functions alone)."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [name for name in found if hasattr(importlib.import_module(f"{__name__}.{name}"), "METHOD")]


def get(name: str) -> ModuleType:
    """The module of a method, with its METHOD and RECIPES; ValueError when there is none of that name."""
    if name not in names():
        raise ValueError(f"no method {name!r}; there are: {', '.join(names()) or 'none yet'}")
    return importlib.import_module(f"{__name__}.{name}")


def data_of(name: str) -> str:
    """The data set that a method learns from unless another is named: its module's DATA, text for text, else scenes."""
    module = get(name)
    reads_text = module.RECIPES["laptop"].encoder in TEXT_ENCODERS
    return getattr(module, "DATA", "text" if reads_text else "scenes")
