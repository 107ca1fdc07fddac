"""VICReg, exported from notebooks/14_vicreg.ipynb, against its definition written a second time."""

import copy
import math

import pytest
import torch
from changed import changed

from sslkit.chapters import get
from sslkit.chapters.barlow_twins.method import barlow_loss, standardise
from sslkit.chapters.vicreg.ablations import ABLATIONS
from sslkit.chapters.vicreg.exercises import pair_penalty
from sslkit.chapters.vicreg.method import METHOD, VICReg, covariance_loss, variance_loss, vicreg_terms
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train

SIZES = [(2, 1), (3, 2), (5, 4), (16, 8), (9, 20), (7, 3)]


def projections(n, k, seed=0, dtype=torch.float64):
    """Two views; some numbers vary by more than 1, some by less."""
    generator = torch.Generator().manual_seed(seed)
    z1, noise = torch.randn(2, n, k, generator=generator, dtype=dtype)
    z1 = z1 * torch.linspace(0.2, 1.5, k, dtype=dtype) + torch.linspace(-3, 3, k, dtype=dtype)
    return z1, 0.9 * z1 + 0.3 * noise


def loop(z1, z2, eps=1e-4):
    """Bardes et al. 2022, equations 1 to 5, in plain numbers; variance and covariance as in the authors' code."""
    n, k = z1.shape
    a, b = z1.double().tolist(), z2.double().tolist()
    invariance = math.fsum((p - q) ** 2 for r, s in zip(a, b) for p, q in zip(r, s)) / (n * k)
    variance = covariance = 0.0
    for rows in (a, b):
        centred = [[v - math.fsum(c) / n for v in c] for c in zip(*rows)]
        for i, c in enumerate(centred):
            variance += max(0, 1 - math.sqrt(math.fsum(v * v for v in c) / (n - 1) + eps)) / k / 2
            for j, d in enumerate(centred):
                covariance += (math.fsum(v * w for v, w in zip(c, d)) / (n - 1)) ** 2 / k * (i != j)
    return invariance, variance, covariance


def agrees(terms, dtype=torch.float64):
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    for n, k in SIZES:
        z = projections(n, k, dtype=dtype)
        for got, true in zip(terms(*z), loop(*z)):
            if not math.isclose(got.item(), true, rel_tol=tolerance, abs_tol=tolerance):
                return False
    return True


def gradient_agrees(terms):
    """Whether the gradient of the weighted sum is the slope of the oracle, by central differences."""
    weights = (0.7, 1.3, 0.4)
    z1, z2 = (z.requires_grad_() for z in projections(5, 3))
    sum(w * term for w, term in zip(weights, terms(z1, z2))).backward()
    for z in (z1, z2):
        for i in range(5):
            for k in range(3):
                sides = []
                for step in (1e-5, -1e-5):
                    moved = z.detach().clone()
                    moved[i, k] += step
                    pair = (moved, z2.detach()) if z is z1 else (z1.detach(), moved)
                    sides.append(sum(w * term for w, term in zip(weights, loop(*pair))))
                slope = (sides[0] - sides[1]) / 2e-5
                if not math.isclose(0.0 if z.grad is None else z.grad[i, k].item(), slope, rel_tol=1e-4, abs_tol=1e-7):
                    return False
    return True


# --- the loss ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_terms_are_the_papers(dtype):
    assert agrees(vicreg_terms, dtype)


def test_the_gradient_is_the_slope_of_the_oracle():
    assert gradient_agrees(vicreg_terms)


BROKEN = {
    "variances added up": ("(variance_loss(z1) + variance_loss(z2)) / 2", "variance_loss(z1) + variance_loss(z2)"),
    "one branch's variance": ("(variance_loss(z1) + variance_loss(z2)) / 2", "variance_loss(z1)"),
    "one branch's covariance": ("covariance_loss(z1) + covariance_loss(z2)", "2 * covariance_loss(z1)"),
    "absolute distance": ("F.mse_loss", "F.l1_loss"),
    "one view's gradient": ("at_least_float32(z2)", "at_least_float32(z2).detach()"),
}


@pytest.mark.parametrize("old, new", BROKEN.values(), ids=BROKEN)
def test_a_broken_loss_is_caught(old, new):
    broken = changed(vicreg_terms, old, new)
    assert not agrees(broken) or not gradient_agrees(broken)


def test_each_failure_is_charged_by_one_term():
    """A point by the variance, copies by the covariance, views that disagree by the invariance."""
    generator = torch.Generator().manual_seed(0)
    z, other = torch.linalg.qr(torch.randn(2, 512, 8, generator=generator, dtype=torch.float64))[0] * 512**0.5
    point, copies = torch.zeros_like(z), z[:, :1].expand(512, 8)
    table = [
        [round(float(t), 1) for t in vicreg_terms(*pair)] for pair in ((point, point), (copies, copies), (z, other))
    ]
    assert table[0] == [0, 1.0, 0] and table[1][:2] == [0, 0] and table[1][2] > 10 and table[2][0] > 1.5


def test_collapse_is_left_by_a_slope_that_stays():
    z = 1e-3 * torch.randn(64, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    slopes = []
    for loss in (variance_loss, lambda z: (1 - z.var(0)).relu().mean()):
        x = z.clone().requires_grad_()
        loss(x).backward()
        slopes.append(x.grad.norm().item())
    assert slopes[0] > 10 * slopes[1]


def test_where_the_mean_is_does_not_count():
    z1, z2 = projections(32, 6)
    moved = vicreg_terms(z1 + 5, z2 + 5)
    for one, two in zip(vicreg_terms(z1, z2), moved):
        torch.testing.assert_close(one, two)


def test_it_stays_finite_at_extremes():
    z1, z2 = (z.float().requires_grad_() for z in projections(8, 4))
    for a, b in ((z1 * 0, z2), (z1 * 1e6, z2), (z1 * 1e-12, z2)):
        loss = sum(vicreg_terms(a, b))
        loss.backward()
        assert loss.isfinite() and z1.grad.isfinite().all()


def test_autocast_does_not_round_the_loss():
    z1, z2 = (z.float() for z in projections(32, 16))
    expected = vicreg_terms(z1, z2)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(torch.equal(one, two) for one, two in zip(vicreg_terms(z1, z2), expected))
        assert vicreg_terms(z1.bfloat16(), z2.bfloat16())[2].dtype == torch.float32


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((4, 2), (3, 2)), ((4, 2), (4, 3)), ((1, 2), (1, 2))])
def test_wrong_input_is_refused_in_words(shapes):
    with pytest.raises(ValueError, match="one shape, N at least 2"):
        vicreg_terms(*map(torch.ones, shapes))


# --- its relatives ---


@pytest.mark.parametrize("n, k", [(8, 3), (20, 20), (5, 30)])
def test_images_apart_and_numbers_decorrelated_are_one_sum(n, k):
    """Garrido et al. 2023, section 3, on centred projections."""
    z = projections(n, k)[0]
    z = z - z.mean(0)
    rows = pair_penalty(z) + z.square().sum(1).square().sum()
    columns = covariance_loss(z) * k * (n - 1) ** 2 + z.square().sum(0).square().sum()
    torch.testing.assert_close(rows, columns)


def test_of_standardised_equal_views_the_covariance_is_barlow_twins_second_sum():
    z, n, k = projections(40, 6)[0], 40, 6
    second = barlow_loss(z, z, 1.0) - barlow_loss(z, z, 0.0)
    torch.testing.assert_close(covariance_loss(standardise(z)) * k * ((n - 1) / n) ** 2, second)


# --- the method ---


def images(n=16):
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def fresh(**options):
    torch.manual_seed(0)
    return VICReg(build_encoder("small"), **options)


def test_forward_is_the_weighted_sum_of_the_oracles_terms():
    method = fresh(invariance=0.5, variance=2.0, covariance=0.3, projection=12)
    loss, extras = method(method.pretext(images(), torch.Generator().manual_seed(0)))
    assert set(extras) == {"h", "z", *method.weights} and not any(v.requires_grad for v in extras.values())
    assert extras["h"].shape == (32, method.encoder.dim) and extras["z"].shape == (32, 12)
    terms = loop(*extras["z"].chunk(2))
    assert [extras[name].item() for name in method.weights] == pytest.approx(terms, rel=1e-4)
    assert loss.item() == pytest.approx(0.5 * terms[0] + 2 * terms[1] + 0.3 * terms[2], rel=1e-4)


def test_the_gradient_reaches_every_parameter():
    method = fresh()
    method(method.pretext(images(), torch.Generator().manual_seed(0)))[0].backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_encode_gives_the_encoders_features_not_projections():
    method, x = fresh().eval(), torch.rand(4, 3, 32, 32)
    assert torch.equal(method.encode(x), method.encoder(x)) and not hasattr(method, "chance")


RECIPE = Recipe(steps=40, lr=0.02, batch=64, optimizer="muon", options={"projection": 32})


@pytest.mark.slow
def test_it_learns_and_does_not_collapse():
    """40 steps on 128 scenes bring down the loss on a fixed pair of views of all of them."""
    x = load("scenes", limit=128).train.x
    method = build(METHOD, RECIPE)

    def loss() -> float:
        with torch.no_grad():
            return copy.deepcopy(method)(method.pretext(x, torch.Generator().manual_seed(0)))[0].item()

    before = loss()
    *_, last = train(method, x, RECIPE)
    assert loss() < 0.8 * before and not last.collapsed


@pytest.mark.parametrize("name", [name for name, ablation in ABLATIONS.items() if ablation.change])
def test_each_change_can_be_trained(name):
    x, recipe = load("scenes", limit=64).train.x, get("vicreg").RECIPES["laptop"].but(steps=2, batch=32)
    method = ABLATIONS[name].build(METHOD, recipe, 3, 0)
    assert len(list(train(method, x, ABLATIONS[name].recipe(recipe)))) == 2
