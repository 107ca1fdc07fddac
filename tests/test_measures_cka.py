"""CKA against kernel matrices entry by entry, a U-statistic over all quadruples, closed forms, and its invariances."""

import itertools
import math

import numpy as np
import pytest
import torch

from sslkit.measures import cka


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def related(n=60, seed=0):
    """Two sets of features with something in common, of unequal scales and with means that are not 0."""
    x = normal(n, 7, seed) * torch.logspace(0, -1, 7) + 3
    return x, x @ normal(7, 5, seed + 1) + 0.5 * normal(n, 5, seed + 2) - 1


def turn(d, seed=0):
    return torch.linalg.qr(normal(d, d, seed).double())[0]


def by_kernels(x, y):
    """Kornblith et al. 2019, equations 3 and 4: HSIC of centred kernel matrices, numpy."""
    n = len(x)
    centre = np.eye(n) - np.ones((n, n)) / n
    K, L = (centre @ h.double().numpy() @ h.double().numpy().T @ centre for h in (x, y))
    return np.sum(K * L) / np.sqrt(np.sum(K * K) * np.sum(L * L))


def u_statistic(K, L):
    """HSIC as the mean over all ordered choices of four different images."""
    values = [
        K[i, j] * L[i, j] + K[i, j] * L[q, r] - 2 * K[i, j] * L[i, q]
        for i, j, q, r in itertools.permutations(range(len(K)), 4)
    ]
    return np.mean(values)


@pytest.mark.parametrize("n, d1, d2", [(60, 7, 5), (12, 40, 30), (10, 300, 2), (5, 1, 1)])
def test_it_is_the_formula_whichever_way_is_cheaper(n, d1, d2):
    x, y = normal(n, d1) + 2, normal(n, d2, 1) - 1
    y[:, 0] += x[:, 0]
    assert cka(x, y) == pytest.approx(by_kernels(x, y), rel=1e-9)


@pytest.mark.parametrize("n, d1, d2", [(8, 3, 2), (7, 20, 30), (4, 2, 2)])
def test_debiased_is_the_mean_over_all_quadruples(n, d1, d2):
    x, y = normal(n, d1) + 2, normal(n, d2, 1)
    y[:, 0] += x[:, 0]
    K, L = ((h.double() @ h.double().T).numpy() for h in (x, y))
    own = u_statistic(K, K) * u_statistic(L, L)
    expected = u_statistic(K, L) / math.sqrt(own) if own > 0 else math.nan
    assert cka(x, y, debiased=True) == pytest.approx(expected, rel=1e-7, nan_ok=True)


def test_cases_with_a_known_answer():
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert cka(x, x) == pytest.approx(1)
    assert cka(x, x[:, :1]) == pytest.approx(math.sqrt(0.5))  # one of two equal directions
    assert cka(x[:, :1], x[:, 1:]) == pytest.approx(0, abs=1e-12)
    k, d = 3, 12  # k of d equal directions: k / sqrt(k d)
    basis = torch.linalg.qr(normal(40, d).double() - normal(40, d).double().mean(0))[0]  # its columns have mean 0 too
    assert cka(basis, basis[:, :k]) == pytest.approx(math.sqrt(k / d), rel=1e-6)


@pytest.mark.parametrize("debiased", [False, True])
def test_what_it_does_not_care_about(debiased):
    x, y = (h.double() for h in related())
    value = cka(x, y, debiased)
    assert 0.05 < value < 0.99
    for other in (y @ turn(5), 1e-4 * y, 1e6 * y, y + 50, torch.cat([y, 0 * y], 1), y.flip(1), -y):
        assert cka(x, other, debiased) == pytest.approx(value, rel=1e-6)
    assert cka(y, x, debiased) == pytest.approx(value)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    assert cka(x[order], y[order], debiased) == pytest.approx(value)
    assert cka(x, x @ turn(7, 1) * 3 + 1, debiased) == pytest.approx(1, abs=1e-7)


def test_what_it_does_care_about():
    x, y = related()
    scaled = x.clone()
    scaled[:, 3] *= 20
    assert cka(x, scaled) < 0.9  # a linear map that is no rotation
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    assert cka(x, y[order]) < 0.6 * cka(x, y)  # which row belongs to which


@pytest.mark.parametrize("n, d1, d2", [(64, 64, 64), (50, 200, 20), (1000, 32, 32)])
def test_chance_level_of_independent_features(n, d1, d2):
    plain, fair = [], []
    for seed in range(12):
        x, y = normal(n, d1, 2 * seed), normal(n, d2, 2 * seed + 1)
        plain.append(cka(x, y))
        fair.append(cka(x, y, debiased=True))
    assert np.mean(plain) == pytest.approx(math.sqrt(d1 * d2 / ((n + d1) * (n + d2))), rel=0.05)
    assert abs(np.mean(fair)) < 4 * np.std(fair) / math.sqrt(12) + 1e-4
    assert np.mean(plain) > 10 * abs(np.mean(fair))


def test_debiased_does_not_depend_on_the_number_of_images():
    """Half of the variance in common, in many dimensions: few images make the plain form say more."""
    plain, fair = {}, {}
    for n in (40, 4000):
        values = []
        for seed in range(8):
            common, own, other = (normal(n, 50, 3 * seed + k) for k in range(3))
            x, y = torch.cat([common, own], 1), torch.cat([common, other], 1)
            values.append((cka(x, y), cka(x, y, debiased=True)))
        plain[n], fair[n] = np.mean(values, 0)
    assert fair[40] == pytest.approx(fair[4000], abs=0.03) and fair[4000] == pytest.approx(0.5, abs=0.02)
    assert plain[40] > plain[4000] + 0.2


def test_collapsed_features_have_no_value():
    x = related()[0]
    for flat in (torch.zeros(60, 4), torch.full((60, 4), 2.5)):
        for debiased in (False, True):
            assert math.isnan(cka(x, flat, debiased)) and math.isnan(cka(flat, x, debiased))


def test_bad_input_is_told_in_words():
    x, y = related()
    with pytest.raises(ValueError, match="60 and 59 rows"):
        cka(x, y[:-1])
    with pytest.raises(ValueError, match="at least 4 rows"):
        cka(x[:3], y[:3], debiased=True)
    with pytest.raises(ValueError, match=r"\[N, D\]"):
        cka(x[0], y[0])
    with pytest.raises(ValueError, match="NaN or infinity"):
        cka(x, y.index_fill(0, torch.tensor([4]), math.nan))
    assert type(cka(x.requires_grad_(), y)) is float
