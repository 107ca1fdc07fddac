"""Checkpoints, archives and names made by somebody who wishes no good: what the kit makes of each. See attacks.py.

A group is a generator of (attack, whether it held, what was said). It held where the file is refused by a ValueError or OSError of one
line, or gives what was written, bit for bit; where nothing is executed, and nothing appears outside the folder.
"""

import hashlib
import io
import os
import random
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from PIL import Image
from states import same

from sslkit import checkpoint, probes
from sslkit.datasets import load
from sslkit.datasets.archives import Archive, obtain
from sslkit.runs import load_run
from sslkit.widgets import data_picker, embedding_explorer

Outcome = tuple[str, bool, str]
HOSTILE = "<img src=x onerror=alert(1)>"


def refused_or_same(read: Callable[[], bool]) -> tuple[bool, str]:
    """Whether a reader refuses in a line, or returns True: it has read what was written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(), "read"
    except (ValueError, OSError) as error:
        return "\n" not in str(error), str(error)
    except Exception as error:
        return False, f"{type(error).__name__}: {error}"


def flips(size: int, count: int, dice: random.Random) -> list[tuple[int, int]]:
    """(byte, bit) to turn over: one at random in each of `count` equal regions of a file, so that none is left out."""
    return [(dice.randrange(i * size // count, (i + 1) * size // count), dice.randrange(8)) for i in range(count)]


def flipped(content: bytes, byte: int, bit: int) -> bytes:
    """The same but for a bit."""
    return content[:byte] + bytes([content[byte] ^ 1 << bit]) + content[byte + 1 :]


class Command:
    """What runs a command where it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def checkpoints(run: Path, work: Path, count: int, dice: random.Random) -> Iterator[Outcome]:
    """Cut, with a bit turned over, with code in it, compressed, with numbers changed."""
    whole, state = (run / "checkpoint.pt").read_bytes(), checkpoint.load(run / "checkpoint.pt")
    path, marker = work / "checkpoint.pt", work / "executed"

    def as_written() -> bool:
        return same(load_run(path)[1]["model"], state["model"]) and checkpoint.load(path) is not None

    attacks = {
        f"cut after {size} bytes": whole[:size] for size in (0, 1, 99, *(len(whole) * i // 20 for i in range(1, 20)))
    }
    attacks |= {f"bit {bit} of byte {byte}": flipped(whole, byte, bit) for byte, bit in flips(len(whole), count, dice)}
    tail = len(whole) - 20_000  # the directory of the zip file, and the last records
    attacks |= {f"bit {b} of byte {tail + i}": flipped(whole, tail + i, b) for i, b in flips(20_000, count, dice)}
    key = next(name for name, value in state["model"].items() if value.is_floating_point())
    nudged = {**state["model"], key: state["model"][key] * 1.01}
    for name, changed in {
        "code for a tensor": {**state, "model": {**state["model"], key: Command(marker)}},
        "code for a setting": {**state, "seed": Command(marker)},
        "a module": {**state, "model": torch.nn.Linear(2, 2)},
        "a checksum of other numbers": {**state, "checksum": checkpoint.checksum(state), "model": nudged},
    }.items():
        file = io.BytesIO()
        torch.save(changed, file)
        attacks[name] = file.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.namelist():
            target.writestr(entry, source.read(entry))
    attacks["compressed"] = packed.getvalue()
    for name, content in attacks.items():
        path.write_bytes(content)
        held, said = refused_or_same(as_written)
        yield name, held and not marker.exists(), said


def archives(work: Path, count: int, dice: random.Random) -> Iterator[Outcome]:
    """Tar files that lead outside, hold devices, are cut, or have a bit turned over."""

    def tar(members: dict[str, bytes | tuple[bytes, str]]) -> bytes:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, what in members.items():
                info = tarfile.TarInfo(name)
                if isinstance(what, bytes):
                    info.size = len(what)
                    archive.addfile(info, io.BytesIO(what))
                else:
                    info.type, info.linkname = what
                    archive.addfile(info)
        return file.getvalue()

    content, outside = dice.randbytes(50_000), work / "outside"
    whole = tar({"set/x": content, "set/y/z": content[:99]})
    attacks = {f"cut after {size} bytes": whole[:size] for size in range(0, len(whole) - 100, len(whole) // 20)}
    attacks |= {f"bit {bit} of byte {byte}": flipped(whole, byte, bit) for byte, bit in flips(len(whole), count, dice)}
    for name, members in {
        "..": {"set/x": content, "set/../../outside/x": b"1"},
        "absolute": {"set/x": content, f"{outside}/x": b"1"},
        "a link, and a file through it": {"set/link": (tarfile.SYMTYPE, str(outside)), "set/link/x": b"1"},
        "a link by ..": {"set/link": (tarfile.SYMTYPE, "../../outside"), "set/link/x": b"1"},
        "a hard link": {"set/hard": (tarfile.LNKTYPE, "../outside/old")},
        "a pipe": {"set/pipe": (tarfile.FIFOTYPE, "")},
        "a device": {"set/null": (tarfile.CHRTYPE, "")},
        "another folder": {"other/x": content},
    }.items():
        attacks[name] = tar(members)
    outside.mkdir()
    (outside / "old").write_bytes(b"old")
    for number, (name, packed) in enumerate(attacks.items()):
        root = work / str(number)
        root.mkdir()
        (root / "set.tgz").write_bytes(packed)
        # What is damaged on its way has another checksum than the published one; who publishes evil publishes its checksum, too.
        published = hashlib.md5(whole if name.startswith(("cut", "bit")) else packed).hexdigest()
        known = (Archive("set.tgz", published, (), "set", ("x",), 1),)

        def as_written(known: tuple[Archive, ...] = known, root: Path = root) -> bool:
            folder = obtain("set", known, root)[1]
            return (folder / "x").read_bytes() == content and not any(p.is_symlink() for p in folder.rglob("*"))

        held, said = refused_or_same(as_written)
        clean = held and [p.name for p in outside.iterdir()] == ["old"] and (outside / "old").read_bytes() == b"old"
        yield name, clean, said


def names(work: Path) -> Iterator[Outcome]:
    """HTML for names of classes, files, runs and sets: it is shown, and stays text."""
    dice = torch.Generator().manual_seed(0)
    for label in (HOSTILE, "b"):
        folder = work / label
        folder.mkdir()
        for i in range(30):
            pixels = torch.randint(0, 256, (8, 8, 3), dtype=torch.uint8, generator=dice).numpy()
            Image.fromarray(pixels).save(folder / f"{HOSTILE}{i}.png")
    data = load(f"folder:{work}")
    h = data.train.x.float().flatten(1)
    board = probes.Scoreboard([probes.Row(HOSTILE, 0.5, 0.5, [0.5], 1.0, 0.0, 0.5, 60)], HOSTILE)
    picker = data_picker(["scenes", HOSTILE], on_change=lambda name: None, key="attacks")
    picker.controls["name"].value = HOSTILE  # no such set: it says so
    explorer = embedding_explorer(h, data.train.x, data.train.y, data.classes, names=data.train.names, xy=h[:, :2])
    shown = {
        "a scoreboard": board._repr_html_(),
        "the words of a picker": picker.hint.value + picker.words.value,
        "an explorer without its script": str(explorer._repr_mimebundle_()),
    }
    for what, html in shown.items():
        yield what, HOSTILE not in html, html[:200]
    script = Path(probes.__file__).parents[1] / "widgets" / "explorer.js"
    unsafe = [
        word
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
        if word in script.read_text()
    ]
    yield "the explorer's script writes text alone", not unsafe, ", ".join(unsafe)
