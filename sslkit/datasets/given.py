"""A set of your own that is in memory already: tensors, arrays, a torchvision data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslkit.datasets.contract import Dataset, Split
from sslkit.datasets.kinds import Pairs, describe
from sslkit.datasets.splits import split_indices

VAL, TEST = 0.1, 0.2  # shares of what is given
TAKES = (
    "load takes a set's name; images as a tensor or array, uint8 or in 0 .. 1, [N, C, H, W], [N, H, W, C] or grey [N, H, W]; "
    "(images, labels); or a data set with a length and items (image, label), as torchvision has them"
)


def load(
    source: Any, *, test: Any = None, classes: Sequence[str] | None = None, name: str = "yours", seed: int = 0
) -> Dataset:
    """A Dataset of what is given: x, (x, y), or a data set with items (image, label); without labels where there are none.

    x: images or clips as a tensor or array, tokens int64 [N, T], or Pairs. y: whole numbers [N], or names. A tenth becomes val; test is
    what `test` gives, in the same form, else a fifth, each class in its proportion, by a hash of the sample's number and `seed`. Of a
    torchvision set the images are taken as they are stored, before its transforms. TypeError or ValueError for what does not fit.
    """
    x, y, found = samples(source)
    n = len(x)
    if n < 10:
        raise ValueError(f"{n} samples are too few to part into train, val and test: at least 10")
    names = list(classes) if classes is not None else found
    held = None if test is None else samples(test)
    both = [y, held[1]] if held else [y]
    kinds = {"none" if v is None else "names" if isinstance(v, list) else "numbers" for v in both}
    if len(kinds) > 1:
        raise ValueError(
            f"the set and test= must have labels of one kind, or both none; here are {' and '.join(sorted(kinds))}"
        )
    if isinstance(y, list):
        names = names or sorted({*y, *(held[1] if held else [])})
        y = numbered(y, names)
        held = (held[0], numbered(held[1], names), None) if held else None
    if y is not None and not names:
        names = [str(k) for k in range(int(max(y.max(), held[1].max() if held else 0)) + 1)]
    parts = split_indices(n, max(1, round(VAL * n)), 0 if held else max(1, round(TEST * n)), seed, y)
    whole = Split(x, y)
    train, val = whole[parts[0]], whole[parts[1]]
    return Dataset(name, train, val, Split(held[0], held[1]) if held else whole[parts[2]], names or [])


def numbered(y: list[str], names: list[str]) -> Tensor:
    """Names of classes as their numbers, int64 [N]; ValueError for one that is not among `names`."""
    number = {name: k for k, name in enumerate(names)}
    if strangers := sorted({*y} - {*names}):
        raise ValueError(f"the label {strangers[0]!r} is not one of the classes {', '.join(names)}")
    return torch.tensor([number[name] for name in y])


def samples(source: Any) -> tuple[Any, Any, list[str] | None]:
    """(x, y or None, class names or None) of what is given."""
    if isinstance(source, Pairs):
        return source, None, None
    if isinstance(source, Tensor | np.ndarray):
        return images(source), None, None
    if isinstance(source, torch.utils.data.TensorDataset):
        source = tuple(source.tensors)
    if isinstance(source, tuple | list) and len(source) == 2 and not hasattr(source[0], "convert"):
        x, y = source
        if hasattr(x, "__len__") and hasattr(y, "__len__") and not isinstance(x, str):
            x = x if isinstance(x, Pairs) else images(x)
            y = labels(y)
            if len(x) != len(y):
                raise ValueError(f"{len(x)} images and {len(y)} labels: there must be one for each")
            return x, y, None
    if not hasattr(source, "__len__") or not hasattr(source, "__getitem__") or isinstance(source, str | dict):
        raise TypeError(f"{TAKES}. This is a {type(source).__name__}")
    names = list(getattr(source, "classes", None) or []) or None
    known = (getattr(source, key, None) for key in ("targets", "labels", "_labels"))
    targets = next((found for found in known if found is not None), None)
    stored = getattr(source, "data", None)
    if isinstance(stored, Tensor | np.ndarray) and targets is not None and len(stored) == len(targets) == len(source):
        return images(stored), labels(targets), names
    x, y = one_by_one(source)
    return x, y, names


def one_by_one(source: Any) -> tuple[Tensor, Any]:
    """The images and labels of a data set, item by item. ValueError where images differ in size."""
    if not len(source):
        raise ValueError("the data set is empty")
    found: list[np.ndarray] = []
    answers: list[Any] = []
    for i in range(len(source)):
        item = source[i]
        image, answer = item if isinstance(item, tuple | list) and len(item) == 2 else (item, None)
        image = np.asarray(image.convert("RGB") if hasattr(image, "convert") else image)
        if image.ndim not in (2, 3):
            raise TypeError(f"{TAKES}. Item {i} holds a {type(item).__name__} of shape {list(image.shape)}")
        if found and image.shape != found[0].shape:
            raise ValueError(
                f"image {i} is {list(image.shape)}, image 0 {list(found[0].shape)}: give the set a transform to one size, such as "
                "torchvision.transforms.Resize((32, 32))"
            )
        found.append(image)
        answers.append(answer)
    return images(np.stack(found)), None if all(answer is None for answer in answers) else labels(answers)


def images(x: Any) -> Tensor:
    """uint8 [N, C, H, W] (or clips, or tokens as they are) of what a reader has; ValueError for what does not fit."""
    try:
        x = x.detach() if isinstance(x, Tensor) else torch.as_tensor(np.ascontiguousarray(x))  # which may run backwards
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{TAKES}. These are not numbers in one rectangular shape: {error}") from error
    if x.dtype == torch.int64 and x.dim() == 2:
        return x
    if x.dim() == 3:
        x = x[:, None]
    if x.dim() == 4 and x.shape[1] not in (1, 3) and x.shape[3] in (1, 3):
        x = x.permute(0, 3, 1, 2).contiguous()
    if x.dim() not in (4, 5) or x.shape[-3] not in (1, 3):
        more = ": take the transparency off, x[:, :3]" if x.dim() == 4 and 4 in (x.shape[1], x.shape[3]) else ""
        raise ValueError(f"images have 1 or 3 channels, [N, C, H, W] or [N, H, W, C]; got {describe(x)}{more}")
    if not len(x):
        raise ValueError("there are no images")
    if x.is_floating_point():
        low, high = float(x.min()), float(x.max())
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"images as decimal numbers lie in 0 .. 1, these in {low:.3g} .. {high:.3g}: divide by 255, or undo Normalize"
            )
        return (x * 255).round().to(torch.uint8)
    if x.dtype != torch.uint8:
        # int64, for torch cannot compare uint16.
        whole = None if x.is_complex() or x.dtype == torch.bool else x.long()
        if whole is None or int(whole.min()) < 0 or int(whole.max()) > 255:
            raise ValueError(f"images as whole numbers lie in 0 .. 255, as uint8; got {describe(x)}")
        return x.to(torch.uint8)
    return x


def labels(y: Any) -> Any:
    """int64 [N] of whole numbers from 0, or the names as a list; ValueError for what does not fit."""
    if not isinstance(y, Tensor):
        y = np.ascontiguousarray(y)
        if y.ndim == 1 and all(isinstance(name, str) for name in y.tolist()):  # a column of pandas is of dtype object
            return y.tolist()
        if y.dtype.kind not in "iufb":
            raise ValueError(f"labels are whole numbers [N] or names, got an array of {y.dtype}")
        y = torch.from_numpy(y)
    if y.dim() == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dim() != 1:
        raise ValueError(
            f"labels are one number for each image, [N], got {describe(y)}; of one-hot rows take argmax(1)"
        )
    if y.is_floating_point() and not torch.equal(y, y.round()):
        raise ValueError("labels are whole numbers, the class of each image; these are decimal numbers")
    y = y.long()
    if len(y) and int(y.min()) < 0:
        raise ValueError(
            f"labels start at 0, the smallest here is {int(y.min())}: leave unlabelled images out, or give x alone"
        )
    return y
