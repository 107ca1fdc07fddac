"""Figures of many networks, and the slider of factors: values in, pictures out."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from sslkit.chapters.compare.figures import lines, map_grid, moved, named_points, overlap
from sslkit.chapters.compare.pictures import held_against, layer_by_layer
from sslkit.chapters.compare.widget import factor_slider
from sslkit.nets import build_encoder

XY = np.random.default_rng(0).normal(size=(30, 2))
Y = np.arange(30) % 3


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def test_map_grid_fills_rows_and_names_its_maps():
    maps = [(f"map {k}", XY, Y) for k in range(5)]
    picture = map_grid(maps, ["a", "b", "c"], title="Five", caption="Points.", columns=3)
    assert "5 t-SNE maps (map 0, map 1, map 2, map 3, map 4) of 30 points. Five. Points." in picture.alt
    one_row, two_rows = pixels(map_grid(maps[:3], columns=3)).shape[0], pixels(map_grid(maps, columns=3)).shape[0]
    assert two_rows > 1.7 * one_row


def test_map_grid_shows_given_colours():
    red = np.tile([1.0, 0.0, 0.0], (30, 1))
    shown = pixels(map_grid([("red", XY, red)])).reshape(-1, 3).astype(int)
    assert ((shown[:, 0] > 200) & (shown[:, 1:] < 60).all(1)).sum() > 100


def test_map_grid_refuses_nothing():
    with pytest.raises(ValueError, match="no map"):
        map_grid([])


def test_named_points_says_where_they_are():
    points = {"one": (1.0, 2.0), "two": (1.0, 2.01), "three": (3.0, 0.5)}
    picture = named_points(points, "Title", "Caption.", "cost", "worth", marks={"one": "a", "two": "b", "three": "a"})
    assert "one (1, 2), two (1, 2.01), three (3, 0.5)" in picture.alt and "cost and worth" in picture.alt
    with pytest.raises(ValueError, match="no point"):
        named_points({})


def test_overlap_of_boxes():
    assert overlap((0, 0, 2, 2), (1, 1, 3, 3)) == 1 and overlap((0, 0, 1, 1), (2, 0, 3, 1)) == 0


def test_lines_give_means_and_ends():
    picture = lines({"a": {1: [1.0, 3.0], 8: [4.0]}, "b": {1: 0.0, 8: 1.0}}, title="T", xlabel="n", log=True, level=0.5)
    assert "a from 2 at 1 to 4 at 8; b from 0 at 1 to 1 at 8" in picture.alt
    with pytest.raises(ValueError, match="no curve"):
        lines({})


def test_moved_shows_images_and_bars():
    x = torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8)
    picture = moved(x, x.flip(0), {"one": 0.2, "two": 1.4}, "T", "C.")
    assert "one 0.2, two 1.4" in picture.alt and picture.width < 1000


@pytest.fixture(scope="module")
def panel():
    torch.manual_seed(0)
    return factor_slider(
        {"first": build_encoder("small").eval(), "second": build_encoder("small").eval()}, n=12, shown=4
    )


def test_the_slider_moves_the_picture(panel):
    seen = {panel.image.value}
    panel.controls["at"].value = 0.5
    seen.add(panel.image.value)
    panel.controls["factor"].value = "place"
    seen.add(panel.image.value)
    assert len(seen) == 3 and "place moved by 50%" in panel.picture.alt and panel.words.value == ""


def test_at_the_start_nothing_has_moved(panel):
    panel.controls["factor"].value, panel.controls["at"].value = "hue", 0.0
    assert "first 0, second 0" in panel.picture.alt


def test_without_a_kernel_all_factors_are_shown(panel):
    alt = panel.fallback().alt
    assert (
        all(factor in alt for factor in ("place", "size", "tilt", "hue", "background hue"))
        and "Run the notebook" in alt
    )


def test_it_needs_a_network():
    with pytest.raises(ValueError, match="a network"):
        factor_slider({})


def test_methods_are_told_from_what_they_are_held_against():
    names = [
        "pixels",
        "untrained",
        "untrained vit",
        "SimCLR",
        "SimCLR, whole views",
        "supervised",
        "supervised, as long",
    ]
    assert held_against(names) == [name for name in names if "SimCLR" not in name]


def test_a_network_is_like_itself_in_each_layer():
    network, images = build_encoder("small7").eval(), torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8)
    assert layer_by_layer(network, network, images) == pytest.approx(dict.fromkeys(range(1, 8), 1.0))
    assert layer_by_layer(network, build_encoder("vit").eval(), images) == {}
