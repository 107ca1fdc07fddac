"""The embedding explorer: maps of images to move over, to pin, to search and to select from, drawn in the browser; one map or several
side by side, still or as they formed while a network trained.

jupyter-scatter, Embedding Atlas and the Embedding Projector are what people know. None carries it here: the first brings 550 MB and has
no static picture, the second is an application around a database with one map, the third needs a server; none links maps over time,
or can be used by keyboard alone. Some hundred lines on a canvas can, offline.
"""

import base64
import html
import io
import json
from collections.abc import Callable
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from PIL import Image

from sslkit import plots
from sslkit.plots.maps import class_style
from sslkit.plots.table import resize, to_pixels
from sslkit.plots.text import class_names

from .panel import bundle

HERE = Path(__file__).parent
MOST = 20_000  # points; what a browser without a graphics card moves at 30 frames a second
SIDES = ((2000, 48), (8000, 32), (MOST, 16))  # up to so many points, thumbnails have so many pixels at the most


def sprite(images) -> tuple[bytes, dict]:
    """All images [N, C, H, W] as tiles of one PNG, row by row; with its {"columns", "width", "height"} (of a
    tile)."""
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


def nearest(h, k: int, of=None) -> np.ndarray:
    """Row numbers of the k nearest others for each row of h [N, D], or of the k nearest for each row of `of` [M, D]: int32, nearest first.

    Cosine similarity, as kNN uses; Euclidean distance when h is a map (D = 2).
    """
    h = torch.as_tensor(plots.array(h).astype(np.float32)).reshape(len(h), -1)
    flat = h.shape[1] == 2
    h = h if flat else torch.nn.functional.normalize(h, dim=1)
    asked = h if of is None else torch.as_tensor(plots.array(of).astype(np.float32)).reshape(len(of), -1)
    if of is not None and not flat:
        asked = torch.nn.functional.normalize(asked, dim=1)
    k, found = min(k, len(h) - (of is None)), []
    for rows in torch.arange(len(asked)).split(1024):
        score = -torch.cdist(asked[rows], h) if flat else asked[rows] @ h.T
        if of is None:
            score[torch.arange(len(rows)), rows] = -torch.inf
        found.append(score.topk(k).indices)
    return torch.cat(found).numpy().astype(np.int32)


class EmbeddingExplorer(anywidget.AnyWidget):
    """The live maps; `selected` holds the row numbers of the points that are selected in it, and can be
    set."""

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
        page = PAGE.format(title=html.escape(title or self.title), style=style, script=script, data=data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include=None, exclude=None, **kwargs):
        return bundle(self, self.fallback())


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>html {{ color-scheme: light dark; }} body {{ margin: 0; }} .sslkit-page .sslkit-explorer {{ margin: 0 auto; }}
{style}</style></head>
<body class="sslkit-page"><main></main>
<script type="application/json" id="data">{data}</script>
<script type="module">
{script}
const traits = JSON.parse(document.getElementById("data").textContent);
for (const [name, value] of Object.entries(traits)) {{
  if (value?.base64 !== undefined) traits[name] = new DataView(Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)).buffer);
}}
const nothing = () => {{}}; // a widget's model without a kernel
const [get, set] = [(name) => traits[name], (name, value) => (traits[name] = value)];
const model = {{ get, set, save_changes: nothing, on: nothing, off: nothing, send: nothing }};
render({{ model, el: document.querySelector("main") }});
</script></body></html>
"""


def framed(xy) -> np.ndarray:
    """Frames [T, N, 2] of one map, each brought into the unit square about its middle: a map fills its panel."""
    xy = plots.array(xy).astype(np.float64)
    if xy.ndim != 3 or xy.shape[2] != 2:
        raise ValueError(f"a map needs points [N, 2], got shape {list(xy.shape[1:])}: use plots.tsne(h)")
    xy = xy - xy.mean(1, keepdims=True)
    reach = np.maximum(np.abs(xy).max(1, keepdims=True), 1e-12)  # of each frame and axis: a map fills its panel
    return (0.5 + 0.47 * xy / reach).astype(np.float32)


def colouring(name: str, given) -> tuple[dict, np.ndarray]:
    """What is to colour the points: numbers, or (class numbers, names of the classes)."""
    if isinstance(given, tuple):
        y = plots.array(given[0]).astype(np.int32)
        names = class_names(given[1] or None, y)
        styles = [list(style) for style in class_style(names)]
        return {"name": name, "kind": "class", "names": names, "styles": styles}, y
    x = plots.array(given).astype(np.float32)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(f"the factor {name!r} must be one finite number for each image, got shape {list(x.shape)}")
    return {"name": name, "kind": "number", "low": float(x.min()), "high": float(x.max())}, x


def embedding_explorer(
    h,
    images,
    labels=None,
    classes=None,
    names=None,
    xy=None,
    k=8,
    title="Embedding explorer",
    caption="",
    times=None,
    factors: dict[str, Any] | None = None,
    encoders: dict[str, Callable] | None = None,
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
    given = xy if isinstance(xy, dict) else dict.fromkeys(features, xy)
    n = len(next(iter(features.values())))
    for what, some in (
        ("images", images),
        ("labels", labels),
        ("names", names),
        *((f"rows of {t}", one) for t, one in features.items()),
    ):
        if some is not None and len(some) != n:
            raise ValueError(f"{len(some)} {what} for {n} features: row i of both must be one sample")
    if not 2 <= n <= MOST:
        few = f"pick = plots.subsample({n}, 1000), then pass h[pick] and the rest"
        raise ValueError(f"the explorer shows 2 to {MOST:,} points, got {n:,}: {few}")
    maps, points, near = [], [], []
    for name, one in features.items():
        at = given.get(name)
        if at is None:
            at = one if one.ndim == 2 and one.shape[1] == 2 else plots.tsne(one, min(30, (n - 1) / 3))
        at = plots.array(at)
        at = at if at.ndim == 3 else at[None]
        if at.shape[1] != n:
            raise ValueError(f"{at.shape[1]} xy for {n} features: row i of both must be one sample")
        points.append(framed(at))
        moments = [f"{t + 1} of {len(at)}" for t in range(len(at))]
        if times is not None and len(at) > 1:
            moments = [str(time) for time in times]
        if len(moments) != len(at):
            raise ValueError(f"{len(moments)} times for the {len(at)} frames of {name!r}: give one each")
        maps.append({"title": name, "frames": len(at), "times": moments})
        near.append(nearest(one, k))
    y = None if labels is None else plots.array(labels).astype(np.int32)
    colours = {} if y is None else {"class": (y, classes)}
    colours |= factors or {}
    if wrong := [name for name, one in colours.items() if len(one[0] if isinstance(one, tuple) else one) != n]:
        raise ValueError(f"{wrong[0]!r} has not one value for each of the {n} images")
    abouts, values = zip(*(colouring(name, one) for name, one in colours.items())) if colours else ((), ())
    if y is not None:
        shares = [f"{(y[one] == y[:, None]).mean():.0%}" for one in near]
        said = f"{' and '.join(shares)} of the {near[0].shape[1]} nearest neighbours have their image's class."
        caption = f"{caption} {said}".strip()
    png, tiles = sprite(images)

    def fallback():
        said = f"{caption} Run the notebook to hover, select and zoom.".strip()
        heads = [one["title"] if one["frames"] == 1 else f"{one['title']}: {one['times'][-1]}" for one in maps]
        still = [(f"{n:,} images" if len(maps) == 1 else name, at[-1], y) for name, at in zip(heads, points)]
        return plots.tsne_maps(
            still,
            abouts[0]["names"] if y is not None else None,
            images=images if len(still) == 1 else None,  # side by side, thumbnails would hide what gathers
            title=title,
            caption=said,
        )

    return EmbeddingExplorer(
        fallback,
        list(features.values()),
        encoders,
        maps=maps,
        points=b"".join(one.tobytes() for one in points),
        neighbours=b"".join(one.tobytes() for one in near),
        colours=list(abouts),
        values=np.array(values, np.float32).tobytes() if values else b"",
        sprite=png,
        tiles=tiles | {"neighbours": near[0].shape[1], "count": n},
        names=[str(name) for name in names] if names is not None else [],
        title=title,
    )
