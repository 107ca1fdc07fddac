"""Rotation, exported from notebooks/03_rotation.ipynb, against torch.rot90, lists of pixels, plain sums."""

import math

import pytest
import torch
from changed import changed

from sslkit.chapters.rotation.method import METHOD, Rotation, rotate_batch, rotation_loss
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train
from sslkit.views import RandomResizedCrop


def images(n=16, channels=3, side=32, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (n, channels, side, side), dtype=torch.uint8, generator=generator)


def one_by_one(x, k):
    """torch.rot90 counts counter-clockwise when its axes are (rows, columns)."""
    return torch.stack([torch.rot90(image, turns, dims=(1, 2)) for image, turns in zip(x, k.tolist())])


def by_pixels(image, turns):
    """In plain lists: after a turn counter-clockwise, what was the right column is the top row."""
    for _ in range(turns):
        side = len(image)
        image = [[image[column][side - 1 - row] for column in range(side)] for row in range(side)]
    return image


def turns_agree(rotate):
    """Whether a function turns like the loop, whatever the size, the channels, the type of number."""
    for n, channels, side, kind in [(9, 3, 5, torch.uint8), (7, 1, 4, torch.float), (1, 2, 1, torch.double)]:
        x = images(n, channels, side).to(kind)
        k = torch.arange(n).flip(0) % 4
        got = rotate(x, k)
        if got.dtype != kind or got.shape != x.shape or not torch.equal(got, one_by_one(x, k)):
            return False
    return True


# --- rotate_batch ---


def test_rotate_batch_is_rot90_of_each_image():
    assert turns_agree(rotate_batch)


def test_counter_clockwise_on_an_image_written_by_hand():
    upright = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    left = torch.tensor([[3, 6, 9], [2, 5, 8], [1, 4, 7]])  # what was right is on top
    down = torch.tensor([[9, 8, 7], [6, 5, 4], [3, 2, 1]])
    right = torch.tensor([[7, 4, 1], [8, 5, 2], [9, 6, 3]])
    turned = rotate_batch(upright.expand(4, 1, 3, 3), torch.arange(4))
    assert torch.equal(turned[:, 0], torch.stack([upright, left, down, right]))
    for turns in range(4):
        assert by_pixels(upright.tolist(), turns) == turned[turns, 0].tolist()


def test_turns_add_up_and_the_input_stays():
    x, before = images(8), images(8)
    j, k = torch.randint(4, (2, 8), generator=torch.Generator().manual_seed(0))
    assert torch.equal(rotate_batch(rotate_batch(x, j), k), rotate_batch(x, (j + k) % 4))
    assert torch.equal(rotate_batch(rotate_batch(x, k), -k), x)  # any whole number: -1 is one turn clockwise
    assert torch.equal(rotate_batch(x, k + 4), rotate_batch(x, k))
    assert torch.equal(x, before)
    rotate_batch(x, torch.zeros(8, dtype=torch.int64)).zero_()
    assert torch.equal(x, before), "the result must be a new tensor, not the input"


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout_does_not_matter(layout):
    x, k = images(8), torch.arange(8) % 4
    assert torch.equal(rotate_batch(x.to(memory_format=layout), k), one_by_one(x, k))


BROKEN_TURNS = {
    "clockwise": ("rot90(1", "rot90(-1"),
    "axes exchanged": ("rot90(1, (2, 3))", "rot90(1, (3, 2))"),
    "transposed, so mirrored": ("x.rot90(1, (2, 3))", "x.transpose(2, 3)"),
    "half turn flips rows only": ("x.flip(2, 3)", "x.flip(2)"),
    "half turn of the wrong ones": ("k >= 2", "k == 2"),
    "no quarter turn of 3": ("k % 2 == 1", "k == 1"),
    "half turn forgotten": ("x.flip(2, 3)", "x"),
    "counts above 3 not wrapped": (" % 4\n", "\n"),
}


@pytest.mark.parametrize("old, new", BROKEN_TURNS.values(), ids=BROKEN_TURNS)
def test_broken_turns_are_caught(old, new):
    broken = changed(rotate_batch, old, new)
    x, k = images(8), torch.arange(8)
    assert not turns_agree(broken) or not torch.equal(broken(x, k), one_by_one(x, k))


@pytest.mark.parametrize(
    "x, k, words",
    [
        (torch.zeros(2, 3, 4, 5), torch.zeros(2, dtype=torch.int64), r"square.*\[2, 3, 4, 5\]"),
        (torch.zeros(3, 4, 4), torch.zeros(3, dtype=torch.int64), "square"),
        (torch.zeros(2, 3, 4, 4), torch.zeros(3, dtype=torch.int64), "one whole number for each of the 2"),
        (torch.zeros(2, 3, 4, 4), torch.tensor(1), "one whole number"),
        (torch.zeros(2, 3, 4, 4), torch.tensor([0.5, 1.0]), "one whole number"),
    ],
)
def test_wrong_input_is_refused_in_words(x, k, words):
    with pytest.raises(ValueError, match=words):
        rotate_batch(x, k)


# --- the loss ---


def loop(logits, labels):
    """Gidaris et al. 2018, equations 2 and 3: minus the log-probability of the truth, mean over all views."""
    losses = []
    for row, label in zip(logits.double().tolist(), labels.tolist()):
        top = max(row)
        losses.append(top + math.log(math.fsum(math.exp(value - top) for value in row)) - row[label])
    return math.fsum(losses) / len(losses)


def answers(n=40, spread=3.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 4, generator=generator, dtype=dtype) * spread, torch.arange(n) % 4


def loss_agrees(loss):
    for n, spread in [(40, 3.0), (1, 1.0), (6, 80.0)]:
        logits, labels = answers(n, spread)
        if not math.isclose(loss(logits, labels).item(), loop(logits, labels), rel_tol=1e-12, abs_tol=1e-12):
            return False
    return True


def test_the_loss_is_the_papers():
    assert loss_agrees(rotation_loss)


def test_the_gradient_of_the_loss_is_probability_minus_truth():
    logits, labels = answers()
    logits.requires_grad_()
    rotation_loss(logits, labels).backward()
    truth = torch.eye(4, dtype=torch.float64)[labels]
    torch.testing.assert_close(logits.grad, (logits.detach().softmax(1) - truth) / len(labels))


BROKEN_LOSSES = {
    "softmax twice": ("(logits, labels)\n", "(logits.softmax(1), labels)\n"),
    "sum": ("(logits, labels)\n", "(logits, labels, reduction='sum')\n"),
    "sign": ("return F", "return -F"),
    "other labels": ("(logits, labels)\n", "(logits, 3 - labels)\n"),
    "over the batch": ("(logits, labels)\n", "(logits.log_softmax(0), labels)\n"),
}


@pytest.mark.parametrize("old, new", BROKEN_LOSSES.values(), ids=BROKEN_LOSSES)
def test_a_broken_loss_is_caught(old, new):
    assert not loss_agrees(changed(rotation_loss, old, new))


# --- the method ---


def fresh(**options):
    torch.manual_seed(0)
    return Rotation(build_encoder("small"), **options)


def as_it_is(x, generator):
    return x.float() / 255


def pretext_is_right(kind):
    """Whether each image comes in all four turns, each with the label that says by how much."""
    torch.manual_seed(0)
    method = kind(build_encoder("small"))
    method.view = as_it_is
    x = images(5)
    views, labels = method.pretext(x, torch.Generator().manual_seed(0))
    expected = torch.cat([torch.rot90(x, turns, (2, 3)) for turns in range(4)]) / 255
    return torch.equal(views, expected) and labels.tolist() == [t for t in range(4) for _ in range(5)]


def test_pretext_shows_all_four_turns_of_each_image_with_the_right_labels():
    assert pretext_is_right(Rotation)


BROKEN_PRETEXTS = {
    "labels image by image": (".repeat_interleave(len(x))", ".repeat(len(x))"),
    "views not turned": ("turns[labels])", "0 * labels)"),
    "turned the other way": ("turns[labels])", "-turns[labels])"),
}


@pytest.mark.parametrize("old, new", BROKEN_PRETEXTS.values(), ids=BROKEN_PRETEXTS)
def test_a_broken_pretext_is_caught(old, new):
    assert not pretext_is_right(changed(Rotation, old, new))


def test_all_turns_are_equally_frequent_whatever_the_batch():
    for n in (1, 3, 16):
        views, labels = fresh().pretext(images(n), torch.Generator().manual_seed(0))
        assert labels.bincount(minlength=4).tolist() == [n] * 4
        assert views.shape == (4 * n, 3, 32, 32)
        assert (views.dtype, labels.dtype) == (torch.float32, torch.int64)
        assert 0 <= views.min() and views.max() <= 1


def test_the_four_views_of_an_image_are_one_crop_turned():
    """Nothing but the turn tells them apart: a crop drawn anew for each would be one more difference."""
    views, labels = fresh().pretext(images(6), torch.Generator().manual_seed(0))
    back = rotate_batch(views, -labels)
    for turns in range(1, 4):
        assert torch.equal(back[:6], back[6 * turns : 6 * turns + 6])


def test_one_seed_gives_the_same_task():
    method, x = fresh(), images()
    first, again, other = (method.pretext(x, torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first[0], other[0])


def test_the_crop_can_be_set_and_left_out():
    assert fresh(crop=0.4).view == RandomResizedCrop((0.4, 1.0), ratio=(0.9, 1 / 0.9))
    x = images(3)
    views, labels = fresh(crop=1.0).pretext(x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(rotate_batch(views, -labels), x.repeat(4, 1, 1, 1) / 255)


def test_two_turns_are_another_task():
    method = fresh(turns=(0, 2), crop=1.0)
    x = images(4)
    views, labels = method.pretext(x, None)
    assert torch.equal(labels, torch.tensor([0] * 4 + [1] * 4))
    torch.testing.assert_close(views, torch.cat([x, x.flip(2, 3)]) / 255)
    loss, extras = method((views, labels))
    assert extras["logits"].shape == (8, 2) and method.chance(4) == pytest.approx(math.log(2))


@pytest.mark.parametrize("turns", [(0,), (), (0, 0), (0, 4), (1, -3)])
def test_turns_that_cannot_be_told_apart_are_refused(turns):
    with pytest.raises(ValueError, match="different quarter turns"):
        fresh(turns=turns)


def test_forward_is_the_oracles_loss_of_its_logits():
    method = fresh()
    loss, extras = method(method.pretext(images(), torch.Generator().manual_seed(0)))
    assert set(extras) == {"logits", "labels"} and not any(v.requires_grad for v in extras.values())
    assert extras["logits"].shape == (64, 4)
    assert torch.equal(extras["labels"], torch.arange(4).repeat_interleave(16))
    assert loss.item() == pytest.approx(loop(extras["logits"], extras["labels"]), rel=1e-5)


def test_the_gradient_reaches_every_parameter():
    method = fresh()
    method(method.pretext(images(), torch.Generator().manual_seed(0)))[0].backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_encode_gives_the_encoders_features_not_the_answers():
    method, x = fresh().eval(), torch.rand(4, 3, 32, 32)
    assert torch.equal(method.encode(x), method.encoder(x))
    assert method.encode(x).shape == (4, method.encoder.dim)


def test_chance_is_the_loss_of_equal_probabilities():
    assert fresh().chance(10) == fresh().chance(999) == math.log(4)
    assert rotation_loss(torch.zeros(8, 4), torch.arange(8) % 4).item() == pytest.approx(math.log(4))


@pytest.fixture(scope="module")
def flags():
    train = load("scenes", limit=1500).train
    return train.x[train.y == train.y.max()]


def last_loss(x):
    """The mean of the last 10 of 60 steps."""
    recipe = Recipe(steps=60, lr=2e-3, batch=32, optimizer="adamw")
    losses = [record.loss for record in train(build(METHOD, recipe), x, recipe)]
    return sum(losses[-10:]) / 10


def test_it_learns_which_way_is_up(flags):
    assert last_loss(flags) < math.log(4) - 0.1


@pytest.mark.slow
def test_it_learns_nothing_where_nothing_is_up(flags):
    """On pictures with four-fold symmetry there is no answer."""
    assert last_loss(kaleidoscope(flags)) > math.log(4) - 0.02


def kaleidoscope(x):
    """The mean of all four turns: no turn changes it."""
    return (sum(torch.rot90(x.int(), turns, (2, 3)) for turns in range(4)) // 4).to(torch.uint8)
