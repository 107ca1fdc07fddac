"""The embedding explorer: maps of images to move over, to pin, to search and to select from, drawn in the browser; one map or several
side by side, still or as they formed while a network trained.

jupyter-scatter, Embedding Atlas and the Embedding Projector are what people know. None carries it here: the first brings 550 MB and has
no static picture, the second is an application around a database with one map, the third needs a server; none links maps over time,
or can be used by keyboard alone. Some hundred lines on a canvas can, offline.
"""

import base64
import html
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from string import Template
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets

from sslkit import plots

from .explorer_data import Maps, check_rows, colouring, laid_out, nearest, sprite
from .panel import bundle

HERE = Path(__file__).parent


class EmbeddingExplorer(anywidget.AnyWidget):
    """The live maps; `selected` holds the row numbers of the points that are selected in it, and can be set."""

    _esm = HERE / "explorer.js"
    _css = HERE / "explorer.css"
    _ipython_display_ = None  # as in Panel

    maps: traitlets.List[dict] = traitlets.List().tag(sync=True)  # {"title", "frames", "times"} of each
    points = traitlets.Bytes().tag(sync=True)  # float32 [frames, N, 2] of each map, in [0, 1], y up
    neighbours = traitlets.Bytes().tag(sync=True)  # int32 [maps, N, k]
    colours: traitlets.List[dict] = traitlets.List().tag(sync=True)  # what can colour the points
    values = traitlets.Bytes().tag(sync=True)  # float32 [colours, N]
    sprite = traitlets.Bytes().tag(sync=True)  # PNG
    tiles = traitlets.Dict().tag(sync=True)
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)
    finds = traitlets.Bool(False).tag(sync=True)  # whether images of the reader's own can be looked for
    guest = traitlets.Dict().tag(sync=True)  # where such an image lies, and what is near it

    def __init__(self, fallback, features, encoders=None, **traits):
        self.fallback, self.features, self.encoders = fallback, features, encoders or {}
        self.count = traits["tiles"]["count"]
        super().__init__(finds=bool(self.encoders), **traits)
        self.on_msg(self._uploaded)

    @traitlets.validate("selected")
    def _within(self, proposal):
        wrong = [i for i in proposal["value"] if not 0 <= i < self.count]
        if wrong:
            raise traitlets.TraitError(f"selected holds {wrong[0]}, but the {self.count} points are numbered from 0")
        return proposal["value"]

    def find(self, image) -> dict[str, list[int]]:
        """Look for an image of one's own, uint8 or float [C, H, W]: it is embedded by each map's encoder, marked where its nearest
        neighbours lie, and they are shown. Returns their row numbers by map."""
        if not self.encoders:
            raise ValueError(
                "this explorer has no network to embed an image with: pass encoders={title of a map: encode}"
            )
        k, near, at, start = self.tiles["neighbours"], [], [], 0
        points = np.frombuffer(self.points, np.float32).reshape(-1, self.count, 2)
        for one, h in zip(self.maps, self.features):
            start += one["frames"]
            rows = nearest(h, k, of=plots.array(self.encoders[one["title"]](torch.as_tensor(image)[None])))[0]
            near.append(rows.tolist())
            at.append(points[start - 1][rows[:3]].mean(0).tolist())
        self.guest = {"near": near, "at": at}
        return {one["title"]: rows for one, rows in zip(self.maps, near)}

    def _uploaded(self, _, content: dict, buffers: list) -> None:
        """An image that was chosen in the page: RGBA, of a tile's size."""
        if content.get("kind") == "find":
            shape = (self.tiles["height"], self.tiles["width"], 4)
            rgba = np.frombuffer(buffers[0], np.uint8).reshape(shape)
            self.find(torch.from_numpy(rgba[..., :3].copy()).permute(2, 0, 1))

    def save(self, path: str | Path, title: str = "") -> Path:
        """Write the explorer as one HTML file that needs no kernel and no network: for a talk, a course page, a book."""
        path, traits = Path(path), {}
        for name in self.trait_names(sync=True):
            if not name.startswith("_") and name in EmbeddingExplorer.__dict__:
                value = getattr(self, name)
                traits[name] = {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        traits |= {"finds": False, "guest": {}}  # there is no network to embed an image with
        data = json.dumps(traits).replace("<", "\\u003c")  # nothing in the data can end the script
        script = (HERE / "explorer.js").read_text(encoding="utf-8").replace("export default { render };", "")
        style = (HERE / "explorer.css").read_text(encoding="utf-8")
        page = Template((HERE / "explorer.html").read_text(encoding="utf-8"))
        text = page.substitute(title=html.escape(title or self.title), style=style, script=script, data=data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include=None, exclude=None, **kwargs):
        return bundle(self, self.fallback())


def embedding_explorer(
    h: Any,
    images: Any,
    labels: Any = None,
    classes: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    *,
    xy: Any = None,
    k: int = 8,
    title: str = "Embedding explorer",
    caption: str = "",
    times: Sequence[str] | None = None,
    factors: Mapping[str, Any] | None = None,
    encoders: Mapping[str, Callable] | None = None,
) -> EmbeddingExplorer:
    """Maps to explore: move over a point for its image and nearest neighbours, click to pin it, Shift and drag to select.

    h [N, D]: features, in which the neighbours are found; or {title: features} for maps side by side, with one selection; images
    [N, C, H, W]; labels [N] class numbers; names: N strings. xy: the map [N, 2], or {title: map}, by default tsne(h), or h itself when
    D = 2; a map [T, N, 2] (plots.forming) plays as it formed, times: T strings. factors: {name: N numbers}, or {name: (class numbers,
    names)}, what else may colour the points. encoders: {title: function from images [1, C, H, W] to features}, to look for an image of
    one's own. At most 20,000 points (t-SNE: 5,000); 1,000 to 2,000 are plenty: pick = subsample(N, 1000). `.selected` of the result
    holds the selected row numbers; `.save("map.html")` writes it as a page of its own. caption: shown with the static picture.
    """
    features = {name: plots.array(one) for name, one in (h if isinstance(h, dict) else {title: h}).items()}
    n = len(next(iter(features.values())))
    rows = {f"rows of {name}": one for name, one in features.items()}
    check_rows(n, {"images": images, "labels": labels, "names": names} | rows)
    maps = laid_out(features, xy, times, k)
    y = None if labels is None else plots.array(labels).astype(np.int32)
    coloured = ({} if y is None else {"class": (y, classes)}) | dict(factors or {})
    abouts, values = zip(*(colouring(name, one, n) for name, one in coloured.items())) if coloured else ((), ())
    if y is not None:
        caption = f"{caption} {maps.agreement(y)}".strip()
    png, tiles = sprite(images)
    return EmbeddingExplorer(
        partial(still, maps, images, y, abouts[0]["names"] if y is not None else None, title, caption),
        list(features.values()),
        encoders,
        maps=maps.about,
        points=b"".join(one.tobytes() for one in maps.frames),
        neighbours=b"".join(one.tobytes() for one in maps.neighbours),
        colours=list(abouts),
        values=np.array(values, np.float32).tobytes() if values else b"",
        sprite=png,
        tiles=tiles | {"neighbours": maps.neighbours[0].shape[1], "count": n},
        names=[str(name) for name in names] if names is not None else [],
        title=title,
    )


def still(
    maps: Maps, images: Any, y: np.ndarray | None, classes: list[str] | None, title: str, caption: str
) -> plots.Picture:
    """The maps as a reader without a kernel sees them: each as it ended."""
    caption = f"{caption} Run the notebook to hover, select and zoom.".strip()
    names = [t if len(times) == 1 else f"{t}: {times[-1]}" for t, times in zip(maps.titles, maps.times)]
    one = len(names) == 1
    names = [f"{len(images):,} images"] if one else names
    shown = images if one else None  # side by side, thumbnails would hide what gathers
    ends = [(name, frames[-1], y) for name, frames in zip(names, maps.frames)]
    return plots.tsne_maps(ends, classes, images=shown, title=title, caption=caption)
