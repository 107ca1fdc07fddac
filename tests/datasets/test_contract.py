"""The contract of every data set, and the splits that never change."""

import hashlib

import pytest
import torch
from overlaps import overlaps

from sslkit.datasets.contract import Dataset, Split
from sslkit.datasets.splits import image_hashes, split_by_key, split_indices


def images(n, seed=0, shape=(3, 4, 4)):
    return torch.randint(256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def split(n=10, **changes):
    names, factors = list("abcdefghij"[:n]), {"size": torch.rand(n)}
    return Split(**dict(x=images(n), y=torch.arange(n) % 3, factors=factors, names=names) | changes)


@pytest.mark.parametrize(
    "index, numbers",
    [
        (slice(2, 8, 3), [2, 5]),
        (slice(-2, None), [8, 9]),
        ([9, 0, 0], [9, 0, 0]),
        (torch.tensor([3, -1]), [3, 9]),
        (torch.arange(10) > 7, [8, 9]),
        (4, [4]),
        ([], []),
        (torch.tensor([1], dtype=torch.int32), [1]),
    ],
)
def test_indexing_keeps_all_columns_together(index, numbers):
    whole, part = split(), split()[index]
    assert len(part) == len(numbers)
    for row, i in enumerate(numbers):
        assert torch.equal(part.x[row], whole.x[i])
        assert part.y[row] == whole.y[i]
        assert part.names[row] == "abcdefghij"[i]
    assert part.factors["size"].shape == (len(numbers),)


def test_a_slice_shares_memory():
    whole = split()
    assert whole[2:5].x.data_ptr() == whole.x[2].data_ptr()


@pytest.mark.parametrize(
    "index, error",
    [
        ([10], IndexError),
        ([-11], IndexError),
        ([0.5], TypeError),
        (torch.zeros(2, 2, dtype=torch.int64), TypeError),
        (torch.ones(9, dtype=torch.bool), IndexError),
    ],
)
def test_a_wrong_index_is_an_error(index, error):
    with pytest.raises(error):
        split()[index]


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(x=images(10).float()), "uint8"),
        (dict(x=images(10)[0]), r"\[N, C, H, W\]"),
        (dict(x=images(10, shape=(32, 32, 3))), "permute"),
        (dict(y=torch.arange(9)), "y has 9 entries for 10"),
        (dict(y=torch.arange(10).float()), "int64"),
        (dict(names=["a"]), "names has 1"),
        (dict(factors={"size": torch.rand(3)}), "factors.*size.* has 3"),
    ],
)
def test_a_wrong_split_is_refused_in_words(changes, words):
    with pytest.raises(ValueError, match=words):
        split(**changes)


def test_tokens_are_samples_too():
    assert len(Split(torch.zeros(5, 16, dtype=torch.int64))) == 5


def dataset(**changes):
    fields = dict(name="toy", train=split(), val=split(4), test=split(5), classes=["a", "b", "c"])
    return Dataset(**fields | changes)


def test_dataset_knows_its_parts():
    data = dataset()
    assert list(data.splits) == ["train", "val", "test"] and data.channels == 3
    assert data.pretrain is data.train.x
    more = Split(images(20))
    data = dataset(unlabelled=more)
    assert data.pretrain is more.x and list(data.splits)[-1] == "unlabelled"
    assert "toy" in repr(data) and "20" in repr(data) and "tensor" not in repr(data) + repr(data.train)


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(val=split(4, x=images(4, shape=(1, 4, 4)))), "val holds samples of shape"),
        (dict(unlabelled=Split(images(2, shape=(3, 8, 8)))), "unlabelled holds"),
        (dict(classes=["a", "b"]), "train.y runs from 0 to 2"),
        (dict(test=split(5, y=torch.full((5,), -1))), "test.y runs from -1"),
        (dict(test=split(5, y=None)), "test has no labels"),
        (dict(classes=[]), "train has labels"),
    ],
)
def test_a_wrong_dataset_is_refused_in_words(changes, words):
    with pytest.raises(ValueError, match=words):
        dataset(**changes)


def test_split_indices_are_disjoint_exact_and_balanced():
    labels = torch.arange(1000) % 10
    train, val, test = split_indices(1000, 100, 200, seed=0, labels=labels)
    assert (len(train), len(val), len(test)) == (700, 100, 200)
    assert torch.equal(torch.cat([train, val, test]).sort().values, torch.arange(1000))
    assert torch.equal(labels[val].bincount(), torch.full((10,), 10))
    assert torch.equal(labels[test].bincount(), torch.full((10,), 20))
    assert not torch.equal(val, split_indices(1000, 100, 200, seed=1, labels=labels)[1])
    with pytest.raises(ValueError, match="cannot take"):
        split_indices(10, 6, 5)


def test_uneven_classes_keep_their_proportions():
    labels = torch.tensor([0] * 900 + [1] * 90 + [2] * 10)
    counts = labels[split_indices(1000, 100, 0, labels=labels)[1]].bincount()
    assert counts.sum() == 100 and (counts - torch.tensor([90, 9, 1])).abs().max() <= 1


def test_split_indices_never_change():
    """Written down once: should this fail, published numbers no longer compare."""
    _, val, _ = split_indices(50_000, 5_000, 0, seed=0, labels=torch.arange(50_000) % 10)
    assert hashlib.sha256(val.numpy().astype("<i8").tobytes()).hexdigest()[:16] == "d204b6eba0221b07"
    parts = split_by_key("abcdefghijklmnop", 0.2, 0.3)
    assert [part.tolist() for part in parts] == [[0, 3, 6, 8, 9, 14, 15], [1, 2, 5, 7, 11, 12], [4, 10, 13]]


def test_a_new_key_moves_no_other():
    def homes(keys):
        parts = split_by_key(keys, 0.1, 0.2)
        return {keys[i]: home for home, part in enumerate(parts) for i in part.tolist()}

    keys = [f"file{i}" for i in range(10_000)]
    before, after = homes(keys), homes(["new", *reversed(keys)])
    assert all(after[key] == before[key] for key in keys)
    counts = torch.tensor(list(before.values())).bincount() / 10_000
    assert (counts - torch.tensor([0.7, 0.1, 0.2])).abs().max() < 0.01
    same = split_by_key(["twin"] * 50, 0.3, 0.3)
    assert sorted(map(len, same)) == [0, 0, 50]
    with pytest.raises(ValueError, match="fractions"):
        split_by_key(keys, 0.5, 0.5)


def test_shared_images_are_found():
    train, test = split(10), split(5, x=images(5, seed=1))
    assert overlaps({"train": train, "test": test}) == {}
    test.x[[0, 1, 2]] = train.x[[7, 7, 3]]
    test.x[4] = train.x[5]
    test.x[4, 0, 0, 0] ^= 1  # one bit apart is another image
    assert overlaps({"train": train, "test": test}) == {("train", "test"): 2}


def test_hashes_see_pixels_not_memory_layout():
    x = images(6)
    assert image_hashes(x, batch=4) == image_hashes(x.contiguous(memory_format=torch.channels_last))
    assert len(set(image_hashes(x))) == 6
