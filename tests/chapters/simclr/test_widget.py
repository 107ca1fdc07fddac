"""The panel on the InfoNCE matrix."""

import pytest
import torch

from sslkit.chapters.simclr import figures, widget

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (16, 3, 16, 16), dtype=torch.uint8, generator=GENERATOR)
Z = torch.randn(2, 8, 5, generator=GENERATOR)


def test_similarity_follows_temperature_and_row():
    one = widget.similarity(*Z, images=(IMAGES[:8], IMAGES[8:]))
    first = one.image.value
    assert f"Loss {figures.info_nce_parts(*Z, 0.1)['loss']:.3f}; chance ln(15) = 2.708" in one.picture.alt
    one.controls["temperature"].value = 1.0
    assert f"Loss {figures.info_nce_parts(*Z, 1.0)['loss']:.3f}" in one.picture.alt and one.image.value != first
    one.controls["row"].value = 15
    assert "row 15" in one.picture.alt and one.words.value == ""
    with pytest.raises(ValueError, match="N, K"):
        widget.similarity(Z[0], Z[1, :4])


def test_similarity_takes_the_first_pairs_of_both_views():
    z = torch.randn(2, 40, 5, generator=GENERATOR)
    one = widget.similarity(*z, most=6)
    assert f"Loss {figures.info_nce_parts(z[0, :6], z[1, :6], 0.1)['loss']:.3f}" in one.picture.alt
    assert one.controls["row"].max == 11
