"""Exercise of chapter 11: writing into the ring of keys."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def write_keys_loop(queue: Tensor, pointer: int, keys: Tensor) -> tuple[Tensor, int]:
    rows, at = list(queue.double()), pointer
    for key in keys.double():
        rows[at] = key
        at += 1
        if at == len(rows):
            at = 0
    return torch.stack(rows), at


def written(queue: Tensor, rows: Tensor, keys: Tensor) -> Tensor:
    """The queue with keys in these rows; rows outside it are left out."""
    inside = (rows >= 0) & (rows < len(queue))
    queue = queue.clone()
    queue[rows[inside]] = keys[inside]
    return queue


def ring(queue: Tensor, pointer: int, keys: Tensor, step: int = 1, modulo: int | None = None) -> Tensor:
    """The solution's queue with the direction turned, or rows counted round another number than Q."""
    return written(queue, (pointer + step * torch.arange(len(keys))) % (modulo or len(queue)), keys)


def without_wrap(queue: Tensor, pointer: int, keys: Tensor) -> Tensor:
    return written(queue, pointer + torch.arange(len(keys)), keys)


def after(queue: Tensor, pointer: int, keys: Tensor) -> int:
    return (pointer + len(keys)) % len(queue)


def slice_alone(queue: Tensor, pointer: int, keys: Tensor) -> tuple[Tensor, int]:
    """A slice, which fails where the keys go past the end."""
    new = queue.clone()
    new[pointer : pointer + len(keys)] = keys
    return new, after(queue, pointer, keys)


def fits(queue: Tensor, pointer: int, keys: Tensor) -> bool:
    return pointer + len(keys) <= len(queue)


WRITE = Exercise(
    "write_keys",
    write_keys_loop,
    returns=("queue", "pointer"),
    trials=lambda: [
        (draw(s, q, 2), at, draw(s + 50, n, 2))
        for s, (q, at, n) in enumerate([(4, 1, 2), (3, 2, 2), (5, 3, 4), (4, 0, 4), (6, 4, 2)])
    ],
    mistakes=(
        mistake(
            "no wrap-around",
            "Keys past the last row get lost. After row Q - 1 comes row 0: take the row number modulo Q.",
            lambda q, p, k: (without_wrap(q, p, k), after(q, p, k)),
            lambda q, p, k: (without_wrap(q, p, k), min(p + len(k), len(q))),
            lambda q, p, k: (without_wrap(q, p, k), min(p + len(k), len(q)) % len(q)),
            lambda q, p, k: (without_wrap(q, p, k), p + len(k)),
            slice_alone,
        ),
        mistake(
            "the pointer stays",
            "The queue is right, but the pointer must move on by the number of keys, or the next keys overwrite these.",
            ("pointer + len(keys)", "pointer"),
        ),
        mistake(
            "the pointer leaves the queue",
            "The queue is right, but the pointer must come back to 0 after the last row: modulo Q.",
            ("(pointer + len(keys)) % len(queue)", "pointer + len(keys)"),
        ),
        mistake(
            "the pointer moves by one",
            "The pointer must move on by the number of keys, not by one step.",
            lambda q, p, k: (ring(q, p, k), (p + 1) % len(q)),
        ),
        mistake(
            "always at the start",
            "You write from row 0 on. The oldest rows begin at the pointer.",
            lambda q, p, k: (ring(q, 0, k), len(k) % len(q)),
            ("pointer + torch", "torch"),
        ),
        mistake(
            "rows moved",
            "You move all rows and put the new ones at an end. The queue is a ring: rows stay, the pointer moves.",
            lambda q, p, k: (torch.cat([q[len(k) :], k]), after(q, p, k)),
            lambda q, p, k: (torch.cat([k, q])[: len(q)], after(q, p, k)),
            lambda q, p, k: (torch.cat([q, k])[-len(q) :], p),
            lambda q, p, k: (torch.cat([k, q])[: len(q)], p),
        ),
        mistake(
            "one row late",
            "You begin one row below the pointer. Row `pointer` itself is the oldest.",
            ("pointer + torch", "pointer + 1 + torch"),
        ),
        mistake(
            "backwards",
            "You write upwards from the pointer: those are the newest rows.",
            lambda q, p, k: (ring(q, p, k, step=-1), (p - len(k)) % len(q)),
            lambda q, p, k: (ring(q, p - 1, k, step=-1), (p - len(k)) % len(q)),
        ),
        mistake(
            "last key first",
            "You write the last key first. The first key goes to row `pointer`, the next below it.",
            (", keys)", ", keys.flip(0))"),
        ),
        mistake(
            "keys scaled",
            "You change the keys' lengths. Write them as they are: the loss scales them.",
            (", keys)", ", F.normalize(keys, dim=1))"),
        ),
        mistake(
            "rows modulo the keys",
            "You count the rows round the number of keys. The ring has len(queue) rows.",
            lambda q, p, k: (ring(q, p, k, modulo=len(k)), after(q, p, k)),
            lambda q, p, k: (ring(q, p, k, modulo=len(k)), (p + len(k)) % len(k)),
        ),
        mistake(
            "modulo Q - 1",
            "The last row is Q - 1, but the ring has Q rows: modulo Q.",
            lambda q, p, k: (ring(q, p, k, modulo=len(q) - 1), (p + len(k)) % (len(q) - 1)),
            lambda q, p, k: (ring(q, p, k, modulo=len(q) - 1), after(q, p, k)),
            ("len(keys)) % len(queue)", "len(keys)) % (len(queue) - 1)"),
        ),
        mistake(
            "modulo the keys",
            "The queue is right, but the pointer goes round the rows of the queue: modulo len(queue).",
            ("len(keys)) % len(queue)", "len(keys)) % len(keys)"),
        ),
        mistake(
            "added to the old",
            "You add the keys to the old rows. They replace them.",
            lambda q, p, k: (q + ring(torch.zeros_like(q), p, k), after(q, p, k)),
        ),
        mistake(
            "begins again at row 0",
            "Where the keys do not fit below the pointer, you put them all at the start. Fill the last rows first, then go on at row 0.",
            lambda q, p, k: (ring(q, p * fits(q, p, k), k), (p * fits(q, p, k) + len(k)) % len(q)),
        ),
        mistake(
            "the first keys twice",
            "Past the end you write the first keys once more. Go on with those that did not fit.",
            lambda q, p, k: (ring(q, p, torch.cat([k[: len(q) - p], k])[: len(k)]), after(q, p, k)),
        ),
    ),
)
