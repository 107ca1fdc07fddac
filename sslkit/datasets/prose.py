"""English that every Python installation carries: the language reference, and the docstrings of the standard library
and of the packages that this kit depends on. Nothing is imported or run: sources are parsed."""

import ast
import importlib.util
import re
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

from .splits import fraction

LANGUAGE, STDLIB = "language", "stdlib"
PACKAGES = (LANGUAGE, STDLIB, "numpy", "scipy", "sklearn", "matplotlib", "torch", "sympy", "networkx")
ENOUGH = 2_000_000  # characters of raw docstrings a package: some have three times as many
NO_PROSE = {"test", "tests", "testing", "site-packages", "dist-packages", "idlelib", "lib2to3", "_vendor", "externals"}
SHORTEST = 40  # characters of a paragraph worth reading

ROLE = re.compile(r":[\w:+-]+:`~?([^`<]+?)(?:\s*<[^`>]*>)?`")  # :class:`~torch.Tensor` or :ref:`title <label>`
MARKS = re.compile(r"``?|\*\*|__(?=\s|$)|\\(?=\S)")
ITEM = re.compile(r"(?:[-*•+]|\d+[.)]|\(\w\))\s+|[\w*, ]+ : ")  # of a list, or a parameter as numpy describes it
UNDERLINE = re.compile(r"[=\-~^`#*+.'\"_]{3,}$")  # the line above it is a title
NO_TEXT = re.compile(r">>>|\.\. |:\w+[^:]*:$|\|")


def documents(package: str) -> Iterator[tuple[str, str]]:
    """(name, prose) of each document of a package: a topic of the language reference, or the docstrings of one module.
    Modules come in an order that depends on their names alone, and stop after about 2 million characters. Nothing
    for a package that is not installed."""
    if package == LANGUAGE:
        cleaned = ((f"{LANGUAGE}/{name}", clean(text)) for name, text in sorted(topics.items()))
        yield from ((name, text) for name, text in cleaned if text)
        return
    root, seen = folder_of(package), 0
    paths = [] if root is None else [p for p in root.rglob("*.py") if not NO_PROSE & set(p.relative_to(root).parts)]
    names = {p: f"{package}/{p.relative_to(str(root)).with_suffix('').as_posix()}" for p in paths}
    for path in sorted(paths, key=lambda p: fraction(names[p])):
        found = docstrings(path)
        seen += sum(map(len, found))
        if text := "\n".join(filter(None, map(clean, found))):
            yield names[path], text
        if seen > ENOUGH:
            return


def folder_of(package: str) -> Path | None:
    """Where the sources of an installed package lie; None if it is not installed."""
    if package == STDLIB:
        return Path(sysconfig.get_paths()["stdlib"])
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def docstrings(path: Path) -> list[str]:
    """Those of a source file's module, classes and functions, in order; [] for a file that does not parse."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other people's backslashes
            tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError, RecursionError):
        return []
    return [doc for node in ast.walk(tree) if isinstance(node, kinds) and (doc := ast.get_docstring(node))]


def clean(text: str) -> str:
    """The prose of a docstring, a paragraph a line: no examples, tables, underlines, directives or markup."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines: list[str] = []
        example = False
        for line in map(str.strip, paragraph.splitlines()):
            example = example or line.startswith(">>>")  # what an example prints follows it, up to the next empty line
            if UNDERLINE.match(line):
                lines = lines[:-1]
            elif not example and line and not NO_TEXT.match(line):
                lines.append(line)
        pieces: list[str] = []
        for line in lines:
            if pieces and not ITEM.match(line):
                pieces[-1] += " " + line
            else:
                pieces.append(line)
        paragraphs += [re.sub(r"\s+", " ", MARKS.sub("", ROLE.sub(r"\1", piece))).strip() for piece in pieces]
    return "\n".join(filter(is_prose, paragraphs))


def is_prose(paragraph: str) -> bool:
    """Long enough, and letters and blanks for the most part: no formula, no table."""
    letters = sum(c.isalpha() or c == " " for c in paragraph)
    return len(paragraph) >= SHORTEST and letters > 0.85 * len(paragraph)
