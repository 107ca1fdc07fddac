"""What is kept of a folder between two starts: never stale, whole or not at all, safe to delete, and no need."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from sslkit.__main__ import main
from sslkit.datasets import cache, folder, load

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Forty images of two classes; the cache in a place of its own, and used for as few."""
    monkeypatch.setenv("SSLKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "FEWEST", 10)
    for k in range(40):
        picture(tmp_path / "photos" / f"{'ab'[k % 2]}" / f"{k}.png", k)
    return tmp_path / "photos"


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)


def entries() -> list:
    return sorted(cache.folder().glob("*"))


def same(a, b) -> bool:
    return all(
        torch.equal(a.splits[part].x, b.splits[part].x)
        and torch.equal(a.splits[part].y, b.splits[part].y)
        and a.splits[part].names == b.splits[part].names
        for part in ("train", "val", "test")
    )


@pytest.fixture
def reads(monkeypatch):
    """How often files were read."""
    count, read = [], folder.read_files
    monkeypatch.setattr(folder, "read_files", lambda *args: count.append(1) or read(*args))
    return count


def test_a_second_start_reads_no_file_and_gives_the_same(photos, reads):
    first, second = folder.load(photos, size=8), folder.load(photos, size=8)
    assert len(reads) == 1 and same(first, second) and first.classes == second.classes and len(entries()) == 1
    assert folder.load(photos, size=9).train.x.shape[2] == 9 and len(reads) == 2 and len(entries()) == 2


def test_a_format_that_can_be_read_by_now_is(photos, reads, monkeypatch):
    """Whoever did as told, pip install pillow-heif, sees their photographs."""
    folder.load(photos, size=8)
    monkeypatch.setattr(folder, "formats", lambda: ["PNG", "ANOTHER"])
    folder.load(photos, size=8)
    assert len(reads) == 2 and len(entries()) == 1


@pytest.mark.parametrize("change", ["touched", "changed", "added", "removed", "renamed"])
def test_what_changed_is_read_again_and_the_old_entry_goes(photos, reads, change):
    folder.load(photos, size=8)
    one = photos / "a" / "0.png"
    before = os.stat(one)
    if change == "touched":
        os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    elif change == "changed":
        picture(one, 999)
    elif change == "added":
        picture(photos / "b" / "new.png", 999)
    elif change == "removed":
        one.unlink()
    else:
        one.rename(photos / "a" / "other.png")
    again = folder.load(photos, size=8)
    assert len(reads) == 2 and len(entries()) == 1
    os.environ["SSLKIT_CACHE"] = str(photos.parent / "elsewhere")
    assert same(again, folder.load(photos, size=8)) and len(reads) == 3


@pytest.mark.parametrize("broken", [b"", b"no entry", None])
def test_a_broken_entry_is_made_anew(photos, reads, broken):
    first = folder.load(photos, size=8)
    (entry,) = entries()
    entry.write_bytes(entry.read_bytes()[:-100] if broken is None else broken)
    assert same(first, folder.load(photos, size=8)) and len(reads) == 2
    assert same(first, folder.load(photos, size=8)) and len(reads) == 2


def test_the_list_of_data_says_where_it_is_and_how_big(photos, capsys):
    assert cache.megabytes() == 0.0
    folder.load(photos, size=200)
    assert main(["data"]) == 0
    size = sum(entry.stat().st_size for entry in entries()) / 1e6
    assert size > 3 and f"is kept in {cache.folder()} ({size:.1f} MB; safe to delete" in capsys.readouterr().out


def test_it_may_be_deleted(photos, reads):
    first = folder.load(photos, size=8)
    for entry in entries():
        entry.unlink()
    assert same(first, folder.load(photos, size=8)) and len(reads) == 2


def test_without_a_place_to_write_nothing_is_lost(photos, reads, monkeypatch, capsys):
    monkeypatch.setenv("SSLKIT_CACHE", "/dev/null/nowhere")
    first, second = folder.load(photos, size=8), folder.load(photos, size=8)
    assert same(first, second) and len(reads) == 2 and capsys.readouterr() == ("", "")


def test_what_was_left_out_is_said_again(photos):
    (photos / "a" / "bad.png").write_bytes(b"no image")
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 file is left out"):
            data = load(f"folder:{photos}", size=8)
        assert data.skipped == ["a/bad.png: not an image of a known format"]


def test_streamed_sets_keep_what_was_found_out(photos, reads):
    first, second = (folder.load(photos, size=8, memory_gb=0) for _ in range(2))
    index = torch.arange(len(first.train))
    assert len(reads) == 1 and torch.equal(first.train.x[index], second.train.x[index])


@pytest.mark.slow
def test_two_processes_at_once(photos):
    code = (
        "import sys; from sslkit.datasets import cache, folder; cache.FEWEST = 10;"
        "print(int(folder.load(sys.argv[1], size=8).train.x.sum()))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(photos)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert len({process.communicate()[0] for process in running}) == 1 and len(entries()) == 1


def test_few_files_are_not_worth_it(photos, monkeypatch):
    monkeypatch.setattr(cache, "FEWEST", 41)
    folder.load(photos, size=8)
    assert not entries()
