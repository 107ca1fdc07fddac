"""emoji, scenes and fashion: what ships, and that no image stands in two splits."""

import hashlib
import subprocess
import sys

import pytest
import torch

from sslkit.datasets import available, load, scenes
from sslkit.datasets.emoji import pack
from sslkit.datasets.root import SHIPPED


def images(split):
    return {image.numpy().tobytes() for image in split.x}


def assert_no_image_twice(data):
    parts = [images(split) for split in (data.train, data.val, data.test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_the_packs_are_those_of_their_readmes():
    for name in ("emoji", "fashion"):
        digest = hashlib.sha256((SHIPPED / name / f"{name}.npz").read_bytes()).hexdigest()
        assert digest in (SHIPPED / name / "README.md").read_text()


def test_emoji():
    data = load("emoji")
    assert [len(data.train), len(data.val), len(data.test)] == [1323, 192, 390] and len(data.classes) == 9
    assert data.train.x.shape[1:] == (3, 32, 32) and data.train.x.dtype == torch.uint8
    assert len(set(pack().subgroup)) == 98
    assert data.train.names[0] == "grinning face" and data.classes[data.train.y[0]] == "Smileys & Emotion"


def test_emoji_by_two_artists():
    both = load("emoji", artist="both")
    assert_no_image_twice(both)
    n = len(both.train) // 2
    assert torch.equal(both.train.factors["emoji"][:n], both.train.factors["emoji"][n:])
    assert both.train.factors["artist"].tolist() == [0] * n + [1] * n
    assert not torch.equal(both.train.x[:n], both.train.x[n:])
    crossed = load("emoji", artist="google", test_artist="twitter")
    assert torch.equal(crossed.train.x, load("emoji").train.x) and torch.equal(
        crossed.test.x, load("emoji", artist="twitter").test.x
    )
    with pytest.raises(ValueError, match="google, twitter and both"):
        load("emoji", artist="apple")


def test_scenes():
    data = load("scenes", train=1000, val=300, test=500)
    assert_no_image_twice(data)
    assert torch.bincount(data.train.y).tolist() == [100] * 10
    assert len(images(data.train)) == 1000
    f = data.train.factors
    assert set(f) == {"kind", "emoji", "x", "y", "size", "tilt", "hue", "background"}
    assert torch.equal(f["kind"], data.train.y)
    assert f["tilt"].abs().max() <= 25 and 17 <= f["size"].min() and f["size"].max() <= 29
    for kind, rows in enumerate(scenes.members().values()):
        assert torch.isin(f["emoji"][data.train.y == kind], rows).all()


def test_scenes_are_what_their_factors_say():
    """On a black ground, the drawing's centre of mass lies at (x, y), and its spread grows with the size."""
    n = 64
    disc = torch.zeros(n, 4, 32, 32, dtype=torch.uint8)
    at = torch.arange(32) - 15.5
    disc[:, :, (at[:, None] ** 2 + at**2) < 15**2] = 255
    x, y, size = (torch.rand(n, generator=torch.Generator().manual_seed(s)) * 8 + 12 for s in range(3))
    image = scenes.draw(disc, torch.zeros(n, 3, 32, 32), x, y, size, torch.zeros(n), torch.zeros(n)).float()[:, 0]
    mass, pixel = image.sum((1, 2)), torch.arange(32) + 0.5
    torch.testing.assert_close((image.sum(1) * pixel).sum(1) / mass, x, atol=0.1, rtol=0)
    torch.testing.assert_close((image.sum(2) * pixel).sum(1) / mass, y, atol=0.1, rtol=0)
    torch.testing.assert_close(mass / 255, torch.pi * (15 / 32 * size) ** 2, atol=0, rtol=0.06)


def test_tilt_turns_counter_clockwise():
    bar = torch.zeros(1, 4, 32, 32, dtype=torch.uint8)
    bar[:, :, 14:18, 16:] = 255  # points right
    centre = torch.tensor([16.0])
    turned = scenes.draw(
        bar, torch.zeros(1, 3, 32, 32), centre, centre, torch.tensor([32.0]), torch.tensor([90.0]), torch.zeros(1)
    )
    assert turned[0, 0, :15].sum() > 10 * turned[0, 0, 17:].sum()  # now it points up


def test_the_same_seed_gives_the_same_scenes_and_the_other_artist_other_drawings():
    a, again, other = (scenes.generate(64, seed) for seed in (1, 1, 2))
    assert torch.equal(a.x, again.x) and not torch.equal(a.x, other.x)
    hand = scenes.generate(64, 1, "twitter")
    assert torch.equal(hand.factors["emoji"], a.factors["emoji"]) and not torch.equal(hand.x, a.x)
    with pytest.raises(ValueError, match="google and twitter"):
        scenes.generate(10, 0, "both")


def test_fashion():
    data = load("fashion")
    assert [len(data.train), len(data.val), len(data.test)] == [10_000, 1_000, 2_500]
    for split in (data.train, data.val, data.test):
        assert torch.bincount(split.y).unique().numel() == 1
    assert data.train.x.shape[1:] == (1, 32, 32)
    assert_no_image_twice(data)


def test_limit_keeps_all_classes():
    for name in ("emoji", "scenes", "fashion"):
        data = load(name, limit=100)
        assert len(data.train) == len(data.val) == len(data.test) == 100
        assert len(data.train.y.unique()) == len(data.classes)


def test_channels():
    grey, colour = load("scenes", limit=20, channels=1), load("fashion", limit=20, channels=3)
    assert grey.channels == 1 and colour.channels == 3
    torch.testing.assert_close(
        grey.train.x.float(), load("scenes", limit=20).train.x.float().mean(1, True), atol=0.5, rtol=0
    )


def test_an_unknown_set_lists_what_exists():
    with pytest.raises(
        ValueError, match="emoji, scenes, moving, fashion, text, cifar10.*folder:PATH.*text:PATH.*video:PATH"
    ):
        load("mnist")


@pytest.mark.slow
def test_available_and_the_command_line():
    assert [info.name for info in available()][:5] == ["emoji", "scenes", "moving", "fashion", "text"]
    out = subprocess.run([sys.executable, "-m", "sslkit", "data"], capture_output=True, text=True, check=True).stdout
    for info in available():
        assert info.name in out and info.licence in out


def test_the_ready_encoder_loads_and_beats_its_untrained_self():
    from sslkit.probes import accuracy, features, knn, reinitialised
    from sslkit.runs import load_run

    method, state = load_run(SHIPPED / "encoders" / "simclr_scenes.pt")
    assert state["name"] == "simclr" and state["step"] == state["recipe"]["steps"]
    assert (
        hashlib.sha256((SHIPPED / "encoders/simclr_scenes.pt").read_bytes()).hexdigest()
        in (SHIPPED / "encoders/README.md").read_text()
    )
    data = load("scenes", train=1500, val=10, test=500)

    def score(network):
        h, test_h = (features(network, split.x) for split in (data.train, data.test))
        return accuracy(knn(h, data.train.y, test_h), data.test.y)

    assert score(method) > score(reinitialised(method.encoder)) + 0.1


def test_no_emoji_would_embarrass_a_class():
    assert not [name for name in pack().name if "middle finger extended" in name]


def test_a_background_takes_33_random_numbers():
    """What a seed draws must not change: every result rests on it."""
    mine, other = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    scenes.backgrounds(torch.arange(6), torch.zeros(6), mine)
    torch.rand(6, 8, generator=other), torch.rand(6, 1, 5, 5, generator=other)
    assert torch.equal(torch.rand(4, generator=mine), torch.rand(4, generator=other))
