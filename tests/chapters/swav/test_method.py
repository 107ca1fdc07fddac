"""SwAV, exported from notebooks/15_swav.ipynb, against its definitions written a second time, and against lightly's."""

import copy
import math

import numpy as np
import pytest
import torch
from changed import changed

from sslkit.chapters.swav.method import METHOD, SwAV, prototypes_in_use, sinkhorn, small_views, swapped_loss
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train

SIZES = [(1, 3, 0.5, 1), (6, 3, 0.05, 3), (8, 8, 0.05, 3), (5, 16, 0.1, 2), (64, 32, 0.05, 10)]


def cosines(n, k, seed=0, dtype=torch.float64):
    """Numbers in -1 .. 1, as scores are."""
    return torch.rand(n, k, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def shared_out(scores, epsilon, iterations):
    """Sinkhorn-Knopp in plain numbers."""
    rows = [[math.exp(s / epsilon) for s in row] for row in scores.tolist()]
    N, K = len(rows), len(rows[0])
    for _ in range(iterations):
        for k in range(K):
            taken = math.fsum(row[k] for row in rows) / (N / K)
            for row in rows:
                row[k] /= taken
        rows = [[q / math.fsum(row) for q in row] for row in rows]
    return np.array(rows)


def predicted(scores, codes, temperature):
    """Swapped prediction by numpy, a pair at a time."""
    losses = []
    for a, code in enumerate(codes.numpy()):
        for v, view in enumerate(scores.detach().numpy() / temperature):
            if v != a:
                log_p = view - np.log(np.exp(view).sum(1, keepdims=True))
                losses.append(-(code * log_p).sum(1).mean())
    return float(np.mean(losses))


def sinkhorn_agrees(function):
    return all(
        np.allclose(function(cosines(n, k), e, t), shared_out(cosines(n, k), e, t), rtol=1e-9, atol=1e-12)
        for n, k, e, t in SIZES
    )


def loss_agrees(function):
    for V, A, N, K, t in [(2, 2, 5, 3, 0.1), (4, 2, 5, 3, 0.1), (6, 2, 7, 16, 0.3)]:
        scores = torch.stack([cosines(N, K, v) for v in range(V)]).requires_grad_()
        codes = torch.stack([sinkhorn(scores[a]) for a in range(A)])
        loss = function(scores, codes, t)
        if not math.isclose(loss.item(), predicted(scores, codes.detach(), t), rel_tol=1e-9):
            return False
        loss.backward()
        wanted = sum((scores[v] / t).softmax(1) - codes[a] for a in range(A) for v in [V - 1] if v != a)
        if not torch.allclose(scores.grad[V - 1], wanted / t / N / (A * (V - 1)), atol=1e-12):
            return False
    return True


def test_sinkhorn_is_its_definition():
    assert sinkhorn_agrees(sinkhorn)


def test_swapped_prediction_is_its_definition_and_its_gradient_p_minus_q():
    assert loss_agrees(swapped_loss)


BROKEN_SEATS = {
    "rows only": ("Q = Q / Q.sum(dim=0, keepdim=True) * (N / K)", "pass"),
    "epsilon multiplied": (") / epsilon", ") * epsilon"),
    "columns only": ("Q = Q / Q.sum(dim=1, keepdim=True)", "pass"),
    "too many seats": ("(N / K)", "N"),
    "one turn": ("range(iterations)", "range(1)"),
}
BROKEN_LOSS = {
    "own code too": (" if a != v", ""),
    "only views with codes": ("len(scores)", "len(codes)"),
    "gradient through codes": ("codes.detach()", "codes"),
    "temperature": (") / temperature", ")"),
    "sum": (".mean()", ".sum()"),
}


@pytest.mark.parametrize("name", BROKEN_SEATS)
def test_broken_seats_are_caught(name):
    broken = changed(sinkhorn, *BROKEN_SEATS[name])
    # a constant factor on a column is lost when the rows are scaled: then nothing is broken
    assert name == "too many seats" or not sinkhorn_agrees(broken)


@pytest.mark.parametrize("name", BROKEN_LOSS)
def test_a_broken_loss_is_caught(name):
    assert not loss_agrees(changed(swapped_loss, *BROKEN_LOSS[name]))


def test_seats_are_shared_evenly_in_the_end():
    Q = sinkhorn(cosines(64, 16), 0.05, 500)
    assert torch.allclose(Q.sum(0), torch.full((16,), 4.0, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(Q.sum(1), torch.ones(64, dtype=torch.float64))


def test_a_small_epsilon_finds_the_best_assignment():
    from scipy.optimize import linear_sum_assignment

    scores = cosines(12, 3, seed=4)
    rows, columns = linear_sum_assignment(-np.repeat(scores.numpy(), 4, axis=1))
    best = torch.zeros(12, 3, dtype=torch.float64)
    best[rows, columns // 4] = 1
    assert torch.allclose(sinkhorn(scores, 0.005, 3000), best, atol=1e-2)


def test_a_collapsed_network_cannot_get_below_ln_k():
    same = cosines(1, 8).expand(2, 32, 8)
    codes = torch.stack([sinkhorn(view) for view in same])
    assert torch.allclose(codes, torch.full_like(codes, 1 / 8))
    assert swapped_loss(same, codes, 0.1) >= math.log(8) - 1e-12
    level = torch.zeros_like(same)
    assert swapped_loss(level, codes, 0.1).item() == pytest.approx(math.log(8)) == fresh(prototypes=8).chance(1)


def test_it_stays_finite_and_in_float32():
    scores = cosines(16, 8, dtype=torch.float32)
    assert torch.equal(sinkhorn(scores.bfloat16()), sinkhorn(scores.bfloat16().float()))
    assert sinkhorn(scores, 0.02).isfinite().all()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(sinkhorn(scores), sinkhorn(scores.clone())) and sinkhorn(scores).dtype == torch.float32


def test_prototypes_in_use():
    assert prototypes_in_use(torch.eye(5)).item() == pytest.approx(5)
    assert prototypes_in_use(torch.eye(5)[[0, 0, 0]]).item() == pytest.approx(1)


# --- lightly


@pytest.mark.parametrize("small", [0, 3])
@pytest.mark.parametrize("queue", [0, 24])
def test_it_equals_lightly(small, queue):
    lightly = pytest.importorskip("lightly.loss")
    theirs = lightly.SwaVLoss(temperature=0.1, sinkhorn_iterations=3, sinkhorn_epsilon=0.05)
    scores = torch.stack([cosines(16, 10, seed, torch.float32) for seed in range(2 + small)]).requires_grad_()
    older = [cosines(queue, 10, seed, torch.float32) for seed in (20, 21)]
    other = scores.detach().clone().requires_grad_()
    codes = torch.stack([sinkhorn(torch.cat([scores[a].detach(), older[a]]))[:16] for a in range(2)])
    ours = swapped_loss(scores, codes, 0.1)
    found = theirs([other[0], other[1]], list(other[2:]), older if queue else None)
    ours.backward()
    found.backward()
    assert ours.item() == pytest.approx(found.item(), abs=1e-5)
    torch.testing.assert_close(scores.grad, other.grad, atol=1e-5, rtol=1e-5)


# --- the method


def images(n=16):
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def fresh(**options):
    torch.manual_seed(0)
    return SwAV(build_encoder("small"), **options)


def generator():
    return torch.Generator().manual_seed(0)


def test_pretext_gives_two_large_views_and_small_ones():
    views = fresh(crops=3, size=12).pretext(images(), generator())
    assert [list(v.shape) for v in views] == [[16, 3, 32, 32]] * 2 + [[16, 3, 12, 12]] * 3
    assert len(fresh().pretext(images(), generator())) == 2
    grey = torch.arange(6, dtype=torch.uint8)[:, None, None, None].expand(6, 3, 32, 32) * 40
    method = fresh(crops=2)
    method.view.views, method.small_view.views = method.view.views[:1], method.small_view.views[:1]
    for view in method.pretext(grey, generator()):  # row i of each view is of image i
        torch.testing.assert_close(view.mean((1, 2, 3)), grey.float().mean((1, 2, 3)) / 255)
    assert small_views(0.3, size=20).views[0].scale == (0.1, 0.6)


def test_forward_is_the_loss_of_its_scores_and_codes():
    method = fresh(crops=2, prototypes=12)
    views = method.pretext(images(), generator())
    loss, extras = method(views)
    assert extras["h"].shape == (32, method.encoder.dim) and extras["codes"].shape == (32, 12)
    torch.testing.assert_close(extras["z"].norm(dim=1), torch.ones(32))
    h = torch.cat([method.encoder(torch.cat(views[:2])), method.encoder(torch.cat(views[2:]))])
    z = torch.nn.functional.normalize(method.projector(h), dim=1)
    unit = torch.nn.functional.normalize(method.prototypes.weight, dim=1)
    scores = (z @ unit.T).unflatten(0, (4, 16)).detach().double()
    codes = torch.stack([torch.tensor(shared_out(scores[a], 0.05, 3)) for a in range(2)])
    assert loss.item() == pytest.approx(predicted(scores, codes, 0.1), rel=1e-4)


def test_the_gradient_reaches_every_parameter():
    method = fresh(crops=1)
    method(method.pretext(images(), generator()))[0].backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_the_queue_keeps_what_came_last_and_takes_seats():
    method = fresh(queue=40, prototypes=8)
    seen = []
    for _ in range(4):
        _, extras = method(method.pretext(images(), generator()))
        seen.append(extras["z"].unflatten(0, (2, 16)))
        method.after_step(0.5)
    last = torch.cat(seen, dim=1)[:, -40:]
    for view in range(2):
        kept = {tuple(row) for row in method.queue[view].tolist()}
        assert kept == {tuple(row) for row in last[view].tolist()}
    scores = cosines(16, 8, dtype=torch.float32)
    with_queue, without = method.codes(scores, method.queue[0]), method.codes(scores, method.queue[0][:0])
    assert with_queue.shape == (16, 8) and not torch.allclose(with_queue, without, atol=1e-3)
    torch.testing.assert_close(without, sinkhorn(scores))


def test_an_evaluation_leaves_the_queue_alone():
    method = fresh(queue=20).eval()
    before = method.queue.clone()
    method(method.pretext(images(), generator()))
    method.after_step(0.5)
    assert torch.equal(method.queue, before)


@pytest.mark.slow
def test_it_learns_to_name_the_seats():
    """40 steps on 128 scenes bring the loss on a fixed pair of views well below ln K."""
    x = load("scenes", limit=128).train.x
    recipe = Recipe(steps=40, lr=0.02, batch=64, optimizer="muon", weight_decay=0.0, options={"prototypes": 16})
    method = build(METHOD, recipe)

    def loss() -> float:
        with torch.no_grad():
            return copy.deepcopy(method)(method.pretext(x, generator()))[0].item()

    before = loss()
    assert len(list(train(method, x, recipe))) == 40
    assert loss() < min(before, method.chance(128)) - 0.25
