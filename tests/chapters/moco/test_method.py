"""MoCo, exported from notebooks/11_moco.ipynb, against its definition written a second time."""

import copy
import math
from collections import deque

import numpy as np
import pytest
import torch
from changed import changed
from torch import nn
from two_processes import in_two_processes

from sslkit import dist
from sslkit.chapters.moco.ablations import of_the_batch_before
from sslkit.chapters.moco.method import METHOD, MoCo, moco_loss, momentum_update, write_keys
from sslkit.chapters.moco.pictures import found
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train

SIZES = [(1, 1, 3, 0.5), (2, 5, 2, 0.1), (5, 3, 4, 0.5), (16, 40, 8, 0.07), (9, 64, 128, 0.2), (3, 7, 6, 5.0)]


def projections(n, queue, k, seed=0, dtype=torch.float64):
    """q, k [n, k] and a queue, with rows of very different lengths, so that a lost normalisation shows."""
    g = torch.Generator().manual_seed(seed)
    q, key, rows = (torch.randn(count, k, generator=g, dtype=dtype) for count in (n, n, queue))
    return q * torch.linspace(0.1, 4, n, dtype=dtype)[:, None], key * 3, rows * torch.linspace(2, 0.5, queue)[:, None]


def loop(q, k, queue, temperature):
    """He et al. 2020, equation 1 and algorithm 1, in plain numbers: no tensor, no softmax."""
    q, k, queue = (z.double().tolist() for z in (q, k, queue))

    def s(a, b):
        dot = math.fsum(x * y for x, y in zip(a, b))
        return dot / math.sqrt(math.fsum(x * x for x in a)) / math.sqrt(math.fsum(y * y for y in b))

    losses = []
    for query, key in zip(q, k):
        positive = math.exp(s(query, key) / temperature)
        negatives = math.fsum(math.exp(s(query, row) / temperature) for row in queue)
        losses.append(-math.log(positive / (positive + negatives)))
    return math.fsum(losses) / len(losses)


def agrees(loss, dtype=torch.float64):
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    for n, queue, k, temperature in SIZES:
        given = projections(n, queue, k, dtype=dtype)
        if not math.isclose(loss(*given, temperature).item(), loop(*given, temperature), rel_tol=tolerance):
            return False
    return True


def gradient_agrees(loss):
    """Whether the gradient of q is the slope of the oracle, by central differences, and k and queue get none."""
    q, k, queue = (z.requires_grad_() for z in projections(4, 6, 3))
    loss(q, k, queue, 0.3).backward()
    if k.grad is not None or queue.grad is not None or q.grad is None:
        return False
    for i in range(4):
        for j in range(3):
            sides = []
            for step in (1e-5, -1e-5):
                moved = q.detach().clone()
                moved[i, j] += step
                sides.append(loop(moved, k.detach(), queue.detach(), 0.3))
            if not math.isclose(q.grad[i, j].item(), (sides[0] - sides[1]) / 2e-5, rel_tol=1e-5, abs_tol=1e-8):
                return False
    return True


# --- the loss ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_moco_loss_is_equation_1(dtype):
    assert agrees(moco_loss, dtype)


def test_the_gradient_flows_to_q_alone_and_is_the_slope_of_the_oracle():
    assert gradient_agrees(moco_loss)


BROKEN = {
    "no normalisation": ("unit(q), unit(k.detach()), unit(queue.detach())", "q, k.detach(), queue.detach()"),
    "queue not normalised": ("unit(queue.detach())", "queue.detach()"),
    "gradient into the keys": ("k.detach()", "k"),
    "gradient into the queue": ("queue.detach()", "queue"),
    "temperature multiplied": ("dim=1) / temperature", "dim=1) * temperature"),
    "temperature forgotten": ("dim=1) / temperature", "dim=1)"),
    "positive forgotten": ("[positive, q @ queue.T]", "[q @ queue.T]"),
    "positive last": ("[positive, q @ queue.T]", "[q @ queue.T, positive]"),
    "sign": ("return F.cross", "return -F.cross"),
    "batch as negatives": ("q @ queue.T", "q @ k.T"),
    "another key as positive": ("(q * k)", "(q * k.roll(1, 0))"),
}


@pytest.mark.parametrize("old, new", BROKEN.values(), ids=BROKEN)
def test_a_broken_loss_is_caught(old, new):
    """Each change of one place in the source must fail one of the two tests above."""
    broken = changed(moco_loss, old, new)
    assert not agrees(broken) or not gradient_agrees(broken)


def test_values_known_beforehand():
    e = torch.eye(8, dtype=torch.float64)
    assert moco_loss(e[:2], e[:2], e[2:], 0.5).item() == pytest.approx(math.log(math.exp(2) + 6) - 2)
    same = torch.ones(9, 4)
    assert moco_loss(same[:3], same[:3], same, 0.1).item() == pytest.approx(math.log(10), rel=1e-6)


def test_only_directions_count_and_the_order_of_the_queue_does_not():
    q, k, queue = projections(6, 9, 5)
    loss = moco_loss(q, k, queue, 0.2)
    torch.testing.assert_close(moco_loss(q * 7, k / 3, queue * 2, 0.2), loss)
    torch.testing.assert_close(moco_loss(q, k, queue.flip(0), 0.2), loss)
    assert not torch.isclose(moco_loss(q, k.flip(0), queue, 0.2), loss)


def test_autocast_does_not_round_the_loss_and_extremes_stay_finite():
    q, k, queue = (z.float() for z in projections(32, 64, 16))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(moco_loss(q, k, queue, 0.1), moco_loss(q, k, queue, 0.1).float())
        inside = moco_loss(q, k, queue, 0.1)
    assert torch.equal(inside, moco_loss(q, k, queue, 0.1))
    for a, temperature in ((q, 1e-4), (q * 1e15, 0.1), (q * 0, 0.1)):
        assert moco_loss(a, k, queue, temperature).isfinite()


# --- queue and teacher ---


@pytest.mark.parametrize("sizes", [[4] * 9, [3] * 11, [10, 1, 7]])
def test_the_ring_holds_what_a_queue_of_that_length_holds(sizes):
    """Batches that divide 10 or not, of one key, of as many keys as the queue is long."""
    ring, pointer, reference = torch.arange(10.0)[:, None], torch.tensor(0), deque(map(float, range(10)), maxlen=10)
    number = 100.0
    for size in sizes:
        keys = number + torch.arange(float(size))[:, None]
        before = ring.clone()
        new, pointer = write_keys(ring, pointer, keys)
        assert torch.equal(ring, before), "the old queue must stay as it is"
        ring, number = new, number + size
        reference.extend(keys[:, 0].tolist())
        assert ring.roll(-int(pointer), 0)[:, 0].tolist() == list(reference)
    assert pointer.dtype == torch.int64 and int(pointer) == sum(sizes) % 10


def test_of_more_keys_than_the_queue_holds_the_newest_stay():
    method = tiny(queue=5)
    _, extras = method(batch_of(method))
    method.after_step(0.5)
    assert torch.equal(method.queue.roll(-int(method.pointer), 0), extras["k"][-5:])


def test_the_teacher_is_the_weighted_sum_of_all_students():
    """Equation 2 unrolled: after n steps the first weights count m^n, student i counts (1 - m) m^(n - i)."""
    student, teacher, m = nn.Linear(3, 2).double(), nn.Linear(3, 2).double(), 0.8
    expected = [0.8**5 * p.detach().clone() for p in teacher.parameters()]
    for i in range(1, 6):
        for p, e in zip(student.parameters(), expected):
            nn.init.normal_(p)
            e += (1 - m) * m ** (5 - i) * p.detach()
        momentum_update(student, teacher, m)
    for p, e in zip(teacher.parameters(), expected):
        torch.testing.assert_close(p.detach(), e)


def test_found_compares_with_every_key():
    q, k, queue = projections(20, 30, 3)
    unit = [z.numpy() / np.linalg.norm(z.numpy(), axis=1, keepdims=True) for z in (q, k, queue)]
    expected = [a @ b > max(a @ row for row in unit[2]) for a, b in zip(unit[0], unit[1])]
    assert found(q, k, queue).tolist() == expected and 0 < sum(expected) < 20


# --- the method ---


def images(n=16):
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def tiny(**options):
    """A method without batch norm, in float64, so that images do not influence each other."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 10), nn.Tanh())
    encoder.dim = 10
    method = MoCo(encoder, **{"queue": 20, "projection": 4, "hidden": 6} | options)
    method.projector = nn.Sequential(nn.Linear(10, 6), nn.Tanh(), nn.Linear(6, 4))
    method.teacher = copy.deepcopy(nn.Sequential(encoder, method.projector)).requires_grad_(False)
    return method.double()


def batch_of(method, n=8, seed=0):
    view1, view2, noise = method.pretext(images(n), torch.Generator().manual_seed(seed))
    return view1.double(), view2.double(), noise


def test_pretext_gives_two_views_and_a_number_for_each_image():
    method = tiny()
    view1, view2, noise = method.pretext(images(), torch.Generator().manual_seed(0))
    assert view1.shape == view2.shape == (16, 3, 32, 32) and view1.dtype == torch.float32
    assert noise.shape == (16,) and ((view1 - view2).abs().mean((1, 2, 3)) > 0.01).all()
    again = method.pretext(images(), torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip((view1, view2, noise), again))


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"groups": 4}, {"symmetric": True}], ids=str)
def test_five_steps_are_algorithm_1(options):
    """The whole algorithm a second time, with lists and plain SGD."""
    method = tiny(temperature=0.3, momentum=0.9, **options)
    student, teacher = copy.deepcopy(nn.Sequential(method.encoder, method.projector)), copy.deepcopy(method.teacher)
    queue, optimizer = deque(method.queue.clone(), maxlen=20), torch.optim.SGD(method.parameters(), lr=0.5)
    for step in range(5):
        view1, view2, noise = batch_of(method, seed=step)
        loss, _ = method((view1, view2, noise))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step((step + 1) / 5)

        directions = [(view1, view2), (view2, view1)][: 2 if method.symmetric else 1]
        rows, expected, new = torch.stack(list(queue)), 0.0, None
        for asks, answers in directions:
            keys = torch.stack([teacher(one[None])[0] / teacher(one[None])[0].norm() for one in answers])
            new = keys if new is None else new
            for one, key in zip(asks, keys):
                q = student(one[None])[0]
                similar = torch.stack([q @ key, *(q @ row / row.norm() for row in rows)]) / q.norm() / 0.3
                expected = expected - (similar[0] - similar.exp().sum().log()) / 8 / len(directions)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-10)
        student.zero_grad()
        expected.backward()
        with torch.no_grad():
            for s, t in zip(student.parameters(), teacher.parameters()):
                s -= 0.5 * s.grad
                t.copy_(0.9 * t + 0.1 * s)
        queue.extend(new.detach())
        ring = method.queue.roll(-int(method.pointer), 0)
        torch.testing.assert_close(ring, torch.stack(list(queue)), rtol=0, atol=1e-10)
    for mine, other in zip(method.teacher.parameters(), teacher.parameters()):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


BROKEN_STEPS = {
    "keys not put back in order": ("return k[order.argsort()]", "return k"),
    "put back by the shuffle itself": ("return k[order.argsort()]", "return k[order]"),
    "the teacher never moves": ("momentum_update(nn.Seq", "(nn.Seq"),
    "nothing is enqueued": ("self.queue.copy_(queue)", "pass"),
    "the pointer stays": ("self.pointer.copy_(pointer)", "pass"),
    "keys by the student": ("self.teacher(part)) for part in mixed", "self.projector(self.encoder(part))) for part in mixed"),
    "both views are queries": ("k = self.keys(view2, noise)", "k = self.keys(view1, noise)"),
}  # fmt: skip


@pytest.mark.parametrize("old, new", BROKEN_STEPS.values(), ids=BROKEN_STEPS)
def test_a_broken_step_is_caught(old, new, monkeypatch):
    monkeypatch.setitem(globals(), "MoCo", changed(MoCo, old, new))
    with pytest.raises(AssertionError):
        test_five_steps_are_algorithm_1({})


def test_the_loss_sees_the_old_queue_and_only_training_changes_it():
    method = tiny()
    old, batch = method.queue.clone(), batch_of(method)
    method(batch)
    assert torch.equal(method.queue, old), "forward must not enqueue"
    method.eval()
    method(batch)
    method.after_step(0.5)
    assert torch.equal(method.queue, old) and int(method.pointer) == 0, "nothing is enqueued in evaluation"
    method.train()
    _, extras = method(batch)
    method.after_step(0.5)
    assert torch.equal(method.queue[:8], extras["k"]) and torch.equal(method.queue[8:], old[8:])
    assert int(method.pointer) == 8
    method.after_step(0.5)
    assert int(method.pointer) == 8, "the same keys must not be enqueued twice"


def test_the_teacher_gets_no_gradient_and_the_student_gets_all():
    torch.manual_seed(0)
    method = MoCo(build_encoder("small"), queue=64)
    loss, extras = method(method.pretext(images(), torch.Generator().manual_seed(0)))
    loss.backward()
    assert not any(p.requires_grad for p in method.teacher.parameters())
    assert all(p.grad is None for p in method.teacher.parameters())
    assert all(p.grad.abs().sum() > 0 for p in [*method.encoder.parameters(), *method.projector.parameters()])
    assert set(extras) == {"h", "q", "k"} and not any(v.requires_grad for v in extras.values())
    assert loss.item() == pytest.approx(loop(extras["q"], extras["k"], method.queue, method.temperature), rel=1e-5)


class Companions(nn.Module):
    """Gives each image its own grey and the mean grey of its batch: shows who was computed together."""

    dim = 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        grey = self.weight * x.mean((1, 2, 3))
        return torch.stack([grey, grey.mean().expand(len(x))], dim=1)


@pytest.mark.parametrize("shuffle", [False, True])
def test_shuffling_gives_other_companions_and_puts_keys_back_in_order(shuffle):
    method = MoCo(Companions(), queue=4, projection=2, groups=4, shuffle=shuffle)
    method.teacher = Companions()
    grey = (torch.arange(32.0) / 32) ** 2
    noise = torch.rand(32, generator=torch.Generator().manual_seed(0))
    k = method.keys(grey[:, None, None, None].expand(32, 3, 4, 4), noise)
    order = noise.argsort().tolist() if shuffle else list(range(32))
    expected = torch.empty(32, 2)
    for start in range(0, 32, 8):
        rows = order[start : start + 8]
        for row in rows:
            expected[row] = torch.stack([grey[row], sum(grey[i] for i in rows) / 8])
    torch.testing.assert_close(k, expected / expected.norm(dim=1, keepdim=True))


def test_keys_of_the_batch_before_are_written_by_the_teacher_of_now():
    method = tiny()
    keys, batches = method.keys, [batch_of(method, seed=seed)[1:] for seed in range(3)]
    of_the_batch_before(method)
    assert torch.equal(method.keys(*batches[0]), keys(*batches[0]))  # there is none before the first
    for (before, _), (now, noise) in zip(batches, batches[1:]):
        for weight in method.teacher.parameters():
            weight.mul_(1.1)
        assert torch.equal(method.keys(now, noise), keys(before, noise))


def test_the_queue_begins_with_random_directions():
    queue = MoCo(build_encoder("small"), queue=500).queue
    torch.testing.assert_close(queue.norm(dim=1), torch.ones(500))
    assert (queue @ queue.T - torch.eye(500)).abs().max() < 0.6 and queue.mean(0).abs().max() < 0.02


def test_chance_encode_and_options():
    method = tiny(queue=99).eval()
    assert method.chance(8) == method.chance(256) == pytest.approx(math.log(100))
    x = torch.rand(4, 3, 32, 32, dtype=torch.float64)
    assert torch.equal(method.encode(x), method.encoder(x))
    for wrong in (
        {"momentum": 1.1},
        {"momentum": -0.1},
        {"queue": 0},
        {"groups": 0},
        {"temperature": 0},
        {"temperature": math.nan},
    ):
        with pytest.raises(ValueError, match="momentum must be 0 to 1"):
            tiny(**wrong)


@pytest.mark.slow
def test_it_learns_to_find_its_key():
    """60 steps on 128 scenes: more queries find their own key in the queue than before."""
    x, options = load("scenes", limit=128).train.x, {"queue": 256, "momentum": 0.9}
    recipe = Recipe(steps=60, lr=1e-3, batch=64, optimizer="adamw", options=options)
    method = build(METHOD, recipe)

    def share(model) -> float:
        with torch.no_grad():
            model = copy.deepcopy(model)
            _, extras = model(model.pretext(x, torch.Generator().manual_seed(0)))
        # Each other's keys: a queue of random rows would be too easy.
        similarity = nn.functional.normalize(extras["q"]) @ extras["k"].T
        return (similarity.argmax(1) == torch.arange(128)).float().mean().item()

    before = share(method)
    losses = [record.loss for record in train(method, x, recipe)]
    assert share(method) > before + 0.04
    assert losses[-1] < max(losses) - 0.25 and losses[-1] < method.chance(64)


# --- two processes ---


def ten_steps(groups: int) -> dict:
    """Ten steps of this process's share of each batch; the queue is no multiple of the batch."""
    method = tiny(queue=27, momentum=0.9, groups=groups)
    wrapped, optimizer = dist.wrap(method), torch.optim.SGD(method.parameters(), lr=0.3)
    losses, orders = [], []
    for step in range(10):
        batch = tuple(part.chunk(dist.world())[dist.rank()] for part in batch_of(method, seed=step))
        loss, _ = wrapped(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        orders.append(dist.gather(batch[2]).argsort())
        method.after_step(step / 10)
        losses.append(loss.detach())
    weights = torch.cat([p.detach().flatten() for p in method.parameters()])
    return {"losses": torch.stack(losses), "weights": weights, "queue": method.queue, "pointer": method.pointer,
            "orders": torch.stack(orders)}  # fmt: skip


def mixed_companions() -> torch.Tensor:
    """The keys of Companions over two processes, with shuffling."""
    method = MoCo(Companions(), queue=4, projection=2)
    method.teacher = Companions()
    grey, noise = (torch.arange(16.0) / 16) ** 2, torch.rand(16, generator=torch.Generator().manual_seed(0))
    mine = dist.share(grey)[:, None, None, None].expand(-1, 3, 4, 4)
    return method.keys(mine, dist.share(noise))


def steps_and_companions() -> dict:
    return ten_steps(1) | {"companions": mixed_companions()}


def test_two_processes_have_one_queue_that_of_one_process(tmp_path):
    two, alone = in_two_processes(steps_and_companions, tmp_path), ten_steps(1)
    assert torch.equal(two[0]["queue"], two[1]["queue"]) and torch.equal(two[0]["pointer"], two[1]["pointer"])
    assert torch.equal(two[0]["orders"], two[1]["orders"])
    for found_there in two:
        assert torch.equal(found_there["pointer"], alone["pointer"]) and int(alone["pointer"]) == 80 % 27
        torch.testing.assert_close(found_there["queue"], alone["queue"], rtol=0, atol=1e-9)
        torch.testing.assert_close(found_there["weights"], alone["weights"], rtol=0, atol=1e-9)
    mean = (two[0]["losses"] + two[1]["losses"]) / 2
    torch.testing.assert_close(mean, alone["losses"], rtol=0, atol=1e-9)
    assert not torch.equal(two[0]["losses"], two[1]["losses"])  # each has its own queries

    grey, noise = (torch.arange(16.0) / 16) ** 2, torch.rand(16, generator=torch.Generator().manual_seed(0))
    order = noise.argsort()
    for k in (one["companions"] for one in two):
        for half in order.chunk(2):
            together = torch.stack([grey[half], grey[half].mean().expand(8)], dim=1)
            torch.testing.assert_close(k[half], nn.functional.normalize(together))
