"""Each view against torchvision's functional form, one image at a time, with the same parameters."""

import math

import pytest
import torch
import torchvision.transforms.v2.functional as reference

from sslkit import views

ALL = [
    views.RandomResizedCrop(),
    views.Rotation(30),
    views.ColorJitter(),
    views.Grayscale(0.5),
    views.GaussianBlur(),
    views.Compose([views.RandomResizedCrop(), views.ColorJitter(), views.Grayscale()]),
]


def photos(n=6, channels=3, height=24, width=20, seed=0):
    return torch.randint(
        256, (n, channels, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [None, 16])
def test_crop_is_torchvisions_resized_crop(flip, size):
    x = views.to_float(photos(height=24, width=24))
    boxes = torch.tensor([[0, 0, 24, 24], [3, 5, 10, 7], [11, 2, 13, 20], [0, 20, 4, 4], [5, 5, 1, 1], [2, 0, 22, 9]])
    got = views.resized_crop(x, boxes.float(), torch.full((6,), flip), size)
    for image, (left, top, width, height), mine in zip(x, boxes.tolist(), got):
        side = size or 24
        expected = reference.resized_crop(image, top, left, height, width, [side, side], antialias=False)
        expected = reference.horizontal_flip(expected) if flip else expected
        torch.testing.assert_close(mine, expected, atol=1e-5, rtol=0)


def test_crop_takes_nothing_from_outside_its_box():
    x = torch.ones(1, 3, 32, 32)
    x[:, :, 10:20, 8:24] = 0.0
    inside = views.resized_crop(x, torch.tensor([[8.0, 10.0, 16.0, 10.0]]))
    assert inside.abs().max() < 1e-6


@pytest.mark.parametrize("degrees", [90.0, 180.0, -90.0])
def test_quarter_turns_are_rot90_counter_clockwise(degrees):
    x = views.to_float(photos(height=20, width=20))
    expected = torch.rot90(x, round(degrees / 90), (2, 3))
    torch.testing.assert_close(views.rotate(x, torch.full((6,), degrees)), expected, atol=1e-4, rtol=0)


def test_rotation_is_torchvisions_inside():
    x = views.to_float(photos(n=1, height=31, width=31))
    expected = reference.rotate(x, 20.0, interpolation=reference.InterpolationMode.BILINEAR)
    got = views.rotate(x, torch.tensor([20.0]))
    torch.testing.assert_close(got[..., 8:-8, 8:-8], expected[..., 8:-8, 8:-8], atol=1e-4, rtol=0)


def colour(x, brightness=1.0, contrast=1.0, saturation=1.0, hue=0.0):
    values = [torch.full((len(x),), v) for v in (brightness, contrast, saturation, hue)]
    return views.apply_colour(x, *views.colour_matrices(*values, x.mean((2, 3))))


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.4])
def test_each_colour_change_is_torchvisions(name, factor):
    x = views.to_float(photos())
    expected = torch.stack([getattr(reference, f"adjust_{name}")(image, factor) for image in x])
    torch.testing.assert_close(colour(x, **{name: factor}), expected, atol=2e-4, rtol=0)


def test_the_three_compose_as_torchvisions_where_nothing_is_clamped():
    x = views.to_float(photos()) * 0.3 + 0.35
    expected = x
    for name, factor in (("brightness", 1.1), ("contrast", 0.7), ("saturation", 1.2)):
        expected = getattr(reference, f"adjust_{name}")(expected, factor)
    torch.testing.assert_close(colour(x, 1.1, 0.7, 1.2), expected, atol=5e-4, rtol=0)


def test_hue_is_a_rotation_of_the_colour_plane():
    """Against complex numbers: I + iQ is multiplied by exp(-2 pi i hue), grey stays."""
    x = views.to_float(photos()) * 0.2 + 0.4
    matrix = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], dtype=torch.float64)
    before = torch.einsum("ij,njhw->nihw", matrix, x.double())
    after = torch.einsum("ij,njhw->nihw", matrix, colour(x, hue=0.1).double())
    turned = torch.complex(before[:, 1], before[:, 2]) * complex(math.cos(0.2 * math.pi), -math.sin(0.2 * math.pi))
    torch.testing.assert_close(after[:, 0], before[:, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(after[:, 1], turned.real, atol=1e-5, rtol=0)
    torch.testing.assert_close(after[:, 2], turned.imag, atol=1e-5, rtol=0)
    torch.testing.assert_close(colour(x, hue=1.0), x, atol=1e-5, rtol=0)


def test_hue_turns_the_same_way_as_torchvisions():
    red = torch.tensor([0.7, 0.3, 0.3])[None, :, None, None].expand(1, 3, 4, 4)
    for turn in (-0.1, 0.1):
        mine, theirs = colour(red, hue=turn), reference.adjust_hue(red, turn)
        assert (mine[0, 1, 0, 0] > mine[0, 2, 0, 0]) == (theirs[0, 1, 0, 0] > theirs[0, 2, 0, 0])


def test_grey_is_torchvisions():
    x = views.to_float(photos())
    torch.testing.assert_close(views.Grayscale(1.0)(x), reference.rgb_to_grayscale(x, 3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_blur_is_torchvisions(sigma):
    x = views.to_float(photos(height=32, width=32))
    expected = reference.gaussian_blur(x, [3, 3], [sigma, sigma])
    torch.testing.assert_close(views.gaussian_blur(x, torch.full((6,), sigma)), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("view", ALL, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("channels", [1, 3])
def test_contract(view, channels):
    x = photos(8, channels)
    before = x.clone()
    once, again, other = view(x, generator(1)), view(x, generator(1)), view(x, generator(2))
    assert torch.equal(x, before), "the input was changed"
    assert once.shape == x.shape and once.dtype == torch.float32
    assert once.min() >= 0 and once.max() <= 1
    assert torch.equal(once, again)
    if not (channels == 1 and isinstance(view, views.Grayscale)):
        assert not torch.equal(once, other)
    floats = x.float() / 255
    torch.testing.assert_close(view(floats, generator(1)), once)
    assert torch.equal(floats, x.float() / 255), "float input was changed in place"


@pytest.mark.parametrize("view", ALL, ids=lambda v: type(v).__name__)
def test_randomness_is_per_sample_and_leaves_torchs_generator_alone(view):
    x = photos(1).expand(32, -1, -1, -1)
    state = torch.get_rng_state()
    out = view(x, generator(0))
    assert torch.equal(torch.get_rng_state(), state)
    assert len({image.numpy().tobytes() for image in out}) > 1


@pytest.mark.parametrize("view", ALL, ids=lambda v: type(v).__name__)
def test_runs_on_the_meta_device(view):
    out = view(torch.empty(4, 3, 16, 16, dtype=torch.uint8, device="meta"))
    assert out.device.type == "meta" and out.shape == (4, 3, 16, 16)


def test_crop_statistics_follow_the_parameters():
    boxes = {}

    def spy(x, box, flip, size):
        boxes.update(box=box, flip=flip)
        return x

    original, views.geometry.resized_crop = views.resized_crop, spy
    try:
        views.RandomResizedCrop(scale=(0.2, 0.6), ratio=(0.75, 4 / 3), flip=0.3)(
            torch.zeros(20000, 1, 32, 32), generator(0)
        )
    finally:
        views.geometry.resized_crop = original
    left, top, width, height = boxes["box"].unbind(1)
    area = width * height / 1024
    assert 0.19 < area.min() and area.max() < 0.61 and abs(area.mean() - 0.4) < 0.01
    assert (left >= 0).all() and (left + width <= 32.001).all() and (top + height <= 32.001).all()
    assert abs(boxes["flip"].float().mean() - 0.3) < 0.02
    assert abs((width / height).log().mean()) < 0.01


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_probabilities(p):
    x = views.to_float(photos())
    for view in (views.ColorJitter(p=p), views.Grayscale(p=p), views.GaussianBlur(p=p)):
        unchanged = torch.allclose(view(x, generator(0)), x, atol=1e-5)
        assert unchanged == (p == 0.0)


@pytest.mark.parametrize("bad", [torch.zeros(3, 8, 8), torch.zeros(2, 4, 8, 8), torch.zeros(2, 8, 8, 3)])
def test_wrong_shape_is_said(bad):
    with pytest.raises(ValueError, match="views need images"):
        views.RandomResizedCrop()(bad)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_decimal_numbers_of_any_precision_give_float32(dtype):
    x = views.to_float(photos()).to(dtype)
    for view in (
        views.RandomResizedCrop(),
        views.ColorJitter(),
        views.Grayscale(),
        views.GaussianBlur(),
        views.Rotation(),
    ):
        assert torch.equal(view(x, generator(0)), view(x.float(), generator(0)))
    with pytest.raises(ValueError, match="uint8, or as decimal numbers"):
        views.RandomResizedCrop()(torch.ones(2, 3, 8, 8, dtype=torch.int64))


# --- crops of another size


def test_crops_of_a_size_are_those_of_the_crop_itself():
    """The same boxes as at full size, fewer pixels; what has a size of its own keeps it; afterwards all is as before."""
    x, crop = photos(height=24, width=24), views.RandomResizedCrop()
    with views.small_crops(12):
        small = crop(x, generator(1))
        own = views.RandomResizedCrop(size=10)(x, generator(1))
        with views.small_crops(None):
            assert crop(x, generator(1)).shape[2:] == (24, 24)
        assert crop(x, generator(1)).shape[2:] == (12, 12)
    torch.testing.assert_close(small, views.RandomResizedCrop(size=12)(x, generator(1)), atol=0, rtol=0)
    assert own.shape[2:] == (10, 10)
    assert crop(x, generator(1)).shape[2:] == (24, 24)


def test_the_size_of_crops_ends_with_the_block_even_where_it_fails():
    with pytest.raises(KeyError), views.small_crops(12):
        raise KeyError
    assert views.RandomResizedCrop()(photos(height=24, width=24)).shape[2:] == (24, 24)


def test_small_views_of_what_is_not_cropped_are_an_error():
    for view in (views.ColorJitter(), views.RandomResizedCrop(size=10)):
        with pytest.raises(ValueError, match="12 pixels were asked for, but nothing"), views.small_crops(12):
            view(photos())
    with views.small_crops(None):
        views.ColorJitter()(photos())
