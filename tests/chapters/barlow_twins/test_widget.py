"""The slider through the training."""

import pytest
import torch
from parts import parts

from sslkit.chapters.barlow_twins import widget

SHOWN = parts("shown")["barlow_twins"]


def test_the_matrix_follows_the_step():
    one = widget.turning(SHOWN.MATRICES)
    assert "Step 50" in one.picture.alt and "The first 32 are shown" in one.picture.alt
    c = SHOWN.MATRICES[50]
    rest = c[~torch.eye(len(c), dtype=torch.bool)]
    parts = f"Diagonal: {c.diagonal().mean():.2f} on average (wanted: 1). Off it: {rest.square().mean().sqrt():.2f} "
    assert parts in one.picture.alt
    last = one.image.value
    one.controls["step"].value = 5
    assert "Step 5" in one.picture.alt and one.image.value != last and one.words.value == ""
    assert "step 1, step 5, step 20, step 50" in one.fallback().alt
    with pytest.raises(ValueError, match="keep one"):
        widget.turning({})
