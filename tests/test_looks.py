"""Looking at encoders: the same pictures in every chapter."""

import pytest
import torch

from sslkit import checkpoint, looks, probes, runs
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Record


@pytest.fixture(scope="module")
def data():
    return load("scenes", limit=120)


@pytest.fixture(scope="module")
def encoders():
    torch.manual_seed(0)
    return {name: build_encoder("small", 3).eval() for name in ("before", "after")}


def test_the_hour_stands_beside_the_others_where_it_ships(data, encoders):
    shipped = looks.stages("simclr", *encoders.values(), data)
    assert list(shipped) == ["untrained", "your run", "an hour"] and shipped["an hour"].dim == 256
    assert list(looks.stages("no such method", *encoders.values(), data)) == ["untrained", "your run"]


def test_maps_and_explorer_name_each_encoder(data, encoders):
    assert all(name in looks.maps(encoders, data, "Which kinds gather?", n=60).alt for name in encoders)
    few = looks.maps(encoders, data, "Which kinds gather?", n=60, named=data.classes[2:4])
    assert few.png != looks.maps(encoders, data, "Which kinds gather?", n=60).png
    explorer = looks.explorer(encoders, data, n=60)
    assert [one["title"] for one in explorer.maps] == list(encoders)
    assert {one["name"] for one in explorer.colours} == {"class", *looks.FACTORS}


def test_neighbours_of_the_kinds_asked_for(data, encoders):
    pictures = looks.nearest(encoders, data, kinds=(0, 3))
    assert len(pictures) == 2 and "2 test images" in pictures[0].alt and "are right" in pictures[0].alt
    assert looks.first_of(data.test, [3, 0]).y.tolist() == [3, 0]
    assert "as many right neighbours as its kind" in looks.nearest(encoders, data, kinds=(0, 3), typical=True)[0].alt
    assert looks.middling([torch.tensor([0.0, 0.4, 0.6, 1.0]), torch.tensor([0.0, 0.9, 0.5, 0.6])]) == 2


def test_what_is_known_of_each_factor(data, encoders):
    alt = looks.known(encoders, data, {"kind": "kind", "x": "left-right", "no such": "never"}).alt
    assert "left-right" in alt and "never" not in alt and f"judged on {len(data.test)} test images" in alt
    alt = looks.known(encoders, data, {"kind": "kind"}, bank=100, on="val", highlight="before").alt
    assert "chosen on other training images" in alt and f"judged on {len(data.val)} validation images" in alt


def test_few_labels_from_several_starts(data, encoders):
    picture = looks.two_starts(encoders, data, steps=1, seeds=2, per_class=2)
    assert "The same few labels, from different starts" in picture.alt and "2 choices of labels" in picture.alt


def test_a_map_that_forms_and_an_hour_that_ships(data, encoders, tmp_path, monkeypatch):
    h = [torch.randn(60, 8) for _ in range(3)]
    explorer = looks.forming(h, ["a", "b", "c"], data.val[:60], data.classes, "As it forms")
    assert [one["frames"] for one in explorer.maps] == [1, 3]
    monkeypatch.setattr(runs, "READY", tmp_path)
    assert "No network was trained" in looks.shelf_hour("simclr", data, "An hour").alt
    kept = {"step": [0, 50, 100], "knn": [0.1, 0.2, 0.3], "h": torch.stack(h).half()}
    (tmp_path / "shelf").mkdir()
    checkpoint.save(tmp_path / "shelf" / "simclr_scenes_forming.pt", kept)
    hour = looks.shelf_hour("simclr", data, "An hour")
    assert hour.maps[1]["times"][0] == "untrained" and "kNN 30%" in hour.maps[1]["times"][-1]


def test_a_quick_look_is_knn_on_evenly_spread_rows(data, encoders):
    encoder = encoders["before"]
    train, val = data.train[torch.arange(60) * 2], data.val[torch.arange(40) * 3]
    h, val_h = probes.features(encoder, train.x), probes.features(encoder, val.x)
    expected = probes.knn_accuracy(h, train.y, val_h, val.y)
    assert probes.quick_knn(encoder, data, bank=60, queries=40) == expected


def test_when_a_step_is_due():
    def due(step, steps, times):
        return Record(step, steps, 0.0, 0.0, 0.0, 0.0, {}).due(times)

    assert [step for step in range(1, 101) if due(step, 100, 4)] == [1, 25, 50, 75, 100]
    assert [step for step in range(1, 4) if due(step, 3, 10)] == [1, 2, 3]


def test_what_is_pushed_is_framed_where_it_should_not_be():
    images, kinds = torch.rand(2, 4, 3, 8, 8), torch.tensor([[0, 1, 0, 2], [1, 0, 2, 0]])
    picture = looks.pushed(images, kinds, ["a", "b", "c"], "Title", "Caption.", "query")
    assert picture.alt.endswith("Title. Caption. Here 1 of 6 are false: of the query's own kind.")
    assert picture.alt.startswith("2 images, each with the 3 that")
