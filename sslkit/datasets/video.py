"""`video:PATH`: clips cut from films of your own: one file, a folder of frames, or a folder of such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageSequence
from torch import Tensor

from .contract import Dataset, Split
from .images import SUFFIXES, UnreadableImage, read_image
from .listing import visible
from .root import in_home
from .splits import split_indices

SIZE, FRAMES = 32, 8
FILMS = frozenset(".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ogv .wmv .flv .ts .3gp".split())  # what PyAV reads
ANIMATIONS = frozenset(".gif .apng".split())  # what Pillow reads; a single .png or .webp file is tried too
SPLITS = ("train", "val", "test")


def load(
    path: str | Path,
    *,
    size: int | None = None,
    frames: int = FRAMES,
    every: int = 1,
    stride: int | None = None,
    channels: int = 3,
    val: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    memory_gb: float = 2.0,
) -> Dataset:
    """Clips uint8 [N, frames, channels, size, size] of the films at `path`, without labels.

    path: a film (mp4, webm, avi ... need PyAV; gif, apng, webp do not), a folder of images in natural order (frame 2
    before frame 10), or a folder with several of either. Each frame's middle square is scaled to `size` (32).
    every: of the film's frames take each `every`-th; 30 frames a second show little change. stride: from the start of
    one clip to the next, in frames taken (half a clip by default).
    Three films or more are split by film, fewer by time, first to last, before clips are cut: no frame is on two
    sides. val and test are the shares of films, or of frames. Films that would take more than memory_gb as clips are
    cut short; `skipped` names them, and those that cannot be read. factors: video, the number of the film, and start,
    the clip's first frame in it. Raises FileNotFoundError, or ValueError where there is nothing to learn. A rotation
    noted in a file is not applied.
    """
    if not str(path).strip():
        raise ValueError("name a film or a folder, as in video:/home/me/cat.mp4")
    stride = stride or max(1, frames // 2)
    if frames < 2 or every < 1 or stride < 1 or not (0 < val < 1 and 0 < test < 1 and val + test < 1):
        raise ValueError(
            f"a clip has at least 2 frames, every and stride are at least 1, val and test are shares; got frames={frames}, "
            f"every={every}, stride={stride}, val={val}, test={test}"
        )
    source = in_home(path)
    found, size = films(source), size or SIZE
    most = int(memory_gb * 1e9 / (channels * size**2 * max(1.0, frames / stride)) / len(found))
    films_read, names, skipped = [], [], []
    for film in found:
        name = film.name if film == source else film.relative_to(source).as_posix()
        try:
            film_frames, whole = read_film(film, size, channels, every, max(frames, most))
        except ValueError as error:
            if len(found) == 1:
                raise
            skipped.append(f"{name}: {error}")
            continue
        if not whole:
            skipped.append(f"{name}: only its first {len(film_frames):,} frames fit into memory_gb={memory_gb}")
        films_read.append(film_frames)
        names.append(name)
    if not films_read:
        raise ValueError(f"no film in {source} can be read; the first problem is {skipped[0]}")
    splits = {part: clips(pieces, frames, stride, names) for part, pieces in cut(films_read, val, test, seed).items()}
    if short := [part for part, split in splits.items() if split is None]:
        counts = ", ".join(f"{name} ({len(film)} frames)" for name, film in zip(names[:3], films_read))
        raise ValueError(
            f"{source} is too short for clips of {frames} frames in {', '.join(short)}: {counts}. Take fewer frames a clip, "
            "a smaller every, or a longer film"
        )
    train, val_, test_ = (split for split in (splits[part] for part in SPLITS) if split is not None)
    about = f"your film in {source}, {size} x {size}"
    return Dataset(f"video:{path}", train, val_, test_, classes=[], about=about, skipped=skipped)


def films(source: Path) -> list[Path]:
    """The files and folders of frames in `source`, in natural order; `source` itself where it is one."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise FileNotFoundError(
            f"there is no film or folder {source}" + f" in {Path.cwd()}" * (not source.is_absolute())
        )
    inside = [p for p in sorted(source.rglob("*"), key=natural) if visible(p, source)]
    found = [p for p in inside if p.is_file() and p.suffix.lower() in FILMS | ANIMATIONS]
    found = found or [p for p in [source, *inside] if p.is_dir() and len(frame_files(p)) > 1]
    if not found:
        raise ValueError(
            f"{source} holds no film: neither files ({', '.join(sorted(FILMS | ANIMATIONS))}) nor two images that could "
            "be frames"
        )
    return found


def natural(path: Path) -> list:
    """A sort key that counts: frame 2 comes before frame 10."""
    return [(0, int(t), "") if t.isdecimal() else (1, 0, t.lower()) for t in re.split(r"(\d+)", str(path)) if t]


def frame_files(folder: Path) -> list[Path]:
    """The images of a folder, not of those below, in natural order."""
    return sorted(
        (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")), key=natural
    )


def read_film(film: Path, size: int, channels: int, every: int, most: int) -> tuple[Tensor, bool]:
    """Each `every`-th frame, `most` at the most, as uint8 [F, channels, size, size]; and whether that is all of it.

    ValueError where it cannot be read.
    """
    if film.is_dir():
        shots = (read_image(p, size, channels) for p in frame_files(film)[::every])
    else:
        shots = (square(image, size, channels) for k, image in enumerate(images_of(film)) if k % every == 0)
    taken: list[np.ndarray] = []
    try:
        for shot in shots:
            if len(taken) == most:
                return torch.from_numpy(np.stack(taken)), False
            taken.append(shot)
    except UnreadableImage as error:
        raise ValueError(f"a frame of {film.name} cannot be read: {error}") from error
    if len(taken) < 2:
        raise ValueError(f"{film.name} has {len(taken)} frame{'s' * (len(taken) != 1)}: a film has at least two")
    return torch.from_numpy(np.stack(taken)), True


def square(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """uint8 [channels, size, size]: the middle square, scaled."""
    side = min(image.size)
    left, top = ((length - side) / 2 for length in image.size)
    image = image.convert("RGB").convert("RGB" if channels == 3 else "L")
    image = image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    return np.asarray(image).reshape(size, size, channels).transpose(2, 0, 1)


def images_of(film: Path) -> Iterator[Image.Image]:
    """The frames of a file one after another, by PyAV or, for what Pillow reads, by Pillow."""
    if film.suffix.lower() in FILMS:
        yield from _by_pyav(film)
        return
    try:
        with Image.open(film) as image:
            for shot in ImageSequence.Iterator(image):
                yield shot.convert("RGBA") if "transparency" in shot.info else shot
    except Exception as error:  # Pillow's readers raise nearly any exception on a broken file
        raise ValueError(f"{film.name} cannot be read as an animation: {error}") from error


def _by_pyav(film: Path) -> Iterator[Image.Image]:
    try:
        import av  # an extra: 40 MB that few readers need
    except ImportError as error:
        raise ValueError(
            f"reading {film.name} needs PyAV: pip install av. A gif, or a folder of frames, can be read without it"
        ) from error
    try:
        with av.open(str(film)) as container:
            if not container.streams.video:
                raise ValueError(f"{film.name} has sound but no picture")
            for frame in container.decode(video=0):
                yield frame.to_image()
    except (av.FFmpegError, OSError) as error:
        raise ValueError(f"{film.name} cannot be read as a film: {error}") from error


def cut(read: list[Tensor], val: float, test: float, seed: int) -> dict[str, list[tuple[int, int, Tensor]]]:
    """{split: pieces as (film, first frame, frames)}: whole films where there are three or more, else stretches of
    time."""
    if len(read) >= 3:
        n = len(read)
        parts = split_indices(n, max(1, round(val * n)), max(1, round(test * n)), seed)
        return {part: [(i, 0, read[i]) for i in index.tolist()] for part, index in zip(SPLITS, parts)}
    pieces: dict[str, list] = {part: [] for part in SPLITS}
    for i, film in enumerate(read):
        ends = [0, round(len(film) * (1 - val - test)), round(len(film) * (1 - test)), len(film)]
        for part, start, end in zip(SPLITS, ends, ends[1:]):
            pieces[part].append((i, start, film[start:end]))
    return pieces


def clips(pieces: list[tuple[int, int, Tensor]], frames: int, stride: int, names: list[str]) -> Split | None:
    """All clips of `frames` frames, a new one every `stride`; None where no piece is long enough."""
    x: list[Tensor] = []
    video: list[int] = []
    start: list[int] = []
    for number, first, film in pieces:
        if len(film) >= frames:
            found = film.unfold(0, frames, stride).movedim(-1, 1)
            x.append(found)
            video += [number] * len(found)
            start += range(first, first + len(found) * stride, stride)
    if not x:
        return None
    factors = {"video": torch.tensor(video), "start": torch.tensor(start)}
    return Split(torch.cat(x).contiguous(), factors=factors, names=[f"{names[v]} @ {s}" for v, s in zip(video, start)])
