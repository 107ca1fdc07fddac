"""The scoreboard: its numbers and its words."""

from dataclasses import replace

import pytest
import torch
from tints import Method, Net, tinted
from torch import nn

from sslkit.measures import effective_rank, spread
from sslkit.probes import (
    Row,
    Scoreboard,
    accuracy,
    features,
    few_labels,
    knn,
    linear_probe,
    pixels,
    reinitialised,
    scoreboard,
)

pytestmark = pytest.mark.usefixtures("plain_precision")


def board(model=None, data=None, **options):
    torch.manual_seed(0)
    options = {"seeds": (0, 4), "per_class": 5, "supervised_steps": 25} | options
    return scoreboard(model or Method(), data or tinted(), **options)


@pytest.fixture(scope="module")
def shared():
    """One board for the tests that only look: (method, data, board)."""
    torch.manual_seed(0)
    method, data = Method(), tinted()
    return method, data, board(method, data, name="Tints & <co>")


def test_rows_in_order_and_the_test_split_read_once_by_each(shared):
    _, data, shown = shared
    assert [row.name for row in shown.rows] == ["pixels", "untrained", "Tints & <co>", "supervised"]
    assert (data.test.x.reads == 4).all()
    assert shown.rows[3].knn > shown.rows[1].knn > 0.2


@pytest.mark.parametrize("row, of", [(0, "pixels"), (1, "untrained"), (2, "method")])
def test_numbers_are_those_of_the_judges(shared, row, of):
    method, data, shown = shared
    network = {"untrained": reinitialised(method.encoder, 0), "method": method}.get(of)
    h = [pixels(s.x) if of == "pixels" else features(network, s.x) for s in (data.train, data.val, data.test)]
    y = [s.y for s in (data.train, data.val, data.test)]
    found, few = shown.rows[row], few_labels(h[0], y[0], h[2], y[2], per_class=5, seeds=(0, 4))
    assert found.knn == accuracy(knn(h[0], y[0], h[2]), y[2])
    assert found.linear_probe == pytest.approx(linear_probe(h[0], y[0], h[1], y[1]).score(h[2], y[2]), abs=0.04)
    assert found.few_labels_all == pytest.approx(few)
    assert found.few_labels == pytest.approx(sum(few) / 2)
    assert found.few_labels_std == pytest.approx(abs(few[0] - few[1]) / 2)
    assert found.effective_rank == pytest.approx(effective_rank(h[2]))
    assert found.spread == pytest.approx(spread(h[2]))
    assert found.chance == pytest.approx(1 / 3)


def test_the_table_as_text_and_html(shared):
    shown = shared[2]
    lines = str(shown).splitlines()
    assert len({line.index("kNN") + 3 for line in lines[:1]}) == 1 and len(lines) == 2 + 4 + 1
    for row, line in zip(shown.rows, lines[2:]):
        assert line.startswith(row.name) and f"{100 * row.knn:.1f}" in line and "±" in line
    end = lines[0].index("kNN") + 3
    assert all(line[end - 1].isdigit() and line[end] == " " for line in lines[2:6])  # right-aligned below the header
    page = shown._repr_html_()
    assert "Tints &amp; &lt;co&gt;" in page and "<co>" not in page and page.count("<tr>") == 5
    assert repr(shown) == str(shown)


def test_the_caption_tells_protocol_splits_and_seeds(shared):
    caption = shared[2].caption
    for word in (
        "tints",
        "test split (60 images",
        "33.3",
        "k = 20",
        "30 val images",
        "90 training images",
        "5 labels per class",
        "2 choices",
        "seeds 0, 4",
        "25 steps",
    ):
        assert word in caption, word


def test_a_collapsed_and_a_guessing_network_are_called_so():
    class Constant(Net):
        def forward(self, x):
            return torch.ones(len(x), 8) + 1e-4 * super().forward(x)

    class Blind(Net):
        def forward(self, x):
            return torch.randn(len(x), 8, generator=torch.Generator().manual_seed(int(x.sum() * 1000)))

    said = [board(net, with_supervised=False).rows[2].verdict for net in (Constant(), Blind())]
    assert "collapsed" in said[0] and "spread 0.00" in said[0]
    assert said[1] == "no better than guessing"


def test_verdicts():
    good = Row("net", 0.3, 0.4, [0.2], effective_rank=30.0, spread=0.5, chance=0.1, tested=1000)
    assert good.verdict == ""
    assert "collapsed" in replace(good, effective_rank=1.1).verdict
    assert "collapsed" in replace(good, spread=0.05).verdict
    weak = replace(good, knn=0.11, linear_probe=0.12)
    assert weak.verdict == "no better than guessing"
    assert replace(weak, tested=100_000).verdict == ""  # enough images to tell
    assert replace(good, knn=0.1).verdict == ""  # one judge sees something


def test_a_verdict_follows_its_row_in_text_and_html():
    good = Row("a net", 0.3, 0.4, [0.2, 0.4], effective_rank=30.0, spread=0.5, chance=0.1, tested=1000)
    shown = Scoreboard([good, replace(good, name="b", knn=0.1, linear_probe=0.1)], "C.")
    assert str(shown).splitlines() == [
        "        kNN  linear probe   few labels  effective rank",
        "-" * 54,
        "a net  30.0          40.0  30.0 ± 10.0            30.0",
        "b      10.0          10.0  30.0 ± 10.0            30.0  no better than guessing",
        "C.",
    ]
    assert shown._repr_html_().count("<td>no better than guessing</td>") == 1


def test_few_examples_of_a_class_are_told_not_hidden():
    data = tinted()
    shown = board(data=data, per_class=200, with_supervised=False)
    assert "30 labels per class (not 200: the smallest class has no more)" in shown.caption
    assert [row.name for row in shown.rows] == ["pixels", "untrained", "Method"]


def test_a_limit_takes_rows_from_all_over_a_sorted_set():
    data = tinted()
    order = data.train.y.argsort(stable=True)
    data.train = type(data.train)(data.train.x.subset(order), data.train.y[order])
    shown = board(data=data, limit=30, with_supervised=False)
    assert "30 training images" in shown.caption
    assert shown.rows[0].knn > 0.5  # all three classes were there


def test_no_labels_and_no_seeds_are_told_in_words():
    data = tinted()
    data.test = type(data.test)(data.test.x, None)
    with pytest.raises(ValueError, match="no labels.*subfolder per class"):
        board(data=data)
    with pytest.raises(ValueError, match="seed"):
        board(seeds=())


def test_a_method_and_its_encoder_score_alike():
    torch.manual_seed(0)
    method = Method()
    a, b = board(method, with_supervised=False), board(method.encoder, with_supervised=False)
    assert b.rows[2].name == "Net" and isinstance(method.encoder, nn.Module)
    assert [replace(row, name="") for row in a.rows] == [replace(row, name="") for row in b.rows]
