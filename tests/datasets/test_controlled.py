"""Scenes one factor at a time: what changes, what stays, and that they are drawn as `scenes` are."""

import pytest
import torch

from sslkit.datasets.controlled import (
    FACTORS,
    PARTS,
    SIDE,
    SIZE,
    SLIDES,
    redraw,
    render,
    sample,
    scene_pairs,
    slide,
)
from sslkit.datasets.scenes import generate, members


def drawn(n=500, seed=0):
    return sample(n, torch.Generator().manual_seed(seed))


def test_they_are_drawn_as_scenes_are():
    mine, theirs = drawn(4000), generate(4000, 7).factors
    for name in ("x", "y", "size", "tilt", "hue"):
        for share in (0.05, 0.5, 0.95):
            a, b = mine[name].quantile(share), theirs[name].quantile(share)
            assert abs(a - b) < 0.05 * (theirs[name].max() - theirs[name].min()), name
    assert set(mine["emoji"].tolist()) <= set(torch.cat(list(members().values())).tolist())
    assert mine["kind"].unique().tolist() == list(range(10)) and mine["background"].unique().tolist() == list(range(6))
    x = render(mine)[:200].float()
    assert abs(x.mean() - generate(200, 7).x.float().mean()) < 8


@pytest.mark.parametrize("factor", FACTORS)
def test_redraw_changes_one_factor_alone(factor):
    scenes = drawn()
    new = redraw(scenes, factor, torch.Generator().manual_seed(1))
    parts = PARTS.get(factor, (factor,))
    for name, values in scenes.items():
        changed = (values != new[name]).float().mean()
        assert changed > 0.5 if name in parts else changed == 0, name
    rows = list(members().values())
    assert all(e in rows[k] for k, e in zip(new["kind"][:100], new["emoji"][:100]))
    room = (SIDE - 0.9 * new["size"]) / 2 + 1e-4
    assert ((new["x"] - 16).abs() <= room).all() and ((new["y"] - 16).abs() <= room).all()
    assert new["size"].min() >= SIZE[0] and new["size"].max() <= SIZE[1]


def test_a_redrawn_factor_is_independent_of_what_it_was():
    scenes = drawn(4000)
    for factor in ("tilt", "hue", "background hue"):
        new = redraw(scenes, factor, torch.Generator().manual_seed(1))
        assert abs(torch.corrcoef(torch.stack([scenes[factor], new[factor]]))[0, 1]) < 0.05, factor


def test_images_change_where_they_should():
    x, changed = scene_pairs(40, seed=3)
    assert list(changed) == list(FACTORS)
    corner = (slice(None), slice(None), slice(0, 2), slice(0, 2))  # background, but for an emoji in the corner
    same_corner = {f: (x[corner] == new[corner]).flatten(1).all(1).float().mean() for f, new in changed.items()}
    for factor in ("kind", "emoji", "size", "tilt", "hue"):
        assert same_corner[factor] > 0.8, factor
    assert same_corner["background hue"] < 0.2
    assert all((x != new).flatten(1).any(1).float().mean() > 0.6 for new in changed.values())
    again, _ = scene_pairs(40, seed=3, factors=("hue",))
    assert torch.equal(x, again) and not torch.equal(x, scene_pairs(40, seed=4, factors=())[0])


@pytest.mark.parametrize("factor", SLIDES)
def test_slide_goes_from_one_end_to_the_other(factor):
    scenes = drawn(20)
    low, high = slide(scenes, factor, 0.0), slide(scenes, factor, 1.0)
    kept = {"place": ("x", "y"), "size": ("size", "x", "y")}.get(factor, (factor,))
    assert all(torch.equal(low[name], scenes[name]) for name in scenes if name not in kept)
    assert not torch.equal(render(low), render(high))
    if factor == "place":
        assert (low["x"] < 16).all() and (high["x"] > 16).all() and (low["y"] == 16).all()
    if factor == "hue":
        assert torch.equal(low["hue"], scenes["hue"]) and torch.allclose(
            (high["hue"] - low["hue"]).abs(), torch.tensor(0.5)
        )


def test_an_unknown_factor_lists_what_exists():
    with pytest.raises(ValueError, match="background hue"):
        redraw(drawn(3), "weight", torch.Generator())
    with pytest.raises(ValueError, match="place, size, tilt"):
        slide(drawn(3), "kind", 0.5)
