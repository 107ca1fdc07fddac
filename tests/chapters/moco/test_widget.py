"""The queue made visible: ages of its keys against a queue of stamps, the figure, the widget."""

from collections import deque

import numpy as np
import pytest
import torch
from displayed import displayed

from sslkit.chapters.moco import figures, staleness
from sslkit.chapters.moco.figures import key_ages
from sslkit.chapters.moco.widget import key_queue, words_of

A = np.arange(41)
SAME = {0: 0.3 + 0.7 * np.exp(-A / 3), 0.9: np.exp(-A / 30), 0.99: np.exp(-A / 300), 0.999: 1 - A / 1e4}
CURVES = {m: np.stack([same, np.full(41, 0.2)]) for m, same in SAME.items()}


def test_agreement_by_age_against_cosines_taken_one_by_one():
    keys = torch.nn.functional.normalize(torch.randn(30, 5, 3), dim=2)
    same, other = staleness.agreement(keys, 7)
    assert same.shape == other.shape == (8,) and same[0].item() == pytest.approx(1, abs=1e-6)
    for a in (0, 7):
        pairs = {(i, j): [] for i in range(5) for j in range(5)}
        for t in range(14, 30):
            for i, j in pairs:
                pairs[i, j].append(float(keys[t, i] @ keys[t - a, j]))
        assert same[a].item() == pytest.approx(np.mean([pairs[i, i] for i in range(5)]), abs=1e-6)
        assert other[a].item() == pytest.approx(np.mean([v for (i, j), v in pairs.items() if i != j]), abs=1e-6)


@pytest.mark.parametrize("queue, batch", [(12, 4), (10, 4), (7, 3), (5, 5), (6, 1), (3, 8)])
def test_ages_are_those_of_a_queue_that_was_filled_key_by_key(queue, batch):
    rows, order = [None] * queue, deque(maxlen=queue)
    number = 0
    for made in range(60):
        if made >= queue:  # full by now: what does step `made` meet?
            ages = [made - stamp for stamp in rows]
            assert key_ages(queue, batch, made).tolist() == ages
            assert sorted(ages) == sorted(made - stamp for stamp in order)
        for _ in range(batch):
            rows[number % queue] = made
            order.append(made)
            number += 1


def test_the_figure_says_what_it_shows():
    picture = figures.dictionary(CURVES, 256, 16, ["0", "0.99"], 3, title="Keys", caption="Made up.")
    assert picture.png[:4] == b"\x89PNG" and len(picture.png) < 60_000
    mean = np.mean(SAME[0.99][1:17])
    assert f"0.99: mean agreement {mean:.2f}" in picture.alt
    assert f"0.9 at age 32: {SAME[0.9][32]:.2f}, other images 0.20" in picture.alt and "age 128" not in picture.alt
    assert "256 keys, batch 16, oldest key 16 steps old" in picture.alt and "Made up." in picture.alt


def test_keys_older_than_the_measurement_are_left_out_of_the_mean():
    picture = figures.dictionary({"run": torch.tensor([[1.0, 0.5], [0.1, 0.1]])}, 64, 16)
    assert "mean agreement 0.50" in picture.alt


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(agreement={}, queue=8, batch=2), "can be shown"),
        (dict(agreement=CURVES, queue=8, batch=2, shown=["7"]), "not 7"),
        (dict(agreement=CURVES, queue=8, batch=2, shown=list("0123")), "one to three"),
        (dict(agreement=CURVES, queue=0, batch=2), "got 0 and 2"),
        (dict(agreement=CURVES, queue=8, batch=0), "got 8 and 0"),
    ],
)
def test_wrong_input_is_refused_in_words(arguments, words):
    with pytest.raises(ValueError, match=words):
        figures.dictionary(**arguments)


def test_each_control_changes_the_picture():
    panel = key_queue(CURVES, queue=256, batch=64, momentum=0.99, note="Made up.")
    assert panel.controls["momentum"].value == "momentum 0.99" and "Made up." in panel.picture.alt
    for name, value in (("queue", 1024), ("batch", 32), ("momentum", "momentum 0"), ("step", 50)):
        before = panel.image.value
        panel.controls[name].value = value
        assert panel.words.value == "" and panel.image.value != before, name
    assert "1024 keys, batch 32, oldest key 32 steps old; momentum 0" in panel.picture.alt


def test_it_is_shown_as_widget_and_as_picture():
    panel = key_queue(CURVES)
    picture = displayed(panel)
    assert "Run the notebook" in picture.alt and len(picture.png) < 200_000


def test_the_title_says_how_old_and_what_it_is_worth():
    title, _ = words_of(CURVES[0.9], 640, 32)
    assert title == f"640 keys at 32 a step: the oldest is 20 steps old (agreement {np.exp(-20 / 30):.2f})"
    assert "1 step old" in words_of(CURVES[0.9], 32, 32)[0]
    assert "older than what was measured" in words_of(CURVES[0.9], 8192, 16)[0]


def test_no_run_is_an_error():
    with pytest.raises(ValueError, match="at least one run"):
        key_queue({})
