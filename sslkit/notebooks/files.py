"""Notebook files: which belong to the course, how they are read, written and hashed."""

import hashlib
import json
import os
import re
from pathlib import Path

import nbformat

from sslkit.notebooks.cells import COLAB, tagged

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"(\d\d)_([a-z][a-z0-9_]*)")


def course(root: Path = ROOT) -> dict[str, Path]:
    """The notebooks of the course by module name, in reading order: {"start_here": .../00_start_here.ipynb}.

    Files in notebooks/ that are not called NN_name.ipynb are a reader's own and left alone.
    Raises ValueError when two notebooks would export the same module.
    """
    found: dict[str, Path] = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        match = NAME.fullmatch(path.stem)
        if not match:
            continue
        name = match[2]
        if name in found:
            raise ValueError(f"{found[name].name} and {path.name} both export the module {name}: rename one")
        found[name] = path
    return found


def number(path: Path) -> int:
    """The place of a course notebook: 10 for 10_simclr.ipynb."""
    return int(path.stem[:2])


def name_of(path: Path) -> str:
    """The module of a course notebook: "simclr" for 10_simclr.ipynb."""
    return path.stem[3:]


def locate(text: str, root: Path = ROOT) -> Path:
    """The notebook that a reader means by a path, "10_simclr" or "simclr"; ValueError when there is none."""
    if Path(text).suffix == ".ipynb" and Path(text).is_file():
        return Path(text).resolve()
    notebooks = course(root)
    named = {path.stem: path for path in notebooks.values()} | notebooks
    if text.removesuffix(".ipynb") in named:
        return named[text.removesuffix(".ipynb")]
    have = ", ".join(path.stem for path in notebooks.values()) or "none yet"
    raise ValueError(f"no notebook {text!r}: give the path of one, or a name out of: {have}")


def chosen(names: list[str], root: Path = ROOT) -> dict[str, Path]:
    """The notebooks of the course that a reader names, all when none is named, by module name; ValueError for any other."""
    by_path = {path: name for name, path in course(root).items()}
    paths = [locate(name, root) for name in names] or list(by_path)
    if strangers := [path for path in paths if path not in by_path]:
        raise ValueError(f"{strangers[0]} is not a notebook of the course: those are notebooks/NN_name.ipynb")
    return {by_path[path]: path for path in paths}


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook in format 4; ValueError when the file is not one."""
    try:
        return nbformat.read(path, as_version=4)
    except OSError:
        raise
    except Exception as error:  # for JSON that is not a notebook it raises nearly anything
        words = str(error).splitlines() or [type(error).__name__]
        raise ValueError(f"{path} is not a notebook: {words[0]}") from error


def write(path: Path, text: str) -> None:
    """Write a text file whole or not at all, with the line ends of the repository on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def source_hash(nb: nbformat.NotebookNode) -> str:
    """A hash of the code cells, in order: what the outputs follow from. Prose does not count, so that a sentence can be put right
    without an hour of running (tests/claims holds it to the numbers), nor do the cells that address.py makes."""
    cells = [["code", cell.source] for cell in nb.cells if cell.cell_type == "code" and not tagged(cell, COLAB)]
    return "sha256:" + hashlib.sha256(json.dumps(cells).encode()).hexdigest()
