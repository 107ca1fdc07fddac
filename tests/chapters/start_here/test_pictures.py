"""What the first page draws of whichever data was chosen."""

import pytest

from sslkit.chapters.simclr.method import RECIPES, SimCLR, simclr_views
from sslkit.chapters.start_here import pictures
from sslkit.datasets import load
from sslkit.train import build


@pytest.mark.parametrize("name", ["scenes", "fashion", "emoji"])
def test_a_network_of_any_of_them_may_try_the_puzzle(name):
    data = load(name, limit=300)
    method = build(SimCLR, RECIPES["laptop"], data.channels)
    three = load("scenes", limit=300).val.x[[4, 11, 23]]
    assert "of 6; blind guessing" in pictures.solved(method, three, simclr_views(), "A title").alt
    assert f"{3 * len(data.classes)} images" in pictures.kinds(data).alt
