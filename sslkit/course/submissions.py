"""What students hand in: notebooks as a learning platform delivers them, and the functions in them. Nothing is run here."""

import ast
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

import nbformat

from sslkit import __version__, checks
from sslkit.course.editions import HANDED_OUT, STUB
from sslkit.notebooks import exercises, files
from sslkit.notebooks.cells import EXERCISE, without_magics

MOST = 50_000_000  # bytes of one notebook; beyond that it is not read
ASKED_FOR = re.compile(r'^\s*hint\(\s*["\'](\w+)\.(\w+)["\'],\s*(\d)\s*\)', re.MULTILINE)
DEFINED = re.compile(r"^\s*def\s+(\w+)", re.MULTILINE)
CHECKED = re.compile(r'\bcheck\(\s*["\'](\w+)\.(\w+)["\']')


@dataclass
class Submission:
    """One notebook of one student: its text, or what is wrong with the file."""

    student: str
    file: str
    text: str = ""
    problem: str = ""


@dataclass
class Work:
    """What was found in a notebook: the chapter, the code of each exercise's function, what it may need, how many hints each
    exercise's cell asks for (where there is such a cell), the exercises that Python cannot read, with why, and notes."""

    chapter: str = ""
    functions: dict[str, str] = field(default_factory=dict)
    prelude: list[str] = field(default_factory=list)
    hints: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str = ""


def submissions(folder: Path) -> Iterator[Submission]:
    """All notebooks in a folder, in order: FILE.ipynb, STUDENT/.../FILE.ipynb, STUDENT.zip. Broken ones too, with what is wrong."""
    for path in sorted(folder.iterdir()):
        if not by_hand(path.name):
            continue
        if path.is_dir():
            inner = [each for each in sorted(path.rglob("*.ipynb")) if by_hand(each.relative_to(folder))]
            yield from (opened(path.name, each) for each in inner)
            if not inner:
                yield Submission(path.name, "", problem="there is no notebook in this folder")
        elif path.suffix.lower() == ".ipynb":
            yield opened(path.stem, path)
        elif path.suffix.lower() == ".zip":
            yield from unpacked(path)


def by_hand(path: PurePath | str) -> bool:
    """Whether a person handed this in: not a checkpoint of Jupyter's, not what macOS leaves beside each file."""
    return not any(part.startswith(".") and part != ".." or part == "__MACOSX" for part in PurePath(path).parts)


def opened(student: str, path: Path) -> Submission:
    """A file, read."""
    try:
        if path.stat().st_size > MOST:
            return Submission(student, path.name, problem=f"it has more than {MOST:,} bytes")
        return Submission(student, path.name, path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return Submission(student, path.name, problem=f"it cannot be read: {error}")


def unpacked(path: Path) -> Iterator[Submission]:
    """The notebooks of an archive, read without writing anything to disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            paths = [(info, PurePosixPath(info.filename)) for info in archive.infolist()]
            inner = [(info, path.name) for info, path in paths if path.suffix.lower() == ".ipynb" and by_hand(path)]
            for info, name in inner:
                if info.file_size > MOST:
                    yield Submission(path.stem, name, problem=f"it has more than {MOST:,} bytes")
                    continue
                with archive.open(info) as file:
                    raw = io.BytesIO(file.read(MOST + 1)).getvalue()
                yield Submission(path.stem, name, raw.decode("utf-8-sig", "replace"))
            if not inner:
                yield Submission(path.stem, path.name, problem="there is no notebook in it")
    except Exception as error:  # zipfile's own, and that of whatever unpacks: zlib, bz2, lzma
        yield Submission(path.stem, path.name, problem=f"it is not a readable zip archive: {error}")


def read(submission: Submission) -> Work:
    """The chapter and the functions of a notebook. Of a cell that cannot be parsed only its own functions are lost."""
    if submission.problem:
        return Work(problem=submission.problem)
    try:
        nb = nbformat.reads(submission.text, as_version=4)
        cells = [cell.source for cell in nb.cells if cell.cell_type == "code" and isinstance(cell.source, str)]
    except Exception as error:  # whatever a hostile file provokes
        return Work(
            problem=f"it is not a notebook: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}"
        )
    chapter = chapter_of(submission.file, cells)
    if not chapter:
        return Work(problem="it belongs to no chapter: neither its name nor its checks say which")
    work = Work(chapter)
    made = nb.metadata.get(HANDED_OUT, {})
    version = made.get("version", __version__) if isinstance(made, dict) else __version__
    if version != __version__:
        changed = f"it was handed out by version {str(version)[:20]} of the kit, and graded by {__version__}"
        work.notes.append(f"{changed}: what has changed since is graded as it is now")
    wanted = [name.partition(".")[2] for name in checks.of_chapter(chapter)]
    for of, name, count in (asked for source in cells for asked in ASKED_FOR.findall(source)):
        if of == chapter and name in wanted:
            work.hints[name] = max(min(int(count), exercises.HINTS), work.hints.get(name, 0))
    marked: dict[str, str] = {}  # functions in the cells of exercises; then those elsewhere; then stubs
    anywhere: dict[str, str] = {}
    stubs: dict[str, str] = {}
    for source in cells:
        try:
            found = statements(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            first = next((n for n in wanted if re.search(rf"^\s*def\s+{n}\b", source, re.MULTILINE)), "")
            if first or EXERCISE in source:
                line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
                words = f"Python cannot read the cell{line}: {error.args[0] if error.args else error}"
                work.notes.append(f"{first or 'an exercise'}: {words}")
                work.unreadable[first] = words
            continue
        for node, code in found:
            if name := named(node):
                place = stubs if is_stub(node) else marked if EXERCISE in source else anywhere
                place[name] = code
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef) or constant(node):
                work.prelude.append(code)
    everything = stubs | anywhere | marked
    work.functions = {name: everything[name] for name in wanted if name in everything}
    missing = [name for name in wanted if name not in work.functions]
    strangers = [name for name, code in marked.items() if name not in wanted and code.startswith("def ")]
    if len(missing) == 1 and len(strangers) == 1:
        work.notes.append(f"{missing[0]} is called {strangers[0]} here; it was graded under its proper name")
        work.functions[missing[0]] = re.sub(
            rf"\bdef {strangers[0]}\b", f"def {missing[0]}", marked[strangers[0]], count=1
        )
    elif missing:
        work.notes.append("not found: " + ", ".join(missing))
    return work


def named(node: ast.stmt) -> str:
    """The name that a statement gives to a function: `def name`, `name = lambda x: ...`, `name = another`; else ""."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda | ast.Name) and len(node.targets) == 1:
        return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
    return ""


def is_stub(node: ast.stmt) -> bool:
    """Whether a function is as it was handed out: nothing but a docstring and `raise NotImplementedError`."""
    body = [each for each in getattr(node, "body", []) if not isinstance(each, ast.Expr)]
    return [ast.unparse(each) for each in body] == [STUB]


def statements(source: str) -> list[tuple[ast.stmt, str]]:
    """The statements of a cell, magics aside, each with its code alone. Raises what Python raises for one that it cannot read, or
    that nests too deep to be written down again."""
    tree = ast.parse(without_magics(source))
    return [(node, ast.unparse(node)) for node in tree.body]


def constant(node: ast.stmt) -> bool:
    """Whether a statement gives a name a plain value: nothing is called."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    return not any(isinstance(inner, ast.Call | ast.Await | ast.Yield) for inner in ast.walk(node.value))


def chapter_of(file: str, cells: list[str]) -> str:
    """The chapter whose exercises a notebook checks; where it checks none, that of its file's name; else the one whose exercises
    most of its functions are named after."""
    known = {path.stem: name for name, path in files.course().items()}
    found = Counter(name for source in cells for name, _ in CHECKED.findall(source) if name in known.values())
    if found:
        return found.most_common(1)[0][0]
    if by_name := next((name for stem, name in known.items() if stem in file), ""):
        return by_name
    written = set(DEFINED.findall("\n".join(cells)))
    of = {chapter: {name.partition(".")[2] for name in checks.of_chapter(chapter)} for chapter in known.values()}
    best = max(of, key=lambda chapter: len(of[chapter] & written))
    return best if of[best] & written else ""
