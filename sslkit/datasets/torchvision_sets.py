"""The published sets that torchvision knows: cifar10, cifar100, stl10, imagenette and fashion-full.

Files on disk in torchvision's layout are used as they are; what is missing is downloaded on first use. Test
is the official test split, val a tenth of the official training split, the same forever. Images that val or
test holds too are left out of the others: STL-10's unlabelled split holds thousands of its test images (Yann
and Xing 2025). Plain formats are read in readers.py: torchvision's classes hash every file on each start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .archives import Archive, obtain, on_disk, places
from .contract import Dataset, Info, Split
from .fashion_files import fashion_folder, read_fashion
from .folder import from_samples
from .listing import arrange, image_files
from .mirrors import CIFAR10, CIFAR100, IMAGENETTE, STL10
from .readers import Parts, read_cifar10, read_cifar100, read_stl10
from .reading import Reading
from .root import data_root
from .splits import image_hashes, split_indices


@dataclass(frozen=True)
class Source:
    """A set: what to say of it, its files, and what reads them: `read(folder)` gives Parts and classes."""

    about: str
    licence: str
    classes: int
    megabytes: float  # to download
    archives: tuple[Archive, ...] = ()
    read: Callable[[Path], tuple[Parts, list[str]]] | None = None


def load(
    name: str, *, size: int | None = None, root: Path | None = None, channels: int | None = None, **options
) -> Dataset:
    """One of `SOURCES` as uint8 [N, C, size, size], from `root` (data_root()), else downloaded.

    size     by default 32 for cifar10, cifar100 and fashion-full (28 x 28, padded), 96 for stl10, 64 for
             imagenette; to any other size images are resized, antialiased
    channels imagenette alone is decoded so at once: 3 (RGB, the default) or 1 (grey)
    options  imagenette takes those of folder.load: memory_gb, workers

    Raises DownloadError, whose text names what helps without a network, or ValueError for damaged files and unknown options.
    """
    if name not in SOURCES:
        raise ValueError(f"no set {name!r}; there are {', '.join(SOURCES)}")
    source, root = SOURCES[name], Path(root or data_root())
    about, known = f"{source.about} · {source.licence}", ("memory_gb", "workers") if name == "imagenette" else ()
    if unknown := sorted(set(options) - set(known)):  # before anything is downloaded
        raise ValueError(
            f"the data set {name} has no option {', '.join(unknown)}; it has {', '.join(('size', 'root', *known))}"
        )
    if name == "imagenette":
        return _imagenette(root, size or 64, about, channels=channels or 3, **options)
    if source.read is None:
        folder = fashion_folder(root)
        assert folder is not None  # downloaded where it was missing
        parts, classes = read_fashion(folder, padded=size in (None, 32))
    else:
        archive, folder = obtain(name, source.archives, root)
        parts, classes = source.read(folder)
    return _assemble(name, parts, classes, size or parts["train"][0].shape[-1], about)


def infos(root: Path | None = None) -> list[Info]:
    """One line for each set, with whether its files are on disk."""
    root = Path(root or data_root())
    lines = []
    for name, source in SOURCES.items():
        if name == "fashion-full":
            found = fashion_folder(root, download=False) is not None
        else:
            packed = any((place / a.file).is_file() for a in source.archives for place in places(root))
            found = packed or on_disk(source.archives, root) is not None
        where = "on disk" if found else "to download"
        lines.append(Info(name, source.about, source.licence, where, source.megabytes, source.classes))
    return lines


def _assemble(name: str, parts: Parts, classes: list[str], size: int, about: str) -> Dataset:
    """Cut val out of train, leave out copies of held-out images, resize."""
    (x, y), (test_x, test_y) = parts["train"], parts["test"]
    assert y is not None and test_y is not None  # only what is for pretraining has none
    for part, labels in (("train", y), ("test", test_y)):
        if len(labels) != len(parts[part][0]) or not 0 <= labels.min() <= labels.max() < len(classes):
            raise ValueError(
                f"{name}: the labels of {part} do not fit its images; delete the folder and load the set again"
            )
    train_index, val_index, _ = split_indices(len(y), len(y) // 10, 0, seed=0, labels=y)
    skipped: list[str] = []

    def fresh(part: str, index: Tensor, hashes: list[bytes], held: set[bytes]) -> Tensor:
        keep = torch.tensor([i for i in index.tolist() if hashes[i] not in held], dtype=torch.int64)
        if len(keep) < len(index):
            skipped.append(f"{len(index) - len(keep)} images of {part}: copies of held-out images")
        return keep

    hashes, held = image_hashes(x), set(image_hashes(test_x))
    val_index = fresh("val", val_index, hashes, held)
    held |= {hashes[i] for i in val_index.tolist()}
    train_index = fresh("train", train_index, hashes, held)
    splits = {
        "train": Split(_gather(x, train_index, size), y[train_index]),
        "val": Split(_gather(x, val_index, size), y[val_index]),
        "test": Split(_gather(test_x, torch.arange(len(test_y)), size), test_y),
    }
    if "unlabelled" in parts:
        more = parts["unlabelled"][0]
        index = fresh("unlabelled", torch.arange(len(more)), image_hashes(more), held)
        splits["unlabelled"] = Split(_gather(more, index, size))
    train, val_, test_ = (splits[part] for part in ("train", "val", "test"))
    return Dataset(name, train, val_, test_, classes, splits.get("unlabelled"), about, skipped)


def _gather(x: Tensor, index: Tensor, size: int) -> Tensor:
    """x[index] at size x size, a few at a time, so that a mapped file need not fit into memory twice."""
    out = torch.empty(len(index), x.shape[1], size, size, dtype=torch.uint8)
    for start in range(0, len(index), 2048):
        images = x[index[start : start + 2048]]
        if size != x.shape[-1]:
            images = F.interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)
            images = images.round().clamp(0, 255).to(torch.uint8)
        out[start : start + 2048] = images
    return out


def _imagenette(root: Path, size: int, about: str, **options) -> Dataset:
    """From the smallest published version whose shorter side (160, 320 or full) is at least `size`."""
    fitting = tuple(archive for side, archive in IMAGENETTE.items() if side >= size)
    _, folder = on_disk(fitting, root) or obtain("imagenette", fitting[:1], root)
    paths, problems = image_files(folder)
    parts, misplaced = arrange(paths)
    data = from_samples(
        "imagenette", folder, parts, Reading(size, **options), about=about, skipped=problems + misplaced
    )
    data.classes = [IMAGENETTE_CLASSES.get(label, label) for label in data.classes]
    return data


IMAGENETTE_CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}


NO_LICENCE = "no licence stated, used for research"
SOURCES = {
    "cifar10": Source(
        "60,000 photographs of 10 kinds of things, 32 x 32 (Krizhevsky 2009, from Tiny Images)",
        NO_LICENCE,
        10,
        170,
        CIFAR10,
        read_cifar10,
    ),
    "cifar100": Source(
        "60,000 photographs of 100 kinds of things, 32 x 32 (Krizhevsky 2009, from Tiny Images)",
        NO_LICENCE,
        100,
        169,
        CIFAR100,
        read_cifar100,
    ),
    "stl10": Source(
        "13,000 photographs of 10 kinds of things and 100,000 without labels, 96 x 96 "
        "(Coates, Ng and Lee 2011, from ImageNet)",
        NO_LICENCE + ", as ImageNet",
        10,
        2640,
        STL10,
        read_stl10,
    ),
    "imagenette": Source(
        "13,394 photographs of 10 classes of ImageNet that are easily told apart (Howard 2019)",
        "list Apache 2.0; images as ImageNet, for research",
        10,
        99,
        tuple(IMAGENETTE.values()),
    ),
    "fashion-full": Source(
        "70,000 photographs of clothes, 28 x 28 grey, padded to 32 (Xiao, Rasul and Vollgraf 2017)",
        "MIT",
        10,
        31,
    ),
}
