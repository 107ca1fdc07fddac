"""Reading a factor and moving with it, against scikit-learn, loops, and functions whose indices are known."""

import math

import pytest
import torch
from sklearn.linear_model import Ridge

from sslkit.datasets import load
from sslkit.datasets.contract import Split
from sslkit.probes import standardise
from sslkit.probes.factors import class_skill, factor_targets, read_factors, total_effect
from sslkit.probes.ridge import PENALTIES


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def splits():
    data = load("scenes", train=400, val=200, test=300)
    return data.train, data.val, data.test


def test_targets_of_scenes(splits):
    targets = factor_targets(splits)
    assert set(targets) == {"kind", "x", "y", "size", "tilt", "hue", "background", "mean colour"}  # not the 500 emoji
    assert [t.shape for t in targets["kind"]] == [(400, 10), (200, 10), (300, 10)]
    assert torch.equal(targets["kind"][1].argmax(1), splits[1].y)
    hue = splits[2].factors["hue"].double() * math.tau
    assert torch.allclose(targets["hue"][2], torch.stack([hue.cos(), hue.sin()], 1))
    assert torch.allclose(targets["size"][0][:, 0], splits[0].factors["size"].double())
    assert torch.allclose(targets["mean colour"][1], splits[1].x.double().mean((2, 3)) / 255, atol=1e-6)
    assert all(t.dtype == torch.float64 for parts in targets.values() for t in parts)


def test_what_stands_in_the_features_is_read_and_nothing_else(splits):
    def told(split, seed):
        """Features: place and kind, scrambled linearly, plus noise dimensions."""
        place = torch.stack([split.factors["x"], split.factors["y"]], 1)
        kind = torch.nn.functional.one_hot(split.y, 10).float()
        known = torch.cat([place, kind, normal(len(split), 4, seed)], 1)
        return known @ normal(16, 16, 99) + 5

    scores = read_factors([told(s, k) for k, s in enumerate(splits)], splits)
    assert scores["x"] > 0.999 and scores["y"] > 0.999 and scores["kind"] == pytest.approx(1, abs=0.01)
    for factor in ("tilt", "hue", "background"):
        assert scores[factor] < 0.15, factor


def test_an_angle_is_read_across_the_turn():
    """A probe on the number itself would fail at 0.99 and 0.01."""
    parts = []
    for seed in range(3):
        hue = torch.rand(300, generator=torch.Generator().manual_seed(seed))
        x = torch.zeros(300, 3, 2, 2, dtype=torch.uint8).random_(generator=torch.Generator().manual_seed(seed))
        parts.append(Split(x, None, {"hue": hue, "number": hue.clone()}))
    h = [torch.stack([(s.factors["hue"] * math.tau).cos(), (s.factors["hue"] * math.tau).sin()], 1) for s in parts]
    scores = read_factors(h, parts)
    assert scores["hue"] > 0.999 > 0.9 > scores["number"]


def test_it_is_scikit_learns_ridge_with_the_penalty_that_val_likes(splits):
    h = [s.x[:, :, ::8, ::8].flatten(1).float() / 255 for s in splits]
    mean, scale = standardise(h[0])
    x = [((part.double() - mean) / scale).numpy() for part in h]
    y = [s.factors["size"].double().numpy() for s in splits]
    fits = [Ridge(alpha=penalty * len(x[0])).fit(x[0], y[0]) for penalty in PENALTIES]
    best = max(fits, key=lambda fit: fit.score(x[1], y[1]))
    assert read_factors(h, splits)["size"] == pytest.approx(best.score(x[2], y[2]), abs=1e-6)


def test_a_class_counts_above_guessing():
    y = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 1])).double()
    assert class_skill(y, y) == 1
    assert class_skill(torch.tensor([[1.0, 0.0]] * 4), y) == 0  # always the commonest
    assert class_skill(torch.tensor([[0.0, 1.0]] * 4), y) == pytest.approx((0.25 - 0.75) / 0.25)


def test_the_judged_split_has_no_say_in_the_fit(splits):
    h = [s.x[:, :, ::8, ::8].flatten(1).float() for s in splits]
    whole = read_factors(h, splits)["size"]
    half = splits[0], splits[1], splits[2][:150]
    other = read_factors([h[0], h[1], h[2][:150]], half)["size"]
    assert whole != other and abs(whole - other) < 0.2
    with pytest.raises(ValueError, match="to fit, to choose and to judge"):
        read_factors(h[:2], splits[:2])


def test_total_effect_by_a_loop():
    h, changed = normal(40, 5) * torch.logspace(-2, 2, 5) + 3, normal(40, 5, 1) * torch.logspace(-2, 2, 5) + 3
    total = 0.0
    for d in range(5):
        column = h[:, d].double()
        variance = ((column - column.mean()) ** 2).mean()
        total += ((column - changed[:, d]) ** 2).mean() / (2 * variance) / 5
    assert total_effect(h, changed) == pytest.approx(total.item(), rel=1e-6)


def test_the_indices_of_known_functions():
    """For a sum of independent parts each index is its share of the variance; for a product both count in full."""
    n = 40_000
    a, b, a2, b2 = (normal(n, 1, s) for s in range(4))
    f = lambda a, b: 3 * a + b + 7  # noqa: E731
    assert total_effect(f(a, b), f(a2, b)) == pytest.approx(0.9, abs=0.02)
    assert total_effect(f(a, b), f(a, b2)) == pytest.approx(0.1, abs=0.01)
    g = lambda a, b: a * b  # noqa: E731
    assert total_effect(g(a, b), g(a2, b)) == pytest.approx(1, abs=0.06)
    assert total_effect(f(a, b), f(a2, b2)) == pytest.approx(1, abs=0.03)


def test_each_dimension_counts_alike_and_dead_ones_not_at_all():
    h, changed = normal(2000, 4), normal(2000, 4)
    changed[:, 2] = normal(2000, 1, 5)[:, 0]
    quarter = total_effect(h, changed)
    assert quarter == pytest.approx(0.25, abs=0.02)
    loud = torch.tensor([1.0, 1.0, 1000.0, 1e-3])
    assert total_effect(h * loud + 5, changed * loud + 5) == pytest.approx(quarter, rel=1e-4)
    dead = torch.full((2000, 3), 0.7)
    assert total_effect(torch.cat([h, dead], 1), torch.cat([changed, dead + 1], 1)) == pytest.approx(quarter, rel=1e-6)
    assert total_effect(h, h) == 0 and total_effect(dead, dead + 1) == 0


def test_a_reference_gives_the_scale():
    h, changed = normal(50, 3), normal(50, 3, 1)
    assert total_effect(h, changed, h) == total_effect(h, changed)
    assert total_effect(h, changed, 2 * h) == pytest.approx(total_effect(h, changed) / 4)


def test_bad_features_are_told_in_words():
    with pytest.raises(ValueError, match="one shape"):
        total_effect(normal(5, 3), normal(5, 4))
    with pytest.raises(ValueError, match="NaN"):
        total_effect(normal(5, 3), normal(5, 3) * math.nan)


def test_the_penalty_is_chosen_on_the_second_split_alone():
    """There the number has nothing to do with the features, so the strongest penalty is the least wrong; on the third the
    weakest would be best."""
    weight, parts = normal(30, 1, 9), []
    for seed in range(3):
        h, image = normal(100, 30, seed), torch.randint(256, (100, 3, 2, 2), dtype=torch.uint8)
        number = (h @ weight)[:, 0] if seed != 1 else normal(100, 1, 50)[:, 0] * 5
        parts.append((h, Split(image, None, {"number": number})))
    h, splits = zip(*parts)
    mean, scale = standardise(h[0])
    x = [((part.double() - mean) / scale).numpy() for part in h]
    y = [s.factors["number"].double().numpy() for s in splits]
    scores = {p: Ridge(alpha=p * 100).fit(x[0], y[0]) for p in PENALTIES}
    strongest, weakest = (scores[p].score(x[2], y[2]) for p in (max(PENALTIES), min(PENALTIES)))
    assert weakest > strongest + 0.05
    assert read_factors(h, splits)["number"] == pytest.approx(strongest, abs=1e-6)
