"""Figures: what is drawn is what was given, nothing is cropped or overlaps, and pyplot stays out."""

import ast
import io
import itertools
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import matplotlib.text
import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from parts import parts
from PIL import Image

from sslkit import plots
from sslkit.plots import curves
from sslkit.plots import live as live_module
from sslkit.plots.axes import panels
from sslkit.plots.picture import COLOURS, GRID, LOCK, PALE, RIGHT, WRONG
from sslkit.plots.table import resize, rgb, to_pixels
from sslkit.plots.text import drawable, percent
from sslkit.progress import duration

ROOT = Path(__file__).resolve().parents[2]
TITLE = "A title that says at length what there is to be seen in this figure, so long that it must take two lines"
CAPTION = "A caption with protocol, split and seeds, 3 of 4 numbers and then some; " * 2
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (40, 3, 16, 16), dtype=np.uint8)
Y = np.arange(40) % 10
CLASSES = [
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
]
XY = rng.normal(size=(40, 2))
RUNS = {"pixels": 0.31, "untrained encoder": [0.38, 0.42], "SimCLR": [0.55, 0.57, 0.59]}


@pytest.fixture(autouse=True)
def same_numbers():
    """Each test draws the same numbers, whichever ran before it in its process."""
    global rng
    rng = np.random.default_rng(0)


def record(step, loss=1.0, steps=10):
    return SimpleNamespace(step=step, steps=steps, loss=loss, images_per_second=2000.0, seconds=step * 0.1)


def live(**options):
    figure = plots.Live(chance=2.0, probe="kNN accuracy, val", **options)
    figure._show = lambda: None
    for step in range(1, 8):
        figure.update(record(step, 2 / step), probe=0.1 * step if step % 3 == 0 else None)
    return figure.draw()


FIGURES = {
    "grid": lambda **t: plots.grid(IMAGES[:20], CLASSES * 2, **t),
    "grid of three": lambda **t: plots.grid(IMAGES[:3], **t),
    "rows": lambda **t: plots.rows({"original": IMAGES[:4], "reconstruction": IMAGES[4:8] / 255}, "abcd", **t),
    "pairs": lambda **t: plots.pairs(IMAGES[:9], IMAGES[9:18], **t),
    "strip": lambda **t: plots.strip(IMAGES[:3], [IMAGES[k : k + 3] for k in range(8)], **t),
    "neighbours": lambda **t: plots.neighbours(
        IMAGES[:4], IMAGES.reshape(4, 10, 3, 16, 16), Y[:4], Y.reshape(4, 10), CLASSES, **t
    ),
    "map": lambda **t: plots.tsne_maps([("before", XY, Y)], CLASSES, **t),
    "two maps": lambda **t: plots.tsne_maps([("before", XY, Y), ("after", XY**3, Y)], CLASSES, **t),
    "map without classes": lambda **t: plots.tsne_maps([("before", XY, None)], **t),
    "islands": lambda **t: plots.islands([("a", XY), ("b", XY + 9 * Y[:, None])], (CLASSES, Y), IMAGES, **t),
    "thumbnails": lambda **t: plots.tsne_maps([("a", XY, Y), ("b", XY, Y)], CLASSES, IMAGES, **t),
    "losses": lambda **t: plots.losses({"a": rng.random(90), "b": ([1, 9], [2, 1])}, chance=1.4, **t),
    "label efficiency": lambda **t: plots.label_efficiency(
        {"fine-tuned": {1: [0.3, 0.4], 10: [0.6]}, "from scratch": {1: 0.2, 10: 0.5}}, chance=0.1, **t
    ),
    "bars": lambda **t: plots.bars(RUNS, chance=0.1, xlabel="accuracy", **t),
    "scoreboard": lambda **t: plots.scoreboard(
        {m: {"kNN": v, "linear probe": v, "10 labels": v, "effective rank": 40.0} for m, v in RUNS.items()},
        **t,
    ),
    "heat map": lambda **t: plots.heatmap(np.eye(5), CLASSES[:5], CLASSES[:5], label="cosine", **t),
    "large heat map": lambda **t: plots.heatmap(rng.normal(size=(60, 80)), marks=[(0, 1), (5, 9)], **t),
    "confusion": lambda **t: plots.confusion(Y, np.roll(Y, 1), CLASSES, **t),
    "live": lambda **t: live(**t),
    "note": lambda **t: plots.note(**t),
}
OWN = {
    f"{chapter}: {name}": make for chapter, module in parts("shown").items() for name, make in module.FIGURES.items()
}
ALL = FIGURES | {name: lambda make=make, **_: make() for name, make in OWN.items()}  # with titles of their own


def pixels(picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def count(picture, colour) -> int:
    return int((pixels(picture) == np.array(colour)).all(axis=2).sum())


@pytest.fixture
def drawn_text(monkeypatch):
    """(text, box, rotated) of every text that really is drawn, box in pixels."""
    found, draw = [], matplotlib.text.Text.draw

    def spy(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer), self.get_rotation() % 90))
        return draw(self, renderer, *args, **kwargs)

    monkeypatch.setattr(matplotlib.text.Text, "draw", spy)
    return found


@pytest.mark.parametrize("name", ALL)
def test_picture_is_a_small_png_with_alt_text(name):
    picture = ALL[name](title="What to see", caption="12 images, seed 0.")
    image = Image.open(io.BytesIO(picture.png))
    image.verify()
    assert image.format == "PNG" and 300 < picture.width <= 900 and image.height < 1800
    assert image.width == 2 * picture.width and len(picture.png) < 130_000
    assert len(picture.alt) > 30
    if name in FIGURES:
        assert "What to see." in picture.alt and "12 images, seed 0." in picture.alt


@pytest.mark.parametrize("name", ALL)
def test_text_is_neither_cropped_nor_overlapping(name, drawn_text):
    picture = ALL[name](title=TITLE, caption=CAPTION)
    height, width = pixels(picture).shape[:2]
    for text, box, _ in drawn_text:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text!r} leaves the figure of {width} x {height}: {box}"
    straight = [(text, box.padded(-1)) for text, box, rotation in drawn_text if rotation == 0]
    for (one, a), (two, b) in itertools.combinations(straight, 2):
        assert not a.overlaps(b), f"{one!r} and {two!r} overlap"
    if name in FIGURES:
        shown = " ".join(" ".join(text.split()) for text, _, _ in drawn_text)
        assert TITLE in shown and CAPTION.strip() in shown


def test_style_is_the_figures_own_and_global_settings_stay():
    plain = {name: ALL[name](title="t", caption="c").png for name in ("bars", "heat map", "map", "live")}
    before = dict(matplotlib.rcParams)
    dark = {"text.color": "white", "axes.facecolor": "black", "figure.facecolor": "black"}
    dark |= {"axes.edgecolor": "white", "axes.labelcolor": "white", "xtick.color": "white", "font.size": 20}
    with matplotlib.rc_context(dark):
        assert {name: ALL[name](title="t", caption="c").png for name in plain} == plain
    assert dict(matplotlib.rcParams) == before


def test_same_input_gives_the_same_bytes_from_two_threads_too():
    def draw():
        return [ALL[name](title="t", caption="c").png for name in ("grid", "map", "heat map", "bars")]

    alone, results = draw(), []
    threads = [threading.Thread(target=lambda: results.append(draw())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone, alone]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.slow
def test_one_figure_is_drawn_at_a_time(name):
    done = threading.Event()
    thread = threading.Thread(target=lambda: (ALL[name](title="t", caption="c"), done.set()))
    with LOCK:
        thread.start()
        assert not done.wait(0.1)
    thread.join(60)
    assert done.is_set()


def test_picture_saves_and_shows_itself(tmp_path):
    picture = plots.note("title", "caption")
    assert picture.save(tmp_path / "new" / "a.png").read_bytes() == picture.png
    data, _ = picture._repr_mimebundle_()
    assert plots.Picture.found(data["text/html"]) == picture and data["text/plain"] == picture.alt
    assert f'<img width="{pixels(picture).shape[1] // 2}"' in data["text/html"]  # two pixels to one of the page


def test_words_of_a_figure_are_text_in_the_page():
    picture = plots.note('<img src=x onerror="alert(1)"> & more')
    data, _ = picture._repr_mimebundle_()
    assert data["text/html"].count("<") == 1 and plots.Picture.found(data["text/html"]) == picture
    assert plots.Picture.found("<img src='a.png'>") is None


def test_alt_text_is_made_of_sentences():
    assert plots.grid(IMAGES[:2], title="Which is which?", caption="c").alt == "2 images. Which is which? c."
    assert plots.note("What next?", "Nothing.").alt == "What next? Nothing."


def test_what_cannot_be_drawn_becomes_a_sign():
    assert drawable("a $5 naïve·⏎") == "a $5 naïve·⏎"
    assert drawable("日\n") == "��" and drawable("") == "∅"


def test_panels_share_a_look_and_the_first_of_a_row_has_the_label():
    fig, axes = panels("title", "caption", 3.0, "x", "y", heads="abcd", rows=2, width=6.0)
    assert [ax.get_title(loc="left") for ax in axes] == list("abcd") and fig.get_figwidth() > 6
    assert [ax.get_ylabel() for ax in axes] == ["y", "", "y", ""] and {ax.get_xlabel() for ax in axes} == {"x"}


def test_notebooks_store_each_picture_once_as_base64_with_alt_text():
    source = """from types import SimpleNamespace as R
from sslkit import plots
live = plots.Live(chance=1.0)
for step in range(1, 4):
    live.update(R(step=step, steps=3, loss=1 / step, images_per_second=1.0, seconds=step))
plots.note("the title", "the caption")"""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    extra = ["--IPKernelApp.log_level=40"]
    NotebookClient(nb, kernel_name="python3", timeout=60, extra_arguments=extra).execute(cwd=str(ROOT))
    kinds = [output["output_type"] for output in nb.cells[0].outputs]
    assert kinds == ["display_data", "execute_result"]
    for output in nb.cells[0].outputs:
        picture = plots.Picture.found(output["data"]["text/html"])
        Image.open(io.BytesIO(picture.png)).verify()
        assert len(picture.alt) > 10
    assert json.dumps(nb).count("iVBORw0KGgo") == 2
    page = HTMLExporter().from_notebook_node(nb)[0]
    assert page.count('alt="the title. the caption."') == 1 and "No description has been provided" not in page
    assert "step 3 of 3" in nb.cells[0].outputs[0]["data"]["text/plain"]


@pytest.mark.slow
def test_pyplot_is_imported_nowhere():
    code = "import pkgutil, sslkit, sys, importlib\n"
    code += "for m in pkgutil.walk_packages(sslkit.__path__, 'sslkit.'):\n"
    code += "    m.name.endswith('__main__') or importlib.import_module(m.name)\n"
    code += "from sslkit import plots; plots.bars({'a': 1}); plots.heatmap([[1, 2]])\n"
    code += "print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stdout + done.stderr
    for path in (ROOT / "sslkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            assert not any("pyplot" in n for n in [*names, getattr(node, "module", None) or ""]), path


# --- images -------------------------------------------------------------------------------


def test_grid_shows_every_pixel_of_every_image():
    images = np.zeros((3, 3, 8, 8), np.uint8)
    images[0, 0], images[1, 2], images[2, :2] = 252, 252, 252  # red, blue, yellow
    picture = plots.grid(images, side=40)
    for colour in ((252, 0, 0), (0, 0, 252), (252, 252, 0)):
        assert count(picture, colour) == 4 * 40 * 40
    at = np.argwhere((pixels(picture) == (0, 0, 252)).all(2))
    assert at[:, 1].min() > np.argwhere((pixels(picture) == (252, 0, 0)).all(2))[:, 1].max()


def test_pixels_of_uint8_float_and_grey_agree():
    grey = IMAGES[:, :1]
    assert (to_pixels(grey) == to_pixels(np.repeat(grey, 3, axis=1))).all()
    assert (to_pixels(torch.from_numpy(IMAGES) / 255) == to_pixels(IMAGES)).all()
    assert (to_pixels(torch.from_numpy(IMAGES[:2]).bfloat16() / 255).astype(int) - to_pixels(IMAGES[:2])).max() < 2
    assert to_pixels(np.full((1, 1, 2, 2), 1.3)).max() == 255 and to_pixels(np.full((1, 1, 2, 2), -0.3)).max() == 0


@pytest.mark.parametrize(
    "images, word",
    [(IMAGES[0], "x[None]"), (IMAGES[:, :2], "1 or 3"), (IMAGES.astype(float), "divide by 255")],
)
def test_images_that_are_none_are_refused_in_words(images, word):
    with pytest.raises(ValueError) as error:
        plots.grid(images)
    assert word in str(error.value)


def test_resize_grows_by_whole_pixels_and_shrinks_by_averaging():
    x = to_pixels(IMAGES[:2])
    assert (resize(x, 40)[:, ::2, ::2] == x).all() and resize(x, 40).shape == (2, 32, 32, 3)
    mean = x.reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
    assert abs(resize(x, 8) - mean).max() <= 1


def test_neighbours_are_framed_and_counted():
    images = np.full((1, 3, 8, 8), 100, np.uint8)
    found = np.full((1, 4, 3, 8, 8), 100, np.uint8)
    picture = plots.neighbours(images, found, [1], [[1, 0, 1, 1]], ["cat", "dog"], title="t", caption="Val.")
    assert "Val. 3 of 4 neighbours (75%) have the query's class" in picture.alt
    tile = 72
    ring = 4 * ((tile + 6) ** 2 - tile**2)
    assert count(picture, rgb(RIGHT)) == 3 * ring
    assert count(picture, rgb(WRONG)) >= ring  # and the wrong one's name
    with pytest.raises(ValueError, match="train.y\\[indices\\]"):
        plots.neighbours(images, found, [1], [[1, 0]])
    with pytest.raises(ValueError, match="train.x\\[indices\\]"):
        plots.neighbours(images, found[0])


# --- maps -------------------------------------------------------------------------------


def blobs(n=60, d=80):
    y = np.arange(n) % 3
    return np.random.default_rng(1).normal(size=(n, d)) + 6 * np.eye(d)[y], y


def test_tsne_keeps_clusters_and_is_reproducible():
    h, y = blobs()
    xy = plots.tsne(torch.from_numpy(h), perplexity=10)
    assert xy.shape == (60, 2)
    assert (xy == plots.tsne(h, perplexity=10)).all()
    distance = ((xy[:, None] - xy[None]) ** 2).sum(2) + 1e9 * np.eye(60)
    assert (y[distance.argmin(1)] == y).all()
    one, again, two = (plots.tsne(h, 10, seed, init="random") for seed in (0, 0, 1))
    assert (one == again).all() and abs(one - two).max() > 1


@pytest.mark.parametrize(
    "h, perplexity, word",
    [
        (np.full((40, 3), np.nan), 5, "diverged"),
        (np.ones((40, 3)), 5, "collapsed"),
        (np.zeros((5001, 2)), 5, "subsample"),
        (rng.normal(size=(20, 3)), 30, "perplexity"),
    ],
)
def test_tsne_says_what_is_wrong(h, perplexity, word):
    with pytest.raises(ValueError, match=word):
        plots.tsne(h, perplexity)


def test_subsample_draws_without_replacement():
    pick = plots.subsample(1000, 100, seed=1)
    assert len(set(pick)) == 100 and (np.diff(pick) > 0).all() and pick.max() > 900
    assert (pick == plots.subsample(1000, 100, seed=1)).all() and len(plots.subsample(5, 10)) == 5


def test_map_has_each_class_colour_and_refuses_too_few_names():
    picture = plots.tsne_maps([("a", XY, Y)], CLASSES)
    seen = {tuple(c) for c in pixels(picture).reshape(-1, 3).tolist()}
    for colour in COLOURS[: len(CLASSES)]:
        assert any(sum(abs(a - b) for a, b in zip(rgb(colour), c)) < 30 for c in seen), colour
    with pytest.raises(ValueError, match="only 3 class names"):
        plots.tsne_maps([("a", XY, Y)], CLASSES[:3])
    plots.tsne_maps([("a", XY, np.arange(40) * 2)])  # 79 classes: the last ones share grey


def test_a_map_may_bring_its_own_colours_and_rows_of_names(drawn_text):
    picture = plots.tsne_maps([("a", XY, Y % 4)], list("abcd"), colours=["#FF0000", "#00FF00"] * 2, per_row=2)
    assert count(picture, (255, 0, 0)) > 100 and count(picture, (0, 255, 0)) > 100
    at = {text: box for text, box, _ in drawn_text}
    assert at["a"].x0 == at["b"].x0 < at["c"].x0 == at["d"].x0 and at["a"].y0 == at["c"].y0 > at["b"].y0


# --- curves -------------------------------------------------------------------------------


def test_dollars_are_no_formulas(drawn_text):
    """Names of classes and files are a reader's own."""
    names = ["5$ and 6$ {", "$\\nothing$"]
    plots.grid(IMAGES[:2], names, title=names[0], caption=names[1])
    plots.rows({names[0]: IMAGES[:2]}, names)
    plots.tsne_maps([(names[0], rng.random((9, 2)), np.arange(9) % 2)], names)
    plots.confusion([0, 1], [0, 1], names)
    plots.bars(dict.fromkeys(names, 0.5), title=names[0])
    plots.losses(dict.fromkeys(names, [1, 2]))
    assert set(names) <= {text for text, *_ in drawn_text}


def test_smooth_is_the_mean_of_the_last_values():
    values = rng.random(50)
    expected = [np.mean(values[k - min(7, max(1, k // 5)) : k]) for k in range(1, 51)]  # a fifth of those so far
    assert np.allclose(plots.smooth(values, 7), expected) and len(plots.smooth([], 7)) == 0
    assert np.allclose(plots.smooth(values, 1), values)


def test_smooth_does_not_lag_behind_a_steep_start():
    steps = np.arange(1, 3601)
    losses = 0.2 + 0.6 * np.exp(-steps / 60)
    assert abs(plots.smooth(losses, 120) - losses).max() < 0.03  # a mean over all so far: 0.18


def test_verdict_in_words():
    noise = 0.01 * np.sin(np.arange(100))  # its mean over any of the last stretches is near 0
    assert "ended at 1.39, no better than chance level (1.39)" in plots.verdict(1.386 + noise, 1.386)
    assert "is at 1.39, no better than chance level" in plots.verdict(1.386 + noise, 1.386, done=False)
    assert "ended at 3.00, no better" in plots.verdict(np.full(100, 3.0), 1.386)
    assert "has come down from chance level (1.39) to 1.20 (mean" in plots.verdict(np.r_[1.4, 1.2 + noise], 1.386)
    assert plots.verdict(np.r_[0.5, 1.2 + noise], 1.386).endswith(", below chance level (1.39).")
    copying = plots.verdict(np.r_[1.0, 0.3 + noise], 1.0, level="copying")
    assert copying == "The loss has come down from the level of copying (1) to 0.300 (mean of the last tenth)."
    assert "diverged" in plots.verdict([1.0, np.nan], 1.386)
    assert plots.verdict([1.0], None) == ""


def test_chance_level_is_drawn_and_named(drawn_text):
    plots.losses([3.0, 2.5, 2.0], chance=6.236)
    assert any(text == "chance\n6.24" for text, _, _ in drawn_text)
    live(level="copying", probe_chance=0.1)
    assert any(text == "copying\n2" for text, _, _ in drawn_text)
    assert any(text == "chance 10%" for text, _, _ in drawn_text)


def test_label_efficiency_states_means():
    alt = FIGURES["label efficiency"](title="t", caption="c").alt
    assert "fine-tuned 35% at 1 to 60% at 10" in alt and "lowest to highest run" in alt


# --- bars and matrices -------------------------------------------------------------------------------


def test_islands_colour_and_name_what_has_its_own_kind_around_it(drawn_text):
    angle = 2 * np.pi * np.arange(3) / 3
    y = np.repeat(np.arange(3), 40)
    apart = np.stack([np.cos(angle), np.sin(angle)], 1)[y] + 0.1 * rng.random((120, 2))
    mixed = rng.random((120, 2))
    images = np.zeros((120, 3, 8, 8), np.uint8)
    alt = plots.islands([("mixed", mixed), ("apart", apart)], (["aa", "bb", "cc"], y), images, title="t").alt
    assert "apart 100%" in alt and int(re.search(r"mixed (\d+)%", alt)[1]) < 20
    assert {"aa", "bb", "cc"} <= {text for text, _, _ in drawn_text}


def test_bars_state_means_and_mark_the_best(drawn_text):
    picture = plots.bars(RUNS)
    assert "untrained encoder 0.4" in picture.alt
    assert {"31.0%", "40.0%", "57.0%"} <= {text for text, _, _ in drawn_text}
    assert count(picture, rgb(COLOURS[0])) > 5000


def test_numbers_beside_bars(drawn_text):
    plots.bars({"a": 1.9951, "b": 126, "c": 999.7, "d": 1480.2, "e": 0.0234})
    assert {"2.00", "126", "1,000", "1,480", "0.0234"} <= {text for text, _, _ in drawn_text}


@pytest.mark.parametrize("names, beside", [(3, False), (4, True)])
def test_many_names_stand_beside_the_curves(names, beside, monkeypatch):
    figures = []
    monkeypatch.setattr(curves, "render", lambda fig, *_, **__: figures.append(fig))
    plots.losses({f"run {i}": [3, 2, 1] for i in range(names)})
    (ax,) = figures[0].axes
    figures[0].canvas.draw()
    assert (ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1) == beside


def test_scoreboard_leaves_missing_values_out():
    alt = plots.scoreboard({"pixels": {"kNN": 0.3}, "SimCLR": {"kNN": [0.5, 0.6], "rank": 40}}).alt
    assert "kNN: pixels 0.300, SimCLR 0.550; rank: SimCLR 40." in alt


def test_judges_named_as_percent_are_and_no_others(drawn_text):
    plots.scoreboard({"a": {"size": -0.002, "spread": 0.5, "kNN": 0.3}}, percent=("size", "kNN"))
    shown = {text for text, _, _ in drawn_text}
    assert {"-0.2%", "0.500", "30.0%"} <= shown


def test_what_rounds_to_zero_has_no_sign(drawn_text):
    plots.scoreboard({"a": {"R2": -0.0004}, "b": {"R2": -0.006}, "c": {"R2": 0.5}}, percent=("R2",))
    shown = {text for text, _, _ in drawn_text}
    assert {"0.0%", "-0.6%", "50.0%"} <= shown and "-0.0%" not in shown
    assert [percent(share) for share in (-0.004, -0.006, 0.0, -1.0)] == ["0%", "-1%", "0%", "-100%"]


def test_a_level_that_is_no_chance_has_its_own_name(drawn_text):
    plots.losses({"A": [1.2, 0.9]}, chance=1.0, level="copying")
    assert any("copying" in text for text, _, _ in drawn_text)
    assert not any("chance" in text for text, _, _ in drawn_text)


def test_judges_of_one_unit_have_one_axis(monkeypatch):
    figures = []
    monkeypatch.setitem(plots.scoreboard.__wrapped__.__globals__, "render", lambda fig, *_, **__: figures.append(fig))
    plots.scoreboard({"a": {"near (°)": 5.0, "far (°)": 90.0, "kNN": 0.3, "probe": 0.6, "rank": 40.0}})
    near, far, knn, probe, rank = (ax.get_xlim()[1] for ax in figures[0].axes)
    assert near == far > rank > knn == probe


def test_what_others_are_held_against_is_grey():
    plain, beside = (
        plots.scoreboard({"a": {"kNN": 0.5}, "b": {"kNN": 0.4}}, highlight="", beside=names) for names in ((), ("b",))
    )
    assert count(beside, rgb(PALE)) < 0.7 * count(plain, rgb(PALE)) and count(beside, rgb(GRID)) > count(
        plain, rgb(GRID)
    )


def test_confusion_counts_rows(drawn_text):
    alt = plots.confusion([0, 0, 1, 1], [0, 0, 0, 1], ["cat", "dog"]).alt
    assert "Accuracy 75.0% of 4" in alt
    numbers = [text for text, _, _ in drawn_text if text in ("0.67", "0.33", "0", "1.00")]
    assert sorted(numbers) == sorted(["0.67", "0.33", "0", "1.00"])


# --- live -------------------------------------------------------------------------------


class Clock:
    """A stand-in for time.monotonic: each step of training takes 10 ms, each drawing 150 ms."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def notebook(monkeypatch):
    """Live believes it is in Jupyter; shown pictures are collected, and time is the clock's."""
    import IPython.display

    clock, shown, draw = Clock(), [], plots.Live.draw

    def slow(self):
        clock.now += 0.15
        return draw(self)

    monkeypatch.setattr(live_module, "time", clock)
    monkeypatch.setattr(live_module, "in_jupyter", lambda: True)
    monkeypatch.setattr(plots.Live, "draw", slow)
    monkeypatch.setattr(
        plots.Live, "_finish_with_the_cell", lambda self: None
    )  # tests/test_progress.py has a real kernel
    handle = SimpleNamespace(update=shown.append)
    monkeypatch.setattr(IPython.display, "display", lambda picture, display_id: shown.append(picture) or handle)
    return SimpleNamespace(clock=clock, shown=shown)


def test_live_draws_for_less_than_three_percent_of_the_time(notebook):
    figure = plots.Live(chance=2.0)
    for step in range(1, 3001):
        notebook.clock.now += 0.01
        figure.update(record(step, steps=3000))
    drawing = 0.15 * len(notebook.shown)
    assert 4 <= len(notebook.shown) and drawing / notebook.clock.now < 0.03
    assert "step 3,000 of 3,000" in notebook.shown[-1].alt


def test_live_shows_the_last_step_after_an_interrupt(notebook):
    figure = plots.Live(chance=2.0)
    for step in range(1, 50):
        figure.update(record(step, steps=1000))
    figure.finish()
    assert "step 49 of 1,000" in notebook.shown[-1].alt


def test_live_prints_lines_outside_jupyter(capsys):
    figure = plots.Live(chance=1.0, probe="kNN", every=0)
    figure.update(record(1, 0.9), probe=0.25)
    figure.next_draw = 1e18
    figure.update(record(2, 0.8))
    figure.update(record(10, 1.0))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0] == "step 1 of 10, 2,000 images/s, loss 0.9, kNN 25.0%"
    assert "step 10 of 10" in lines[1] and "no better than chance level" in lines[1]


def test_live_tells_the_time_left_of_a_resumed_run():
    figure = plots.Live(every=1e9)
    figure.next_draw = 1e18
    for step in (501, 551, 601):  # 0.1 s a step here, and what came before is not known
        figure.update(record(step, steps=1201))
    assert figure.status().endswith("1 min 00 s left")


def test_live_survives_a_loss_that_is_not_finite():
    figure = plots.Live(chance=1.0, every=1e9)
    figure.next_draw = 1e18
    for step in range(1, 4):
        figure.update(record(step, float("nan") if step == 3 else 1.0))
    assert "diverged" in figure.draw().alt


@pytest.mark.parametrize(
    "seconds, words", [(43.4, "43 s"), (320, "5 min 20 s"), (59.6, "1 min 00 s"), (11100, "3 h 05 min")]
)
def test_duration(seconds, words):
    assert duration(seconds) == words


# --- colours and numbers ---------------------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as it looks without one kind of cone.
SEEN_BY = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour: str) -> np.ndarray:
    """A hex colour as linear RGB in [0, 1]."""
    c = np.array(rgb(colour)) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2.2."""
    bright, dark = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def oklab(x: np.ndarray) -> np.ndarray:
    """Linear RGB in OKLab (Ottosson 2020)."""
    cones = np.cbrt(
        np.array(
            [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.6806995, 0.1073970], [0.0883025, 0.2817188, 0.6299787]]
        )
        @ np.clip(x, 0, 1)
    )
    lab = [
        [0.21045426, 0.79361779, -0.00407205],
        [1.97799850, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
    return np.array(lab) @ cones


@pytest.mark.parametrize("background", ["#FFFFFF", "#111111"])
def test_every_colour_is_seen_on_the_light_and_the_dark_theme(background):
    assert len(COLOURS) >= 12
    assert {c: round(contrast(c, background), 2) for c in (*COLOURS, RIGHT, WRONG) if contrast(c, background) < 3} == {}
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_text_is_read_on_white():
    from sslkit.plots.picture import FAINT, INK

    assert min(contrast(c, "#FFFFFF") for c in (INK, FAINT, RIGHT, WRONG)) > 4.5


@pytest.mark.parametrize("eyes, least", [("normal", 0.11), ("protan", 0.06), ("deutan", 0.06), ("tritan", 0.04)])
def test_no_two_colours_look_alike(eyes, least):
    seen = [oklab(np.array(SEEN_BY.get(eyes, np.eye(3))) @ linear(c)) for c in COLOURS]
    near = {(a, b): np.linalg.norm(x - y) for (a, x), (b, y) in itertools.combinations(zip(COLOURS, seen), 2)}
    assert {pair: round(d, 3) for pair, d in near.items() if d < least} == {}


def shown_texts(drawn_text, inside: str = "") -> list[str]:
    return [text for text, _, _ in drawn_text if inside in text]


@pytest.mark.parametrize("low, high", [(0.20, 0.204), (0.1, 0.9), (0.5, 0.52)])
def test_two_ticks_never_read_the_same(low, high, drawn_text):
    plots.label_efficiency({"a": {1: low, 10: high}}, title="t")
    ticks = [text for text in shown_texts(drawn_text, "%") if text.replace(".", "").rstrip("%").isdigit()]
    assert len(ticks) > 2 and len(ticks) == len(set(ticks)), ticks


def test_a_long_class_name_is_whole_where_there_is_room(drawn_text):
    names = [f"upholstery {k}" for k in range(4)]
    plots.grid(IMAGES[:4], names, side=32, title="t")
    assert shown_texts(drawn_text, "upholstery") == names
    drawn_text.clear()
    found = np.stack([IMAGES[:4]] * 2)
    plots.neighbours(
        IMAGES[:2], found, [0, 1], [[0, 0, 1, 0], [1, 1, 1, 1]], ["cat", "a very long name of a class"], side=24
    )
    assert "a very long name of a class" in shown_texts(drawn_text)


def test_the_chance_level_is_named_beside_the_curves(drawn_text):
    plots.losses({"flat": np.full(80, 1.4), "noisy": 1.4 + 0.2 * rng.normal(size=80)}, chance=1.4, title="t")
    box = next(box for text, box, _ in drawn_text if text.startswith("chance"))
    last_tick = max(box.x1 for text, box, _ in drawn_text if text == "80")
    assert box.x0 > last_tick - 12  # right of where the curves end


def test_curves_side_by_side_may_have_one_axis(drawn_text):
    plots.label_efficiency({"a": {1: 0.3, 10: 0.4}}, limits=(0.1, 0.7))
    assert {"20%", "60%"} <= set(shown_texts(drawn_text, "%"))


def test_an_arm_without_numbers_keeps_its_colour():
    late = plots.label_efficiency({"a": {}, "b": {1: 0.2, 10: 0.4}}, title="t")
    assert count(late, rgb(COLOURS[1])) > 300 and count(late, rgb(COLOURS[0])) == 0
