"""The mask slider without a browser: values in, pictures out; the static strip; what it says when something is wrong."""

import pytest
import torch
from displayed import displayed

from sslkit import plots
from sslkit.chapters.mae.widget import mask_slider

IMAGES = torch.randint(256, (5, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def darken(x, ratio, seed):
    """Stands in for a network: darker, the more is hidden."""
    return {"original": x, "darker": x * (1 - ratio), "seeded": x * 0 + seed / 20}


def test_shown_as_live_widget_and_as_picture():
    widget = mask_slider(IMAGES, darken)
    alt = displayed(widget).alt
    assert "original, darker, seeded" in alt and "More and more hidden" in alt


def test_each_slider_reaches_the_function_and_changes_the_picture():
    calls = []

    def fill(x, ratio, seed):
        calls.append((x, ratio, seed))
        return darken(x, ratio, seed)

    widget = mask_slider(IMAGES, fill, ratio=0.5, seed=3)
    x, ratio, seed = calls[-1]
    assert (ratio, seed) == (0.5, 3) and torch.equal(x, IMAGES[:1] / 255)
    seen = {widget.image.value}
    for name, value in {"ratio": 0.9, "image": 4, "seed": 7}.items():
        widget.controls[name].value = value
        seen.add(widget.image.value)
    x, ratio, seed = calls[-1]
    assert len(seen) == 4 and (ratio, seed) == (0.9, 7) and torch.equal(x, IMAGES[4:] / 255)
    assert "90% hidden" in widget.picture.alt and "Image 4, mask of seed 7" in widget.picture.alt


def test_the_picture_without_a_kernel_goes_through_the_ratios():
    asked = []

    def fill(x, ratio, seed):
        asked.append(ratio)
        return darken(x, ratio, seed)

    widget = mask_slider(IMAGES, fill, ratios=(0.1, 0.6))
    asked.clear()
    assert isinstance(widget.fallback(), plots.Picture) and asked == [0.1, 0.6]


def test_float_images_and_paint_outside_0_to_1():
    widget = mask_slider(IMAGES / 255, lambda x, ratio, seed: {"x": 9 * x - 4})
    assert widget.words.value == "" and widget.picture is not None


def test_an_error_of_the_network_is_told_in_words():
    def fill(x, ratio, seed):
        if ratio > 0.8:
            raise ValueError("nothing left to see")
        return darken(x, ratio, seed)

    widget = mask_slider(IMAGES, fill)
    widget.controls["ratio"].value = 0.9
    assert "nothing left to see" in widget.words.value
    widget.controls["ratio"].value = 0.5
    assert widget.words.value == ""


@pytest.mark.parametrize("images", [torch.zeros(3, 8, 8), torch.zeros(0, 3, 8, 8)])
def test_no_images_is_an_error(images):
    with pytest.raises(ValueError, match=r"images \[N, C, H, W\]"):
        mask_slider(images, darken)
