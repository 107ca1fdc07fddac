"""Fashion-MNIST's four files: found in torchvision's layout or Debian's package, else downloaded."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .archives import offline_ways, only_one, places
from .download import DownloadError, fetch
from .fashion import CLASSES

LAYOUT = "FashionMNIST/raw"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # the package dataset-fashion-mnist
FILES = {  # what is in it -> MD5 of the .gz file
    "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
}
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://dataset.bj.bcebos.com/fashion_mnist/",
)


def fashion_folder(root: Path, download: bool = True) -> Path | None:
    """The folder with the four files, plain or .gz. Downloads them where they are not; else None."""
    for folder in (*(place / LAYOUT for place in places(root)), DEBIAN):
        if all(_file(folder, name) for name in FILES):
            return folder
    if not download:
        return None
    folder = places(root)[1] / LAYOUT
    try:
        with only_one(places(root)[1] / "fashion-full"):
            for name, md5 in FILES.items():
                if not _file(folder, name):
                    file = name + ".gz"
                    fetch([base + file for base in MIRRORS], folder / file, md5)
    except DownloadError as error:
        ways = offline_ways("fashion-full", [(LAYOUT, "its four .gz files in it")], root)
        raise DownloadError("\n".join([str(error), *ways])) from error
    return folder


def read_fashion(folder: Path, padded: bool) -> tuple[dict[str, tuple[Tensor, Tensor | None]], list[str]]:
    """{"train", "test"}: uint8 images [N, 1, 28, 28], `padded` [N, 1, 32, 32], and labels; class names."""
    parts: dict[str, tuple[Tensor, Tensor | None]] = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        x = _read_idx(folder, f"{prefix}-images-idx3-ubyte", 3)[:, None]
        y = _read_idx(folder, f"{prefix}-labels-idx1-ubyte", 1).long()
        parts[part] = (F.pad(x, (2, 2, 2, 2)) if padded else x), y
    return parts, list(CLASSES)


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / (name + ".gz")) if path.is_file()), None)


def _read_idx(folder: Path, name: str, dims: int) -> Tensor:
    """An IDX file of bytes, packed or not: 0, 0, 8, number of axes; each axis' length in 4 bytes, big-endian; the values."""
    path = _file(folder, name) or folder / name
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            content = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it, and load the set again") from error
    head = 4 + 4 * dims
    known = len(content) >= head and content[:4] == bytes([0, 0, 8, dims])
    shape = np.frombuffer(content, dtype=">u4", count=dims, offset=4).tolist() if known else []
    if not known or len(content) != head + math.prod(shape):
        raise ValueError(f"{path} is damaged, or not an IDX file of bytes: delete it, and load the set again")
    return torch.from_numpy(np.frombuffer(content, dtype=np.uint8, offset=head).reshape(shape).copy())
