"""What every method promises, whatever it learns from: see section 4 of the design in README and sslkit/train/."""

import copy
import math

import pytest
import torch
from states import weights
from tiny import N, channels_of, draws, inputs, part, tiny
from two_processes import in_two_processes

from sslkit import dist
from sslkit.chapters import get, kind_of, methods
from sslkit.nets import ENCODERS
from sslkit.train import Recipe, build, train

STEPS = 10
each_method = pytest.mark.parametrize("name", methods())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def laptop(name: str, **changes) -> Recipe:
    """The method's laptop recipe, made short."""
    return get(name).RECIPES["laptop"].but(**({"steps": 4, "batch": N} | changes))


def assert_equal_states(one: dict, two: dict, atol: float = 0.0) -> None:
    assert one.keys() == two.keys()
    for key, value in one.items():
        difference = (two[key].double() - value.double()).abs().max().item() if value.numel() else 0.0
        assert difference <= atol, f"{key} differs by {difference}"


@each_method
def test_its_recipes(name):
    recipes = get(name).RECIPES
    assert {"laptop", "gpu"} <= set(recipes) <= {"laptop", "shelf", "gpu"}
    for recipe in recipes.values():
        assert recipe.encoder in ENCODERS and recipe.steps > 0 and recipe.lr > 0
    assert recipes["laptop"].smoke().steps <= 8


@each_method
def test_it_describes_itself(name):
    """The class and the module-level functions that it exports say what they are."""
    module = get(name)
    assert module.METHOD.__doc__
    for thing in vars(module).values():
        if callable(thing) and getattr(thing, "__module__", "") == module.__name__:
            assert thing.__doc__, f"{name}.{thing.__name__} has no docstring"


@each_method
@pytest.mark.parametrize("scale", ["laptop", "gpu"])
def test_a_step_on_the_meta_device(name, scale):
    """No tensor is made on another device than the batch's; nothing asks for a value in mid-step."""
    torch.manual_seed(0)
    method = build(get(name).METHOD, get(name).RECIPES[scale], channels_of(name)).to("meta")
    loss, extras = method(method.pretext(inputs(name).to("meta"), None))
    loss.backward()
    if hasattr(method, "after_step"):
        method.after_step(0.5)
    assert loss.shape == () and loss.is_meta
    assert all(value.is_meta and not value.requires_grad for value in extras.values())
    assert all(p.grad is not None and p.grad.is_meta for p in method.parameters() if p.requires_grad)


@each_method
def test_a_step_in_bfloat16(name):
    """The loss itself is computed in float32, and is the exact one but for the rounding of what feeds it."""
    torch.manual_seed(0)
    method = build(get(name).METHOD, laptop(name), channels_of(name))
    batch = method.pretext(inputs(name, 32), seeded())
    exact = copy.deepcopy(method)(batch)[0]
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = method(batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.05)
    assert all(p.grad.isfinite().all() for p in method.parameters() if p.requires_grad)


@each_method
def test_the_same_seed_gives_the_same_task_and_another_one_another(name):
    method = tiny(name)

    def leaves(seed):
        batch = method.pretext(inputs(name), seeded(seed))
        return [batch] if isinstance(batch, torch.Tensor) else list(batch)

    assert all(torch.equal(a, b) for a, b in zip(leaves(0), leaves(0)))
    if draws(name):
        assert not all(torch.equal(a, b) for a, b in zip(leaves(0), leaves(1)))


@each_method
def test_its_features_are_the_encoders_and_need_no_gradient_to_be_finite(name):
    method = tiny(name).float().eval()
    x = inputs(name) if kind_of(name) == "tokens" else inputs(name).float() / 255
    h = method.encode(x)
    assert h.ndim == 2 and len(h) == N and h.isfinite().all()
    assert torch.equal(method.encode(x), h)


@each_method
@pytest.mark.parametrize("channels", [1, 3])
def test_it_trains_on_grey_and_on_colour(name, channels):
    if kind_of(name) == "tokens" and channels == 1:
        pytest.skip("text has no colour")
    recipe = laptop(name, steps=2)
    method = build(get(name).METHOD, recipe, channels_of(name, channels))
    records = list(train(method, inputs(name, channels=channels), recipe))
    assert len(records) == 2
    if hasattr(method, "chance"):
        assert 0 < method.chance(recipe.batch) < math.inf
    else:  # then it must be seen whether it collapses
        assert all(record.spread is not None and math.isfinite(record.rank) for record in records)


@each_method
def test_resuming_gives_what_an_uninterrupted_run_gives_bit_for_bit(name, tmp_path):
    recipe, x, channels = laptop(name, steps=5, batch=4), inputs(name, 11), channels_of(name)
    whole = build(get(name).METHOD, recipe, channels)
    losses = [record.loss for record in train(whole, x, recipe, out=tmp_path / "whole")]
    cut = build(get(name).METHOD, recipe, channels)
    for record in train(cut, x, recipe, out=tmp_path / "cut"):
        if record.step == 3:
            break
    again = build(get(name).METHOD, recipe, channels, seed=1)
    rest = [record.loss for record in train(again, x, recipe, out=tmp_path / "cut", resume=True)]
    assert rest == losses[3:]
    assert_equal_states(weights(whole), weights(again))


# --- two processes ---


def ten_steps(name: str) -> dict:
    """Ten steps on this process's share of each batch: the mean loss and the gradients of each, the state at the
    end."""
    method, losses, gradients = tiny(name), [], []
    wrapped = dist.wrap(method.train())
    learned = [p for p in method.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learned, lr=0.1, momentum=0.9)
    for step in range(STEPS):
        task = method.pretext(inputs(name), seeded(step))  # the same in every process
        loss, _ = wrapped(part(double(task), dist.rank(), dist.world()))
        optimizer.zero_grad()
        loss.backward()
        losses.append(dist.gather(loss.detach()[None]).mean())
        gradients.append(torch.cat([p.grad.flatten() for p in learned]))
        optimizer.step()
        if hasattr(method, "after_step"):
            method.after_step((step + 1) / STEPS)
    return {"losses": torch.stack(losses), "gradients": torch.stack(gradients), **weights(method)}


def double(batch):
    """The batch with its floating tensors in float64."""
    if isinstance(batch, torch.Tensor):
        return batch.double() if batch.is_floating_point() else batch
    if isinstance(batch, dict):
        return {name: double(value) for name, value in batch.items()}
    return type(batch)(double(value) for value in batch)


def work() -> dict:
    return {name: ten_steps(name) for name in methods()}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What both processes found for every method."""
    return in_two_processes(work, tmp_path_factory.mktemp("two"))


@each_method
def test_ten_steps_of_two_processes_are_those_of_one_with_the_whole_batch(name, two):
    one = ten_steps(name)
    assert one["gradients"].abs().amax(1).min() > 1e-6, "some step had no gradient: this would compare nothing"
    for found in two:
        assert_equal_states(one, found[name], atol=1e-6)
