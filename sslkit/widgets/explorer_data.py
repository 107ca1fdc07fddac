"""What the explorer hands to the page: maps, neighbours, colours, and all images as one sheet of tiles."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sslkit import plots
from sslkit.plots.maps import class_style
from sslkit.plots.table import resize, to_pixels
from sslkit.plots.text import class_names
from sslkit.probes import neighbours

MOST = 20_000  # points; what a browser without a graphics card moves at 30 frames a second
SIDES = ((2000, 48), (8000, 32), (MOST, 16))  # up to so many points, thumbnails have so many pixels at the most


@dataclass(frozen=True)
class Maps:
    """Maps side by side, in order: their titles; frames float32 [T, N, 2], y up, in the unit square; a time for each frame; the row
    numbers of each point's nearest others, int32 [N, k], nearest first."""

    titles: list[str]
    frames: list[np.ndarray]
    times: list[list[str]]
    neighbours: list[np.ndarray]

    @property
    def about(self) -> list[dict[str, Any]]:
        """Plain values for the page."""
        parts = zip(self.titles, self.frames, self.times)
        return [{"title": title, "frames": len(at), "times": times} for title, at, times in parts]

    def agreement(self, y: np.ndarray) -> str:
        """How many neighbours are of the class of their image, by labels y [N]."""
        shares = [f"{(y[near] == y[:, None]).mean():.0%}" for near in self.neighbours]
        k = self.neighbours[0].shape[1]
        return f"{' and '.join(shares)} of the {k} nearest neighbours have their image's class."


def check_rows(n: int, named: Mapping[str, Any]) -> None:
    """ValueError unless the explorer can show n points, and each of what is given, None aside, has as many rows."""
    for what, some in named.items():
        if some is not None and len(some) != n:
            raise ValueError(f"{len(some)} {what} for {n} features: row i of both must be one sample")
    if not 2 <= n <= MOST:
        few = f"pick = plots.subsample({n}, 1000), then pass h[pick] and the rest"
        raise ValueError(f"the explorer shows 2 to {MOST:,} points, got {n:,}: {few}")


def laid_out(features: Mapping[str, np.ndarray], xy: Any, times: Sequence[str] | None, k: int) -> Maps:
    """The maps of features [N, D] by title; the other arguments are those of `embedding_explorer`."""
    given = xy if isinstance(xy, dict) else dict.fromkeys(features, xy)
    frames = [map_of(h, given.get(title)) for title, h in features.items()]
    moments = [times_of(title, len(at), times) for title, at in zip(features, frames)]
    return Maps(list(features), frames, moments, [nearest(h, k) for h in features.values()])


def map_of(h: np.ndarray, xy: Any) -> np.ndarray:
    """Frames [T, N, 2] of the map of features h [N, D]: xy [N, 2] or [T, N, 2], where it is given."""
    if xy is None:
        xy = h if h.ndim == 2 and h.shape[1] == 2 else plots.tsne(h, min(30, (len(h) - 1) / 3))
    xy = plots.array(xy)
    xy = xy if xy.ndim == 3 else xy[None]
    if xy.shape[1] != len(h):
        raise ValueError(f"{xy.shape[1]} xy for {len(h)} features: row i of both must be one sample")
    return framed(xy)


def times_of(title: str, frames: int, times: Sequence[str] | None) -> list[str]:
    """What stands for each frame of a map: its time, or its number."""
    if times is None or frames == 1:
        return [f"{t + 1} of {frames}" for t in range(frames)]
    if len(times) != frames:
        raise ValueError(f"{len(times)} times for the {frames} frames of {title!r}: give one each")
    return [str(time) for time in times]


def framed(xy: np.ndarray) -> np.ndarray:
    """Frames [T, N, 2] of one map, each brought into the unit square about its middle."""
    xy = xy.astype(np.float64)
    if xy.ndim != 3 or xy.shape[2] != 2:
        raise ValueError(f"a map needs points [N, 2], got shape {list(xy.shape[1:])}: use plots.tsne(h)")
    xy = xy - xy.mean(1, keepdims=True)
    reach = np.maximum(np.abs(xy).max(1, keepdims=True), 1e-12)  # of each frame and axis: a map fills its panel
    return (0.5 + 0.47 * xy / reach).astype(np.float32)


def nearest(h: Any, k: int, of: Any = None) -> np.ndarray:
    """Row numbers of the k nearest others for each row of h [N, D], or of the k nearest for each row of `of` [M, D]: int32, nearest first.

    Cosine similarity, as kNN uses; Euclidean distance when h is a map (D = 2).
    """
    bank = rows_of(h)
    find = near_on_map if bank.shape[1] == 2 else lambda *asked: neighbours(*asked)[1]
    if of is not None:
        return find(bank, rows_of(of), k).numpy().astype(np.int32)
    index = find(bank, bank, k + 1)
    others = index != torch.arange(len(bank))[:, None]
    others[others.all(1), -1] = False  # its twins alone fill the row
    return index[others].view(len(bank), -1).numpy().astype(np.int32)


def rows_of(h: Any) -> Tensor:
    """Features [N, ...] as float32 [N, D]."""
    return torch.as_tensor(plots.array(h).astype(np.float32)).reshape(len(h), -1)


def near_on_map(bank: Tensor, xy: Tensor, k: int) -> Tensor:
    """Row numbers [M, k] of the points of bank [N, 2] at the least distance from each of xy [M, 2]."""
    k = min(k, len(bank))
    return torch.cat([torch.cdist(rows, bank).topk(k, largest=False).indices for rows in xy.split(1024)])


def colouring(name: str, given: Any, n: int) -> tuple[dict, np.ndarray]:
    """What is to colour the n points: numbers, or (class numbers, names of the classes)."""
    if len(given[0] if isinstance(given, tuple) else given) != n:
        raise ValueError(f"the factor {name!r} needs one value for each of the {n} images")
    if isinstance(given, tuple):
        y = plots.array(given[0]).astype(np.int32)
        names = class_names(given[1] or None, y)
        styles = [list(style) for style in class_style(names)]
        return {"name": name, "kind": "class", "names": names, "styles": styles}, y
    x = plots.array(given).astype(np.float32)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(f"the factor {name!r} must be one finite number for each image, got shape {list(x.shape)}")
    return {"name": name, "kind": "number", "low": float(x.min()), "high": float(x.max())}, x


def sprite(images: Any) -> tuple[bytes, dict]:
    """All images [N, C, H, W] as tiles of one PNG, row by row; with its {"columns", "width", "height"} (of a tile)."""
    tiles = to_pixels(images)
    side = next(side for most, side in SIDES if len(tiles) <= most)
    if max(tiles.shape[1:3]) > side:
        tiles = resize(tiles, side)
    n, height, width, _ = tiles.shape
    columns = ceil(sqrt(n))
    sheet = np.zeros((ceil(n / columns) * columns, height, width, 3), np.uint8)
    sheet[:n] = tiles
    sheet = sheet.reshape(-1, columns, height, width, 3).transpose(0, 2, 1, 3, 4).reshape(-1, columns * width, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "png")
    return buffer.getvalue(), {"columns": columns, "width": width, "height": height}
