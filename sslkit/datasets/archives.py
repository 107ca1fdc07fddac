"""Archives of published data sets: found on disk, else downloaded, verified and unpacked."""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .download import DownloadError, fetch, md5_of

STALE_SECONDS = 120  # a lock that nobody has touched for so long belonged to a process that died


@dataclass(frozen=True)
class Archive:
    """A published tar file, and the folder in it.

    file, md5   its name and published checksum
    urls        where it can be had, the authors' own host first
    folder      what it unpacks to; complete when it holds all of `needs` (files or folders)
    megabytes   of the archive
    """

    file: str
    md5: str
    urls: tuple[str, ...]
    folder: str
    needs: tuple[str, ...]
    megabytes: float


def places(root: Path) -> tuple[Path, Path]:
    """Where files are looked for: `root` itself, as torchvision does, and root/downloads, the kit's own."""
    return root, root / "downloads"


def on_disk(archives: tuple[Archive, ...], root: Path) -> tuple[Archive, Path] | None:
    """The first archive whose folder is complete on disk, and that folder; None where there is none."""
    for archive in archives:
        for place in places(root):
            if all((place / archive.folder / name).exists() for name in archive.needs):
                return archive, place / archive.folder
    return None


def obtain(name: str, archives: tuple[Archive, ...], root: Path) -> tuple[Archive, Path]:
    """The unpacked folder of one of `archives`: on disk, else from an archive there, else downloaded.

    Raises DownloadError, whose text names the ways that need no network.
    """
    downloads = places(root)[1]
    if found := on_disk(archives, root):
        return found
    try:
        downloads.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"{name} is not on disk, and {downloads} cannot be made ({error})") from error
    with only_one(downloads / name) as tick:
        if found := on_disk(archives, root):  # another process was faster
            return found
        for archive in archives:
            for place in places(root):
                if (place / archive.file).is_file():
                    _verify(place / archive.file, archive.md5, tick)
                    return archive, unpack(place / archive.file, downloads, archive.folder, tick)
        problems = []
        for archive in archives:
            print(f"{name}: downloading {archive.megabytes:,.0f} MB to {downloads}", flush=True)
            try:
                path = fetch(archive.urls, downloads / archive.file, archive.md5, tick=tick)
            except DownloadError as error:
                problems.append(str(error))
                continue
            folder = unpack(path, downloads, archive.folder, tick)
            path.unlink()  # unpacked, it would only take up the same space twice
            return archive, folder
    ways = offline_ways(name, [(archive.folder, archive.file) for archive in archives], root)
    raise DownloadError("\n".join([*problems, *ways]))


def offline_ways(name: str, files: list[tuple[str, str]], root: Path) -> list[str]:
    """Lines that tell how to go on without a network. `files`: each (folder, archive) that would do."""
    return [
        f"Without a network, any of these will do for {name}:",
        *(f"  - put the folder {folder}/ (or {file}) into {root}" for folder, file in files),
        "  - set the environment variable SSLKIT_DATA to the folder that holds it",
        "  - use a set that ships with the kit: emoji, scenes or fashion",
    ]


def _verify(path: Path, md5: str, tick: Callable[[], None]) -> None:
    if (found := md5_of(path, tick)) != md5:
        raise ValueError(
            f"{path} is damaged or another file: its MD5 is {found}, the published one {md5}. "
            "Delete it, and load the set again"
        )


@contextmanager
def only_one(path: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock `path`.lock, waiting while another process has it. Yields what keeps it fresh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    waiting = False
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if not waiting:
                print(f"another process is fetching {path.name}; waiting for it", flush=True)
            waiting = True
            if _age(lock) > STALE_SECONDS:
                lock.unlink(missing_ok=True)
            else:
                time.sleep(0.2)
    try:
        yield lock.touch
    finally:
        lock.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def unpack(archive: Path, folder: Path, top: str, tick: Callable[[], None] = lambda: None) -> Path:
    """Unpack the folder `top` of a tar archive into `folder`, where it appears only when complete.

    Only plain files and folders that stay inside are accepted, anything else raises ValueError.
    """
    target, work = folder / top, folder / f".{top}.unpacking"
    if target.exists():
        raise FileExistsError(f"{target} is incomplete: delete it and load the set again")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                tick()
                place = (work / member.name).resolve()
                if not place.is_relative_to(work.resolve()) or not (member.isfile() or member.isdir()):
                    raise ValueError(f"{archive}: {member.name!r} is no plain file inside it; not unpacked")
                if member.isdir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(member)
                assert source is not None  # a plain file has content
                with source, open(place, "wb") as file:
                    while block := source.read(1 << 22):
                        file.write(block)
                        tick()
        if not (work / top).is_dir():
            raise ValueError(f"{archive} does not hold the folder {top}")
        os.replace(work / top, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target
