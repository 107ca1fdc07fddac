"""The slider through the training."""

import pytest
from rooms import rooms

from sslkit.chapters.barlow_twins import widget

SHOWN = rooms("shown")["barlow_twins"]


def test_the_matrix_follows_the_step():
    one = widget.turning(SHOWN.MATRICES)
    assert "Step 50" in one.picture.alt and "The first 32 are shown" in one.picture.alt
    last = one.image.value
    one.controls["step"].value = 5
    assert "Step 5" in one.picture.alt and one.image.value != last and one.words.value == ""
    assert "step 1, step 5, step 20, step 50" in one.fallback().alt
    with pytest.raises(ValueError, match="keep one"):
        widget.turning({})
