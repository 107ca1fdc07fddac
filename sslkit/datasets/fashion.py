"""`fashion`: a balanced part of Fashion-MNIST that ships with the kit. See data/fashion/README.md."""

import numpy as np
import torch
import torch.nn.functional as F

from sslkit.datasets.contract import Dataset, Info, Split
from sslkit.datasets.root import bundled

CLASSES = ["t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
ABOUT = (
    "10,000 + 1,000 + 2,500 photographs of clothes, 28 x 28 grey, padded to 32 · Fashion-MNIST (Xiao et al. 2017), MIT"
)
INFO = Info("fashion", ABOUT, "MIT", "bundled", 5.9, 10)
VAL_PER_CLASS = 100


def load() -> Dataset:
    """Fashion-MNIST's photographs, padded to 32 x 32, one channel. Val is the last 100 training images of each class;
    test comes from the official test images."""
    with np.load(bundled("fashion/fashion.npz"), allow_pickle=False) as arrays:
        x, y, test_x, test_y = (torch.from_numpy(arrays[key]) for key in ("train_x", "train_y", "test_x", "test_y"))
    y, test_y = y.long(), test_y.long()
    x, test_x = (F.pad(images[:, None], (2, 2, 2, 2)) for images in (x, test_x))
    in_val = torch.zeros(len(y), dtype=torch.bool)
    for label in range(len(CLASSES)):
        in_val[(y == label).nonzero().flatten()[-VAL_PER_CLASS:]] = True
    train, val, test = Split(x[~in_val], y[~in_val]), Split(x[in_val], y[in_val]), Split(test_x, test_y)
    return Dataset("fashion", train, val, test, CLASSES, about=ABOUT)
