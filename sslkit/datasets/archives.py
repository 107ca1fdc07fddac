"""Archives of published data sets: found on disk, else downloaded, verified and unpacked."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .download import DownloadError, fetch, md5_of


@dataclass(frozen=True)
class Archive:
    """A published tar file, and the folder in it.

    file, md5   its name and published checksum
    urls        where it can be downloaded, the authors' own host first
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
    with only_one(downloads / name):
        if found := on_disk(archives, root):  # another process was faster
            return found
        for archive in archives:
            for place in places(root):
                if (place / archive.file).is_file():
                    _verify(place / archive.file, archive.md5)
                    return archive, unpack(place / archive.file, downloads, archive.folder)
        problems = []
        for archive in archives:
            print(f"{name}: downloading {archive.megabytes:,.0f} MB to {downloads}", flush=True)
            try:
                path = fetch(archive.urls, downloads / archive.file, archive.md5)
            except DownloadError as error:
                problems.append(str(error))
                continue
            folder = unpack(path, downloads, archive.folder)
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


def _verify(path: Path, md5: str) -> None:
    if (found := md5_of(path)) != md5:
        raise ValueError(
            f"{path} is damaged, or a different file: its MD5 is {found}, the published one {md5}. "
            "Delete it, and load the set again"
        )


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock on `path`, waiting while another process or thread has it. It dies with its process; its empty file
    stays, since whoever deleted it could let two in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process is fetching {path.name}; waiting for it", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def unpack(archive: Path, folder: Path, top: str) -> Path:
    """Unpack the folder `top` of a tar archive into `folder`, where it appears only when complete.

    ValueError for an archive that is damaged, or that would write outside its folder, link out of it or make anything but
    files, folders and links.
    """
    target, work = folder / top, folder / f".{top}.unpacking"
    if target.exists():
        raise FileExistsError(f"{target} is incomplete: delete it and load the set again")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(work, filter="data")
        if not (work / top).is_dir():
            raise ValueError(f"{archive} does not hold the folder {top}: it is a different archive; delete it")
        os.replace(work / top, target)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{archive} is damaged or harmful, and not unpacked ({error}): delete it") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target
