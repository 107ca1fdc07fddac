"""The embedding explorer: a map of images to hover over and to select from, drawn in the browser."""

import io
from math import ceil, sqrt
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from PIL import Image

from sslkit import plots
from sslkit.plots.maps import class_style, unit_square
from sslkit.plots.table import resize, to_pixels
from sslkit.plots.text import class_names

from .panel import bundle

HERE = Path(__file__).parent
MOST = 5000  # points; what the browser redraws on every mouse move
SIDE = 48  # pixels of a thumbnail at the most


def sprite(images) -> tuple[bytes, dict]:
    """All images [N, C, H, W] as tiles of one PNG, row by row; with its {"columns", "width", "height"} (of a
    tile)."""
    tiles = to_pixels(images)
    if max(tiles.shape[1:3]) > SIDE:
        tiles = resize(tiles, SIDE)
    n, height, width, _ = tiles.shape
    columns = ceil(sqrt(n))
    sheet = np.zeros((ceil(n / columns) * columns, height, width, 3), np.uint8)
    sheet[:n] = tiles
    sheet = sheet.reshape(-1, columns, height, width, 3).transpose(0, 2, 1, 3, 4).reshape(-1, columns * width, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "png")
    return buffer.getvalue(), {"columns": columns, "width": width, "height": height}


def nearest(h, k: int) -> np.ndarray:
    """Row numbers of the k nearest others for each row of h [N, D]: int32 [N, k], nearest first.

    Cosine similarity, as kNN uses; Euclidean distance when h is a map (D = 2).
    """
    h = plots.array(h).astype(np.float32).reshape(len(h), -1)
    k = min(k, len(h) - 1)
    if h.shape[1] == 2:
        score = -((h[:, None] - h[None]) ** 2).sum(-1)
    else:
        h = h / np.maximum(np.linalg.norm(h, axis=1, keepdims=True), 1e-12)
        score = h @ h.T
    np.fill_diagonal(score, -np.inf)
    return np.argsort(-score, axis=1, kind="stable")[:, :k].astype(np.int32)


class EmbeddingExplorer(anywidget.AnyWidget):
    """The live map; `selected` holds the row numbers of the points that are selected in it, and can be
    set."""

    _esm = HERE / "explorer.js"
    _css = HERE / "explorer.css"
    _ipython_display_ = None  # as in Panel

    points = traitlets.Bytes().tag(sync=True)  # float32 [N, 2] in [0, 1], y up
    labels = traitlets.Bytes().tag(sync=True)  # int32 [N], or empty
    neighbours = traitlets.Bytes().tag(sync=True)  # int32 [N, k]
    sprite = traitlets.Bytes().tag(sync=True)  # PNG
    tiles = traitlets.Dict().tag(sync=True)
    classes: traitlets.List[str] = traitlets.List().tag(sync=True)
    styles: traitlets.List[list] = traitlets.List().tag(sync=True)  # [colour, marker] of each class
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, fallback, **traits):
        self.fallback, self.count = fallback, len(traits["points"]) // 8
        super().__init__(**traits)

    @traitlets.validate("selected")
    def _within(self, proposal):
        wrong = [i for i in proposal["value"] if not 0 <= i < self.count]
        if wrong:
            raise traitlets.TraitError(f"selected holds {wrong[0]}, but the {self.count} points are numbered from 0")
        return proposal["value"]

    def _repr_mimebundle_(self, include=None, exclude=None, **kwargs):
        return bundle(self, self.fallback())


def embedding_explorer(
    h, images, labels=None, classes=None, names=None, xy=None, k=8, title="Embedding explorer", caption=""
):
    """A map to explore: hover for an image, its label and its nearest neighbours; drag a box to select.

    h [N, D]: features, in which the neighbours are found; images [N, C, H, W]; labels [N] class numbers;
    names: N strings; xy [N, 2]: the map, by default tsne(h), or h itself when D = 2. At most 5,000 points,
    1,000 to 2,000 are plenty: pick = subsample(N, 1000). `.selected` of the result holds the selected row
    numbers. caption: shown with the static picture.
    """
    h = plots.array(h)
    n = len(h)
    for what, given in (("images", images), ("labels", labels), ("names", names), ("xy", xy)):
        if given is not None and len(given) != n:
            raise ValueError(f"{len(given)} {what} for {n} features: row i of both must be one sample")
    if not 2 <= n <= MOST:
        few = f"pick = plots.subsample({n}, 1000), then pass h[pick] and the rest"
        raise ValueError(f"the explorer shows 2 to {MOST:,} points, got {n:,}: {few}")
    if xy is None:
        xy = h if h.ndim == 2 and h.shape[1] == 2 else plots.tsne(h, min(30, (n - 1) / 3))
    xy = plots.array(xy)
    y = None if labels is None else plots.array(labels).astype(np.int32)
    classes = class_names(classes, y) if y is not None else []
    near = nearest(h, k)
    if y is not None:
        share = (y[near] == y[:, None]).mean()
        said = f"{share:.0%} of the {near.shape[1]} nearest neighbours have their image's class."
        caption = f"{caption} {said}".strip()
    png, tiles = sprite(images)

    def fallback():
        said = f"{caption} Run the notebook to hover and select.".strip()
        maps = [(f"{n:,} images", xy, y)]
        return plots.tsne_maps(maps, classes or None, images=images, title=title, caption=said)

    return EmbeddingExplorer(
        fallback,
        points=unit_square(xy).astype(np.float32).tobytes(),
        labels=b"" if y is None else y.tobytes(),
        neighbours=near.tobytes(),
        sprite=png,
        tiles=tiles | {"neighbours": near.shape[1]},
        classes=classes,
        styles=[list(style) for style in class_style(classes)],
        names=[str(name) for name in names] if names is not None else [],
        title=title,
    )
