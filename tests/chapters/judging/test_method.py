"""t-SNE as chapter 02 builds it: the neighbours asked for, the gradient of its loss, and a map that keeps groups apart."""

import math

import pytest
import torch
from torch import Tensor

from sslkit.chapters.judging.method import affinities, tsne, tsne_gradient


def rows(n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(n), dtype=torch.float64)


def loss(P: Tensor, xy: Tensor) -> float:
    """Kullback-Leibler by loops."""
    n, closeness = len(xy), {}
    for i in range(n):
        for j in range(n):
            if i != j:
                closeness[i, j] = 1 / (1 + math.dist(xy[i].tolist(), xy[j].tolist()) ** 2)
    total = sum(closeness.values())
    return sum(P[i, j].item() * math.log(P[i, j].item() / (q / total)) for (i, j), q in closeness.items())


def test_neighbours_are_symmetric_sum_to_one_and_nobody_is_its_own():
    P = affinities(rows(30, 5), perplexity=7)
    assert torch.equal(P, P.T) and P.sum() == pytest.approx(1) and (P.diagonal() == 0).all()


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_neighbours_are_those_of_scikit_learn_at_any_scale(scale):
    from scipy.spatial.distance import squareform
    from sklearn.manifold._t_sne import _joint_probabilities

    h = rows(40, 6) * scale
    squared = torch.cdist(h, h).square().numpy().astype("float32")
    theirs = torch.from_numpy(squareform(_joint_probabilities(squared, 9.0, 0)))
    assert torch.allclose(affinities(h, 9.0), theirs, atol=2e-5)


def test_the_gradient_is_that_of_the_loss():
    P, xy, step = affinities(rows(9, 4), 3), rows(9, 2), 1e-5
    gradient = tsne_gradient(P, xy)
    for i, k in ((0, 0), (4, 1), (8, 0)):
        nudge = torch.zeros_like(xy)
        nudge[i, k] = step
        slope = (loss(P, xy + nudge) - loss(P, xy - nudge)) / (2 * step)
        assert gradient[i, k].item() == pytest.approx(slope, rel=1e-5)


def test_two_groups_stay_apart_and_a_seed_repeats():
    h = rows(40, 10)
    h[20:] += 30
    xy = tsne(h, perplexity=8, steps=200)
    nearest = torch.cdist(xy, xy).fill_diagonal_(math.inf).topk(5, largest=False).indices
    assert ((nearest < 20) == (torch.arange(40) < 20)[:, None]).float().mean() > 0.97
    assert torch.equal(xy, tsne(h, perplexity=8, steps=200)) and not torch.equal(xy, tsne(h, 8, 200, seed=1))
