"""How large the views of a step of training are."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Side:
    """The pixels a side that crops without a size of their own have, None for the input's, and whether there were any."""

    def __init__(self, pixels: int | None):
        self.pixels, self.used = pixels, False


SIDE: ContextVar[Side | None] = ContextVar("SIDE", default=None)


@contextmanager
def small_crops(pixels: int | None) -> Iterator[None]:
    """Within, a RandomResizedCrop without a size of its own gives `pixels` x `pixels`; None: the input's size.
    ValueError where there was no such crop, so that a run cannot claim small views it never made."""
    side = Side(pixels)
    before = SIDE.set(side)
    try:
        yield
    finally:
        SIDE.reset(before)
    if pixels and not side.used:
        raise ValueError(
            f"views of {pixels} pixels were asked for, but nothing here is cropped to the size of its input"
        )
