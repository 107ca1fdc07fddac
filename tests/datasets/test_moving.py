"""`moving`: known motion, drawn where it says, the same for the same seed."""

import math

import pytest
import torch

from sslkit.datasets import load
from sslkit.datasets.contract import Dataset, Split
from sslkit.datasets.moving import SIDE, SPEEDS, borders, generate, reflect, render, travel


def test_what_load_gives():
    data = load("moving", train=30, val=10, test=20)
    assert data.train.x.shape == (30, 8, 3, 32, 32) and data.train.x.dtype == torch.uint8
    assert data.channels == 3 and len(data.classes) == 10
    for name in ("x", "y", "vx", "vy"):
        assert data.test.factors[name].shape == (20, 8) and data.test.factors[name].is_floating_point()
    assert data.val.factors["size"].shape == (10,)
    assert data.train.y.bincount(minlength=10).tolist() == [3] * 10  # kinds are equally frequent
    assert load("moving", limit=12, frames=5).test.x.shape == (12, 5, 3, 32, 32)


def test_one_seed_gives_one_set_and_splits_differ():
    one, same, other = (load("moving", train=8, val=8, test=8, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one.train.x, same.train.x) and torch.equal(one.test.factors["vx"], same.test.factors["vx"])
    assert not torch.equal(one.train.x, other.train.x)
    assert not torch.equal(one.train.x, one.val.x)


def by_steps(place, velocity, low, high, frames):
    """In plain numbers, a frame at a time."""
    out = []
    for _ in range(frames):
        out.append((place, velocity))
        place += velocity
        if place > high:
            place, velocity = 2 * high - place, -velocity
        elif place < low:
            place, velocity = 2 * low - place, -velocity
    return out


def test_travel_is_constant_velocity_thrown_back_at_the_borders():
    generator = torch.Generator().manual_seed(0)
    size = torch.rand(40, generator=generator) * 6 + 12
    low, high = borders(size)
    place = low[:, None] + (high - low)[:, None] * torch.rand(40, 2, generator=generator)
    velocity = torch.randn(40, 2, generator=generator) * 2
    places, velocities = travel(place, velocity, low, high, 12)
    for n in range(40):
        for axis in range(2):
            expected = by_steps(place[n, axis].item(), velocity[n, axis].item(), low[n].item(), high[n].item(), 12)
            torch.testing.assert_close(places[n, :, axis], torch.tensor([p for p, _ in expected]), atol=1e-4, rtol=0)
            torch.testing.assert_close(velocities[n, :, axis], torch.tensor([v for _, v in expected]))
    assert (velocities.sign() != velocity[:, None].sign()).any(), "nothing bounced: this would test little"
    torch.testing.assert_close(velocities.norm(dim=2), velocity.norm(dim=1)[:, None].expand(-1, 12))


def test_backwards_a_clip_is_a_clip_of_the_set():
    """Run from the end with the velocity turned round, the same places come in reverse: no arrow of time."""
    split = generate(50, 5)
    f = split.factors
    places = torch.stack([f["x"], f["y"]], 2)
    velocities = torch.stack([f["vx"], f["vy"]], 2)
    again, _ = travel(places[:, -1], -velocities[:, -1], *borders(f["size"]), 8)
    torch.testing.assert_close(again.flip(1), places, atol=1e-4, rtol=0)


def test_gravity_pulls_down_and_bounces_cost_speed():
    f = generate(200, 5, gravity=0.5).factors
    low, high = borders(f["size"])
    places, velocities = torch.stack([f["x"], f["y"]], 2), torch.stack([f["vx"], f["vy"]], 2)
    bounced = False
    for n in range(200):
        for t in range(7):
            for axis, pull in ((0, 0.0), (1, 0.5)):
                v = velocities[n, t, axis].item() + pull
                free = places[n, t, axis].item() + v
                inside = low[n].item() <= free <= high[n].item()
                bounced = bounced or not inside
                expected = v if inside else -0.5 * v
                assert velocities[n, t + 1, axis].item() == pytest.approx(expected, abs=1e-4)
    assert bounced and (f["y"][:, -1] - f["y"][:, 0]).mean() > 3, "things fall: y counts downwards"
    assert f["y"].max() <= high.max() and f["y"].min() >= low.min()


def test_turns_change_the_direction_but_not_the_speed():
    straight, some, all_ = (generate(300, 1, turns=turns).factors for turns in (0.0, 0.5, 1.0))

    def turned(f):
        """The share of steps after which the velocity is another, up to its signs: a bounce only turns those."""
        return ((f["vx"][:, 1:].abs() - f["vx"][:, :-1].abs()).abs() > 1e-3).float().mean().item()

    assert turned(straight) == 0 and turned(all_) > 0.97 and abs(turned(some) - 0.5) < 0.06
    speed = torch.stack([all_["vx"], all_["vy"]]).norm(dim=0)
    torch.testing.assert_close(speed, speed[:, :1].expand_as(speed))


def test_it_stays_inside_with_speeds_and_directions_as_said():
    f = generate(500, 2).factors
    low, high = borders(f["size"])
    for axis in ("x", "y"):
        assert (f[axis] >= low[:, None] - 1e-4).all() and (f[axis] <= high[:, None] + 1e-4).all()
        assert abs(f[axis][:, 0].mean() - SIDE / 2) < 1 and abs(f["v" + axis].mean()) < 0.3
    speed = torch.stack([f["vx"], f["vy"]]).norm(dim=0)
    assert SPEEDS[0] - 1e-4 <= speed.min() and speed.max() <= SPEEDS[1] + 1e-4


def test_the_emoji_is_drawn_where_the_factors_say():
    """The centre of what differs from the background is x, y, within a pixel (an emoji need not fill its square)."""
    n = 40
    f = generate(n, 3).factors
    places, ground = torch.stack([f["x"], f["y"]], 2), torch.full((n, 3, SIDE, SIDE), 0.5)
    clips = render(f["emoji"], ground, places, f["size"], torch.zeros(n)).float()
    differs = ((clips - 128).abs().amax(2) / 20).clamp(0, 1)  # [N, T, H, W]
    middle = torch.arange(SIDE) + 0.5
    total = differs.sum((2, 3))
    for axis, dim in (("x", 2), ("y", 3)):
        centre = (differs.sum(dim) * middle).sum(2) / total
        moved = centre[:, 1:] - centre[:, :-1]
        torch.testing.assert_close(moved, f[axis][:, 1:] - f[axis][:, :-1], atol=0.8, rtol=0)
        assert (centre - f[axis]).abs().mean() < 1.0


def test_the_background_is_still():
    """Where the emoji never comes, nothing changes."""
    split = generate(30, 4)
    f = split.factors
    far = (torch.arange(SIDE) + 0.5)[None, None, :] - f["x"][..., None]
    untouched = (far.abs() > 0.5 * f["size"][:, None, None] + 2).all(1)  # [N, W] columns
    columns = split.x.permute(0, 4, 1, 2, 3)[untouched]
    assert len(columns) > 50 and torch.equal(columns, columns[:, :1].expand_as(columns))


def test_reflect_by_hand():
    place, velocity = torch.tensor([[9.0], [1.0], [5.0]]), torch.tensor([[2.0], [-3.0], [1.0]])
    place, velocity = reflect(place, velocity, torch.tensor(2.0), torch.tensor(8.0))
    assert place.flatten().tolist() == [7.0, 3.0, 5.0] and velocity.flatten().tolist() == [-2.0, 3.0, 1.0]


@pytest.mark.parametrize("options", [{"frames": 1}, {"turns": 1.5}, {"gravity": 2.0}, {"gravity": -0.1}])
def test_impossible_clips_are_refused(options):
    with pytest.raises(ValueError, match="at least 2 frames"):
        generate(2, 0, **options)


def test_an_unknown_artist_and_an_unknown_option_are_refused():
    with pytest.raises(ValueError, match="no emoji artist"):
        generate(2, 0, artist="nobody")
    with pytest.raises(ValueError, match="has no option wind"):
        load("moving", wind=1)


# --- clips in the contract ---


def clips(n=4, shape=(5, 3, 8, 8)):
    return torch.randint(256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_a_split_may_hold_clips():
    split = Split(clips(), factors={"x": torch.rand(4, 5)})
    assert split[1:3].x.shape == (2, 5, 3, 8, 8) and split[[0]].factors["x"].shape == (1, 5)
    assert Dataset("films", split, split, split, []).channels == 3
    assert Dataset("films", *[Split(clips(shape=(5, 1, 8, 8)))] * 3, []).channels == 1


def test_clips_in_another_order_are_refused():
    with pytest.raises(ValueError, match=r"clips must be \[N, T, C, H, W\].*permute"):
        Split(clips(shape=(5, 8, 8, 3)))
    with pytest.raises(ValueError, match="clips uint8"):
        Split(clips().float())


def test_channels_of_clips_can_be_changed():
    grey = load("moving", limit=3, channels=1)
    assert grey.train.x.shape == (3, 8, 1, 32, 32) and grey.channels == 1
    colour = load("moving", limit=3).train.x
    torch.testing.assert_close(grey.train.x.float(), colour.float().mean(2, keepdim=True).round())
    assert math.isclose(grey.train.x.float().mean(), colour.float().mean(), rel_tol=0.01)
