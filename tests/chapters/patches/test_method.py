"""Patches, exported from notebooks/04_patches.ipynb, against slices, lists of places, plain sums."""

import math

import pytest
import torch
from changed import changed

from sslkit.chapters.patches import asked
from sslkit.chapters.patches.method import (
    METHOD,
    Patches,
    colour_cast,
    cut_patches,
    drop_colour,
    grey,
    neighbour_offset,
    pair_corners,
    relative_position_loss,
    same_image_loss,
)
from sslkit.datasets import Split
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train


def images(n=16, channels=3, height=32, width=32, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (n, channels, height, width), dtype=torch.uint8, generator=generator)


def numbered(n, height=32, width=32):
    """Images whose three channels say which image, row and column a pixel is from, as floats in [0, 1]."""
    x = torch.zeros(n, 3, height, width)
    x[:, 0] = torch.arange(n)[:, None, None] / 256
    x[:, 1] = torch.arange(height)[:, None] / 256
    x[:, 2] = torch.arange(width) / 256
    return x


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# --- cutting ---


def by_slices(x, corner, size):
    return torch.stack([a[:, t : t + size, b : b + size] for a, (t, b) in zip(x, corner.tolist())])


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_patches_are_slices(kind, layout):
    x = images(9, 3, 7, 11).to(kind).to(memory_format=layout)
    before = x.clone()
    for size in (1, 3, 7):
        corner = torch.stack([torch.arange(9) % (8 - size), torch.arange(9) % (12 - size)], 1)
        got = cut_patches(x, corner, size)
        assert got.dtype == kind and torch.equal(got, by_slices(x, corner, size))
        got.zero_()
        assert torch.equal(x, before), "the result must be a new tensor"


BROKEN_CUTS = {
    "rows and columns exchanged": (
        "row[:, :, None] * W + column[:, None, :]",
        "column[:, :, None] * W + row[:, None, :]",
    ),
    "transposed": ("row[:, :, None] * W + column[:, None, :]", "row[:, None, :] * W + column[:, :, None]"),
    "height for width": ("* W +", "* H +"),
}


@pytest.mark.parametrize("old, new", BROKEN_CUTS.values(), ids=BROKEN_CUTS)
def test_broken_cuts_are_caught(old, new):
    x, corner = images(4, 3, 7, 11), torch.tensor([[0, 1], [3, 0], [2, 3], [1, 2]])
    assert not torch.equal(changed(cut_patches, old, new)(x, corner, 4), by_slices(x, corner, 4))


@pytest.mark.parametrize(
    "corner, size",
    [
        (torch.zeros(2, 2, dtype=torch.int64), 3),
        (torch.zeros(3, dtype=torch.int64), 3),
        (torch.zeros(3, 2), 3),
        (torch.zeros(3, 2, dtype=torch.int64), 0),
        (torch.zeros(3, 2, dtype=torch.int64), 9),
    ],
)
def test_wrong_corners_and_sizes_are_refused_in_words(corner, size):
    with pytest.raises(ValueError, match=r"corners int64 \[3, 2\] and a size up to 8"):
        cut_patches(images(3, 3, 8, 10), corner, size)


# --- where ---

PLACES = torch.tensor([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)])


def test_the_neighbours_are_numbered_in_reading_order():
    grid = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    assert neighbour_offset(torch.arange(8), 1, 0).tolist() == [list(place) for place in grid if place != (0, 0)]
    assert torch.equal(neighbour_offset(torch.arange(8), 8, 2), 10 * PLACES)


@pytest.mark.parametrize("height, width, size, gap, jitter", [(32, 32, 8, 2, 1), (32, 48, 8, 0, 0), (96, 96, 24, 6, 3)])
def test_both_patches_lie_inside_at_the_distance_asked_for(height, width, size, gap, jitter):
    number = torch.arange(8).repeat(400)
    first, second = pair_corners(number, height, width, size, gap, jitter, seeded())
    for corner in (first, second):
        assert corner.dtype == torch.int64 and corner.min() >= 0
        assert (corner + size).amax(0).le(torch.tensor([height, width])).all()
    moved = second - first - PLACES[number] * (size + gap)
    assert sorted(moved.unique().tolist()) == list(range(-jitter, jitter + 1))
    if jitter:  # rows and columns move on their own
        assert len(torch.unique(moved, dim=0)) == (2 * jitter + 1) ** 2


def test_the_first_patch_does_not_give_the_answer_away():
    """It lies at the same places, equally often, whatever the neighbour's number."""
    number = torch.arange(8).repeat(3000)
    first, _ = pair_corners(number, 32, 32, 8, 2, 1, seeded())
    expected = torch.tensor([11, 12, 13])
    for k in range(8):
        values, counts = first[number == k].unique(return_counts=True)
        assert torch.equal(values, expected) and (counts / counts.sum() - 1 / 3).abs().max() < 0.03


BROKEN_CORNERS = {
    "no gap": ("(number, size, gap)", "(number, size, 0)"),
    "other way": ("return first, first + n", "return first, first - n"),
    "exchanged": ("(number, size, gap)", "(number, size, gap).flip(1)"),
}


@pytest.mark.parametrize("old, new", BROKEN_CORNERS.values(), ids=BROKEN_CORNERS)
def test_broken_corners_are_caught(old, new):
    number = torch.arange(8)
    first, second = changed(pair_corners, old, new)(number, 32, 32, 8, 2, 0, seeded())
    assert not torch.equal(second - first, PLACES * 10)


@pytest.mark.parametrize("size, gap, jitter", [(9, 2, 1), (0, 2, 1), (8, -1, 1), (8, 2, -1)])
def test_images_that_are_too_small_are_refused_in_words(size, gap, jitter):
    with pytest.raises(ValueError, match=r"need images of .* pixels, got 32 x 32"):
        pair_corners(torch.arange(8), 32, 32, size, gap, jitter, seeded())


# --- colour ---


def test_dropped_colour_leaves_one_channel_and_faint_noise():
    x = images(300).float() / 255
    y = drop_colour(x, seeded())
    kept = (y == x).flatten(2).all(2)  # [N, 3]
    assert torch.equal(kept.sum(1), torch.ones(300, dtype=torch.int64))
    assert kept.sum(0).min() > 70, "each channel is kept about equally often"
    noise = y[~kept] - 0.5
    spread = x[kept].std((1, 2)).repeat_interleave(2)
    assert (noise.mean((1, 2)).abs() < 0.001).all()
    torch.testing.assert_close(noise.std((1, 2)) / spread, torch.full((600,), 0.01), rtol=0, atol=0.002)


def test_grey_is_the_brightness_in_three_channels():
    x = images(5).float() / 255
    expected = 0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]
    torch.testing.assert_close(grey(x, None), expected[:, None].repeat(1, 3, 1, 1))


@pytest.mark.parametrize("change", [drop_colour, grey])
def test_grey_images_stay_as_they_are(change):
    x = images(4, channels=1).float() / 255
    assert torch.equal(change(x, seeded()), x)


def test_a_cast_strengthens_red_to_the_right_and_blue_to_the_bottom():
    x = torch.full((2, 3, 5, 9), 100, dtype=torch.uint8)
    y = colour_cast(x, 0.2)
    assert torch.equal(y[0, 0], torch.tensor([80, 85, 90, 95, 100, 105, 110, 115, 120]).expand(5, 9).to(torch.uint8))
    assert torch.equal(y[1, 1], x[1, 1])
    assert torch.equal(y[1, 2], torch.tensor([80, 90, 100, 110, 120])[:, None].expand(5, 9).to(torch.uint8))
    assert colour_cast(torch.full((1, 3, 4, 4), 250, dtype=torch.uint8)).max() == 255


# --- the losses ---


def where_loop(logits, number):
    """Cross-entropy of the softmax over eight places, a pair at a time."""
    losses = []
    for row, k in zip(logits.double().tolist(), number.tolist()):
        top = max(row)
        losses.append(top + math.log(math.fsum(math.exp(v - top) for v in row)) - row[k])
    return math.fsum(losses) / len(losses)


def same_loop(logits, same):
    """Minus the log of the sigmoid's probability of the truth; log(1 + exp(-a)) written so that it does not overflow."""
    losses = []
    for a, y in zip(logits.double().tolist(), same.tolist()):
        a = a if y else -a
        losses.append(math.log1p(math.exp(-abs(a))) + max(-a, 0.0))
    return math.fsum(losses) / len(losses)


def answers(n, spread, choices):
    shape = (n, 8) if choices == 8 else (n,)
    logits = torch.randn(shape, generator=seeded(1), dtype=torch.float64) * spread
    return logits, torch.arange(n) % choices


LOSSES = {"where": (relative_position_loss, where_loop, 8), "same": (same_image_loss, same_loop, 2)}
each_loss = pytest.mark.parametrize("loss, loop, choices", LOSSES.values(), ids=LOSSES)


def agrees(loss, loop, choices):
    pairs = [answers(n, spread, choices) for n, spread in [(40, 3.0), (2, 1.0), (6, 80.0), (7, 2.0)]]
    return all(math.isclose(loss(*pair).item(), loop(*pair), rel_tol=1e-12, abs_tol=1e-12) for pair in pairs)


@each_loss
def test_the_losses_are_plain_sums(loss, loop, choices):
    assert agrees(loss, loop, choices)


@each_loss
def test_a_broken_loss_is_caught(loss, loop, choices):
    for old, new in [
        ("return F", "return -F"),
        ("at_least_float32(logits)", "2 * at_least_float32(logits)"),
    ]:
        if loss is relative_position_loss and old != "return F":
            continue
        assert not agrees(changed(loss, old, new), loop, choices)
    if loss is same_image_loss:
        assert not agrees(changed(loss, "same.to(", "(1 - same).to("), loop, choices)
    else:
        assert not agrees(changed(loss, ", number)\n", ", 7 - number)\n"), loop, choices)


@each_loss
def test_the_gradient_is_probability_minus_truth(loss, loop, choices):
    logits, truth = answers(12, 2.0, choices)
    logits.requires_grad_()
    loss(logits, truth).backward()
    p = logits.detach().softmax(1) if choices == 8 else logits.detach().sigmoid()
    target = torch.eye(8, dtype=torch.float64)[truth] if choices == 8 else truth.double()
    torch.testing.assert_close(logits.grad, (p - target) / 12)


@each_loss
def test_half_precision_logits_are_widened(loss, loop, choices):
    logits, truth = answers(12, 2.0, choices)
    got = loss(logits.bfloat16(), truth)
    assert got.dtype == torch.float32
    assert got.item() == pytest.approx(loop(logits.bfloat16(), truth), rel=1e-6)


# --- the method ---


def fresh(**options):
    torch.manual_seed(0)
    return Patches(build_encoder("small"), **({"pairs": 4} | options))


def sources(patch, size):
    """Of patches of `numbered` images: the image each is from, and its corner [M, 2]; checks that it is one square."""
    values = (patch * 256).round().long()
    image, corner = values[:, 0, 0, 0], values[:, 1:, 0, 0]
    assert torch.equal(patch * 256, values.float())
    along = torch.arange(size)
    assert torch.equal(values[:, 0], image[:, None, None].expand_as(values[:, 0]))
    assert torch.equal(values[:, 1], (corner[:, :1] + along)[:, :, None].expand_as(values[:, 1]))
    assert torch.equal(values[:, 2], (corner[:, 1:] + along)[:, None, :].expand_as(values[:, 2]))
    return image, corner


def where_is_right(kind):
    """Whether every second patch is of the first one's image, and lies where the label says."""
    torch.manual_seed(0)
    method = kind(build_encoder("small"), pairs=5)
    first, second, label = method.pretext(numbered(12), seeded())
    (i, a), (j, b) = sources(first, 8), sources(second, 8)
    if not torch.equal(i, j) or i.bincount().tolist() != [5] * 12 or label.bincount(minlength=8).min() == 0:
        return False
    moved = b - a - PLACES[label] * 10
    return bool(moved.abs().max() <= 1)


def same_is_right(kind):
    """Whether half of the pairs, with label 1, are of one image, and the others of two, all at neighbouring places."""
    torch.manual_seed(0)
    method = kind(build_encoder("small"), task="same", pairs=6)
    first, second, label = method.pretext(numbered(12), seeded())
    (i, a), (j, b) = sources(first, 8), sources(second, 8)
    balanced = label.sum() == 36 and i[label == 1].bincount().tolist() == [3] * 12 and i.bincount().tolist() == [6] * 12
    return balanced and torch.equal((i == j).long(), label) and bool(((b - a).abs().amax(1) >= 9).all())


def test_where_cuts_both_patches_out_of_one_image_where_the_label_says():
    assert where_is_right(Patches)


def test_same_is_half_pairs_of_one_image_and_half_of_two():
    assert same_is_right(Patches)


BROKEN_PRETEXTS = {
    "another image in where": (where_is_right, "other, label = image, number", "other, label = (image + 1) % N, number"),
    "labels of others": (where_is_right, "other, label = image, number", "other, label = image, number.roll(1)"),
    "patches exchanged": (where_is_right, "self.patches(x[image], first), self.patches(x[other], second)",
                          "self.patches(x[other], second), self.patches(x[image], first)"),
    "labels reversed": (same_is_right, "(image + 1 - label) % N", "(image + label) % N"),
    "never another image": (same_is_right, "(image + 1 - label) % N", "image"),
    "an image always has the same answer": (same_is_right, "(image + torch.arange(len(image), device=x.device) // N) % 2",
                                            "image % 2"),
}  # fmt: skip


@pytest.mark.parametrize("right, old, new", BROKEN_PRETEXTS.values(), ids=BROKEN_PRETEXTS)
def test_a_broken_pretext_is_caught(right, old, new):
    assert not right(changed(Patches, old, new))


def test_patches_are_cut_then_made_float_then_enlarged():
    method, x = fresh(enlarge=24), images(3)
    corner = torch.tensor([[0, 5], [24, 0], [7, 24]])
    small = by_slices(x, corner, 8).float() / 255
    expected = torch.nn.functional.interpolate(small, scale_factor=3, mode="bilinear")
    torch.testing.assert_close(method.patches(x, corner), expected)
    torch.testing.assert_close(fresh().patches(x, corner), small)


@pytest.mark.parametrize("task, choices", [("where", 8), ("same", 2)])
def test_forward_is_the_oracles_loss_of_its_logits(task, choices):
    method = fresh(task=task)
    first, second, label = batch = method.pretext(images(), seeded())
    assert first.shape == second.shape == (64, 3, 8, 8) and label.shape == (64,) and label.dtype == torch.int64
    assert first.dtype == torch.float32 and 0 <= first.min() and first.max() <= 1
    loss, extras = method(batch)
    assert set(extras) == {"logits", "labels"} and not any(v.requires_grad for v in extras.values())
    assert extras["logits"].shape == ((64, 8) if task == "where" else (64,))
    loop = where_loop if task == "where" else same_loop
    assert loss.item() == pytest.approx(loop(extras["logits"], label), rel=1e-5)
    assert method.chance(10) == method.chance(999) == math.log(choices)
    loss.backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_each_patch_is_encoded_alone_and_their_order_matters():
    method = fresh().eval()
    first, second, _ = method.pretext(images(4), seeded())
    with torch.no_grad():
        alone = method.head(torch.cat([method.encoder(first[:1]), method.encoder(second[:1])], 1))
        torch.testing.assert_close(method.logits(first, second)[:1], alone, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(method.logits(first, second), method.logits(second, first), atol=1e-4)


@pytest.mark.parametrize("task", ["where", "same"])
@pytest.mark.parametrize("colour", ["keep", "grey", "drop"])
def test_a_step_on_the_meta_device(task, colour):
    method = fresh(task=task, colour=colour).to("meta")
    loss, _ = method(method.pretext(images().to("meta"), None))
    loss.backward()
    assert loss.is_meta and all(p.grad.is_meta for p in method.parameters())


@pytest.mark.parametrize("task", ["where", "same"])
def test_equal_parts_of_a_batch_have_the_whole_batchs_loss_as_their_mean(task):
    method = fresh(task=task).eval()
    batch = method.pretext(images(8), seeded())
    parts = zip(*(tensor.chunk(2) for tensor in batch))
    both = [method(part)[0].item() for part in parts]
    assert method(batch)[0].item() == pytest.approx(sum(both) / 2, rel=1e-5)


@pytest.mark.parametrize("colour", ["grey", "drop"])
def test_grey_images_train_with_every_colour_option(colour):
    recipe = Recipe(steps=2, lr=0.01, batch=8, options={"colour": colour, "pairs": 2})
    assert len(list(train(build(METHOD, recipe, channels=1), images()[:, :1], recipe))) == 2


@pytest.mark.parametrize("options", [{"task": "what"}, {"colour": "red"}, {"pairs": 0}])
def test_options_that_do_not_exist_are_refused_in_words(options):
    with pytest.raises(ValueError, match="where, same.*keep, grey, drop"):
        fresh(**options)


def ramps(n=256):
    """A picture that says where one is: brightness grows downwards, blue to the right; its shades differ from image to image."""
    x = torch.zeros(n, 3, 32, 32)
    shade = torch.rand(n, 1, 1, generator=seeded())
    x[:, 0] = torch.linspace(0, 0.5, 32)[:, None] + 0.5 * shade
    x[:, 2] = torch.linspace(0, 0.5, 32) + 0.5 * shade
    return (x * 255).to(torch.uint8)


def mean_loss(x, **options):
    recipe = Recipe(steps=60, lr=3e-3, batch=32, optimizer="adamw", options={"pairs": 4} | options)
    losses = [record.loss for record in train(build(METHOD, recipe), x, recipe)]
    return sum(losses[-10:]) / 10


def test_it_learns_where_there_is_an_answer():
    """In 60 steps: on ramps a patch shows its place."""
    assert mean_loss(ramps()) < math.log(8) - 0.5


@pytest.mark.slow
def test_it_learns_nothing_where_there_is_no_answer():
    """Pictures of noise alone have none."""
    assert mean_loss(images(256, seed=1)) > math.log(8) - 0.02


def test_it_learns_which_patches_are_of_one_image():
    plain = images(256, height=1, width=1).expand(-1, -1, 32, 32).contiguous()
    assert mean_loss(plain, task="same") < math.log(2) - 0.2


def test_the_control_cuts_second_patches_out_of_other_images_at_the_same_places(monkeypatch):
    """Images say which image, row and column a pixel is from, so patches do, too."""
    x, seen = (256 * numbered(16)).to(torch.uint8), []
    method = build(METHOD, Recipe(steps=1, lr=0.1, encoder="fine7"))
    monkeypatch.setattr(method, "patches", lambda x, at: cut_patches(x, at, 8).float())
    monkeypatch.setattr(method, "logits", lambda a, b: seen.append((a, b)) or torch.zeros(len(a), 8))
    asked.compared(method, Split(x))
    (first, own), (again, other) = seen
    assert torch.equal(first, again) and torch.equal(own[:, 1:], other[:, 1:])
    assert torch.equal(first[:, 0, 0, 0], own[:, 0, 0, 0]) and (other[:, 0, 0, 0] != own[:, 0, 0, 0]).all()
