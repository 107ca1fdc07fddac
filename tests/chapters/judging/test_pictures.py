"""What chapter 02 draws, from small tables."""

import numpy as np
import pytest
import torch

from sslkit.chapters.judging import diagram, maps, pictures
from sslkit.plots.diagrams import lay_out

G = torch.Generator().manual_seed(0)
ROW = {"effective rank": 3.0, "linear probe": 0.4, "kNN": 0.3}


def test_neighbours_kept_from_map_to_map():
    xy = torch.randn(40, 2, generator=G).numpy()
    assert maps.kept(xy, -2 * xy) == 1
    assert maps.kept(xy, torch.randn(40, 2, generator=G).numpy()) < 0.6
    assert maps.nearest_on(np.array([[0.0, 0], [1, 0], [5, 0]]), k=1).tolist() == [[1], [0], [1]]


def test_curves_and_circles_say_what_they_show():
    curves = {name: torch.rand(30, generator=G) for name in pictures.NAMES}
    assert "400 labels" in pictures.by_k(curves, 0.1, "400 labels").alt
    rows = {name: {0.01: (0.5, 0.4), 1.0: (1.0, 0.3)} for name in pictures.NAMES}
    assert "val" in pictures.by_c(rows, 0.1, "on val").alt
    assert "gift" in pictures.peeking((50, 200), {name: [3.0, 1.0] for name in "abc"}, "").alt
    z = torch.randn(6, 2, generator=G)
    assert "uniform" not in pictures.circles({"both": (z, z)}).alt.split("24")[0].lower()
    assert "only that nothing was learned" in pictures.perfect_loss([1.0, 0.1], {0: ROW, 20: ROW}, 0.1).alt
    assert pictures.family({1: ROW, 4: ROW}, {"noise": ROW}, 0.1).png
    assert pictures.spectrum({name: torch.randn(20, 5, generator=G) for name in pictures.NAMES}).png


def test_rank_and_probe_of_runs():
    a, b = torch.tensor([1.0, 2, 2, 4]), torch.tensor([10.0, 30, 30, 90])
    assert pictures.go_together(a, b) == pytest.approx(1) and pictures.go_together(a, -b) == pytest.approx(-1)
    assert pictures.go_together(a, torch.tensor([3.0, 1, 2, 4])) == pytest.approx(0.316, abs=1e-3)  # scipy's spearmanr
    methods = {name: name for name in ("byol", "mae")}
    assert "runs, mae" in pictures.of_runs(methods, "Run by run").alt
    assert "Not measured yet" in pictures.of_runs({"no such": "none"}, "Run by run").alt


def test_maps_of_kinds_and_colours():
    drawn = {"untrained": torch.rand(30, 2, generator=G).numpy()}
    kinds, colours = torch.arange(30) % 3, torch.rand(30, 3, generator=G)
    assert "by chance 33%" in maps.by_kind(drawn, kinds, ["a", "b", "c"]).alt
    assert "untrained" in maps.by_colour(drawn, colours).alt


def test_its_diagram_fits():
    places, *_ = lay_out(diagram.BOXES, diagram.ARROWS)
    assert set(places) == set(diagram.BOXES)
