"""SimCLR, exported from notebooks/10_simclr.ipynb, against its definition written a second time."""

import copy
import math

import numpy as np
import pytest
import torch
from changed import changed

from sslkit.chapters.simclr.ablations import ABLATIONS, FACTORS, also
from sslkit.chapters.simclr.method import METHOD, RECIPES, SimCLR, info_nce, simclr_views
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train
from sslkit.views import ColorJitter, Grayscale, RandomResizedCrop

SIZES = [(1, 3, 0.5), (2, 2, 0.1), (5, 4, 0.5), (16, 8, 0.07), (9, 128, 0.2), (7, 1, 1.0), (3, 6, 5.0)]


def projections(n, k, seed=0, dtype=torch.float64):
    """Two batches of rows of very different lengths, so that a lost normalisation shows."""
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = torch.randn(2, n, k, generator=generator, dtype=dtype)
    return z1 * torch.linspace(0.1, 4, n, dtype=dtype)[:, None], z2 * 3


def loop(z1, z2, temperature):
    """Chen et al. 2020, equation 1 and algorithm 1, in plain numbers: no tensor, no softmax."""
    views = [*z1.double().tolist(), *z2.double().tolist()]
    image = [*range(len(z1)), *range(len(z2))]

    def s(a, b):
        dot = math.fsum(p * q for p, q in zip(a, b))
        return dot / math.sqrt(math.fsum(p * p for p in a)) / math.sqrt(math.fsum(q * q for q in b))

    losses = []
    for i, anchor in enumerate(views):
        (j,) = [k for k in range(len(views)) if k != i and image[k] == image[i]]
        others = math.fsum(math.exp(s(anchor, views[k]) / temperature) for k in range(len(views)) if k != i)
        losses.append(-math.log(math.exp(s(anchor, views[j]) / temperature) / others))
    return math.fsum(losses) / len(losses)


def by_numpy(z1, z2, temperature):
    """Positives as a row-wise product and negatives as two blocks, as SimCLR's authors' code has them."""
    a, b = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (z1.numpy(), z2.numpy()))
    same = ~np.eye(len(a), dtype=bool)
    positive = (a * b).sum(1) / temperature
    total = 0.0
    for own, other in ((a, b), (b, a)):
        denominator = np.exp(own @ other.T / temperature).sum(1)
        denominator += (np.exp(own @ own.T / temperature) * same).sum(1)
        total += (np.log(denominator) - positive).mean()
    return total / 2


def agrees(loss, dtype=torch.float64):
    """Whether a loss function is the oracle's, on all sizes."""
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    for n, k, temperature in SIZES:
        z1, z2 = projections(n, k, dtype=dtype)
        expected = loop(z1, z2, temperature)
        if not math.isclose(loss(z1, z2, temperature).item(), expected, rel_tol=tolerance, abs_tol=tolerance):
            return False
    return True


# --- the loss ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_info_nce_is_equation_1(dtype):
    assert agrees(info_nce, dtype)


def test_info_nce_against_numpy_on_a_real_batch_size():
    z1, z2 = projections(256, 128)
    assert info_nce(z1, z2, 0.2).item() == pytest.approx(by_numpy(z1, z2, 0.2), rel=1e-12)
    assert loop(z1[:20], z2[:20], 0.2) == pytest.approx(by_numpy(z1[:20], z2[:20], 0.2), rel=1e-12)


BROKEN = {
    "no normalisation": ("F.normalize(at_least_float32(z), dim=1)", "z"),
    "normalised along the batch": ("dim=1", "dim=0"),
    "temperature multiplied": ("z.T / temperature", "z.T * temperature"),
    "temperature forgotten": ("z.T / temperature", "z.T"),
    "a view against itself": ("similarity.masked_fill(itself, -math.inf)", "similarity"),
    "0 in place of -inf": ("-math.inf", "0.0"),
    "positives one off": (".roll(N)", ".roll(N + 1)"),
    "positives are neighbours": (".roll(N)", ".view(-1, 2).flip(1).flatten()"),
    "itself as positive": (".roll(N)", ""),
    "sum": ("positive)", "positive, reduction='sum')"),
    "one view as anchors": (", positive)", "[:N], positive[:N])"),
    "sign": ("return F.cross", "return -F.cross"),
    "only one view's gradient": ("[z1, z2]", "[z1, z2.detach()]"),
    "squared distance": ("z @ z.T", "-torch.cdist(z, z).square()"),
}


@pytest.mark.parametrize("old, new", BROKEN.values(), ids=BROKEN)
def test_a_broken_loss_is_caught(old, new):
    """Each change of one place in the source must fail the tests above or the gradient test below."""
    broken = changed(info_nce, old, new)
    assert not agrees(broken) or not gradient_agrees(broken)


def gradient_agrees(loss):
    """Whether the gradient is the slope of the oracle, by central differences."""
    z1, z2 = (z.requires_grad_() for z in projections(4, 3))
    loss(z1, z2, 0.3).backward()
    for z in (z1, z2):
        for i in range(4):
            for k in range(3):
                sides = []
                for step in (1e-5, -1e-5):
                    moved = z.detach().clone()
                    moved[i, k] += step
                    pair = (moved, z2.detach()) if z is z1 else (z1.detach(), moved)
                    sides.append(loop(*pair, 0.3))
                slope = (sides[0] - sides[1]) / 2e-5
                got = 0.0 if z.grad is None else z.grad[i, k].item()
                if not math.isclose(got, slope, rel_tol=1e-5, abs_tol=1e-8):
                    return False
    return True


def test_the_gradient_is_the_slope_of_the_oracle():
    assert gradient_agrees(info_nce)


def test_both_views_count_alike_and_only_directions_do():
    z1, z2 = projections(6, 5)
    loss = info_nce(z1, z2, 0.2)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(info_nce(z2, z1, 0.2), loss)
    torch.testing.assert_close(info_nce(z1[order], z2[order], 0.2), loss)
    torch.testing.assert_close(info_nce(z1 * 7, z2 / 3, 0.2), loss)
    assert not torch.isclose(info_nce(z1, z2[order], 0.2), loss)


def test_values_known_beforehand():
    z = torch.eye(8, dtype=torch.float64)
    assert info_nce(z, z, 0.5).item() == pytest.approx(math.log(math.exp(2) + 14) - 2)  # cosines 1 and 0
    same = torch.ones(8, 8, dtype=torch.float64)
    assert info_nce(same, same, 0.5).item() == pytest.approx(math.log(15))  # nothing to tell them apart by
    assert info_nce(z[:1], z[1:2], 0.5).item() == 0  # one image: the positive is the only choice


def test_it_stays_finite_at_extremes():
    z1, z2 = (z.float().requires_grad_() for z in projections(8, 4))
    for a, b, temperature in ((z1, z2, 1e-4), (z1 * 1e15, z2, 0.1), (z1 * 0, z2, 0.1)):
        loss = info_nce(a, b, temperature)
        loss.backward()
        assert loss.isfinite() and z1.grad.isfinite().all()


def test_autocast_does_not_round_the_loss():
    z1, z2 = (z.float() for z in projections(32, 16))
    expected = info_nce(z1, z2, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(info_nce(z1, z2, 0.1), expected)
        assert info_nce(z1.bfloat16(), z2.bfloat16(), 0.1).dtype == torch.float32


@pytest.mark.parametrize(
    "z1, z2, words",
    [
        (torch.ones(4), torch.ones(4), "one shape"),
        (torch.ones(4, 2), torch.ones(3, 2), r"\[4, 2\] and \[3, 2\]"),
        (torch.ones(4, 2), torch.ones(4, 3), "one shape"),
        (torch.ones(0, 2), torch.ones(0, 2), "at least 1"),
    ],
)
def test_wrong_input_is_refused_in_words(z1, z2, words):
    with pytest.raises(ValueError, match=words):
        info_nce(z1, z2, 0.2)


@pytest.mark.parametrize("temperature", [0, -0.1, math.nan])
def test_a_temperature_that_divides_by_nothing_is_refused(temperature):
    with pytest.raises(ValueError, match=f"above 0, got {temperature}"):
        SimCLR(build_encoder("small"), temperature=temperature)


# --- the method ---


def images(n=16):
    generator = torch.Generator().manual_seed(3)
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator)


def fresh(**options):
    torch.manual_seed(0)
    return SimCLR(build_encoder("small"), **options)


def test_pretext_gives_two_different_views_of_each_image_in_order():
    method = fresh()
    x = torch.zeros(6, 3, 32, 32, dtype=torch.uint8)
    x += torch.arange(6, dtype=torch.uint8)[:, None, None, None] * 40  # image i is grey i: a crop keeps that
    method.view = RandomResizedCrop()
    for view in method.pretext(x, torch.Generator().manual_seed(0)):
        torch.testing.assert_close(view, x / 255)
    view1, view2 = fresh().pretext(images(), torch.Generator().manual_seed(0))
    assert view1.shape == view2.shape == (16, 3, 32, 32) and view1.dtype == torch.float32
    assert ((view1 - view2).abs().mean((1, 2, 3)) > 0.01).all()
    assert 0 <= view1.min() and view1.max() <= 1


def test_one_seed_gives_the_same_views():
    method, x = fresh(), images()
    first, again, other = (method.pretext(x, torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first[0], other[0])


def test_the_views_are_the_papers_with_the_options_that_were_asked_for():
    crop, jitter, grey = simclr_views(crop=0.3, jitter=0.9).views
    assert (crop, jitter, grey) == (RandomResizedCrop((0.3, 1.0)), ColorJitter(0.9, 0.8), Grayscale(0.2))
    assert fresh(crop=0.4, jitter=0.1).view == simclr_views(0.4, 0.1)


def test_forward_is_the_oracles_loss_of_its_projections():
    method = fresh(temperature=0.3)
    loss, extras = method(method.pretext(images(), torch.Generator().manual_seed(0)))
    assert set(extras) == {"h", "z1", "z2"} and not any(v.requires_grad for v in extras.values())
    assert extras["h"].shape == (32, method.encoder.dim)
    assert extras["z1"].shape == extras["z2"].shape == (16, 128)
    assert loss.item() == pytest.approx(loop(extras["z1"], extras["z2"], 0.3), rel=1e-5)


def test_the_gradient_reaches_every_parameter():
    method = fresh()
    method(method.pretext(images(), torch.Generator().manual_seed(0)))[0].backward()
    still = [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


def test_encode_gives_the_encoders_features_not_projections():
    method = fresh().eval()
    x = torch.rand(4, 3, 32, 32)
    assert torch.equal(method.encode(x), method.encoder(x))
    assert method.encode(x).shape == (4, method.encoder.dim)


def test_chance_is_the_loss_of_a_network_that_sees_no_difference():
    same = torch.ones(10, 4)
    assert fresh().chance(10) == pytest.approx(info_nce(same, same, 0.2).item(), rel=1e-6)


def test_it_learns_to_find_the_partner():
    """40 steps on 128 scenes bring down the loss on a fixed pair of views of all of them."""
    x = load("scenes", limit=128).train.x
    recipe = Recipe(steps=40, lr=0.05, batch=64)
    method = build(METHOD, recipe)

    def loss() -> float:
        with torch.no_grad():
            return copy.deepcopy(method)(method.pretext(x, torch.Generator().manual_seed(0)))[0].item()

    before = loss()
    assert len(list(train(method, x, recipe))) == 40
    assert loss() < min(before, method.chance(128)) - 0.25


def test_without_a_projector_h_and_z_know_the_same():
    recipe = RECIPES["laptop"].but(encoder="small")
    read = also(ABLATIONS["no projector"].build(METHOD, recipe, 3, 0), load("scenes", limit=120))
    assert all(read[f"{factor} in h"] == read[f"{factor} in z"] for factor in FACTORS.values())
