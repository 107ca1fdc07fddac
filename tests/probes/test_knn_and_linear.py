"""Features, kNN, linear probe, few labels: against slow loops and scikit-learn."""

import math
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from sslkit import probes
from sslkit.probes import (
    accuracy,
    features,
    few_labels,
    knn,
    label_subset,
    linear_probe,
    neighbours,
    pixels,
    reinitialised,
)

pytestmark = pytest.mark.usefixtures("plain_precision")


def blobs(n, d=10, k=4, seed=0, noise=1.5):
    """Overlapping classes in d dimensions of unequal scale and offset: features [n, d], labels [n]."""
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(k, d, generator=torch.Generator().manual_seed(99))
    y = torch.randint(k, (n,), generator=g)
    h = (centres[y] + noise * torch.randn(n, d, generator=g)) * torch.logspace(-2, 2, d) + torch.arange(d)
    return h, y


# --- features ---------------------------------------------------------------------------------------------------------


class Net(nn.Module):
    """Batch norm and dropout: what evaluation mode must silence."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.norm = nn.BatchNorm2d(5)
        self.drop = nn.Dropout(0.5)
        self.seen = []

    def forward(self, x):
        self.seen.append((x.dtype, float(x.max()), torch.is_grad_enabled(), self.training))
        return self.drop(self.norm(self.conv(x))).mean((2, 3))


class Method(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, batch):
        raise AssertionError("features must not run the loss")

    def encode(self, x):
        return 10 * self.encoder(x)


def images(n=7, side=8, seed=0):
    return torch.randint(256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_features_are_those_of_evaluation_mode_whatever_the_batch():
    net, x = Net().train(), images()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    h = features(net, x)
    expected = net.eval()(x.float() / 255)
    assert h.shape == (7, 5) and h.dtype == torch.float32 and not h.requires_grad
    assert torch.allclose(h, expected, atol=1e-6)
    assert torch.allclose(features(net, x, batch=3), expected, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_features_show_the_network_floats_in_0_1_without_gradient():
    net = Net()
    x = images()
    features(net, x, batch=4)
    features(net, x.float() / 255)
    assert [dtype for dtype, *_ in net.seen] == [torch.float32] * 3
    assert all(0.9 < high <= 1 and not gradient and not training for _, high, gradient, training in net.seen)


def test_features_ask_a_method_to_encode():
    net = Net()
    assert torch.allclose(features(Method(net), images()), 10 * features(net, images()))


def test_training_mode_of_each_module_comes_back_even_after_an_error():
    method = Method(Net()).train()
    method.encoder.norm.eval()  # a frozen part
    modes = [module.training for module in method.modules()]
    features(method, images())
    assert [module.training for module in method.modules()] == modes
    with pytest.raises(RuntimeError):
        features(method, torch.zeros(2, 4, 8, 8))
    assert [module.training for module in method.modules()] == modes


class Stream:
    """Images that are there only by LongTensor, as the streamed sets are."""

    def __init__(self, x):
        self.x, self.shape, self.asked = x, x.shape, []

    def __getitem__(self, index):
        assert isinstance(index, torch.Tensor) and index.dtype == torch.int64
        self.asked += index.tolist()
        return self.x[index]


def test_streamed_images_are_read_once_in_order():
    x, net = images(9), Net()
    stream = Stream(x)
    assert torch.equal(features(net, stream, batch=4), features(net, x, batch=4))
    assert stream.asked == list(range(9))
    assert torch.equal(pixels(stream), pixels(x))


def test_tokens_reach_the_network_as_they_are():
    tokens = torch.tensor([[1, 2], [0, 2]])
    net = nn.EmbeddingBag(3, 4)
    assert torch.allclose(features(net, tokens), net.weight[tokens].mean(1))


def test_features_refuse_what_cannot_be():
    with pytest.raises(ValueError, match=r"\[2, D\].*\[2, 3, 6, 6\]"):
        features(nn.Conv2d(3, 3, 3), torch.zeros(2, 3, 8, 8))
    with pytest.raises(ValueError, match="empty"):
        features(Net(), images(0))
    with pytest.raises(TypeError, match="nn.Module"):
        features(lambda x: x, images())


def test_pixels_are_the_flat_image_in_0_1():
    x = images(2)
    assert torch.equal(pixels(x), x.reshape(2, -1).float() / 255)


def test_accuracy():
    assert accuracy(torch.tensor([1, 2, 3, 3]), torch.tensor([1, 2, 0, 3])) == 0.75
    with pytest.raises(ValueError, match=r"\[2\] and \[3\]"):
        accuracy(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError):
        accuracy(torch.zeros(0), torch.zeros(0))


# --- a fresh start ----------------------------------------------------------------------------------------------------


def test_reinitialised_forgets_all_training_and_only_depends_on_the_seed():
    net = Net()
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.fill_(7)
    state = torch.get_rng_state()
    a, b, c = reinitialised(net, 0), reinitialised(net, 0), reinitialised(net, 1)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's random numbers are not touched
    assert all((tensor == 7).all() for tensor in net.state_dict().values())
    assert all(not (tensor == 7).any() for tensor in a.state_dict().values())
    assert all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values()))
    assert not torch.equal(a.conv.weight, c.conv.weight)
    assert a.norm.running_var.eq(1).all() and a.norm.num_batches_tracked == 0


def test_reinitialised_refuses_weights_that_nothing_resets():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.zeros(4))

    with pytest.raises(ValueError, match="1: Tokens.*token.*reset_parameters"):
        reinitialised(nn.Sequential(nn.Linear(2, 2), Tokens()))


def test_an_outer_reset_has_the_last_word():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def reset_parameters(self):
            nn.init.constant_(self.inner.weight, 3)

    assert (reinitialised(Outer()).inner.weight == 3).all()


# --- kNN --------------------------------------------------------------------------------------------------------------


def slow_knn(train_h, train_y, test_h, k, temperature):
    """Wu et al. 2018, one query at a time."""
    said = []
    for q in test_h.double():
        similarity = [float(q @ h / (q.norm() * h.norm())) for h in train_h.double()]
        nearest = sorted(range(len(similarity)), key=lambda i: -similarity[i])[:k]
        votes = {}
        for i in nearest:
            label = int(train_y[i])
            votes[label] = votes.get(label, 0) + math.exp(similarity[i] / temperature)
        said.append(max(votes, key=votes.get))
    return torch.tensor(said)


@pytest.mark.parametrize("k, temperature", [(1, 0.07), (5, 0.07), (20, 0.07), (20, 10.0), (60, 0.5)])
def test_knn_is_the_weighted_vote(k, temperature):
    (h, y), (q, _) = blobs(60), blobs(40, seed=1)
    assert torch.equal(knn(h, y, q, k, temperature), slow_knn(h, y, q, k, temperature))


def test_knn_weights_and_lengths():
    bank = torch.tensor([[1.0, 0.0], [1.0, 0.6], [1.0, 0.6]])
    y, q = torch.tensor([0, 1, 1]), torch.tensor([[2.0, 0.1]])
    assert knn(bank, y, q, k=3, temperature=0.05).item() == 0  # the near one outvotes two farther ones
    assert knn(bank, y, q, k=3, temperature=10).item() == 1  # nearly equal votes: two beat one
    assert knn(bank * torch.tensor([[1.0], [100.0], [100.0]]), y, q, k=3, temperature=0.05).item() == 0  # cosine


def test_more_neighbours_than_rows_means_all_of_them():
    (h, y), (q, _) = blobs(30), blobs(20, seed=1)
    assert torch.equal(knn(h, y, q, k=999), knn(h, y, q, k=30))


def test_knn_in_chunks_with_any_labels_and_small_temperatures(monkeypatch):
    (h, y), (q, _) = blobs(50), blobs(33, seed=1)
    whole = knn(h, y, q)
    monkeypatch.setattr(sys.modules["sslkit.probes.knn"], "CELLS", 50 * 7)
    assert torch.equal(knn(h, y, q), whole)
    names = torch.tensor([3, 40, -1, 7])
    assert torch.equal(knn(h, names[y], q), names[whole])
    assert torch.equal(knn(h, y, q, temperature=1e-4), knn(h, y, q, k=1))  # exp(10,000) would be infinite


def test_neighbours_most_similar_first():
    h, _ = blobs(25)
    similarity, index = neighbours(h, h, k=25)
    assert torch.equal(index[:, 0], torch.arange(25))
    assert torch.allclose(similarity[:, 0], torch.ones(25))
    assert (similarity.diff(dim=1) <= 1e-6).all()
    full = nn.functional.cosine_similarity(h[:, None], h[None], dim=2)
    assert torch.allclose(full.gather(1, index), similarity, atol=1e-5)


def test_knn_refuses_what_cannot_be():
    h, y = blobs(10)
    for wrong in ({"k": 0}, {"temperature": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            knn(h, y, h, **wrong)
    with pytest.raises(ValueError, match="10.*per feature row"):
        knn(h, y[:9], h)
    with pytest.raises(ValueError, match="None"):
        knn(h, None, h)
    with pytest.raises(ValueError, match="NaN"):
        knn(h, y, h * math.nan)
    with pytest.raises(ValueError, match=r"\[10, 10\] and \[10, 9\]"):
        knn(h, y, h[:, :9])


# --- linear probe -----------------------------------------------------------------------------------------------------


def sklearn_probe(h, y, C):
    scaler = StandardScaler().fit(h.double().numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it must have converged to be an oracle
        model = LogisticRegression(C=C, tol=1e-10, max_iter=20_000).fit(scaler.transform(h.double().numpy()), y.numpy())
    return scaler, model


@pytest.mark.parametrize("n, d, k, C", [
    (1500, 10, 4, 0.01), (1500, 10, 4, 1.0), (1500, 10, 4, 100.0),  # more rows than dimensions: preconditioned
    (60, 120, 4, 0.01), (60, 120, 4, 1.0),  # fewer: not
    (800, 12, 2, 0.001), (800, 12, 2, 1.0), (40, 60, 2, 0.1),  # scikit-learn has one weight vector for two classes
])  # fmt: skip
def test_linear_probe_agrees_with_scikit_learn(n, d, k, C):
    (h, y), (q, _) = blobs(n, d, k), blobs(2000, d, k, seed=1)
    probe = linear_probe(h, y, grid=(C,))
    scaler, model = sklearn_probe(h, y, C)
    x = scaler.transform(q.double().numpy())
    assert (probe.predict(q).numpy() == model.predict(x)).mean() >= 0.995
    assert np.abs(probe.proba(q).numpy() - model.predict_proba(x)).max() < 1e-3
    ours, theirs = probe.weight.T.numpy(), model.coef_
    if k == 2:
        ours = ours[1:] - ours[:1]
    else:
        ours = ours - ours.mean(0)  # adding one vector to all classes changes nothing
        theirs = theirs - theirs.mean(0)
    assert np.abs(ours - theirs).max() < 1e-3 * max(1, np.abs(theirs).max())


def test_probe_of_correlated_and_dead_dimensions():
    h, y = blobs(900, 10)
    h = torch.cat(
        [
            h,
            h[:, :5] + 1e-3 * torch.randn(900, 5, generator=torch.Generator().manual_seed(3)),
            torch.full((900, 2), 0.1),
        ],
        1,
    )
    probe, (scaler, model) = linear_probe(h, y, grid=(0.1,)), sklearn_probe(h, y, 0.1)
    assert np.abs(probe.proba(h).numpy() - model.predict_proba(scaler.transform(h.double().numpy()))).max() < 1e-3
    assert (probe.scale[-2:] == 1).all() and probe.weight[-2:].abs().max() < 1e-6


def test_features_as_wide_as_images_are_fitted_too():
    h, y = blobs(300, 1100)
    probe, (scaler, model) = linear_probe(h, y, grid=(0.001,)), sklearn_probe(h, y, 0.001)
    assert np.abs(probe.proba(h).numpy() - model.predict_proba(scaler.transform(h.double().numpy()))).max() < 1e-3


def test_labels_need_not_be_0_to_k():
    h, y = blobs(400)
    names = torch.tensor([5, 17, -2, 9])
    probe = linear_probe(h, names[y], grid=(0.1,))
    assert probe.classes.tolist() == [-2, 5, 9, 17]
    assert probe.score(h, names[y]) == linear_probe(h, y, grid=(0.1,)).score(h, y) > 0.7


def test_c_is_chosen_on_val_alone():
    (h, y), (v, vy) = blobs(120, 40, noise=4), blobs(500, 40, seed=1, noise=4)
    grid = (1e-4, 1e-2, 1.0, 100.0)
    probe = linear_probe(h, y, v, vy, grid=grid)
    alone = {C: linear_probe(h, y, grid=(C,)).score(v, vy) for C in grid}
    assert set(probe.grid) <= set(grid) and probe.val_score == max(probe.grid.values())
    assert probe.grid == pytest.approx(
        {C: alone[C] for C in probe.grid}, abs=0.004
    )  # warm starts end where cold ones do
    assert probe.C == max(probe.grid, key=probe.grid.get)
    other = linear_probe(h, y, h, y, grid=grid)  # judged on its own training rows, weaker regularisation looks best
    assert other.C > probe.C


def test_the_grid_is_climbed_only_while_it_pays():
    h, y = blobs(100, 40, noise=4)
    v, vy = blobs(2000, 40, seed=1, noise=4)
    probe = linear_probe(h, y, v, vy, grid=tuple(10.0**e for e in range(-5, 6)))
    assert len(probe.grid) < 11
    tried = list(probe.grid)
    assert tried == sorted(tried) and all(probe.grid[C] < probe.val_score for C in tried[-2:])


def test_linear_probe_refuses_what_cannot_be():
    h, y = blobs(50)
    with pytest.raises(ValueError, match="without val"):
        linear_probe(h, y)
    with pytest.raises(ValueError, match="two classes"):
        linear_probe(h, torch.zeros(50, dtype=torch.long), grid=(1.0,))
    with pytest.raises(ValueError, match="NaN"):
        linear_probe(h.clone().fill_(math.nan), y, grid=(1.0,))
    with pytest.raises(ValueError, match=r"\[N, 10\], got \[50, 9\]"):
        linear_probe(h, y, grid=(1.0,)).predict(h[:, :9])
    with pytest.raises(ValueError, match="integers"):
        linear_probe(h, y.float(), grid=(1.0,))


# --- few labels -------------------------------------------------------------------------------------------------------


def test_label_subset_is_balanced_nested_and_seeded():
    y = torch.randint(5, (500,), generator=torch.Generator().manual_seed(0)) * 3
    ten, five = label_subset(y, 10, seed=4), label_subset(y, 5, seed=4)
    assert torch.unique(y[ten], return_counts=True)[1].tolist() == [10] * 5
    assert len(set(ten.tolist())) == 50 and torch.equal(ten, ten.sort().values)
    assert set(five.tolist()) < set(ten.tolist())
    assert torch.equal(ten, label_subset(y, 10, seed=4)) and not torch.equal(ten, label_subset(y, 10, seed=5))


def test_label_subset_draws_every_row():
    y = torch.zeros(20, dtype=torch.long)
    drawn = {int(i) for seed in range(60) for i in label_subset(y, 2, seed)}
    assert drawn == set(range(20))


def test_label_subset_refuses_in_words():
    y = torch.tensor([0] * 10 + [1] * 3)
    with pytest.raises(ValueError, match="4 labels per class.*class 1 has only 3"):
        label_subset(y, 4)
    with pytest.raises(ValueError, match="None"):
        label_subset(None, 4)
    with pytest.raises(ValueError, match="at least 1"):
        label_subset(y, 0)


def test_few_labels_is_a_logistic_regression_on_each_subset():
    (h, y), (t, ty) = blobs(600), blobs(400, seed=1)
    scores = few_labels(h, y, t, ty, per_class=6, seeds=(0, 3))
    scaler = StandardScaler().fit(h.double().numpy())  # unlabelled statistics, of all training features
    for seed, score in zip((0, 3), scores):
        rows = label_subset(y, 6, seed)
        model = LogisticRegression(C=10 / 10, tol=1e-10, max_iter=20_000)
        model.fit(scaler.transform(h[rows].double().numpy()), y[rows].numpy())
        assert score == pytest.approx(model.score(scaler.transform(t.double().numpy()), ty.numpy()), abs=0.003)
    assert 0.25 < min(scores) < max(scores) < 1


def test_every_probe_is_importable_from_the_package():
    for name in (
        "features",
        "pixels",
        "knn",
        "accuracy",
        "linear_probe",
        "few_labels",
        "label_subset",
        "finetune",
        "supervised",
        "scoreboard",
        "reinitialised",
        "neighbours",
    ):
        assert callable(getattr(probes, name)), name
