"""Widgets without a browser: values in, pictures out; a wrong value is told in words; the static pictures."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from displayed import displayed
from parts import parts

from sslkit import plots, widgets
from sslkit.plots.picture import for_a_moment
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
    f"{c}: {name}": make
    for c, module in parts("shown").items()
    for name, make in getattr(module, "WIDGETS", {}).items()
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
    assert one.picture.alt == "11 and 11." and one.image.value == one.picture.png


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
    with for_a_moment():
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
