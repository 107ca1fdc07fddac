"""Clips that move: the animated PNG and the clip player."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from sslkit.chapters.next_frame import figures
from sslkit.chapters.next_frame.widget import clip_player
from sslkit.datasets import load


def clips(n=2, frames=4, side=8):
    """Frame t of clip k is grey 60 t + 10 k."""
    grey = 60 * torch.arange(frames)[None, :] + 10 * torch.arange(n)[:, None]
    return grey[:, :, None, None, None].expand(-1, -1, 3, side, side).to(torch.uint8)


def opened(picture):
    return Image.open(io.BytesIO(picture.png))


def frame(picture, t):
    image = opened(picture)
    image.seek(t)
    return np.asarray(image.convert("RGB")).astype(int)


def test_it_plays_for_ever_in_order():
    picture = figures.motion(clips(), title="What to see", caption="Words below.", milliseconds=200)
    image = opened(picture)
    assert image.format == "PNG" and image.n_frames == 4 and image.info["loop"] == 0
    for t in range(4):
        pixels = frame(picture, t)
        for k in range(2):
            level = 60 * t + 10 * k
            assert (abs(pixels - level).max(2) <= 6).sum() > 60 * 60, f"clip {k} is not seen at frame {t}"
    durations = []
    for t in range(4):
        image.seek(t)
        durations.append(image.info["duration"])
    assert durations == [200, 200, 200, 400]


def test_the_first_frame_can_be_chosen():
    picture = figures.motion(clips(), first=2)
    still = np.asarray(opened(picture).convert("RGB")).astype(int)
    assert (abs(still - 120).max(2) <= 6).sum() > 60 * 60
    image = opened(picture)
    image.seek(1)
    assert image.info["duration"] == 700  # the clip's last frame still stays longest


def test_the_same_clips_give_the_same_bytes_and_words():
    one, two = (figures.motion({"truth": clips(), "copy": clips()}, title="T", caption="C.") for _ in range(2))
    assert one.png == two.png
    assert one.alt == "Animation of 2 clips, 4 frames, rows: truth, copy. T. C."


def test_title_caption_names_and_times_are_drawn():
    plain = opened(figures.motion(clips())).size
    words = opened(figures.motion({"truth": clips()}, title="A title", caption="A caption.")).size
    assert words[1] > plain[1] + 30
    named = figures.motion({"truth": clips()}, ["first", "second", "third", "last"])
    other = figures.motion({"truth": clips()}, ["one", "second", "third", "last"])
    differs = [abs(frame(named, t) - frame(other, t)).max() for t in (0, 2)]
    assert differs[0] > 100 and differs[1] < 20  # the palette is made of all frames together


def test_it_stays_small():
    x = load("moving", train=2, val=2, test=7, frames=10).test.x
    picture = figures.motion({"truth": x, "copy": x, "predicted": x.float() / 255}, side=88, title="T", caption="C.")
    assert len(picture.png) < 150_000


def test_grey_float_and_single_frames():
    assert opened(figures.motion(torch.rand(1, 3, 1, 8, 8))).n_frames == 3
    assert not getattr(opened(figures.motion(torch.rand(2, 1, 3, 8, 8))), "is_animated", False)


@pytest.mark.parametrize(
    "bad, words",
    [
        (dict(clips={}), "no clip"),
        (dict(clips=torch.zeros(3, 8, 8)), r"\[N, T, C, H, W\]"),
        (dict(clips={"a": clips(2), "b": clips(3)}), "same number of clips"),
        (dict(clips={"a": clips(2, 4), "b": clips(2, 5)}), "same number of clips and of frames"),
        (dict(clips=clips(), times=["one"]), "1 times"),
        (dict(clips=clips(), first=4), "first=4"),
    ],
)
def test_wrong_clips_are_refused(bad, words):
    with pytest.raises(ValueError, match=words):
        figures.motion(**bad)


# --- the player ---


def test_the_player_follows_its_sliders():
    truth, wrong = clips(), clips() // 2
    panel = clip_player({"truth": truth, "half": wrong}, ["a", "b", "c", "d"])
    assert panel.words.value == "" and "Clip 0, a." in panel.picture.alt and "half 0.000" in panel.picture.alt
    panel.controls["frame"].value = 3
    panel.controls["clip"].value = 1
    assert panel.words.value == ""
    assert "Clip 1, d." in panel.picture.alt and f"half {(190 - 95) / 255:.3f}" in panel.picture.alt


def test_the_player_without_a_kernel_shows_all_frames():
    panel = clip_player({"truth": clips(), "copy": clips()}, start=2, title="Look")
    assert panel.controls["frame"].value == 2
    data, _ = panel._repr_mimebundle_()
    assert "Rows of images: truth, copy, error of copy. Look." in data["text/plain"]
    assert "data:image/png" in data["text/html"]


def test_the_player_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match="two rows or more"):
        clip_player({"truth": clips()})
    with pytest.raises(ValueError, match="2 times for 4"):
        clip_player({"truth": clips(), "copy": clips()}, ["a", "b"])
