"""What chapter 03 measures for its figures: by how much an answer is off, clocks without their gleam, drawings without labels."""

from types import SimpleNamespace

import torch

from sslkit.chapters.rotation import gleam, judged, pictures
from sslkit.datasets import Split
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import members


def test_by_how_many_quarter_turns_answers_are_off():
    said = torch.tensor(
        [[0, 1], [1, 2], [2, 3], [3, 2]]
    )  # image by image in turns 0 to 3: right; a quarter off, thrice, and three
    p = torch.nn.functional.one_hot(said, 4).float()
    assert pictures.off_by(p) == [4 / 8, 3 / 8, 0, 1 / 8]
    assert pictures.off_by(p)[0] == pictures.right(p).float().mean()


def test_clocks_change_and_their_scenes_stay():
    rows = members()["clock"]
    before = pack().rgba["google"][rows].clone()
    shown = gleam.in_scenes(40)
    assert torch.equal(pack().rgba["google"][rows], before)
    assert set(shown) == set(gleam.NAMES) and {x.shape for x in shown.values()} == {(4, 3, 32, 32)}
    drawn, painted = shown["clocks"], shown["gleam painted over"]
    changed = (drawn != painted).any(1)
    assert changed.flatten(1).any(1).all() and changed.float().mean() < 0.2


def test_the_judges_are_asked_about_drawings_that_had_labels_and_then_had_none(monkeypatch):
    kept_back = pack().part > 0
    emoji, seen = torch.arange(200), []
    x = emoji.to(torch.uint8)[:, None, None, None]
    split = Split(x, emoji % 2, {"emoji": emoji})
    monkeypatch.setattr(judged.probes, "features", lambda method, x: x.flatten(1).float())
    monkeypatch.setattr(judged.probes, "knn_accuracy", lambda h, y, asked, _: seen.append((h, asked)) or 0.5)
    judged.without_labels({"ours": torch.nn.Identity()}, SimpleNamespace(train=split, val=split))
    (some, asked), (others, again) = [[h[:, 0].long() for h in pair] for pair in seen]
    assert torch.equal(asked, again) and kept_back[asked].all() and len(asked) == kept_back[:200].sum()
    assert len(some) == len(others) and kept_back[some].any() and not kept_back[others].any()
