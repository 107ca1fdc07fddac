"""Export: the cells marked `#| export` of notebooks/NN_name.ipynb become sslkit/chapters/name/method.py, those marked `#| exercise`
exercises.py beside it. A cell may be both: what the chapter is built of and what the reader writes."""

import ast
import re
from pathlib import Path

from sslkit import chapters
from sslkit.notebooks import exercises, files
from sslkit.notebooks.cells import EXERCISE, EXPORT, headings, marks, without_marks

LOOKS_LIKE_MARK = re.compile(r"^[ \t]*#[ \t]*\|[ \t]*(export|exercise)\b.*$", re.MULTILINE)
TARGETS = ("method.py", "exercises.py")  # what is generated of a chapter
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
GENERATED = "# Generated from notebooks/"
# What sslkit.chapters has beside chapters.
LOOKUPS = {name for name, value in vars(chapters).items() if callable(value)}


def export(root: Path = files.ROOT, names: list[str] | None = None, check: bool = False) -> list[str]:
    """Bring sslkit/chapters up to date with the notebooks, or with `check` only say what is not.

    `names` limits it to some modules. A notebook with a problem leaves its module as it was.
    Returns the problems, a message each; none where all is well.
    """
    notebooks = files.course(root)
    folder = root / "sslkit" / "chapters"
    problems, wanted = [], {}
    for name in names if names is not None else notebooks:
        if name not in notebooks:
            raise ValueError(f"no notebook exports {name!r}; there are: {', '.join(notebooks) or 'none yet'}")
        texts, found = modules(notebooks[name], notebooks)
        problems += found
        if not found:
            wanted[name] = texts
    for name, texts in wanted.items():
        for target, text in texts.items():
            problems += _settle(folder / name / target, text, notebooks[name], check)
    if names is None:
        problems += _strays(root, folder, notebooks, check)
    return problems


def modules(path: Path, notebooks: dict[str, Path]) -> tuple[dict[str, str], list[str]]:
    """The texts of the modules that a notebook exports ({"method.py": "" without export cells, ...}), and what is wrong with it."""
    nb = files.read(path)
    above = headings(nb)
    problems: list[str] = []
    parts: list[str] = []
    defined: dict[str, int] = {}
    for index, cell in enumerate(nb.cells):
        where = f"notebooks/{path.name}, cell {index + 1}"
        if cell.cell_type != "code":
            continue
        source = without_marks(cell)
        if near := LOOKS_LIKE_MARK.search(source):
            problems.append(f"{where}: {near[0].strip()!r} marks nothing: line 1 must read {EXPORT!r} or {EXERCISE!r}")
        if EXPORT not in marks(cell):
            continue
        found = _cell_problems(source, path, notebooks, defined, index + 1, len(marks(cell)))
        problems += [f"{where}, {problem}" for problem in found]
        heading = above[index].removesuffix(" · optional")[:90] or "export"
        parts.append(f"# --- {heading} ---\n{source}\n")
    header = f"{GENERATED}{path.name} by `python -m sslkit.notebooks export`.\n# Do not edit: edit the notebook.\n"
    texts = {"method.py": header + "\n" + "\n\n".join(parts) if parts else "", "exercises.py": ""}
    if not problems:
        texts["exercises.py"], problems = exercises.generate(nb, path, header, set(defined))
    for text in texts.values():
        if not problems:
            try:
                compile(text, f"{path.stem}.py", "exec")
            except SyntaxError as error:
                problems.append(f"notebooks/{path.name}: its export cells together are not a module: {error.msg}")
    return texts, problems


def _cell_problems(
    source: str, path: Path, notebooks: dict[str, Path], defined: dict[str, int], cell: int, above: int
) -> list[str]:
    """What keeps one export cell out of a module. `defined` (name -> cell) grows by what the cell defines; above: its lines of marks."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        rule = "an export cell is plain Python, without magics, and holds its definitions whole"
        return [f"line {(error.lineno or 0) + above}: {error.msg}: {rule}"]
    problems = []
    for node in tree.body:
        line = f"line {node.lineno + above}"
        names = _names(node)
        if names is None:
            code = ast.unparse(node).splitlines()[0][:60]
            rule = "an export cell may only import, define or name an UPPER_CASE constant"
            problems.append(f"{line}: {code!r}: {rule}")
            continue
        for name in names:
            if name in defined:
                problems.append(f"{line}: {name} is defined in cell {defined[name]} too: export it once")
            defined.setdefault(name, cell)
    return problems + _import_problems(tree, path, notebooks, above)


def _names(node: ast.stmt) -> list[str] | None:
    """What a top-level statement defines; None when it does more than import, define or name a constant."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str):  # a docstring
        return []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    else:
        return None
    names = [target.id for target in targets if isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id)]
    return names if len(names) == len(targets) else None


def _import_problems(tree: ast.Module, path: Path, notebooks: dict[str, Path], above: int) -> list[str]:
    """Imports that would not work in the module, or that turn the order of the course round."""
    problems = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            problems.append(f"line {node.lineno + above}: a relative import does not work in a notebook")
            continue
        if isinstance(node, ast.Import):
            imports = [alias.name for alias in node.names]
        elif not isinstance(node, ast.ImportFrom):
            continue
        else:
            imports = [node.module or ""] + [f"{node.module}.{alias.name}" for alias in node.names]
        imported = {m.split(".")[2] for m in imports if m.startswith("sslkit.chapters.")} - LOOKUPS
        for name in sorted(imported):
            if name not in notebooks:
                problems.append(f"line {node.lineno + above}: there is no chapter {name}")
            elif files.number(notebooks[name]) >= files.number(path):
                rule = f"comes from {notebooks[name].name}: export cells import only earlier notebooks"
                problems.append(f"line {node.lineno + above}: sslkit.chapters.{name} {rule}")
    return problems


def _settle(target: Path, text: str, notebook: Path, check: bool) -> list[str]:
    """Make one generated file hold `text` ("" for no file), or with `check` say how it differs."""
    old = target.read_text(encoding="utf-8") if target.exists() else ""
    if old == text:
        return []
    if check:
        pairs = enumerate(zip(old.split("\n"), text.split("\n"), strict=False), 1)
        line = next((i for i, (a, b) in pairs if a != b), "last")
        state = f"differs (line {line})" if old and text else "is missing" if text else "is an orphan"
        return [
            f"sslkit/chapters/{target.parent.name}/{target.name} {state} against notebooks/{notebook.name}: "
            "run `python -m sslkit.notebooks export`"
        ]
    if text:
        files.write(target, text)
        (target.parent / "__init__.py").touch()  # a chapter is found by it
    else:
        return _remove(target)
    return []


def _strays(root: Path, folder: Path, notebooks: dict[str, Path], check: bool) -> list[str]:
    """Modules without a notebook, and export cells in notebooks whose name makes no module."""
    problems = []
    for path in sorted(path for target in TARGETS for path in folder.glob(f"*/{target}")):
        name = path.parent.name
        if name in notebooks:
            continue
        if check:
            problems.append(f"sslkit/chapters/{name}/{path.name} is an orphan: there is no NN_{name}.ipynb")
        else:
            problems += _remove(path)
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        if path not in notebooks.values() and any(map(marks, files.read(path).cells)):
            problems.append(f"notebooks/{path.name} has export cells, so it must be called NN_name.ipynb")
    return problems


def _remove(path: Path) -> list[str]:
    """Remove a generated file; a file that a person wrote is not ours to remove."""
    if not path.read_text(encoding="utf-8").startswith(GENERATED):
        return [
            f"sslkit/chapters/{path.parent.name}/{path.name} was not generated: rename it, only exported code is called so"
        ]
    path.unlink()
    return []
