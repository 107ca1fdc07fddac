"""Barlow Twins, exported from notebooks/13_barlow_twins.ipynb, against its definition written a second time."""

import copy
import math

import pytest
import torch
from changed import changed

from sslkit.chapters.barlow_twins.method import METHOD, BarlowTwins, barlow_loss, cross_correlation, standardise
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train

SIZES = [(2, 1, 0.5), (3, 2, 0.1), (5, 4, 0.5), (16, 8, 0.005), (9, 20, 0.02), (7, 3, 2.0)]


def projections(n, k, seed=0, dtype=torch.float64):
    """Two views whose columns have different means and deviations; the second resembles the first."""
    generator = torch.Generator().manual_seed(seed)
    z1, noise = torch.randn(2, n, k, generator=generator, dtype=dtype)
    z1 = z1 * torch.linspace(0.2, 4, k, dtype=dtype) + torch.linspace(-3, 3, k, dtype=dtype)
    return z1, 2 * z1 + noise


def loop(z1, z2, weight, eps=1e-5):
    """Zbontar et al. 2021, equations 1 and 2, in plain numbers."""
    n, k = z1.shape
    columns = []
    for z in (z1, z2):
        for column in z.double().T.tolist():
            mean = math.fsum(column) / n
            deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in column) / n + eps)
            columns.append([(v - mean) / deviation for v in column])
    total = []
    for i in range(k):
        for j in range(k):
            c = math.fsum(a * b for a, b in zip(columns[i], columns[k + j])) / n
            total.append((1 - c) ** 2 if i == j else weight * c**2)
    return math.fsum(total)


def agrees(loss, dtype=torch.float64):
    """Whether a loss function is the oracle's, on all sizes."""
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    for n, k, weight in SIZES:
        z1, z2 = projections(n, k, dtype=dtype)
        if not math.isclose(loss(z1, z2, weight).item(), loop(z1, z2, weight), rel_tol=tolerance, abs_tol=tolerance):
            return False
    return True


def gradient_agrees(loss):
    """Whether the gradient is the slope of the oracle, by central differences."""
    z1, z2 = (z.requires_grad_() for z in projections(5, 3))
    loss(z1, z2, 0.3).backward()
    for z in (z1, z2):
        for i in range(5):
            for k in range(3):
                sides = []
                for step in (1e-5, -1e-5):
                    moved = z.detach().clone()
                    moved[i, k] += step
                    sides.append(loop(*((moved, z2.detach()) if z is z1 else (z1.detach(), moved)), 0.3))
                slope = (sides[0] - sides[1]) / 2e-5
                if not math.isclose(0.0 if z.grad is None else z.grad[i, k].item(), slope, rel_tol=1e-4, abs_tol=1e-7):
                    return False
    return True


# --- the loss ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_loss_is_equation_1(dtype):
    assert agrees(barlow_loss, dtype)


def test_the_gradient_is_the_slope_of_the_oracle():
    assert gradient_agrees(barlow_loss)


BROKEN = {
    "diagonal wanted 0": ("1 - c.diagonal()", "c.diagonal()"),
    "diagonal in both": ("(c - torch.diag(c.diagonal())).square()", "c.square()"),
    "not squared": ("(c - torch.diag(c.diagonal())).square()", "(c - torch.diag(c.diagonal()))"),
    "weight forgotten": ("weight * redundancy", "redundancy"),
    "weight on the diagonal": ("invariance + weight * redundancy", "weight * invariance + redundancy"),
    "mean": (".square().sum()\n        return", ".square().mean()\n        return"),
    "sign": ("return invariance", "return -invariance"),
    "one view alone": ("at_least_float32(z2)", "at_least_float32(z1)"),
    "one view's gradient": ("at_least_float32(z2)", "at_least_float32(z2).detach()"),
}


@pytest.mark.parametrize("old, new", BROKEN.values(), ids=BROKEN)
def test_a_broken_loss_is_caught(old, new):
    broken = changed(barlow_loss, old, new)
    assert not agrees(broken) or not gradient_agrees(broken)


def test_what_collapsed_networks_pay():
    """Nothing said: K. One thing said K times: weight K (K - 1). Four different things: nothing."""
    signs = torch.tensor([[(-1.0) ** (i >> bit & 1) for bit in range(3)] for i in range(8)], dtype=torch.float64)
    constant, copies = torch.ones(8, 5, dtype=torch.float64), signs[:, :1].expand(8, 5)
    assert barlow_loss(constant, constant, 0.5).item() == 5
    assert barlow_loss(copies, copies, 0.5).item() == pytest.approx(0.5 * 5 * 4, rel=1e-4)
    assert barlow_loss(signs, signs, 0.5).item() == pytest.approx(0, abs=1e-8)
    assert barlow_loss(signs, -signs, 0.5).item() == pytest.approx(3 * 4, rel=1e-4)


def test_scale_and_place_of_each_number_do_not_count():
    z1, z2 = projections(32, 6)
    loss = barlow_loss(z1, z2, 0.1)
    moved = z1 * torch.linspace(3, 50, 6, dtype=torch.float64) - 7
    torch.testing.assert_close(barlow_loss(moved, z2, 0.1), loss, rtol=1e-3, atol=0)
    order = torch.randperm(32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(barlow_loss(z1[order], z2[order], 0.1), loss)
    assert not torch.isclose(barlow_loss(z1, z2[order], 0.1), loss)


def test_correlations_are_numpys():
    z1, z2 = projections(64, 5)
    theirs = torch.corrcoef(torch.cat([z1, z2], dim=1).T)[:5, 5:]
    torch.testing.assert_close(cross_correlation(z1, z2), theirs, rtol=1e-3, atol=1e-3)
    z = standardise(z1)
    torch.testing.assert_close(z.mean(0), torch.zeros(5, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(z.square().mean(0), torch.ones(5, dtype=torch.float64), atol=1e-3, rtol=0)


def test_it_stays_finite_at_extremes():
    z1, z2 = (z.float().requires_grad_() for z in projections(8, 4))
    for a, b in ((z1 * 0, z2), (z1 * 1e12, z2), (z1 * 1e-12, z2)):
        loss = barlow_loss(a, b, 0.1)
        loss.backward()
        assert loss.isfinite() and z1.grad.isfinite().all()


def test_autocast_does_not_round_the_loss():
    z1, z2 = (z.float() for z in projections(32, 16))
    expected = barlow_loss(z1, z2, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(barlow_loss(z1, z2, 0.1), expected)
        assert barlow_loss(z1.bfloat16(), z2.bfloat16(), 0.1).dtype == torch.float32


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((4, 2), (3, 2)), ((4, 2), (4, 3)), ((1, 2), (1, 2))])
def test_wrong_input_is_refused_in_words(shapes):
    with pytest.raises(ValueError, match="one shape, N at least 2"):
        barlow_loss(*map(torch.ones, shapes), 0.1)


# --- the method ---


def images(n=16):
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def fresh(**options):
    torch.manual_seed(0)
    return BarlowTwins(build_encoder("small"), **options)


def test_forward_is_the_oracles_loss_of_its_projections():
    method = fresh(weight=0.3, projection=12)
    loss, extras = method(method.pretext(images(), torch.Generator().manual_seed(0)))
    assert set(extras) == {"h", "z"} and not any(v.requires_grad for v in extras.values())
    assert extras["h"].shape == (32, method.encoder.dim) and extras["z"].shape == (32, 12)
    assert loss.item() == pytest.approx(loop(*extras["z"].chunk(2), 0.3) / 12, rel=1e-4)


def test_the_gradient_reaches_every_parameter():
    method = fresh()
    method(method.pretext(images(), torch.Generator().manual_seed(0)))[0].backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_the_views_belong_together_in_order():
    method, x = fresh(), torch.zeros(6, 3, 32, 32, dtype=torch.uint8)
    x += torch.arange(6, dtype=torch.uint8)[:, None, None, None] * 40  # image i is grey i: a crop keeps that
    method.view = type(method.view)(method.view.views[:1])
    for view in method.pretext(x, torch.Generator().manual_seed(0)):
        torch.testing.assert_close(view, x / 255)


def test_encode_gives_the_encoders_features_not_projections():
    method, x = fresh().eval(), torch.rand(4, 3, 32, 32)
    assert torch.equal(method.encode(x), method.encoder(x)) and not hasattr(method, "chance")


@pytest.mark.slow
def test_it_learns_and_does_not_collapse():
    """40 steps on 128 scenes bring down the loss on a fixed pair of views of all of them."""
    x = load("scenes", limit=128).train.x
    recipe = Recipe(steps=40, lr=0.02, batch=64, optimizer="muon", options={"projection": 32})
    method = build(METHOD, recipe)

    def loss() -> float:
        with torch.no_grad():
            return copy.deepcopy(method)(method.pretext(x, torch.Generator().manual_seed(0)))[0].item()

    before = loss()
    *_, last = train(method, x, recipe)
    assert loss() < 0.8 * before and not last.collapsed
