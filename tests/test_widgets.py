"""Widgets without a browser: values in, pictures out; a wrong value is told in words; the static pictures."""

import io
import re
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import traitlets
from displayed import displayed
from PIL import Image
from rooms import rooms

from sslkit import plots, widgets
from sslkit.views import ColorJitter, Compose, GaussianBlur, Grayscale, RandomResizedCrop, Rotation
from sslkit.widgets import picker

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (30, 3, 16, 16), dtype=torch.uint8, generator=GENERATOR)
Y = np.arange(30) % 3
H = np.random.default_rng(0).normal(size=(30, 6))
XY = np.random.default_rng(1).normal(size=(30, 2))
VIEWS = Compose([RandomResizedCrop(), ColorJitter(), Grayscale(), GaussianBlur(), Rotation()])


def explorer(**options):
    return widgets.embedding_explorer(H, IMAGES, Y, ["cat", "dog", "cow"], xy=XY, **options)


ALL = {
    "playground": lambda: widgets.views_playground(IMAGES, VIEWS),
    "explorer": explorer,
    "picker": lambda: widgets.data_picker(["fashion", "emoji"], key="test"),
}


ALL |= {
    f"{c}: {name}": make for c, room in rooms("shown").items() for name, make in getattr(room, "WIDGETS", {}).items()
}


@pytest.mark.parametrize("name", ALL)
def test_shown_as_live_widget_and_as_picture(name):
    """As IPython displays it. ipywidgets 7's own _ipython_display_ would go first and leave the picture out."""
    widget = ALL[name]()
    assert widget._ipython_display_ is None
    picture = displayed(widget)
    assert len(picture.png) < 200_000 and len(picture.alt) > 60


# --- panel -------------------------------------------------------------------------------


def panel(draw, **sliders):
    controls = {name: widgets.slider(name, value, 0, 100) for name, value in sliders.items()}
    return widgets.Panel(controls, draw, lambda: plots.note("fallback"))


def test_an_error_is_told_in_words_and_the_panel_lives_on():
    def draw(a):
        if a > 50:
            raise ValueError("a <b>large</b> value")
        return plots.note(f"a is {a}")

    one = panel(draw, a=1)
    before = one.image.value
    one.controls["a"].value = 99
    assert "ValueError: a &lt;b&gt;large&lt;/b&gt; value" in one.words.value and one.image.value == before
    one.controls["a"].value = 2
    assert one.words.value == "" and one.image.value != before and one.picture.alt == "a is 2."


def test_a_panel_that_cannot_draw_is_still_shown():
    one = widgets.Panel({}, lambda: 1 / 0, lambda: 1 / 0)
    data, _ = one._repr_mimebundle_()
    assert "ZeroDivisionError" in one.words.value and "ZeroDivisionError" in data["text/plain"]


def test_from_two_threads_the_last_picture_shows_the_last_values():
    one = panel(lambda a, b: plots.note(f"{a} and {b}"), a=0, b=0)
    move = lambda name: [setattr(one.controls[name], "value", k) for k in range(1, 12)]  # noqa: E731
    threads = [threading.Thread(target=move, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.picture.alt == "11 and 11." and one.image.value == plots.note("11 and 11").png


def test_drawing_may_set_a_control():
    def draw(a):
        one.controls["a"].value = max(a, 5) if "one" in names else a
        return plots.note(f"a is {a}")

    names = []
    one = panel(draw, a=1)
    names.append("one")
    one.controls["a"].value = 3
    assert one.controls["a"].value == 5 and one.picture.alt == "a is 5."


# --- playground -------------------------------------------------------------------------------


def test_playground_has_a_slider_for_each_number_and_each_changes_the_picture():
    one = ALL["playground"]()
    assert list(one.controls) == [
        *("image", "seed", "RandomResizedCrop scale", "RandomResizedCrop ratio", "RandomResizedCrop flip"),
        *("ColorJitter strength", "ColorJitter p", "Grayscale p", "GaussianBlur sigma", "GaussianBlur p"),
        "Rotation degrees",
    ]
    for name, control in one.controls.items():
        before = one.image.value
        pair = isinstance(control.value, tuple)
        control.value = (control.min, control.min) if pair else control.max
        assert one.words.value == "", (name, one.words.value)
        assert one.image.value != before, name


def test_playground_shows_what_the_views_give():
    one = widgets.views_playground(IMAGES, {"jitter": ColorJitter(p=1)}, seed=3)
    one.controls["image"].value, one.controls["jitter strength"].value = 4, 1.5
    x = IMAGES[4:5].expand(24, -1, -1, -1)
    views = ColorJitter(strength=1.5, p=1)(x, torch.Generator().manual_seed(3))
    named = {"original": IMAGES[4:5], "views": views[:8], " ": views[8:16], "  ": views[16:]}
    caption = "Image 4, seed 3. jitter strength 1.5, jitter p 1."
    expected = plots.rows(named, title="One image, 24 views of it", caption=caption, side=72)
    assert one.image.value == expected.png


def test_playground_takes_a_function_and_two_views_of_one_kind():
    one = widgets.views_playground(IMAGES, lambda degrees=10.0, name="x", on=True: Rotation(degrees))
    assert list(one.controls) == ["image", "seed", "degrees"] and "degrees 10" in one.picture.alt
    assert one.controls["degrees"].max == 180
    two = widgets.views_playground(IMAGES, [Grayscale(0.0), Grayscale(1.0)])
    assert list(two.controls)[2:] == ["Grayscale 1 p", "Grayscale 2 p"]


def test_playground_tells_a_view_that_fails():
    @dataclass
    class Broken:
        amount: float = 0.5

        def __call__(self, x, generator=None):
            if self.amount > 0.9:
                raise RuntimeError("too much")
            return x

    one = widgets.views_playground(IMAGES, Broken())
    one.controls["Broken amount"].value = 1.0
    assert "RuntimeError: too much" in one.words.value
    with pytest.raises(ValueError, match="N, C, H, W"):
        widgets.views_playground(IMAGES[0], Broken())


# --- explorer -------------------------------------------------------------------------------


def test_explorer_hands_the_browser_what_was_given():
    one = explorer(names=[f"image {k}" for k in range(30)], k=4)
    points = np.frombuffer(one.points, np.float32).reshape(30, 2)
    assert points.min() >= 0 and points.max() <= 1
    assert np.corrcoef(points[:, 0], XY[:, 0])[0, 1] > 0.9999 and np.corrcoef(points[:, 1], XY[:, 1])[0, 1] > 0.9999
    assert (np.frombuffer(one.labels, np.int32) == Y).all() and one.classes == ["cat", "dog", "cow"]
    unit = H / np.linalg.norm(H, axis=1, keepdims=True)
    for i, near in enumerate(np.frombuffer(one.neighbours, np.int32).reshape(30, 4)):
        similarity = {j: unit[i] @ unit[j] for j in range(30) if j != i}
        assert sorted(similarity, key=similarity.get, reverse=True)[:4] == near.tolist()
    sheet = np.asarray(Image.open(io.BytesIO(one.sprite)))
    columns, width, height = (one.tiles[key] for key in ("columns", "width", "height"))
    for i in (0, 7, 29):
        x, y = i % columns * width, i // columns * height
        assert (sheet[y : y + height, x : x + width] == IMAGES[i].permute(1, 2, 0).numpy()).all()
    assert one.names[29] == "image 29" and len(one.styles) == 3


def test_explorer_neighbours_of_a_plain_map_are_euclidean():
    one = widgets.embedding_explorer(XY, IMAGES, k=3)
    near = np.frombuffer(one.neighbours, np.int32).reshape(30, 3)
    distance = ((XY[0] - XY) ** 2).sum(1)
    assert near[0].tolist() == np.argsort(distance)[1:4].tolist()
    assert one.labels == b"" and one.classes == []


def test_explorer_selection_is_a_list_of_its_rows():
    one, seen = explorer(), []
    one.observe(lambda change: seen.append(change.new), names="selected")
    one.selected = [3, 1]
    assert seen == [[3, 1]]
    with pytest.raises(traitlets.TraitError, match="30 points"):
        one.selected = [30]
    assert one.selected == [3, 1]


def test_explorer_states_how_many_neighbours_agree():
    h = np.eye(3)[Y] + 0.01 * H[:, :3]
    one = widgets.embedding_explorer(h, IMAGES, Y, xy=XY, k=5)
    assert "100% of the 5 nearest neighbours have their image's class" in one.fallback().alt


def test_explorer_shrinks_large_images_and_maps_features_itself():
    x = torch.randint(256, (30, 1, 96, 64), dtype=torch.uint8, generator=GENERATOR)
    one = widgets.embedding_explorer(H, x)
    assert (one.tiles["width"], one.tiles["height"]) == (32, 48)


@pytest.mark.parametrize(
    "change, word",
    [
        (dict(images=IMAGES[:5]), "5 images for 30"),
        (dict(labels=Y[:4]), "4 labels for 30"),
        (dict(xy=XY[:2]), "2 xy for 30"),
        (dict(labels=Y, classes=["cat"]), "only 1 class names"),
        (dict(h=np.zeros((5001, 2)), images=np.zeros((5001, 1, 1, 1)), xy=np.zeros((5001, 2))), "subsample"),
    ],
)
def test_explorer_refuses_what_does_not_fit_in_words(change, word):
    with pytest.raises(ValueError, match=word):
        widgets.embedding_explorer(**dict(h=H, images=IMAGES, xy=XY) | change)


def test_explorer_browser_half_reads_the_traits_that_exist_and_fetches_nothing():
    source = widgets.EmbeddingExplorer._esm
    source = source.read_text() if hasattr(source, "read_text") else str(source)
    used = set(re.findall(r'model\.get\("(\w+)"\)', source)) | {"tiles", "classes", "styles", "names"}
    assert used <= set(widgets.EmbeddingExplorer.class_trait_names(sync=True))
    assert not re.search(r"https?:|fetch\(|import\(|XMLHttpRequest", source)


# --- picker -------------------------------------------------------------------------------


@pytest.fixture
def sets(monkeypatch):
    """The picker's registry, empty; every set previews at once."""
    monkeypatch.setattr(picker, "_chosen", {})
    monkeypatch.setattr(picker, "preview", lambda name: plots.note(f"look at {name}"))


def test_picker_tells_its_value_and_what_to_do(sets):
    called = []
    one = widgets.data_picker(["scenes", "fashion"], on_change=called.append)
    assert one.value == "scenes" and one.picture.alt == "look at scenes." and one.hint.value == ""
    one.controls["name"].value = "fashion"
    assert one.value == "fashion" and one.picture.alt == "look at fashion." and called == ["fashion"]
    assert "run the cells below again" in one.hint.value


def test_picker_keeps_the_choice_when_its_cell_runs_again(sets):
    widgets.data_picker(["scenes", "fashion"]).controls["name"].value = "fashion"
    again = widgets.data_picker(["scenes", "fashion"])
    assert again.value == "fashion" and again.hint.value == ""
    assert widgets.data_picker(["scenes", "fashion"], key="other").value == "scenes"
    assert widgets.data_picker(["scenes", "emoji"]).value == "scenes"


def test_picker_tells_what_went_wrong_in_the_callback(sets):
    def fail(name):
        raise OSError(f"no disk for {name}")

    one = widgets.data_picker(["scenes", "fashion"], on_change=fail)
    one.controls["name"].value = "fashion"
    assert "OSError: no disk for fashion" in one.words.value
    with pytest.raises(ValueError, match="not among the names: scenes"):
        widgets.data_picker(["scenes"], "fashio")


def test_picker_previews_without_downloading(monkeypatch):
    assert "fashion: a look at the data" in picker.preview("fashion").alt
    loaded = []
    monkeypatch.setattr(picker, "load", loaded.append)
    info = type("Info", (), dict(name="cifar10", where="to download", megabytes=170, about="photographs"))
    monkeypatch.setattr(picker, "available", lambda: [info])
    assert "cifar10: not on this disk yet" in picker.preview("cifar10").alt and not loaded
