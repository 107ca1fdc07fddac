"""What chapter 04 measures without a network: players who see nothing but colours, and how much of a patch a thing covers."""

import pytest
import torch

from sslkit.chapters.patches import pictures, seam
from sslkit.datasets.scenes import generate


def plain(n=64):
    """Images of one colour each, all different."""
    x = torch.randint(256, (n, 3, 1, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return x.expand(-1, -1, 32, 32).contiguous()


def test_pairs_are_of_one_image_and_then_of_two():
    first, second, same = seam.one_or_two(plain())
    assert first.shape == second.shape == (128, 3, 8, 8) and same.tolist() == [True] * 64 + [False] * 64
    assert torch.equal((first == second).flatten(1).all(1), same)


def test_how_far_colours_are_apart():
    first, second = torch.zeros(2, 3, 2, 2), torch.zeros(2, 3, 2, 2)
    second[0, 0] = 8  # red differs by 8 everywhere
    second[1, 2] = torch.tensor([[4.0, 8.0], [8.0, 4.0]])  # blue by 4 at the least, 6 on average
    apart = seam.colours_apart(first, second)
    assert {name: found.tolist() for name, found in apart.items()} == {
        "mean colours": [8, 6],
        "the two closest pixels": [8, 4],
    }


@pytest.mark.parametrize("apart, best", [([1, 2, 3, 4], 2), ([1, 3, 2, 4], 3), ([3, 4, 1, 2], 4)])
def test_the_limit_with_the_most_right_answers(apart, best):
    same = torch.tensor([True, True, False, False])
    apart = torch.tensor(apart).float()
    right = {limit: ((apart <= limit) == same).sum() for limit in apart.tolist()}
    assert right[seam.widest(apart, same)] == max(right.values()) == right[best]


def test_plain_colours_give_the_answer_away():
    assert seam.by_colour(plain(), plain()).count("100.0%") == 2


def test_places_found_by_how_much_of_the_patch_the_thing_covers():
    scenes = generate(200, 2)
    pairs = pictures.puzzles(scenes.x, seed=1)
    corner = (pairs.number[:, None] == torch.tensor([0, 2, 5, 7])).any(1)
    p = torch.nn.functional.one_hot(
        torch.where(corner, pairs.number, 0), 8
    ).float()  # a player who finds the corners alone
    cover, behind = pictures.by_content(p, pairs, scenes)
    assert "of these, the corners 1, of these, the sides 0, a tenth to a half" in cover.alt
    assert "Bars: plain" in behind.alt and "clouds" in behind.alt
