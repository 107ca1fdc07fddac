"""A copy of the kit in which no solution can be read at a glance.

What holds solutions (method.py, exercises.py and ablations.py of each chapter, and whatever describes exercises to the checks) is
packed: the file that stands in its place unpacks and runs it. The checks work as before, since the packed source is given to Python's
own line cache. It keeps solutions from those who open a file or search the folder for a word. It keeps nothing from those who unpack it:
a line of Python does, and any program on a student's machine that can run the solution can be asked what it does.
"""

import base64
import linecache
import shutil
import zlib
from pathlib import Path

from sslkit.notebooks import files

SEALED = ("method.py", "exercises.py", "ablations.py")
PARTS = ("sslkit", "data", "results", "pyproject.toml", "constraints.txt", "README.md", "LICENSE", ".jupyter", "kit.py")
LOADER = '''"""Packed: see sslkit.course.sealing."""

from sslkit.course.sealing import unpacked

exec(compile(unpacked(__file__, {packed!r}), __file__, "exec"))
'''


def packed(source: str) -> str:
    """A text as letters that nobody reads."""
    return base64.b85encode(zlib.compress(source.encode(), 9)).decode()


def unpacked(file: str, text: str) -> str:
    """The source, which inspect and tracebacks find by the file's name from now on."""
    source = zlib.decompress(base64.b85decode(text)).decode()
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return source


def sealed(out: Path, root: Path = files.ROOT) -> Path:
    """Write OUT/kit, to be installed with pip where students work. ValueError where it is there already."""
    kit = out / "kit"
    if kit.exists():
        raise ValueError(f"there is {kit} already: choose another folder, or move what is there")
    for name in PARTS:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, kit / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        elif source.exists():
            (kit / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, kit / name)
    for path in (kit / "sslkit" / "chapters").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in SEALED or path.parent.name == "mistakes" or "sslkit.checks.exercise" in text:
            path.write_text(LOADER.format(packed=packed(text)), encoding="utf-8")
    return kit
