"""The optimiser: schedule, weight decay, rates by group, and the limit on gradients."""

import math

import pytest
import torch
from states import same, weights
from torch import nn
from two_processes import in_two_processes

from sslkit import dist
from sslkit.nets import device_of
from sslkit.train import Recipe, learning_rate, make_optimizer, train
from sslkit.train.muon import Muon, orthogonal
from sslkit.train.optimizer import load_moments, set_rates

RECIPE = Recipe(steps=10, lr=0.1, batch=8, weight_decay=0.01)
X = torch.rand(32, 5, generator=torch.Generator().manual_seed(0))


class Two(nn.Module):
    """Two layers, the second with rates of its own, as SimSiam's predictor wants it."""

    def __init__(self, steep: float = 1.0, **group):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.group, self.steep = nn.Linear(5, 4), nn.Linear(4, 3), group, steep
        self.norms: list[float] = []

    def parameter_groups(self):
        return [{"params": self.second.parameters(), **self.group}] if self.group else []

    def pretext(self, x, generator):
        return x

    def forward(self, x):
        return self.steep * self.second(self.first(x)).square().sum(1).mean(), {}

    def after_step(self, progress):
        self.norms.append(math.sqrt(sum(p.grad.square().sum().item() for p in self.parameters() if p.grad is not None)))

    def chance(self, batch):
        return 1.0


def rates(method, recipe, step):
    """{name of a parameter: its rate}."""
    optimizer = make_optimizer(method, recipe)
    set_rates(optimizer, recipe, step)
    names = {id(p): name for name, p in method.named_parameters()}
    return {names[id(p)]: group["lr"] for group in optimizer.param_groups for p in group["params"]}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_group_has_a_share_of_the_rate_or_a_constant_one(name):
    recipe = RECIPE.but(optimizer=name)
    for step in (0, 3, 9):
        usual = learning_rate(recipe, step)
        assert set(rates(Two(), recipe, step).values()) == {usual}
        share = rates(Two(lr=0.25), recipe, step)
        assert share == {
            "first.weight": usual,
            "first.bias": usual,
            "second.weight": usual / 4,
            "second.bias": usual / 4,
        }
        constant = rates(Two(constant=True, lr=2.0), recipe, step)
        assert constant["second.weight"] == constant["second.bias"] == 0.2 and constant["first.weight"] == usual


def test_biases_do_not_decay_in_any_group_unless_it_says_so():
    def decays(method):
        names = {id(p): name for name, p in method.named_parameters()}
        groups = make_optimizer(method, RECIPE).param_groups
        return {names[id(p)]: group["weight_decay"] for group in groups for p in group["params"]}

    assert decays(Two(lr=0.5)) == {"first.weight": 0.01, "first.bias": 0, "second.weight": 0.01, "second.bias": 0}
    assert decays(Two(weight_decay=0.3)) == {
        "first.weight": 0.01,
        "first.bias": 0,
        "second.weight": 0.3,
        "second.bias": 0.3,
    }


def test_frozen_parameters_are_left_out():
    method = Two(lr=0.5)
    method.second.bias.requires_grad_(False)
    before = weights(method)
    list(train(method, X, RECIPE))
    assert torch.equal(method.second.bias, before["second.bias"]) and not same(weights(method), before)


def test_a_resumed_run_keeps_its_groups_bit_for_bit(tmp_path):
    def fresh():
        return Two(lr=0.25, constant=True)

    whole, cut, again = fresh(), fresh(), fresh()
    recipe = RECIPE.but(clip=0.05)
    list(train(whole, X, recipe))
    for record in train(cut, X, recipe, out=tmp_path):
        if record.step == 4:
            break
    list(train(again, X, recipe, out=tmp_path, resume=True))
    assert same(weights(whole), weights(again))


def test_gradients_are_limited_together_and_only_from_above():
    free, wide, tight = (Two(steep=100.0) for _ in range(3))
    list(train(free, X, RECIPE.but(steps=1)))
    list(train(wide, X, RECIPE.but(steps=1, clip=1e9)))
    list(train(tight, X, RECIPE.but(steps=1, clip=0.5)))
    assert free.norms == pytest.approx(wide.norms) and free.norms[0] > 10
    assert tight.norms[0] == pytest.approx(0.5, rel=1e-4)
    one, other = free.first.weight.grad, tight.first.weight.grad
    torch.testing.assert_close(other / other.norm(), one / one.norm())  # shorter, in the same direction


def limited() -> dict:
    method = Two(steep=100.0).double()
    list(train(method, X.double(), RECIPE.but(clip=0.5)))
    assert device_of(method).type == "cpu" and max(method.norms) <= 0.5001
    return {"norms": torch.tensor(method.norms), **weights(method), "processes": torch.tensor(dist.world())}


def test_two_processes_limit_the_gradient_of_the_whole_batch(tmp_path):
    one = limited()
    for found in in_two_processes(limited, tmp_path):
        assert found.pop("processes") == 2
        for key, value in found.items():
            torch.testing.assert_close(value, one[key], atol=1e-9, rtol=1e-6)


def test_sgd_has_momentum():
    """Two steps on a loss with a constant gradient of 1: the second is 1.9 times as long as the first."""
    method = nn.Module()
    method.w = nn.Parameter(torch.zeros(1, 1))
    optimizer, places = make_optimizer(method, RECIPE.but(weight_decay=0.0)), [0.0]
    for _ in range(2):
        method.w.grad = torch.ones(1, 1)
        optimizer.step()
        places.append(method.w.item())
    assert places[1] - places[0] == pytest.approx(-0.1) and places[2] - places[1] == pytest.approx(-0.19)


# --- Muon


def test_an_orthogonal_update_keeps_the_singular_vectors_and_evens_the_values():
    generator = torch.Generator().manual_seed(0)
    for shape in ((6, 20), (20, 6), (8, 8)):
        matrix = torch.randn(shape, generator=generator, dtype=torch.float64)
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        values = u.T @ orthogonal(matrix) @ v.T
        torch.testing.assert_close(values, torch.diag(values.diagonal()), atol=1e-9, rtol=0)
        assert 0.5 < values.diagonal().min() and values.diagonal().max() < 1.3 and s.max() / s.min() > 1.5
    assert orthogonal(torch.zeros(3, 4)).abs().max() == 0


def test_muon_takes_the_steps_of_its_paper():
    """Against the update written out with an exact polynomial of the singular values, on filters as well."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(8, 3, 2, 2, dtype=torch.float64))
    optimizer = Muon([weight], lr=0.1, weight_decay=0.5)
    expected, mean = weight.detach().clone(), torch.zeros(8, 12, dtype=torch.float64)
    for _ in range(3):
        weight.grad = torch.randn_like(weight)
        optimizer.step()
        grad = weight.grad.reshape(8, 12)
        mean = 0.95 * mean + 0.05 * grad
        u, s, v = torch.linalg.svd(0.05 * grad + 0.95 * mean, full_matrices=False)
        s = s / s.norm()
        for _ in range(5):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * (u @ torch.diag(s) @ v).reshape(8, 3, 2, 2)
        torch.testing.assert_close(weight.detach(), expected, atol=1e-6, rtol=0)


def test_a_tall_weight_takes_longer_steps():
    tall, wide = nn.Parameter(torch.zeros(16, 4)), nn.Parameter(torch.zeros(4, 16))
    torch.manual_seed(0)
    tall.grad = torch.randn(16, 4)
    wide.grad = tall.grad.T.clone()
    Muon([tall, wide], lr=1.0).step()
    torch.testing.assert_close(tall.detach().T, 2 * wide.detach())


def test_biases_learn_by_adamw_at_a_tenth_of_muons_rate():
    recipe = RECIPE.but(optimizer="muon", lr=0.02)
    found = rates(Two(), recipe, 3)
    assert (
        found["first.bias"] == pytest.approx(found["first.weight"] / 10) == pytest.approx(learning_rate(recipe, 3) / 10)
    )
    theirs, ours = nn.Parameter(torch.ones(5)), nn.Parameter(torch.ones(5))
    reference, optimizer = torch.optim.AdamW([theirs], lr=0.1, weight_decay=0.2), Muon([ours], lr=0.1, weight_decay=0.2)
    for _ in range(4):
        theirs.grad = ours.grad = torch.randn(5)
        reference.step()
        optimizer.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
def test_every_optimizer_lowers_the_loss_and_resumes_bit_for_bit(name, tmp_path):
    recipe = RECIPE.but(optimizer=name, lr=0.01, steps=30)
    whole, cut, again = Two(), Two(), Two()
    losses = [record.loss for record in train(whole, X, recipe)]
    assert losses[-1] < losses[0]
    for record in train(cut, X, recipe, out=tmp_path):
        if record.step == 11:
            break
    list(train(again, X, recipe, out=tmp_path, resume=True))
    assert same(weights(whole), weights(again))


def test_moments_of_another_optimizer_are_refused():
    method = Two()
    list(train(method, X, RECIPE.but(steps=1)))  # so that there are gradients
    muon, adamw = (make_optimizer(method, RECIPE.but(optimizer=name)) for name in ("muon", "adamw"))
    muon.step()
    adamw.step()
    load_moments(muon, muon.state_dict())
    for optimizer, state in ((adamw, muon.state_dict()), (muon, adamw.state_dict())):
        with pytest.raises(ValueError, match="not that of this method"):
            load_moments(optimizer, state)
