"""Encoders and heads: shapes, gradients, and what they promise."""

import pytest
import torch

from sslkit.nets import ENCODERS, build_encoder, mlp, parameter_count

IMAGES = [
    name for name, kind in ENCODERS.items() if kind.reads == "images"
]  # tests/transformer/test_text.py has the others


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 32, 33, 64])
def test_features_of_any_resolution(name, channels, side):
    encoder = build_encoder(name, channels).eval()
    if side % getattr(encoder, "patch", 1):
        with pytest.raises(ValueError, match="do not fill"):
            encoder(torch.rand(2, channels, side, side))
        return
    with torch.no_grad():
        h = encoder(torch.rand(2, channels, side, side))
    assert h.shape == (2, encoder.dim) and torch.isfinite(h).all()


@pytest.mark.parametrize("name", IMAGES)
def test_every_parameter_learns(name):
    encoder = build_encoder(name)
    encoder(torch.rand(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


@pytest.mark.parametrize("name", IMAGES)
def test_meta_and_bfloat16(name):
    with torch.device("meta"):
        encoder = build_encoder(name)
    assert encoder(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, encoder.dim)
    encoder = build_encoder(name)
    with torch.autocast("cpu", torch.bfloat16):
        h = encoder(torch.rand(2, 3, 32, 32))
    assert h.dtype in (torch.bfloat16, torch.float32) and torch.isfinite(h).all()  # a ViT ends with a norm, in float32


def test_the_memory_format_changes_speed_not_results():
    encoder, x = build_encoder("small").eval(), torch.rand(4, 3, 32, 32)
    plain = encoder(x)
    torch.testing.assert_close(encoder.to(memory_format=torch.channels_last)(x), plain, atol=1e-5, rtol=1e-4)


def test_resnet18_keeps_small_images_large():
    """torchvision's stem would leave 1 x 1 of 32 x 32; the small-image stem keeps 4 x 4 before pooling (He et al.:
    11.2 million parameters)."""
    encoder, sizes = build_encoder("resnet18"), []
    encoder.net.layer4.register_forward_hook(lambda *args: sizes.append(args[-1].shape))
    encoder(torch.rand(2, 3, 32, 32))
    assert sizes[0] == (2, 512, 4, 4) and 11.0e6 < parameter_count(encoder) < 11.3e6


def test_fine7_leaves_a_small_patch_four_places():
    assert build_encoder("fine7").eval().map(torch.rand(2, 3, 8, 8)).shape == (2, 256, 2, 2)
    assert build_encoder("small7").eval().map(torch.rand(2, 3, 8, 8)).shape == (2, 256, 1, 1)


def test_small7_starts_at_full_resolution():
    """Seven layers, the first of 16 channels at full resolution; an eighth of it in the end, and its mean is the feature."""
    encoder, shapes = build_encoder("small7").eval(), []
    for layer in encoder.layers:
        layer.register_forward_hook(lambda *args: shapes.append(tuple(args[-1].shape[1:])))
    x = torch.rand(2, 3, 32, 32)
    h = encoder(x)
    widths, sides = (16, 32, 32, 64, 64, 128, 256), (32, 16, 16, 8, 8, 4, 4)
    assert shapes == [(width, side, side) for width, side in zip(widths, sides)]
    torch.testing.assert_close(encoder.map(x).mean((2, 3)), h)
    assert 350_000 < parameter_count(encoder) < 500_000


def test_small_is_the_network_of_runs_that_there_are():
    """Their names and shapes are in every checkpoint of a laptop's run."""
    shapes = {name: list(p.shape) for name, p in build_encoder("small").named_parameters()}
    assert [f"layers.{k}.0.weight" in shapes for k in range(7)] == [True] * 6 + [False]
    assert [shapes[f"layers.{k}.0.weight"][:2] for k in range(6)] == [
        [32, 3], [32, 32], [64, 32], [64, 64], [128, 64], [256, 128]
    ]  # fmt: skip


def test_mlp():
    head = mlp([8, 16, 4])
    assert [type(layer).__name__ for layer in head] == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert head(torch.rand(5, 8)).shape == (5, 4)
    assert len(mlp([8, 4])) == 1
    assert mlp([8, 4])[-1].bias is not None and mlp([8, 4], bias=False)[-1].bias is None


def test_an_unknown_encoder_lists_what_exists():
    with pytest.raises(ValueError, match="small, .*resnet18, vit, vit_tiny"):
        build_encoder("vgg")
