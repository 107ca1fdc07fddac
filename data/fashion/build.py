"""Make fashion.npz, a balanced subset of Fashion-MNIST, from the four original files (Debian: package
dataset-fashion-mnist).

    python data/fashion/build.py /usr/share/datasets/fashion-mnist

Takes the first 1,100 images of each class of the training files and the first 250 of each class of the test files, in
file order, passing over images that already stand in the pack. Writes `train_x` uint8 [11000, 28, 28], `train_y`,
`test_x` [2500, 28, 28], `test_y`. Needs numpy.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np


def read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def balanced(images: np.ndarray, labels: np.ndarray, per_class: int, seen: set[bytes]) -> np.ndarray:
    """Indices, in file order, of the first `per_class` images of each class that are not yet in `seen`."""
    left, kept = dict.fromkeys(range(10), per_class), []
    for i, (image, label) in enumerate(zip(images, labels)):
        if left[int(label)] and image.tobytes() not in seen:
            seen.add(image.tobytes())
            left[int(label)] -= 1
            kept.append(i)
    return np.array(kept)


def main(folder: Path) -> None:
    seen: set[bytes] = set()
    arrays = {}
    for part, name, per_class in (("train", "train", 1100), ("t10k", "test", 250)):
        images, labels = read(folder, part)
        index = balanced(images, labels, per_class, seen)
        arrays |= {f"{name}_x": images[index], f"{name}_y": labels[index]}
    target = Path(__file__).with_name("fashion.npz")
    np.savez_compressed(target, **arrays)
    print(target.stat().st_size, "bytes, sha256", hashlib.sha256(target.read_bytes()).hexdigest())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
