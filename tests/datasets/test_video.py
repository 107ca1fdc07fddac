"""`video:PATH`: films of one's own, cut into clips."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from sslkit.datasets import load
from sslkit.datasets.video import cut, natural


def shots(n, width=40, height=32, start=0):
    """n frames, each of one grey that says which it is: 2 levels a frame."""
    return [Image.fromarray(np.full((height, width, 3), 2 * (start + k), np.uint8)) for k in range(n)]


def save_gif(path, frames):
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, loop=0)
    return path


def save_film(path, frames):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = *frames[0].size, "yuv420p"
        for image in frames:
            for packet in stream.encode(av.VideoFrame.from_image(image)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def numbers(x):
    """Which frame each frame of clips x is, by its grey: [N, T]."""
    return (x.float().mean((2, 3, 4)) / 2).round().long()


def test_a_gif_is_cut_in_order_and_no_frame_is_on_two_sides(tmp_path):
    data = load(f"video:{save_gif(tmp_path / 'a.gif', shots(100))}", frames=4)
    assert data.train.x.shape[1:] == (4, 3, 32, 32) and data.train.y is None and data.classes == []
    seen = {part: set(numbers(split.x).flatten().tolist()) for part, split in data.splits.items()}
    assert seen["train"] == set(range(70)) and max(seen["val"]) < 80 <= min(seen["test"])
    assert not seen["train"] & seen["val"] and not seen["val"] & seen["test"]
    for split in data.splits.values():
        which = numbers(split.x)
        assert torch.equal(which, which[:, :1] + torch.arange(4))
        assert torch.equal(which[:, 0], split.factors["start"])
    assert data.val.names[0] == "a.gif @ 70"


def test_every_and_stride(tmp_path):
    path = save_gif(tmp_path / "a.gif", shots(120))
    which = numbers(load(f"video:{path}", frames=3, every=2, stride=3).train.x)
    assert which[:2].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert numbers(load(f"video:{path}", frames=3, stride=1).train.x)[:2].tolist() == [[0, 1, 2], [1, 2, 3]]


def test_a_folder_of_frames_in_natural_order(tmp_path):
    for k, image in enumerate(shots(60)):
        image.save(tmp_path / f"frame{k}.png")  # frame10 sorts before frame2 as text
    data = load(f"video:{tmp_path}", frames=5)
    assert numbers(data.train.x)[0].tolist() == [0, 1, 2, 3, 4]
    assert set(numbers(data.test.x).flatten().tolist()) <= set(range(48, 60))
    names = ["a10", "a2", "b1", "2", "10"]
    assert sorted(map(str, names), key=natural) == ["2", "10", "a2", "a10", "b1"]


def test_several_films_are_split_by_film(tmp_path):
    for k in range(4):
        save_gif(tmp_path / f"{k}.gif", shots(12, start=20 * k))
    (tmp_path / "notes.txt").write_text("no film")
    data = load(f"video:{tmp_path}", frames=4)
    films = {part: set(split.factors["video"].tolist()) for part, split in data.splits.items()}
    assert len(films["train"]) == 2 and len(films["val"]) == len(films["test"]) == 1
    assert len(set.union(*films.values())) == 4
    for split in data.splits.values():
        assert torch.equal(numbers(split.x)[:, 0], 20 * split.factors["video"] + split.factors["start"])


def test_a_folder_of_folders_of_frames(tmp_path):
    for k in range(3):
        (tmp_path / f"film{k}").mkdir()
        for j, image in enumerate(shots(6, start=10 * k)):
            image.save(tmp_path / f"film{k}" / f"{j}.png")
    data = load(f"video:{tmp_path}", frames=3)
    assert sorted(len(split) for split in data.splits.values()) == [4, 4, 4]


def test_films_by_pyav(tmp_path):
    path = save_film(tmp_path / "a.mp4", shots(60, 64, 48))
    data = load(f"video:{path}", frames=4, size=24)
    assert data.train.x.shape[1:] == (4, 3, 24, 24)
    grey = data.train.x.float().mean((2, 3, 4))
    expected = 2.0 * (data.train.factors["start"][:, None] + torch.arange(4))
    assert (grey - expected).abs().max() < 8, "compressed, but the same frames in the same order"
    assert (grey[-1, -1] - grey[0, 0]) > 60


def test_without_pyav_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match="pip install av"):
        load(f"video:{tmp_path / 'a.mp4'}")


def test_the_middle_square_and_the_channels(tmp_path):
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 200  # only the middle square is bright
    for k in range(60):
        Image.fromarray(image).save(tmp_path / f"{k}.png")
    data = load(f"video:{tmp_path}", channels=1, size=16, frames=4)
    assert data.channels == 1 and data.train.x.float().mean() > 180


def test_memory_is_limited_with_a_warning(tmp_path):
    path = save_gif(tmp_path / "a.gif", shots(100))
    with pytest.warns(UserWarning, match="only its first 50 frames"):
        data = load(f"video:{path}", frames=2, stride=2, memory_gb=50 * 3 * 32 * 32 / 1e9)
    assert numbers(data.test.x).max() == 49 and "first 50 frames" in data.skipped[0]


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda p: p / "nothing.gif", "there is no film or folder"),
        (lambda p: p, "holds no film"),
        (lambda p: save_gif(p / "short.gif", shots(5)), "too short for clips of 8 frames in train, val"),
        (lambda p: save_gif(p / "one.gif", shots(1)), "has 1 frame: a film has at least two"),
    ],
)
def test_where_there_is_nothing_to_learn_it_says_so(tmp_path, make, words):
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        load(f"video:{make(tmp_path)}")


def test_unreadable_files(tmp_path):
    for name in ("bad.gif", "bad.mp4"):
        (tmp_path / name).write_bytes(b"this is no film at all")
        if name.endswith("mp4"):
            pytest.importorskip("av")
        with pytest.raises(ValueError, match="cannot be read"):
            load(f"video:{tmp_path / name}")
    for k in range(3):
        save_gif(tmp_path / f"good{k}.gif", shots(10))
    with pytest.warns(UserWarning, match="bad"):
        data = load(f"video:{tmp_path}", frames=4)
    assert len(data.skipped) == 2 and sum(map(len, data.splits.values())) > 0


@pytest.mark.parametrize("options", [{"frames": 1}, {"every": 0}, {"val": 0.0}, {"val": 0.6, "test": 0.5}])
def test_impossible_options_are_refused(tmp_path, options):
    with pytest.raises(ValueError, match="at least 2 frames|frames is 1|every is 0"):
        load(f"video:{save_gif(tmp_path / 'a.gif', shots(40))}", **options)
    with pytest.raises(ValueError, match="name a film"):
        load("video:")


def test_cut_by_time_covers_each_film_once():
    films = [torch.arange(50).view(50, 1, 1, 1), torch.arange(20).view(20, 1, 1, 1)]
    parts = cut(films, 0.1, 0.2, 0)
    for i, film in enumerate(films):
        pieces = [piece for part in ("train", "val", "test") for j, _, piece in parts[part] if i == j]
        assert torch.equal(torch.cat(pieces), film)
