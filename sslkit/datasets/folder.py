"""`folder:PATH`: a user's own images, in class folders, in split folders, or just images."""

from __future__ import annotations

from pathlib import Path

from . import cache
from .contract import Dataset, Split
from .counts import check_counts
from .images import formats
from .listing import arrange, image_files, suffixes_of
from .reading import Parts, Reading, read_files
from .root import in_home
from .streamed import StreamedImages


def load(
    path: str | Path,
    *,
    size: int | None = None,
    root: Path | None = None,
    channels: int = 3,
    labelled: bool | None = None,
    val: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    memory_gb: float = 2.0,
    workers: int | None = None,
) -> Dataset:
    """The images in the folder `path` and below, at `size` x `size` (32): shorter side resized, middle kept.

    Classes are the folders on the first level; fewer than two, or `labelled=False`, means no labels (y None,
    classes []). First-level folders train, val and test are used as such, `unlabelled` for pretraining only;
    a missing val is taken out of train, and of train and val alone val becomes the test split, as ImageNet's.
    Otherwise a hash of a file's content decides on its split, in the fractions `val` and `test` on average:
    no file changes its split when others are added or it is renamed, and copies of a file stay together.
    Frames of one video or pictures of one object are not copies: part those by folders train, val and test.

    channels    3 (RGB) or 1 (grey). Transparency is laid on mid grey.
    memory_gb   kept in memory (uint8) up to this, else streamed from the files by `workers` threads
    root        where a relative `path` is looked for too

    Unreadable files, and copies of what val or test holds, are left out: `skipped` lists them. Raises
    FileNotFoundError, NotADirectoryError or ValueError where nothing can be learned.
    """
    if not str(path).strip():
        raise ValueError("name the folder that holds your images, as in folder:/home/me/photos")
    folder = _find(in_home(path), root)
    paths, problems = image_files(folder)
    if not paths:
        raise ValueError(f"{folder} holds no image files (.jpg, .png, .webp, .tif ...), but {suffixes_of(folder)}")
    try:
        parts, misplaced = arrange(paths, labelled)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error
    size = size or Reading.size
    reading = Reading(size, channels, val=val, test=test, seed=seed, memory_gb=memory_gb, workers=workers)
    return from_samples(f"folder:{path}", folder, parts, reading, skipped=problems + misplaced)


def from_samples(
    name: str, folder: Path, parts: Parts, reading: Reading, *, about: str = "", skipped: list[str]
) -> Dataset:
    """A Dataset of files under `folder`, listed as listing.arrange does; skipped: "path: reason" for those that it left out."""
    paths = [path for samples in parts.values() for path, _ in samples]
    size, streamed = reading.size, reading.streams(len(paths))
    settings = [size, reading.channels, reading.val, reading.test, reading.seed, streamed]
    place = cache.entry(folder, paths, settings, [parts, skipped, formats()])  # pillow-heif may be there by now
    found = cache.load(place)
    if found is None:
        found = read_files(folder, parts, reading, streamed)
        cache.save(place, found)
    classes, skipped = found["classes"], [*skipped, *found["skipped"]]
    splits = {}
    for part, one in found["splits"].items():
        files = [folder / path for path in one["names"]]
        x = StreamedImages(files, size, reading.channels, reading.workers) if streamed else one["x"]
        splits[part] = Split(x, one["y"], names=one["names"])
    check_counts(folder, splits, classes, skipped)
    labels = f"{len(classes)} classes" if classes else "without labels: for pretraining"
    about = about or f"your images in {folder}, {size} x {size}, {labels}"
    train, val, test = (splits[part] for part in ("train", "val", "test"))
    return Dataset(name, train, val, test, classes, splits.get("unlabelled"), about, skipped)


def _find(path: Path, root: Path | None) -> Path:
    for folder in [path] if root is None or path.is_absolute() else [path, root / path]:
        if folder.is_dir():
            return folder.resolve()
        if folder.exists():
            raise NotADirectoryError(f"{folder} is a file: unpack it, and name the folder of the images")
    raise FileNotFoundError(f"there is no folder {path}" + (f" in {Path.cwd()}" * (not path.is_absolute())))
