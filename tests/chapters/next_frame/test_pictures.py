"""What chapter 08 draws: films, kernels, futures; and what its benchmark measured."""

import pytest
import torch

from sslkit.chapters.next_frame import futures, pictures, widget
from sslkit.chapters.next_frame.knowing import astray, between_pixels, bounces, by_bounce, places, rollout_knowing
from sslkit.datasets.moving import generate, load

PAST = 3


@pytest.fixture(scope="module")
def data():
    return load(train=4, val=12, test=104, turns=1.0)


def test_the_rivals_of_a_roll_out():
    x, ground = pictures.longer(4, 8)
    films, times = pictures.films(x, ground, x[:, PAST:].float() / 255, PAST)
    assert len(times) == x.shape[1] and all(clip.shape == x.shape for clip in films.values())
    assert torch.equal(films["predicted"], films["truth"])  # a perfect network
    assert torch.equal(films["copy last"][:, -1], x[:, PAST - 1])
    untouched = (x == ground[:, None]).all(2).float().mean((1, 2, 3))  # all but where the emoji is
    assert 0.6 < untouched.min() and untouched.max() < 1 and torch.equal(films["erase"][:, -1], ground)
    assert "the network" in pictures.rollouts(films, torch.rand(4, 5, 9, 9), PAST).alt
    assert "Truth" in pictures.dream(films, times, PAST).alt


def test_a_rival_that_knows_the_motion():
    kernel = between_pixels(torch.tensor([[-1.5, 2.0]]))
    assert kernel[0, 6, 2] == kernel[0, 6, 3] == 0.5 and kernel.sum() == 1  # rows go down, columns to the right
    rolled, truth = rollout_knowing(4, PAST, 5)
    x, ground = pictures.longer(4, PAST + 5)
    assert torch.equal(truth, x[:, PAST:] / 255)
    error, erased = ((guess - truth).square().mean((0, 2, 3, 4)) for guess in (rolled, ground[:, None] / 255))
    assert error.diff().min() > 0 and error[-1] < erased[-1] / 2  # softer from step to step, but in its place


def test_how_far_a_roll_out_goes_astray():
    split = generate(6, seed=3, frames=PAST + 5)
    true = torch.stack([split.factors["x"], split.factors["y"]], dim=2)
    kernels = torch.stack([between_pixels(true[:, t] - true[:, t - 1]) for t in range(PAST, PAST + 5)], dim=1)
    far = astray(kernels, PAST, seed=3)
    found = torch.stack([far["no bounce so far"], far["a bounce so far"]])
    assert found[~found.isnan()].max() < 1e-4 < far["standing still"].min()  # nan: no clip has bounced yet, or all have
    still = torch.zeros(6, 5, 9, 9)
    still[:, :, 4, 4] = 1
    hit = bounces(split)[:, PAST - 1 :].any(1).float().mean()
    end = [one[-1].nan_to_num() for one in astray(still, PAST, seed=3).values()]
    assert (1 - hit) * end[0] + hit * end[1] == pytest.approx(end[2].item(), rel=1e-5)


def test_velocity_is_judged_without_and_with_a_bounce():
    split = generate(40, seed=4)
    true = torch.stack([split.factors[name][:, -1] for name in ("x", "y", "vx", "vy")], dim=1)
    x, y = places(split, PAST).unflatten(1, (2, PAST)).unbind(1)
    assert torch.equal(torch.stack([x[:, -1], y[:, -1]], 1), true[:, :2])
    naive = torch.stack(
        [x[:, -1], y[:, -1], x.diff(dim=1)[:, -1], y.diff(dim=1)[:, -1]], 1
    )  # right unless the last step bounces
    found = by_bounce(naive, true, split, PAST)
    assert found["position"] == 1 and found["no bounce"] > 0.9999
    assert found["a bounce"] < found["velocity"] < found["no bounce"]
    assert (naive - true)[~bounces(split)[:, 1 - PAST :].any(1)].abs().max() < 1e-3


def test_kernels_are_as_wide_as_frames():
    for side in (5, 9):
        kernel = torch.zeros(1, side, side)
        kernel[:, side // 2, side // 2] = 0.3
        (tile,) = pictures.bright(kernel)[0]
        rows = tile.sum(1).nonzero().flatten()
        assert tile.shape == (64, 64) and len(rows) == 64 // side and abs(rows.float().mean() - 31.5) <= 0.5


def test_predictions_and_kernels(data):
    x, kernel = data.test.x, torch.rand(104, 9, 9)
    guess, true = x[:, PAST].float() / 255, torch.zeros(104, 2)
    assert "error of copying" in pictures.predictions(x, guess, PAST).alt
    assert "kernel" in pictures.kernels(x, kernel, guess[:, :1], guess, true, PAST).alt
    assert pictures.bright(kernel).amax((1, 2, 3)).tolist() == [1.0] * 104
    assert "5 clips" not in pictures.questions(data.val.x[:2]).alt


def test_futures_differ_and_their_mean_is_shown():
    clips, ground = futures.wandering(PAST, n=2)
    slow, fast = futures.speed(clips)
    assert slow < 1.6 and fast > 3
    possible = futures.possible(clips, ground, 0, 5, PAST)
    assert possible.shape == (5, 3, 32, 32) and not torch.equal(possible[0], possible[1])
    untouched = ((possible - ground[0]).abs() < 0.003).all(1).float().mean((1, 2))  # no second emoji stands behind it
    assert 0.6 < untouched.min() and untouched.max() < 1
    made = torch.rand(2, 3, 32, 32), torch.rand(2, 9, 9), None
    assert "mean of 64" in futures.blur(clips, ground, made, made, PAST).alt
    assert 0.4 < futures.least_loss(PAST, n=8) < 0.8


def test_the_radius_of_a_kernel():
    assert futures.radius(between_pixels(torch.tensor([[3.0, -4.0], [0.0, 0.0]]))).tolist() == [5, 0]
    split = generate(3, seed=5, turns=1.0)
    lengths = torch.stack([split.factors["vx"], split.factors["vy"]]).norm(dim=0)
    assert (lengths - futures.speed(split)[:, None]).abs().max() < 1e-4


def test_windows_in_which_it_bounces():
    falling = load(train=2, val=2, test=40, gravity=0.5).test
    x, bounced = pictures.windows(falling, PAST, gravity=0.5)
    assert x.shape == (200, PAST + 1, 3, 32, 32) and torch.equal(x[40], falling.x[0, 1 : PAST + 2])
    assert 20 < bounced.sum() < 120
    straight = falling.factors["y"].diff(n=2, dim=1)[:, : PAST - 1]  # a parabola, as long as it falls freely
    assert (straight[~bounced[:40]] - 0.5).abs().max() < 1e-3


def test_the_seeds_stand_beside_copying():
    assert "copy last 1" in pictures.seeds("Three seeds").alt


def test_the_map_names_the_ninths(data):
    assert "untrained" in pictures.where_map({"untrained": torch.rand(104, 6)}, data.test).alt
    assert len(set(pictures.NINTHS)) == 9


def test_pushing_asks_for_a_roll_out(data):
    panel = widget.push_panel(lambda x, steps: x[:, -1:].expand(-1, steps, -1, -1, -1).float() / 255, data.val, PAST)
    assert "predicted" in panel.fallback().alt
