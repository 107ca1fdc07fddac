"""What the views draw: ranges reached at both ends, no side preferred, each sample and each quantity on its own, with the stated
probabilities. The drawn numbers are read where the pure functions under each class take them."""

import inspect

import pytest
import torch

from sslkit.probes import knn
from sslkit.probes.few import REACH
from sslkit.views import ColorJitter, Compose, GaussianBlur, Grayscale, RandomResizedCrop, Rotation

N = 6000
IMAGES = torch.rand(N, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def drawn(monkeypatch, view, function: str, x=IMAGES, seed=0) -> tuple:
    """What `view` hands to a function of its module, without the images."""
    seen, module = [], inspect.getmodule(type(view))
    real = getattr(module, function)
    monkeypatch.setattr(module, function, lambda *a, **k: seen.append((*a, *k.values())) or real(*a, **k))
    view(x, torch.Generator().manual_seed(seed))
    assert len(seen) == 1
    return tuple(a for a in seen[0] if isinstance(a, torch.Tensor) and a.shape[:1] == (len(x),) and a is not x)


def assert_uniform(values: torch.Tensor, low: float, high: float) -> None:
    """Thousands of numbers in [low, high], as many in each of six equal parts, to five standard errors."""
    width = high - low
    assert low <= values.min() < low + 0.01 * width and high - 0.01 * width < values.max() <= high
    counts = torch.histc(values.double(), 6, low, high) / len(values)
    assert (counts - 1 / 6).abs().max() < 5 * (5 / 36 / len(values)) ** 0.5, counts


def assert_unrelated(*columns: torch.Tensor) -> None:
    """No two of them correlate, nor does one with itself a sample later."""
    table = torch.stack(columns).double()
    off = torch.corrcoef(table) - torch.eye(len(columns))
    assert off.abs().max() < 5 / len(columns[0]) ** 0.5
    for column in table:
        assert torch.corrcoef(torch.stack([column[1:], column[:-1]]))[0, 1].abs() < 5 / len(column) ** 0.5


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_colour_factors_and_hue(monkeypatch, strength):
    brightness, contrast, saturation, hue, _ = drawn(monkeypatch, ColorJitter(strength, p=1.0), "colour_matrices")
    reach = min(0.8 * strength, 1.0)
    for factor in (brightness, contrast, saturation):
        assert_uniform(factor, 1 - reach, 1 + reach)
    assert_uniform(hue, -0.2 * strength, 0.2 * strength)
    assert_unrelated(brightness, contrast, saturation, hue)


def test_some_images_keep_all_of_their_colours(monkeypatch):
    brightness, contrast, saturation, hue, _ = drawn(monkeypatch, ColorJitter(p=0.8), "colour_matrices")
    kept = brightness == 1
    assert kept.float().mean().item() == pytest.approx(0.2, abs=5 * (0.16 / N) ** 0.5)
    assert (contrast[kept] == 1).all() and (saturation[kept] == 1).all() and (hue[kept] == 0).all()
    assert (contrast[~kept] != 1).all() and (hue[~kept] != 0).all()


def test_grey_images_get_brightness_and_contrast():
    """Of a flat image only the brightness shows; it reaches both ends and no further."""
    flat = torch.full((N, 1, 2, 2), 0.4)
    seen = ColorJitter(0.5, p=1.0)(flat, torch.Generator().manual_seed(1)).flatten(1)
    assert_uniform(seen[:, 0] / 0.4, 0.6, 1.4)
    two = flat.clone()
    two[:, :, 0] = 0.5  # mean 0.45, half a tenth on both sides: what is between the rows is brightness times contrast
    seen = ColorJitter(0.5, p=1.0)(two, torch.Generator().manual_seed(1))
    ratio = (seen[:, 0, 0, 0] - seen[:, 0, 1, 0]) / 0.1 / (seen.mean((1, 2, 3)) / 0.45)
    assert_uniform(ratio.clamp(0.6, 1.4), 0.6, 1.4)


@pytest.mark.parametrize("degrees", [15.0, 90.0])
def test_turns_to_both_sides(monkeypatch, degrees):
    (angle,) = drawn(monkeypatch, Rotation(degrees), "rotate")
    assert_uniform(angle, -degrees, degrees)
    assert_unrelated(angle)


def test_blur(monkeypatch):
    (sigma,) = drawn(monkeypatch, GaussianBlur((0.3, 1.2), p=1.0), "gaussian_blur")
    assert_uniform(sigma, 0.3, 1.2)


@pytest.mark.parametrize("flip", [0.0, 0.5, 1.0])
def test_crops(monkeypatch, flip):
    boxes, flips = drawn(monkeypatch, RandomResizedCrop((0.3, 0.6), ratio=(0.8, 1.25), flip=flip), "resized_crop")
    left, top, width, height = boxes.unbind(1)
    area, ratio = width * height / 16, (width / height).log()
    assert_uniform(area, 0.3, 0.6)
    assert_uniform(ratio, torch.tensor(0.8).log().item(), torch.tensor(1.25).log().item())
    assert_uniform(left / (4 - width), 0, 1)
    assert_uniform(top / (4 - height), 0, 1)
    assert_unrelated(area, ratio, left / (4 - width), top / (4 - height))
    assert flips.float().mean().item() == pytest.approx(flip, abs=5 * (0.25 / N) ** 0.5 * (flip == 0.5))


def test_a_box_that_would_stick_out_is_cut_to_the_image(monkeypatch):
    boxes, _ = drawn(monkeypatch, RandomResizedCrop((0.9, 1.0), ratio=(0.5, 2.0)), "resized_crop")
    left, top, width, height = boxes.unbind(1)
    assert (width <= 4).all() and (height <= 4).all() and (width == 4).any() and (height == 4).any()
    assert (left >= 0).all() and (left + width <= 4 + 1e-5).all() and (top + height <= 4 + 1e-5).all()


def test_a_composed_view_draws_each_part_anew():
    one = Compose([Rotation(90), Grayscale(0.5)])(IMAGES[:64], torch.Generator().manual_seed(3))
    other = Compose([Rotation(90), Grayscale(0.5)])(IMAGES[:64], torch.Generator().manual_seed(4))
    again = Compose([Rotation(90), Grayscale(0.5)])(IMAGES[:64], torch.Generator().manual_seed(3))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_defaults_are_those_of_the_papers():
    """SimCLR's appendix A and B.9; Szegedy et al.'s ratio; Wu et al. 2018 for kNN."""
    assert (ColorJitter(), Grayscale(), GaussianBlur()) == (
        ColorJitter(0.5, 0.8),
        Grayscale(0.2),
        GaussianBlur((0.1, 2.0), 0.5),
    )
    assert RandomResizedCrop() == RandomResizedCrop((0.2, 1.0), (3 / 4, 4 / 3), 0.5, None) and Rotation() == Rotation(
        15.0
    )
    taken = {name: p.default for name, p in inspect.signature(knn).parameters.items()}
    assert (taken["k"], taken["temperature"], REACH) == (20, 0.07, 10.0)
