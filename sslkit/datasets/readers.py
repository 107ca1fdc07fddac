"""CIFAR's and STL-10's published files as tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

# {"train", "test", "unlabelled"}: images uint8 [N, 3, H, W], labels int64 [N]
Parts = dict[str, tuple[Tensor, Tensor | None]]


def read_cifar10(folder: Path) -> tuple[Parts, list[str]]:
    """Images, labels and class names of either version of CIFAR-10."""
    python = folder.name == "cifar-10-batches-py"
    return _python(folder, "CIFAR10") if python else _binary(folder, 1, "batches.meta.txt")


def read_cifar100(folder: Path) -> tuple[Parts, list[str]]:
    """Images, fine labels and class names of either version of CIFAR-100."""
    python = folder.name == "cifar-100-python"
    return _python(folder, "CIFAR100") if python else _binary(folder, 2, "fine_label_names.txt")


def _binary(folder: Path, label_bytes: int, names: str) -> tuple[Parts, list[str]]:
    """CIFAR's binary files: records of `label_bytes` labels, the last of which counts, and 3072 pixels."""

    def part(pattern: str) -> tuple[Tensor, Tensor]:
        blocks = [_records(path, label_bytes + 3072) for path in sorted(folder.glob(pattern))]
        records = torch.from_numpy(np.concatenate(blocks))
        return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_bytes - 1].long()

    train, test = ("data_batch_*.bin", "test_batch.bin") if label_bytes == 1 else ("train.bin", "test.bin")
    return {"train": part(train), "test": part(test)}, (folder / names).read_text().split()


def _python(folder: Path, kind: str) -> tuple[Parts, list[str]]:
    """CIFAR's Python batches, which are pickles: torchvision loads them, once it has checked their MD5."""
    import torchvision  # a second to import, and rarely needed

    parts: Parts = {}
    for part in ("train", "test"):
        try:
            data = getattr(torchvision.datasets, kind)(folder.parent, train=part == "train")
        except RuntimeError as error:
            raise ValueError(
                f"{folder} does not hold the published files (MD5 differs): delete the folder, and load the set again"
            ) from error
        parts[part] = torch.from_numpy(data.data).permute(0, 3, 1, 2), torch.tensor(data.targets)
    return parts, list(data.classes)


def read_stl10(folder: Path) -> tuple[Parts, list[str]]:
    """STL-10's binary files, mapped rather than read: columns first, labels from 1."""

    def images(part: str) -> Tensor:
        path = folder / f"{part}_X.bin"
        _check_records(path, 3 * 96 * 96)
        mapped = np.memmap(path, dtype=np.uint8, mode="c").reshape(-1, 3, 96, 96)  # "c": a private copy
        return torch.from_numpy(mapped).transpose(2, 3)

    def labels(part: str) -> Tensor:
        return torch.from_numpy(np.fromfile(folder / f"{part}_y.bin", dtype=np.uint8)).long() - 1

    parts: Parts = {part: (images(part), labels(part)) for part in ("train", "test")}
    parts["unlabelled"] = images("unlabeled"), None
    return parts, (folder / "class_names.txt").read_text().split()


def _check_records(path: Path, length: int) -> None:
    size = path.stat().st_size
    if size == 0 or size % length:
        raise ValueError(
            f"{path} is damaged: {size} bytes are not whole records of {length}. Delete the "
            "folder, and load the set again"
        )


def _records(path: Path, length: int) -> np.ndarray:
    _check_records(path, length)
    return np.fromfile(path, dtype=np.uint8).reshape(-1, length)
