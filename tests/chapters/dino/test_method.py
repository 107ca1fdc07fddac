"""DINO, exported from notebooks/16_dino.ipynb, against its definitions written a second time, and against lightly's."""

import copy
import math

import numpy as np
import pytest
import torch
from changed import changed

from sslkit.chapters.dino import ablations, pictures
from sslkit.chapters.dino.method import DINO, METHOD, dino_loss, entropy_and_kl, moved_centre, teacher_momentum
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train

SIZES = [(2, 2, 3, 4, 0.1, 0.04), (5, 2, 6, 8, 0.2, 0.1), (2, 1, 4, 3, 1.0, 0.5)]


def cosines(*shape, seed=0, dtype=torch.float64):
    """Numbers in -1 .. 1, as scores are."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def distilled(student, teacher, centre, student_temperature, teacher_temperature):
    """Caron et al. 2021, algorithm 1, by numpy, an image at a time."""
    losses = []
    for a, views in enumerate(teacher.numpy()):
        for v, given in enumerate(student.detach().numpy()):
            if v == a:
                continue
            for t, s in zip(views, given):
                p = np.exp((t - centre.numpy()) / teacher_temperature)
                q = np.exp(s / student_temperature)
                losses.append(-(p / p.sum() * np.log(q / q.sum())).sum())
    return float(np.mean(losses))


def agrees(function):
    for V, A, N, K, ts, tt in SIZES:
        student, teacher = cosines(V, N, K).requires_grad_(), cosines(A, N, K, seed=1).requires_grad_()
        centre = cosines(K, seed=2) / 2
        loss = function(student, teacher, centre, ts, tt)
        if not math.isclose(loss.item(), distilled(student, teacher.detach(), centre, ts, tt), rel_tol=1e-9):
            return False
        loss.backward()
        targets = ((teacher.detach() - centre) / tt).softmax(2)
        pairs = A * V - min(A, V)
        wanted = sum((student[V - 1] / ts).softmax(1) - targets[a] for a in range(A) if a != V - 1) / ts / N / pairs
        if teacher.grad is not None or not torch.allclose(student.grad[V - 1], wanted, atol=1e-12):
            return False
    return True


def test_the_loss_is_its_definition_and_its_gradient_is_the_students():
    assert agrees(dino_loss)


BROKEN = {
    "no centre": (" - centre", ""),
    "centre added": (" - centre", " + centre"),
    "not sharpened": (" / teacher_temperature", ""),
    "one temperature": ("/ teacher_temperature", "/ student_temperature"),
    "softmax over the images": ("softmax(dim=2)", "softmax(dim=1)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_loss_is_caught(name):
    assert not agrees(changed(dino_loss, *BROKEN[name]))


def test_entropy_and_kl_add_up_to_the_cross_entropy():
    p, q = cosines(6, 9).softmax(1), cosines(6, 9, seed=1).softmax(1)
    entropy, kl = entropy_and_kl(p, q)
    assert (entropy + kl).item() == pytest.approx(-(p * q.log()).sum(1).mean().item()) and kl > 0
    assert entropy_and_kl(p, p)[1].abs() < 1e-12
    assert entropy_and_kl(torch.full((2, 8), 1 / 8), q[:2, :8])[0].item() == pytest.approx(math.log(8))
    assert entropy_and_kl(torch.eye(9), q[:1].expand(9, 9).float())[0] == 0


def test_the_centre_and_the_momentum():
    teacher = cosines(2, 5, 4)
    torch.testing.assert_close(moved_centre(torch.zeros(4), teacher.float(), 0.0), teacher.float().mean((0, 1)))
    assert [round(teacher_momentum(p, 0.9), 6) for p in (0, 0.5, 1)] == [0.9, 0.95, 1.0]


# --- lightly


@pytest.mark.parametrize("small", [0, 3])
def test_it_equals_lightly(small):
    lightly = pytest.importorskip("lightly.loss")
    theirs = lightly.DINOLoss(
        output_dim=12, teacher_temp=0.04, warmup_teacher_temp=0.04, student_temp=0.1, center_momentum=0.9
    )
    centre = torch.zeros(12)
    for step in range(3):  # the centre moves along
        student = cosines(2 + small, 16, 12, seed=step, dtype=torch.float32).requires_grad_()
        other = student.detach().clone().requires_grad_()
        teacher = cosines(2, 16, 12, seed=50 + step, dtype=torch.float32)
        ours = dino_loss(student, teacher, centre, 0.1, 0.04)
        found = theirs(list(teacher), list(other), epoch=0)
        ours.backward()
        found.backward()
        assert ours.item() == pytest.approx(found.item(), abs=1e-5)
        torch.testing.assert_close(student.grad, other.grad, atol=1e-5, rtol=1e-5)
        centre = moved_centre(centre, teacher, 0.9)


# --- the method


def images(n=16):
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def fresh(**options):
    torch.manual_seed(0)
    return DINO(build_encoder("small"), **options)


def generator():
    return torch.Generator().manual_seed(0)


def test_forward_is_the_loss_of_its_scores():
    method = fresh(crops=2, prototypes=12)
    with torch.no_grad():
        method.centre += 0.1 * torch.arange(12)
    views = method.pretext(images(), generator())
    assert [list(v.shape[1:]) for v in views] == [[3, 32, 32]] * 2 + [[3, 16, 16]] * 2
    loss, extras = method(views)
    h = torch.cat([method.encoder(torch.cat(views[:2])), method.encoder(torch.cat(views[2:]))])
    student = method.head(h).unflatten(0, (4, 16)).double()
    teacher = method.teacher(torch.cat(views[:2])).unflatten(0, (2, 16)).double()
    assert student.abs().max() <= 1 + 1e-6  # cosines
    assert loss.item() == pytest.approx(distilled(student, teacher, method.centre.double(), 0.1, 0.04), rel=1e-4)
    assert extras["h"].shape == (32, method.encoder.dim) and extras["z"].shape == (32, 12)
    assert not any(value.requires_grad for value in extras.values())


def test_entropy_and_kl_are_those_of_the_swapped_large_views():
    method = fresh(prototypes=12)
    views = method.pretext(images(), generator())
    loss, extras = method(views)
    assert (extras["entropy"] + extras["kl"]).item() == pytest.approx(loss.item(), rel=1e-5)


def test_only_the_student_gets_a_gradient_and_all_of_it_does():
    method = fresh(crops=1)
    method(method.pretext(images(), generator()))[0].backward()
    learned = {n: p for n, p in method.named_parameters() if p.requires_grad}
    assert not [n for n in learned if n.startswith("teacher")]
    assert not [n for n, p in learned.items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert all(p.grad is None for p in method.teacher.parameters())


def test_teacher_and_centre_follow_after_a_step():
    method = fresh(momentum=0.8, centre_momentum=0.5)
    method(method.pretext(images(), generator()))
    seen = method.fresh.mean((0, 1))
    with torch.no_grad():
        for p in method.encoder.parameters():
            p.add_(1.0)
    before = [p.clone() for p in method.teacher[0].parameters()]
    method.after_step(0.5)  # momentum 0.9 by now
    for old, new in zip(before, method.teacher[0].parameters()):
        torch.testing.assert_close(new, old + 0.1)
    torch.testing.assert_close(method.centre, 0.5 * seen)
    method.after_step(1.0)  # no new scores: the centre stays, and so does a teacher of momentum 1
    torch.testing.assert_close(method.centre, 0.5 * seen)


def test_a_centred_teacher_has_no_favourite():
    """When all images get the same scores, the centre becomes those, and the answer is the same for all prototypes."""
    teacher, centre = torch.tensor([0.9, 0.1, -0.5]).expand(2, 8, 3), torch.zeros(3)
    for _ in range(200):
        centre = moved_centre(centre, teacher, 0.9)
    assert dino_loss(torch.zeros(2, 8, 3), teacher, centre, 0.1, 0.04).item() == pytest.approx(math.log(3))
    assert ((teacher - centre) / 0.04).softmax(2).max() < 0.34


@pytest.mark.slow
def test_it_learns_to_give_the_teachers_answers():
    """40 steps on 128 scenes: the answers differ from image to image, and the student knows them better than before."""
    x = load("scenes", limit=128).train.x
    recipe = Recipe(steps=40, lr=0.02, batch=64, optimizer="muon", weight_decay=0.0, options={"prototypes": 16})
    method = build(METHOD, recipe)
    records = list(train(method, x, recipe))
    assert len(records) == 40 and not records[-1].collapsed
    with torch.no_grad():
        extras = copy.deepcopy(method)(method.pretext(x, generator()))[1]
    assert 0.1 < extras["entropy"] < math.log(16)


def seated(scores, epsilon, iterations=3):
    """Sinkhorn-Knopp on exp(scores / epsilon) [N, K], an image and a prototype at a time."""
    table = np.exp(scores.numpy() / epsilon)
    images, prototypes = table.shape
    for _ in range(iterations):
        for k in range(prototypes):
            table[:, k] *= images / prototypes / table[:, k].sum()
        for n in range(images):
            table[n] /= table[n].sum()
    return table


def test_seats_take_the_place_of_centre_and_softmax():
    """Both views of the teacher are seated together; the centre, wherever it stands, is not asked."""
    method = fresh(prototypes=12)
    ablations.seats(method)
    method.centre += 5 * torch.arange(12)
    views = method.pretext(images(), generator())
    loss, _ = method(views)
    with torch.no_grad():
        codes = seated(method.teacher(torch.cat(views[:2])).double(), 0.04)
        student = (method.head(method.encoder(torch.cat(views[:2]))).double() / 0.1).log_softmax(1).numpy()
    assert codes.sum(0).max() < 1.5 * 32 / 12  # nobody's favourite
    expected = -(np.roll(codes, 16, axis=0) * student).sum(1).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_the_centre_of_the_batch_is_never_late():
    method = fresh(prototypes=12)
    ablations.batch_centre(method)
    views = method.pretext(images(), generator())
    loss, _ = method(views)
    student = method.head(method.encoder(torch.cat(views[:2]))).unflatten(0, (2, 16)).double()
    teacher = method.teacher(torch.cat(views[:2])).double()
    expected = distilled(student, teacher.unflatten(0, (2, 16)), teacher.mean(0), 0.1, 0.04)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_without_averaging_the_teacher_is_the_student():
    """Of the step before, to the last bit, seats or not, and the slow one is not."""
    recipe, same = Recipe(steps=2, lr=0.05, batch=16, options={"prototypes": 12}), {}
    for name in ("as it is", "teacher is student", "centre of the batch, teacher is student"):
        method = ablations.ABLATIONS[name].build(METHOD, recipe, 3, seed=0)
        list(train(method, images(32), recipe))
        student = torch.nn.Sequential(method.encoder, method.head)
        pairs = zip(student.parameters(), method.teacher.parameters(), strict=True)
        same[name] = all(torch.equal(one, other) for one, other in pairs)
    assert list(same.values()) == [False, True, True]


def test_maps_that_follow_the_thing_lose_it_on_another_scene(monkeypatch):
    """Attention that lies on the thing and nowhere else: all of it, and on the next scene only where two things overlap."""
    data, seen = load("scenes", train=20, test=20), {}
    on = pictures.things(data.val[:200], 8)
    perfect = (on / on.sum((1, 2), keepdim=True).clamp(min=1))[:, None]
    monkeypatch.setattr(pictures, "class_attention", lambda vit, x: perfect)
    monkeypatch.setattr(pictures.plots, "bars", lambda shares, **_: seen.update(shares))
    pictures.on_the_thing({"trained": None}, data, count=200)
    (own,), (other,) = seen["trained"], seen["trained, on another scene"]
    assert own > 0.97 and other < 0.8 * own
    expected = (perfect.roll(1, 0) * on[:, None]).sum((2, 3)).mean().item()
    assert other == pytest.approx(expected)
