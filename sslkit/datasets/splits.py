"""Splits that never change, and that share no image.

Order comes from hashes, not from a random generator: no version of numpy or torch can change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import torch
from torch import Tensor


def fraction(key: str | bytes | int, seed: int = 0) -> float:
    """A number in [0, 1) that depends on `key` and `seed` alone, uniform over keys."""
    key = key if isinstance(key, bytes) else str(key).encode()
    return int.from_bytes(blake2b(str(seed).encode() + b":" + key, digest_size=8).digest(), "big") / 2**64


def split_by_key(keys: Sequence[str | bytes | int], val: float, test: float, seed: int = 0) -> tuple[Tensor, ...]:
    """Indices int64 of train, val, test. `val` and `test` are fractions, met on average.

    Each key decides for itself: equal keys stay together, and a new key moves no other.
    """
    if not (0 <= val and 0 <= test and val + test < 1):
        raise ValueError(f"val and test are fractions whose sum is below 1, got val={val}, test={test}")
    parts: tuple[list[int], ...] = ([], [], [])
    for i, key in enumerate(keys):
        u = fraction(key, seed)
        parts[2 if u < test else 1 if u < test + val else 0].append(i)
    return tuple(torch.tensor(part, dtype=torch.int64) for part in parts)


def split_indices(
    n: int, val: int, test: int, seed: int = 0, labels: Sequence[int] | Tensor | None = None
) -> tuple[Tensor, ...]:
    """Indices int64, ascending, of train, val, test: exactly `val` and `test` of `n` samples, else train.

    With `labels` (whole numbers [N]), each class is represented in its proportion, to within one sample.
    """
    if val < 0 or test < 0 or val + test > n:
        raise ValueError(f"cannot take {val} validation and {test} test samples out of {n}")
    labels = [0] * n if labels is None else torch.as_tensor(labels).tolist()
    if len(labels) != n:
        raise ValueError(f"{len(labels)} labels for {n} samples")
    order = sorted(range(n), key=lambda i: fraction(i, seed))
    members: dict[int, list[int]] = {}
    for i in order:
        members.setdefault(labels[i], []).append(i)
    # Every class is spread evenly over [0, 1): any stretch of that line holds each in its proportion.
    place = {i: (rank + 0.5) / len(group) for group in members.values() for rank, i in enumerate(group)}
    order.sort(key=place.__getitem__)
    parts = order[test + val :], order[test : test + val], order[:test]
    return tuple(torch.tensor(sorted(part), dtype=torch.int64) for part in parts)


def image_hashes(x, batch: int = 512) -> list[bytes]:
    """16 bytes per image of x [N, C, H, W] (tensor or streamed), equal exactly when the pixels are."""
    hashes = []
    for start in range(0, x.shape[0], batch):
        pixels = x[start : start + batch].cpu().contiguous().numpy()
        hashes += [blake2b(image.tobytes(), digest_size=16).digest() for image in pixels]
    return hashes
