"""Smaller views for the first part of a training: when, for which methods, and the same again."""

import pytest
import torch
from states import same, weights

from sslkit import chapters
from sslkit.train import Recipe, build, train

X = torch.randint(256, (32, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
CROPPING = [
    name
    for name in chapters.methods()
    if hasattr(build(chapters.get(name).METHOD, chapters.get(name).RECIPES["laptop"]), "view")
]


def short(name: str, **changes) -> Recipe:
    return (
        chapters.get(name)
        .RECIPES["laptop"]
        .but(**{"steps": 10, "batch": 8, "small_views": 20, "small_share": 0.4} | changes)
    )


def made(name: str, recipe: Recipe):
    """A new method, and the sides of what its view gives, step by step."""
    method, sides = build(chapters.get(name).METHOD, recipe), []
    view = method.view

    def watched(x, generator):
        seen = view(x, generator)
        sides.append(seen.shape[-1])
        return seen

    method.view = watched
    return method, sides


@pytest.mark.parametrize("name", CROPPING)
def test_the_first_part_of_the_steps_has_small_views(name):
    method, sides = made(name, short(name))
    list(train(method, X, short(name)))
    assert sides == [20] * 4 + [32] * 6


@pytest.mark.parametrize(("share", "small"), [(0.0, 0), (0.25, 3), (1.0, 10)])
def test_the_share_is_of_the_steps(share, small):
    recipe = Recipe(steps=10, lr=0.1, small_views=16, small_share=share)
    assert [recipe.side(step) for step in range(10)] == [16] * small + [None] * (10 - small)
    assert {recipe.but(small_views=None).side(step) for step in range(10)} == {None}


@pytest.mark.parametrize("stop", [2, 6])
def test_a_resumed_run_has_the_same_views_bit_for_bit(stop, tmp_path):
    recipe = short("simclr")
    (whole, sides), (cut, first), (again, rest) = (made("simclr", recipe) for _ in range(3))
    list(train(whole, X, recipe))
    for record in train(cut, X, recipe, out=tmp_path):
        if record.step == stop:
            break
    list(train(again, X, recipe, out=tmp_path, resume=True))
    assert first + rest == sides and len(first) == stop and same(weights(whole), weights(again))


def test_a_run_does_not_go_on_with_another_size(tmp_path):
    recipe = short("simclr")
    for _ in train(made("simclr", recipe)[0], X, recipe, out=tmp_path):
        break
    other = recipe.but(small_views=24)
    with pytest.raises(ValueError, match="small_views 20 then, 24 now"):
        list(train(made("simclr", other)[0], X, other, out=tmp_path, resume=True))


def test_a_method_without_crops_says_so():
    recipe = short("patches", small_share=1.0)
    method = build(chapters.get("patches").METHOD, recipe)
    with pytest.raises(ValueError, match="views of 20 pixels were asked for"):
        list(train(method, X, recipe))


@pytest.mark.parametrize(
    "wrong", [{"small_views": 7}, {"small_views": 20.0}, {"small_share": 1.5}, {"small_share": None}]
)
def test_sizes_that_no_run_can_have(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Recipe(steps=10, lr=0.1, **wrong)
