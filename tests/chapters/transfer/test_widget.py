"""The panels of label efficiency, and the slider of the threshold."""

import pytest
import torch

from sslkit.chapters.transfer import figures, widget
from sslkit.chapters.transfer.guesses import guesses


def test_panels_share_an_axis_and_say_what_they_show():
    curve = {"fine-tuned": {1: [0.2, 0.3], 10: [0.4, 0.5]}, "from scratch": {1: 0.1, 10: [0.3]}}
    picture = figures.efficiency_panels(
        {"scenes": curve, "fashion": {"fine-tuned": {1: [0.5], 10: []}}}, {"scenes": 0.1}, "T", "C."
    )
    assert picture.png.startswith(b"\x89PNG") and "scenes: fine-tuned 25% with 1 to 45% with 10 labels" in picture.alt
    assert "fashion: fine-tuned 50% with 1" in picture.alt and "band: lowest to highest" in picture.alt
    assert len(picture.png) < 60_000
    with pytest.raises(ValueError, match="no curve"):
        figures.efficiency_panels({"scenes": {}})


def test_the_threshold_slider_shows_who_passes():
    x, y = torch.rand(6, 3, 8, 8), torch.tensor([0, 0, 1, 1, 0, 1])
    p = torch.tensor([[0.99, 0.01], [0.9, 0.1], [0.97, 0.03], [0.2, 0.8], [0.5, 0.5], [0.4, 0.6]])
    panel = widget.threshold_slider(x, {"one": p, "flat": torch.full((6, 2), 0.5)}, y, ["cat", "dog"], threshold=0.85)
    assert "50% of 6 pass, 67% of them with the right label" in panel.picture.alt and "3 images" in panel.picture.alt
    panel.controls["threshold"].value = 0.0
    assert "100% of 6 pass" in panel.picture.alt
    panel.controls["network"].value = "flat"
    panel.controls["threshold"].value = 0.6
    assert "no image passes" in panel.picture.alt
    still = panel.fallback()
    assert "0.95: 33% of 6 pass, 50%" in still.alt and panel.words.value == ""


def test_the_threshold_slider_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="2 classes need probabilities"):
        widget.threshold_slider(torch.rand(3, 3, 8, 8), torch.rand(3, 4), torch.zeros(3).long(), ["a", "b"])


def test_guesses_are_framed_by_right_and_wrong():
    x = torch.rand(3, 3, 8, 8)
    picture = guesses({"a": (x, ["cat", "dog", "cat"], [True, False, True]), "b": (x[:1], ["cat"], [True])}, "T", "C.")
    assert "4 images with guesses, 3 of them right" in picture.alt
    with pytest.raises(ValueError, match="3 images, 1 guesses"):
        guesses({"a": (x, ["cat"], [True])})
    with pytest.raises(ValueError, match="no image"):
        guesses({})
