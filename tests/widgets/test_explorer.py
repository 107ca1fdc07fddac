"""The explorer without a browser: what it hands to the page, what it refuses, the page that it writes. test_browser.py drives it."""

import base64
import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import traitlets
from displayed import displayed
from PIL import Image

from sslkit import plots, widgets
from sslkit.__main__ import main
from sslkit.probes import Snapshots
from sslkit.widgets.explorer_data import nearest

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (30, 3, 16, 16), dtype=torch.uint8, generator=GENERATOR)
Y = np.arange(30) % 3
H = np.random.default_rng(0).normal(size=(30, 6))
XY = np.random.default_rng(1).normal(size=(30, 2))
CLASSES = ["cat", "dog", "cow"]


def explorer(**options):
    return widgets.embedding_explorer(H, IMAGES, Y, CLASSES, **dict(xy=XY) | options)


def array(one, name, dtype, *shape) -> np.ndarray:
    return np.frombuffer(getattr(one, name), dtype).reshape(*shape)


def test_it_hands_the_browser_what_was_given():
    one = explorer(names=[f"image {k}" for k in range(30)], k=4, factors={"size": np.linspace(3, 9, 30)})
    points = array(one, "points", np.float32, 1, 30, 2)[0]
    assert points.min() >= 0 and points.max() <= 1
    assert np.corrcoef(points[:, 0], XY[:, 0])[0, 1] > 0.9999 and np.corrcoef(points[:, 1], XY[:, 1])[0, 1] > 0.9999
    classes, size = one.colours
    values = array(one, "values", np.float32, 2, 30)
    assert (values[0] == Y).all() and classes["names"] == CLASSES and len(classes["styles"]) == 3
    assert values[1, 29] == 9 and size == {"name": "size", "kind": "number", "low": 3.0, "high": 9.0}
    unit = H / np.linalg.norm(H, axis=1, keepdims=True)
    for i, near in enumerate(array(one, "neighbours", np.int32, 30, 4)):
        similarity = {j: unit[i] @ unit[j] for j in range(30) if j != i}
        assert sorted(similarity, key=similarity.get, reverse=True)[:4] == near.tolist()
    sheet = np.asarray(Image.open(io.BytesIO(one.sprite)))
    columns, width, height = (one.tiles[key] for key in ("columns", "width", "height"))
    for i in (0, 7, 29):
        x, y = i % columns * width, i // columns * height
        assert (sheet[y : y + height, x : x + width] == IMAGES[i].permute(1, 2, 0).numpy()).all()
    assert one.names[29] == "image 29" and one.tiles["count"] == 30


def test_maps_side_by_side_have_neighbours_and_frames_of_their_own():
    moments = np.stack([XY, XY[:, ::-1], -XY])
    one = widgets.embedding_explorer(
        {"a": H, "b": -(H**3)}, IMAGES, Y, CLASSES, xy={"a": XY, "b": moments}, times="xyz", k=3
    )
    assert [(about["title"], about["frames"], about["times"]) for about in one.maps] == [
        ("a", 1, ["1 of 1"]),
        ("b", 3, [*"xyz"]),
    ]
    points = array(one, "points", np.float32, 4, 30, 2)
    assert (
        np.corrcoef(points[2, :, 0], XY[:, 1])[0, 1] > 0.9999 and np.corrcoef(points[3, :, 1], -XY[:, 1])[0, 1] > 0.9999
    )
    near = array(one, "neighbours", np.int32, 2, 30, 3)
    assert (near[0] == nearest(H, 3)).all() and (near[1] == nearest(-(H**3), 3)).all() and (near[0] != near[1]).any()
    picture = displayed(one)
    assert "2 t-SNE maps (a, b: z)" in picture.alt


def test_neighbours_of_a_plain_map_are_euclidean():
    distance = ((XY[:, None] - XY[None]) ** 2).sum(-1) + np.diag([np.inf] * 30)
    assert (nearest(XY, 3) == distance.argsort(1)[:, :3]).all()
    assert (nearest(XY, 2, of=XY[4:5]) == [[4, distance[4].argmin()]]).all()


def test_a_selection_is_a_list_of_its_rows():
    one, seen = explorer(), []
    one.observe(lambda change: seen.append(change.new), names="selected")
    one.selected = [3, 1]
    assert seen == [[3, 1]]
    with pytest.raises(traitlets.TraitError, match="30 points"):
        one.selected = [30]
    assert one.selected == [3, 1]


def test_it_states_how_many_neighbours_agree():
    h = np.eye(3)[Y] + 0.01 * H[:, :3]
    assert (
        "100% of the 5 nearest neighbours have their image's class"
        in widgets.embedding_explorer(h, IMAGES, Y, xy=XY, k=5).fallback().alt
    )


def test_large_images_shrink_and_features_are_mapped():
    x = torch.randint(256, (30, 1, 96, 64), dtype=torch.uint8, generator=GENERATOR)
    one = widgets.embedding_explorer(H, x)
    assert (one.tiles["width"], one.tiles["height"]) == (32, 48)


@pytest.mark.parametrize(
    "change, word",
    [
        (dict(images=IMAGES[:5]), "5 images for 30"),
        (dict(labels=Y[:4]), "4 labels for 30"),
        (dict(xy=XY[:2]), "2 xy for 30"),
        (dict(xy=np.stack([XY, XY]), times=["now"]), "1 times for the 2 frames"),
        (dict(labels=Y, classes=["cat"]), "only 1 class names"),
        (dict(factors={"hue": Y[:3]}), "the factor 'hue' needs one value for each of the 30 images"),
        (dict(factors={"hue": np.full(30, np.nan)}), "one finite number"),
        (dict(h={"a": H, "b": H[:7]}, xy=None), "7 rows of b for 30"),
        (dict(h=np.zeros((20_001, 2)), images=np.zeros((20_001, 1, 1, 1)), xy=np.zeros((20_001, 2))), "subsample"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(change, word):
    with pytest.raises(ValueError, match=re.escape(word)):
        widgets.embedding_explorer(**dict(h=H, images=IMAGES, xy=XY) | change)


def test_an_image_of_ones_own_lies_where_its_neighbours_do():
    encode = lambda x: x.float().flatten(1)  # noqa: E731
    one = widgets.embedding_explorer({"pixels": encode(IMAGES)}, IMAGES, xy=XY, encoders={"pixels": encode}, k=3)
    assert one.finds and not explorer().finds
    found = one.find(IMAGES[11])
    assert found["pixels"][0] == 11 and one.guest["near"] == [found["pixels"]]
    points = array(one, "points", np.float32, 30, 2)
    assert one.guest["at"][0] == pytest.approx(points[found["pixels"]].mean(0).tolist())
    rgba = np.concatenate([IMAGES[7].permute(1, 2, 0).numpy(), np.full((16, 16, 1), 255, np.uint8)], axis=2)
    one._uploaded(one, {"kind": "find"}, [rgba.tobytes()])
    assert one.guest["near"][0][0] == 7
    with pytest.raises(ValueError, match="encoders="):
        explorer().find(IMAGES[0])


def test_the_page_is_whole_and_takes_names_as_text(tmp_path):
    hostile = "</script><img src=x onerror=alert(1)>"
    one = explorer(names=[hostile] * 30, title=hostile)
    page = one.save(tmp_path / "new" / "map.html").read_text()
    assert hostile not in page and "<img" not in page and not re.search(r"https?://", page)
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["names"][0] == hostile and base64.b64decode(data["points"]["base64"]) == one.points
    assert "export default" not in page and "function render" in page


def test_the_script_reads_the_traits_that_exist_writes_text_alone_and_fetches_nothing():
    source = widgets.EmbeddingExplorer._esm
    source = source.read_text() if hasattr(source, "read_text") else str(source)
    used = set(re.findall(r'model\.get\("(\w+)"\)', source)) | {"tiles", "maps", "colours", "names"}
    assert used <= set(widgets.EmbeddingExplorer.class_trait_names(sync=True))
    assert not re.search(
        r"https?:|fetch\(|import\(|XMLHttpRequest|innerHTML|outerHTML|insertAdjacentHTML|eval\(", source
    )


def test_a_map_that_forms_goes_on_from_where_it_stood():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    far = 8 * np.eye(3)[y] @ rng.normal(size=(3, 10))
    noise = rng.normal(size=(90, 10))
    maps = plots.forming([noise + share * far for share in np.linspace(0, 1, 5)], perplexity=10)
    assert maps.shape == (5, 90, 2) and np.allclose(maps.std((1, 2)), maps.std((1, 2))[0], rtol=0.3)
    still = plots.forming([noise] * 2, perplexity=10)
    shuffled = np.abs(still[0][rng.permutation(90)] - still[0]).mean()
    assert np.abs(still[1] - still[0]).mean() < 0.1 * shuffled  # nothing has changed: nothing moves

    def purity(xy):
        return (y[nearest(xy, 5)] == y[:, None]).mean()

    assert purity(maps[0]) < 0.5 and purity(maps[-1]) > 0.9
    with pytest.raises(ValueError, match="same images at each moment"):
        plots.forming([noise, noise[:5]])


def test_snapshots_are_dense_at_first_and_end_with_the_end():
    net = torch.nn.Linear(4, 2)
    snapshots = Snapshots(torch.rand(5, 4), 100, 6)
    snapshots.take(net)
    for step in range(1, 101):
        snapshots.update(net, SimpleNamespace(step=step, seconds=0.5 * step))
    assert snapshots.times == ["untrained", "2 s", "8 s", "18 s", "32 s", "50 s"] and len(snapshots.h) == 6
    with pytest.raises(ValueError, match="two moments"):
        Snapshots(torch.rand(5, 4), 100, 1)


def test_the_command_line_writes_a_page_of_several_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for method in ("simclr", "rotation"):
        assert main(["pretrain", method, "--scale", "smoke", "--steps", "2", "--limit", "64", "--out", method]) == 0
    assert main(["explore", "simclr", "rotation", "--limit", "64", "--out", "map.html"]) == 0
    assert "map.html: open it in a browser" in capsys.readouterr().out
    page = (tmp_path / "map.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert [one["title"] for one in data["maps"]] == ["untrained", "simclr, 2 steps", "rotation, 2 steps"]
    assert "hue" in [one["name"] for one in data["colours"]]
