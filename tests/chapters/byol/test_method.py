"""BYOL, exported from notebooks/12_byol.ipynb, against its definition written a second time."""

import copy
import importlib.util
import math

import pytest
import torch
from changed import changed
from torch import nn

from sslkit.chapters.byol import ablations
from sslkit.chapters.byol.method import BYOL, METHOD, RECIPES, momentum_at, negative_cosine
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, make_optimizer, train

SIZES = [(1, 3), (2, 2), (5, 4), (16, 8), (9, 128), (7, 1)]


def pair(n, k, seed=0, dtype=torch.float64):
    """Predictions and targets whose rows have very different lengths, so that a lost normalisation shows."""
    p, t = torch.randn(2, n, k, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return p * torch.linspace(0.1, 4, n, dtype=dtype)[:, None], t * 3


def loop(p, t):
    """Half of equation 2 of Grill et al. 2020, less 1, in plain numbers."""
    distances = []
    for a, b in zip(p.double().tolist(), t.double().tolist()):
        long, wide = (math.sqrt(math.fsum(x * x for x in row)) for row in (a, b))
        distances.append(math.fsum((x / long - y / wide) ** 2 for x, y in zip(a, b)))
    return math.fsum(distances) / len(distances) / 2 - 1


def agrees(loss, dtype=torch.float64):
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    return all(
        math.isclose(loss(*pair(n, k, dtype=dtype)).item(), loop(*pair(n, k, dtype=dtype)), abs_tol=tolerance)
        for n, k in SIZES
    )


def gradient_agrees(loss):
    """Whether the gradient of p is the slope of the oracle, by central differences, and t gets none."""
    p, t = (z.requires_grad_() for z in pair(4, 3))
    loss(p, t).backward()
    if t.grad is not None or p.grad is None:
        return False
    for i in range(4):
        for k in range(3):
            sides = []
            for step in (1e-5, -1e-5):
                moved = p.detach().clone()
                moved[i, k] += step
                sides.append(loop(moved, t.detach()))
            if not math.isclose(p.grad[i, k].item(), (sides[0] - sides[1]) / 2e-5, rel_tol=1e-5, abs_tol=1e-8):
                return False
    return True


# --- the loss ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_loss_is_the_papers_up_to_a_factor(dtype):
    assert agrees(negative_cosine, dtype)


def test_the_gradient_flows_to_the_predictions_alone_and_is_the_slope_of_the_oracle():
    assert gradient_agrees(negative_cosine)


BROKEN = {
    "no normalisation": ("F.normalize(p, dim=1) * F.normalize(t, dim=1)", "p * t"),
    "target not normalised": ("F.normalize(t, dim=1)", "t"),
    "along the batch": ("F.normalize(p, dim=1)", "F.normalize(p, dim=0)"),
    "gradient into the target": ("t.detach()", "t"),
    "no gradient": ("at_least_float32(p)", "at_least_float32(p.detach())"),
    "sign": ("return -(", "return ("),
    "sum": (".mean()", ".sum()"),
    "mean of numbers": (".sum(dim=1)", ""),
    "another row": ("* F.normalize(t, dim=1)", "* F.normalize(t, dim=1).roll(1, 0)"),
}


@pytest.mark.parametrize("old, new", BROKEN.values(), ids=BROKEN)
def test_a_broken_loss_is_caught(old, new):
    """Each change of one place in the source must fail one of the two tests above."""
    broken = changed(negative_cosine, old, new)
    try:
        assert not agrees(broken) or not gradient_agrees(broken)
    except RuntimeError as error:
        assert "does not require grad" in str(error)


def test_values_known_beforehand():
    e = torch.eye(4)
    assert negative_cosine(e * 3, e).item() == pytest.approx(-1)
    assert negative_cosine(e, -e * 7).item() == pytest.approx(1)
    assert negative_cosine(e, e.roll(1, 0)).item() == pytest.approx(0)


def test_autocast_does_not_round_the_loss_and_extremes_stay_finite():
    p, t = (z.float() for z in pair(32, 16))
    with torch.autocast("cpu", torch.bfloat16):
        inside = negative_cosine(p, t)
        assert negative_cosine(p.bfloat16(), t.bfloat16()).dtype == torch.float32
    assert torch.equal(inside, negative_cosine(p, t))
    for a in (p * 0, p * 1e15, p * 1e-15):
        assert negative_cosine(a, t).isfinite()


@pytest.mark.skipif(importlib.util.find_spec("lightly") is None, reason="pip install -e .[benchmark]")
@pytest.mark.parametrize("n, k", SIZES)
def test_it_is_lightlys_in_value_and_gradient(n, k):
    from lightly.loss import NegativeCosineSimilarity

    found = []
    for loss in (negative_cosine, NegativeCosineSimilarity()):
        p, t = pair(n, k, dtype=torch.float32)
        value = loss(p.requires_grad_(), t.detach())
        value.backward()
        found.append((value.detach(), p.grad))
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


# --- the teacher ---


def test_the_momentum_rises_from_first_to_last():
    path = [momentum_at(step / 100, 0.9, 1.0) for step in range(101)]
    assert path[0] == pytest.approx(0.9) and path[50] == pytest.approx(0.95) and path[100] == 1
    assert path == sorted(path) and momentum_at(0.3, 0.99) == pytest.approx(
        1 - 0.01 * (math.cos(0.3 * math.pi) + 1) / 2
    )
    assert momentum_at(0.3, 0.0, 0.0) == 0


def images(n=16):
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def fresh(**options):
    torch.manual_seed(0)
    return BYOL(build_encoder("small"), **options)


def task(method):
    return method.pretext(images(), torch.Generator().manual_seed(0))


def student(method):
    return nn.Sequential(method.encoder, method.projector)


def gap(method):
    return max((a - b).abs().max().item() for a, b in zip(student(method).parameters(), method.teacher.parameters()))


def moved(**options):
    """A method whose student has been moved away from its teacher."""
    method = fresh(**options)
    with torch.no_grad():
        for parameter in student(method).parameters():
            parameter.add_(1.0)
    return method


def test_the_teacher_follows_at_the_schedules_pace():
    method = moved(momentum=0.8)
    method.after_step(0.5)  # momentum 0.9 there: a tenth of the way
    assert gap(method) == pytest.approx(0.9, rel=1e-5)
    method.after_step(1.0)
    assert gap(method) == pytest.approx(0.9, rel=1e-5)


def test_a_teacher_of_momentum_zero_is_the_student():
    method = moved(momentum=0.0, last=0.0)
    method.after_step(0.3)
    assert gap(method) == 0
    views = torch.cat(task(method))
    torch.testing.assert_close(method.teacher(views), student(method)(views))


def test_the_teacher_is_no_ones_to_train():
    method = fresh()
    trained = {id(p) for group in make_optimizer(method, Recipe(steps=1, lr=0.1)).param_groups for p in group["params"]}
    assert not trained & {id(p) for p in method.teacher.parameters()}
    assert trained == {id(p) for p in method.parameters() if p.requires_grad}


@pytest.mark.parametrize("momentum, last", [(-0.1, 1), (0.9, 0.8), (0.9, 1.1), (math.nan, 1)])
def test_a_momentum_that_cannot_be_is_refused(momentum, last):
    with pytest.raises(ValueError, match="momentum"):
        fresh(momentum=momentum, last=last)


# --- the method ---


def test_forward_predicts_each_view_from_the_other():
    method = moved()
    copied = copy.deepcopy(method)
    loss, extras = method(task(method))
    t1, t2 = copied.teacher(torch.cat(task(copied))).chunk(2)
    p1, p2 = extras["p"].chunk(2)
    assert loss.item() == pytest.approx(2 + loop(p1, t2) + loop(p2, t1), rel=1e-5)
    assert loss.item() != pytest.approx(2 + loop(p1, t1) + loop(p2, t2), rel=1e-3)
    assert extras["h"].shape == (32, method.encoder.dim) and extras["z"].shape == extras["p"].shape == (32, 128)
    torch.testing.assert_close(extras["p"], copied.predictor(extras["z"]))


def test_the_gradient_reaches_all_of_the_student_and_none_of_the_teacher():
    method = fresh()
    method(task(method))[0].backward()
    still = [n for n, p in method.named_parameters() if p.requires_grad and not (p.grad is not None and p.grad.any())]
    assert not still and all(p.grad is None for p in method.teacher.parameters())


def test_the_predictor_may_be_linear_and_learn_at_its_own_rate():
    assert [type(layer) for layer in fresh(linear=True).predictor] == [nn.Linear]
    method = fresh(predictor_lr=0.0)
    before, student_before = copy.deepcopy(method.predictor.state_dict()), copy.deepcopy(method.projector.state_dict())
    for _ in train(method, images(), Recipe(steps=2, lr=0.1, batch=8, weight_decay=0.0)):
        pass
    assert torch.equal(before["0.weight"], method.predictor.state_dict()["0.weight"])
    assert not torch.equal(student_before["0.weight"], method.projector.state_dict()["0.weight"])


def test_z_may_go_through_a_batch_norm_without_scale():
    method = fresh(last_norm=True)
    z = method(task(method))[1]["z"]
    torch.testing.assert_close(z.mean(0), torch.zeros(128), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.var(0, correction=0), torch.ones(128), atol=1e-2, rtol=0)
    assert not list(method.projector[-1].parameters())


def test_encode_gives_the_students_features():
    method = moved().eval()
    x = torch.rand(4, 3, 32, 32)
    assert torch.equal(method.encode(x), method.encoder(x)) and method.encode(x).shape == (4, method.encoder.dim)


@pytest.mark.slow
def test_it_learns_and_keeps_its_features_apart():
    x = load("scenes", limit=128).train.x
    recipe = Recipe(steps=40, lr=0.02, batch=64, optimizer="muon", weight_decay=0.0, options={"momentum": 0.9})
    records = list(train(build(METHOD, recipe), x, recipe))
    assert records[-1].loss < records[0].loss - 0.2 and not records[-1].collapsed


# --- what is taken away ---


@pytest.mark.parametrize("name", ablations.ABLATIONS)
def test_each_ablation_takes_two_steps(name):
    ablation, recipe = ablations.ABLATIONS[name], RECIPES["laptop"].but(steps=16, batch=8, encoder="small")
    method = ablation.build(METHOD, recipe, 3, 0)
    records = list(train(method, images(), ablation.recipe(recipe).but(steps=2, batch=8)))
    assert all(math.isfinite(record.loss) and record.spread is not None for record in records)


def gradients(name):
    """Of the encoder, in the first step."""
    recipe = RECIPES["laptop"].but(encoder="small")
    method = ablations.ABLATIONS[name].build(METHOD, recipe, 3, 0)
    method(task(method))[0].backward()
    return torch.cat([p.grad.flatten() for p in method.encoder.parameters()])


def test_without_a_predictor_the_stop_gradient_only_halves_the_gradient():
    one, other = gradients("no predictor"), gradients("nothing of the three")
    torch.testing.assert_close(2 * one, other, rtol=1e-3, atol=1e-5)  # teacher and student are still one


def test_what_looks_at_the_batch_is_gone():
    method = fresh()
    ablations.group_norm(method)
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in method.modules())
    x = torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(student(method)(x)[:1], student(method)(x[:1]))
    torch.testing.assert_close(student(method)(x), method.teacher(x))
