"""Effective rank, alignment, uniformity, collapse: against numpy, slow loops and cases whose answer is known."""

import math

import numpy as np
import pytest
import torch

from sslkit.measures import alignment, effective_rank, spread, uniformity


def features(n=60, d=12, seed=0):
    """Features with unequal directions and a mean that is not 0, [n, d] float32."""
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=g) * torch.logspace(0, -2, d) + 0.3


def unit(z):
    z = z.double().numpy()
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_effective_rank_is_rankme():
    h = features()
    s = np.linalg.svd(h.double().numpy(), compute_uv=False)
    p = s / np.abs(s).sum() + 1e-7
    assert effective_rank(h) == pytest.approx(math.exp(-np.sum(p * np.log(p))), rel=1e-9)
    assert effective_rank(h, eps=1e-2) != pytest.approx(effective_rank(h), rel=1e-3)


@pytest.mark.parametrize("shape", [(600, 700), (700, 600)])
@pytest.mark.parametrize("rank", [1, 40, 600])
def test_effective_rank_of_something_large_is_the_same(shape, rank):
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(shape[0], rank, generator=generator) @ torch.randn(rank, shape[1], generator=generator)
    p = np.linalg.svd(h.double().numpy(), compute_uv=False)
    p = p / p.sum() + 1e-7
    assert effective_rank(h) == pytest.approx(math.exp(-np.sum(p * np.log(p))), rel=1e-3)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_effective_rank_counts_equal_directions(k):
    basis = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(1)))[0]
    h = torch.cat([basis[:k], -basis[:k]]).repeat(4, 1)  # k directions, equally often
    assert effective_rank(h) == pytest.approx(k, rel=1e-4)
    assert effective_rank(100 * h) == pytest.approx(k, rel=1e-4)


def test_effective_rank_is_not_centred_and_survives_zeros():
    constant = torch.full((10, 4), 2.5)
    assert effective_rank(constant) == pytest.approx(1, abs=1e-4)
    assert effective_rank(torch.zeros(10, 4)) == pytest.approx(1, abs=1e-4)
    offset = features() + 100
    assert effective_rank(offset) < 1.1 < 3 < effective_rank(offset - offset.mean(0))


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.0])
def test_alignment_is_the_mean_distance_of_pairs(alpha):
    a, b = features(seed=0), features(seed=1)
    slow = np.mean([np.linalg.norm(p - q) ** alpha for p, q in zip(unit(a), unit(b))])
    assert alignment(a, b, alpha) == pytest.approx(slow, rel=1e-6)


def test_alignment_of_known_pairs():
    z = features()
    assert alignment(z, 7 * z) == pytest.approx(0, abs=1e-9)  # length does not count
    assert alignment(z, -z) == pytest.approx(4)
    a, b = torch.eye(6)[:3], torch.eye(6)[3:]
    assert alignment(a, b) == pytest.approx(2)
    assert alignment(a, b, alpha=1) == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("t", [1.0, 2.0, 5.0])
def test_uniformity_is_the_log_of_the_mean_over_pairs(t):
    z = features(40)
    u = unit(z)
    slow = [math.exp(-t * np.sum((u[i] - u[j]) ** 2)) for i in range(40) for j in range(i + 1, 40)]
    assert uniformity(z, t) == pytest.approx(math.log(np.mean(slow)), rel=1e-6)


@pytest.mark.parametrize("n", [1023, 1024, 1025, 2100])
def test_uniformity_in_chunks_equals_all_pairs_at_once(n):
    z = features(n, 5)
    pairs = torch.pdist(torch.from_numpy(unit(z))).square()
    assert uniformity(z) == pytest.approx(torch.exp(-2 * pairs).mean().log().item(), rel=1e-9)


def test_uniformity_of_known_clouds():
    assert uniformity(torch.ones(5, 3)) == pytest.approx(0, abs=1e-9)
    assert uniformity(torch.zeros(5, 3)) == pytest.approx(0, abs=1e-9)  # no direction at all: one point
    assert uniformity(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(-8)
    many = torch.randn(2000, 400, generator=torch.Generator().manual_seed(0))
    assert uniformity(many) == pytest.approx(-4, abs=0.05)


def test_collapse_is_simsiams_standard_deviation():
    z = features()
    assert spread(z) == pytest.approx(unit(z).std(axis=0).mean() * math.sqrt(12), rel=1e-6)


def test_collapse_of_known_clouds():
    assert spread(torch.ones(6, 3)) == pytest.approx(0, abs=1e-9)
    assert spread(torch.arange(1.0, 7)[:, None] * torch.ones(1, 3)) == pytest.approx(
        0, abs=1e-7
    )  # only the length differs
    assert spread(torch.randn(5000, 64, generator=torch.Generator().manual_seed(0))) == pytest.approx(1, abs=0.01)
    assert spread(torch.cat([torch.eye(4), -torch.eye(4)])) == pytest.approx(
        1
    )  # every direction alike: the bound is reached
    axis = torch.tensor([[1.0, 0, 0, 0], [-1, 0, 0, 0]])  # one dimension of four has standard deviation 1
    assert spread(axis) == pytest.approx(0.5)


MEASURES = [effective_rank, uniformity, spread, lambda z: alignment(z, z)]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("bad, words", [
    (torch.ones(5), "N, D"),
    (torch.ones(2, 3, 4), "N, D"),
    (torch.ones(5, 3, dtype=torch.long), "floating"),
    (torch.ones(1, 3), "two rows"),
    (torch.ones(0, 3), "two rows"),
    (torch.ones(4, 0), "column"),
    (torch.tensor([[1.0, 2], [3, math.nan], [math.inf, 0]]), "2 of 3 .* row 1"),
])  # fmt: skip
def test_wrong_features_are_refused_in_words(measure, bad, words):
    with pytest.raises(ValueError, match=words):
        measure(bad)


def test_what_is_not_a_tensor_and_unequal_pairs_are_refused():
    with pytest.raises(ValueError, match="ndarray"):
        effective_rank(np.ones((4, 3)))
    with pytest.raises(ValueError, match="one shape"):
        alignment(torch.ones(4, 3), torch.ones(5, 3))


@pytest.mark.parametrize("measure", MEASURES)
def test_half_precision_and_gradients_are_no_obstacle(measure):
    z = features(32, 8)
    plain = measure(z)
    assert isinstance(plain, float)
    assert measure(z.requires_grad_()) == plain and z.grad is None
    half = z.detach().bfloat16()
    assert measure(half) == measure(half.double())  # computed in float64, whatever comes in
