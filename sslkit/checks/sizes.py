"""How large the tensors are that a function makes on its way, for a task that forbids large ones."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Sizes(TorchDispatchMode):
    """Within it, `shape` is that of the largest tensor that an operation gave."""

    def __init__(self) -> None:
        super().__init__()
        self.shape: list[int] = []
        self.entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor) and value.numel() > self.entries:
                self.entries, self.shape = value.numel(), list(value.shape)
        return result


class Watched:
    """A function whose calls are watched: shapes[i] is the shape of the largest tensor that call i made."""

    def __init__(self, function: Callable):
        self.function, self.__code__ = function, function.__code__ if type(function) is FunctionType else None
        self.shapes: list[list[int]] = []

    def __call__(self, *args):
        with Sizes() as sizes:
            result = self.function(*args)
        self.shapes.append(sizes.shape)
        return result
