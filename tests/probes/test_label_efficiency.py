"""The label-efficiency table: what is in it, who gets which labels, and where two curves meet."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from sslkit.datasets import Dataset, Split
from sslkit.probes import crossing, finetune, label_efficiency, label_subset, lead
from sslkit.probes.label_efficiency import usable

pytestmark = pytest.mark.usefixtures("plain_precision")


class Tint(nn.Module):
    """The mean colour, then a linear layer: what the class of a tint is, is easily read from it."""

    def __init__(self, dim=6):
        super().__init__()
        self.dim, self.layer = dim, nn.Linear(3, dim)

    def forward(self, x):
        return self.layer(x.mean((2, 3)))


def split(n, seed, classes=3):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = torch.randint(0, 200, (n, 3, 8, 8), generator=g)
    x[torch.arange(n), y] += 40
    return Split(x.to(torch.uint8), y)


def tints():
    return Dataset(name="tints", train=split(90, 0), val=split(30, 1), test=split(60, 2), classes=list("rgb"))


# --- label subsets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_label_subset_is_nested_balanced_and_seeded(seed):
    y = torch.randint(4, (200,), generator=torch.Generator().manual_seed(9))
    sizes = [1, 2, 5, 10, 20, int(y.bincount().min())]
    subsets = [label_subset(y, n, seed) for n in sizes]
    for n, rows in zip(sizes, subsets):
        assert (y[rows].bincount() == n).all() and (rows.diff() > 0).all()
        assert torch.equal(rows, label_subset(y, n, seed))
    for few, many in zip(subsets, subsets[1:]):
        assert torch.isin(few, many).all()
    assert not torch.equal(subsets[2], label_subset(y, 5, seed + 1))


def test_none_means_all_labels():
    y = torch.tensor([0, 1, 1, 0, 1])
    assert label_subset(y, None, 3).tolist() == [0, 1, 2, 3, 4]


# --- the table -------------------------------------------------------------------------------------------------------


def test_the_table_is_plain_and_complete():
    torch.manual_seed(0)
    seen = []
    table = label_efficiency(
        Tint(), tints(), (5, 1, None), seeds=[0, 3], steps=3, steps_all=4, on_result=lambda t: seen.append(str(t))
    )
    assert set(table) == {"frozen probe", "fine-tuned", "from scratch"}
    for points in table.values():
        assert list(points) == [1, 5, 30]
        assert all(
            len(values) == 2 and all(type(v) is float and 0 <= v <= 1 for v in values) for values in points.values()
        )
    assert len(seen) == 3 * 3 * 2 and len(set(seen)) == len(seen)


def test_each_cell_is_what_finetune_gives_by_itself():
    torch.manual_seed(0)
    encoders, data = [Tint(), Tint()], tints()
    table = label_efficiency(encoders, data, (2, None), seeds=[4, 7], arms=("fine-tuned",), steps=5, steps_all=9)
    for i, (encoder, seed) in enumerate(zip(encoders, (4, 7))):
        assert table["fine-tuned"][2][i] == finetune(encoder, data, 2, seed, steps=5).test
        assert table["fine-tuned"][30][i] == finetune(encoder, data, None, seed, steps=9).test


def test_a_pretrained_encoder_leads_when_it_knows_the_answer():
    encoder, data = Tint(3), tints()
    with torch.no_grad():
        encoder.layer.weight.copy_(torch.eye(3) - 1 / 3)
    table = label_efficiency(encoder, data, (2,), seeds=range(3), arms=("fine-tuned", "frozen probe"), steps=30)
    assert min(table["frozen probe"][2]) > 0.9 and min(table["fine-tuned"][2]) > 0.9


def test_arms_of_ones_own():
    asked = []

    def mine(encoder, data, per_class, seed):
        asked.append((type(encoder).__name__, per_class, seed))
        return 0.25

    table = label_efficiency(Tint(), tints(), (1, None), seeds=[5], arms=(), more={"mine": mine})
    assert table == {"mine": {1: [0.25], 30: [0.25]}} and asked == [("Tint", 1, 5), ("Tint", None, 5)]


def test_counts_that_the_smallest_class_cannot_give_are_left_out():
    y = torch.tensor([0] * 4 + [1] * 12)
    assert usable((1, 2, 5, 10, None), y) == {1: 1, 2: 2, 8: None}
    assert usable((2, 1), y) == {1: 1, 2: 2}
    assert usable((1, 3, None), torch.tensor([0, 0, 0, 1, 1, 1])) == {1: 1, 3: None}
    with pytest.raises(ValueError, match="smallest class has 4"):
        usable((5, 10), y)


def test_mistakes_are_said_in_words():
    with pytest.raises(ValueError, match="no arm frozen;"):
        label_efficiency(Tint(), tints(), arms=("frozen",))
    with pytest.raises(ValueError, match="1 encoders, 2 seeds"):
        label_efficiency([Tint()], tints(), seeds=[0, 1])
    data = tints()
    data.test = Split(data.test.x, None)
    with pytest.raises(ValueError, match="no labels"):
        label_efficiency(Tint(), data)


# --- lead and crossing -----------------------------------------------------------------------------------------------


def test_lead_is_paired_by_seed():
    gaps = lead({1: [0.5, 0.4], 10: [0.6, 0.6]}, {1: [0.2, 0.3], 10: [0.7, 0.5], 100: [0.9]})
    assert gaps.keys() == {1, 10}
    np.testing.assert_allclose(gaps[1], [0.3, 0.1])
    np.testing.assert_allclose(gaps[10], [-0.1, 0.1])


def test_the_crossing_lies_on_the_logarithm():
    first = {1: [0.3], 10: [0.5], 100: [0.6]}
    assert crossing(first, {1: [0.1], 10: [0.4], 100: [0.7]}) == pytest.approx(10 * math.sqrt(10))
    assert crossing(first, {1: [0.1], 10: [0.4], 100: [0.5]}) is None
    assert crossing(first, {1: [0.3], 10: [0.6], 100: [0.7]}) == 1
    assert crossing(first, {1: [0.4], 10: [0.4], 100: [0.6]}) == pytest.approx(100)  # led again before the end
    with pytest.raises(ValueError, match="in common"):
        crossing({1: [0.3]}, {2: [0.3]})
