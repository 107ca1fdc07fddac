"""The ridge probe and the report on clips, against plain formulas and scikit-learn."""

import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

from sslkit.datasets import load
from sslkit.probes import clip_report, r2, ridge_probe
from sslkit.probes.clips import measured, prediction_error


def line(n=200, d=6, k=2, noise=0.1, seed=0):
    """Features and numbers that depend on them linearly, at other scales and offsets."""
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(n, d, generator=generator) * torch.arange(1.0, d + 1) + 5
    weight = torch.randn(d, k, generator=torch.Generator().manual_seed(99))
    return h, h @ weight + 3 + noise * torch.randn(n, k, generator=generator)


def test_r2_by_hand():
    y = torch.tensor([[1.0], [2.0], [3.0]])
    assert r2(y, y).item() == 1
    assert r2(torch.full((3, 1), 2.0), y).item() == 0
    assert r2(torch.tensor([[1.0], [2.0], [4.0]]), y).item() == pytest.approx(0.5)
    assert r2(y.flip(0), y).item() == -3


def test_it_is_ridge_regression():
    (h, y), (vh, vy) = line(), line(seed=1)
    probe = ridge_probe(h, y, vh, vy, penalties=(0.05,))
    mean, std = h.mean(0), h.std(0, correction=0)
    sklearn = Ridge(alpha=0.05 * len(h)).fit(((h - mean) / std).double().numpy(), y.double().numpy())
    expected = torch.from_numpy(sklearn.predict(((vh - mean) / std).double().numpy()))
    torch.testing.assert_close(probe.predict(vh), expected, rtol=1e-4, atol=1e-4)


def test_the_penalty_is_chosen_on_val():
    h, y = line(n=30, d=25, noise=8.0)
    vh, vy = line(n=300, d=25, noise=8.0, seed=1)
    probe = ridge_probe(h, y, vh, vy)
    assert probe.penalty == max(probe.grid, key=probe.grid.get) and len(probe.grid) == 5
    for penalty, score in probe.grid.items():
        alone = ridge_probe(h, y, vh, vy, penalties=(penalty,))
        assert alone.score(vh, vy).mean().item() == pytest.approx(score)


def test_it_reads_what_is_there_and_not_what_is_not():
    (h, y), (vh, vy), (th, ty) = (line(seed=s) for s in range(3))
    assert ridge_probe(h, y, vh, vy).score(th, ty).min() > 0.99
    noise = [torch.randn(200, 1, generator=torch.Generator().manual_seed(s)) for s in range(3)]
    assert ridge_probe(h, noise[0], vh, noise[1]).score(th, noise[2]).max() < 0.05


def test_scales_and_constant_features_do_not_matter():
    (h, y), (vh, vy) = line(), line(seed=1)
    scaled = ridge_probe(1000 * h - 3, y, 1000 * vh - 3, vy).predict(1000 * vh - 3)
    torch.testing.assert_close(scaled, ridge_probe(h, y, vh, vy).predict(vh), rtol=1e-3, atol=1e-3)
    constant = [torch.cat([a, torch.ones(len(a), 1)], 1) for a in (h, vh)]
    assert ridge_probe(constant[0], y, constant[1], vy).predict(constant[1]).isfinite().all()


def test_one_number_a_row_will_do():
    (h, y), (vh, vy) = line(k=1), line(k=1, seed=1)
    probe = ridge_probe(h, y[:, 0], vh, vy[:, 0])
    assert probe.score(vh, vy[:, 0]).shape == (1,) and probe.predict(vh).shape == (200, 1)


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda h, y: (h.long(), y), "floating tensor"),
        (lambda h, y: (h[:-1], y), r"numbers \[199, K\]"),
        (lambda h, y: (h, None), "one row a feature row"),
        (lambda h, y: (h * torch.tensor(float("nan")), y), "NaN"),
    ],
)
def test_wrong_input_is_refused(spoil, words):
    (h, y), (vh, vy) = line(), line(seed=1)
    with pytest.raises(ValueError, match=words):
        ridge_probe(*spoil(h, y), vh, vy)
    probe = ridge_probe(h, y, vh, vy)
    with pytest.raises(ValueError, match=r"\[N, 6\]"):
        probe.predict(h[:, :3])
    with pytest.raises(ValueError, match="r2 compares"):
        r2(y, y[:, 0])


# --- clips ---


class Copying(nn.Module):
    """Predicts the last frame, or the truth of a clip that stands still."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(3 * 32 * 32, 4)

    def encode(self, x):
        return self.encoder(x[:, -1].flatten(1))

    def predict(self, x):
        return x[:, -1], None, None


def test_copying_has_the_error_one():
    x = load("moving", train=2, val=2, test=20).test.x
    assert prediction_error(Copying(), x) == pytest.approx(1.0)
    assert prediction_error(Copying(), x[:, :1].expand(-1, 4, -1, -1, -1)) != prediction_error(Copying(), x)


def test_the_report_tells_what_is_known():
    data = load("moving", train=40, val=20, test=20)
    assert list(measured(data.test)) == ["x", "y", "vx", "vy"]
    assert torch.equal(measured(data.test)["vx"], data.test.factors["vx"][:, -1])
    text = clip_report(Copying(), data, "copying")
    for words in ("untrained", "copying ", "R2 of vx", "class ", "error / copying 1.000", "20 test clips"):
        assert words in text
