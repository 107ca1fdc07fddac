"""Export: the cells marked `#| export` of notebooks/NN_name.ipynb become sslkit/chapters/name/method.py."""

import ast
import re
from pathlib import Path

import nbformat

from sslkit.notebooks import files

MARK = "#| export"
LOOKS_LIKE_MARK = re.compile(r"^[ \t]*#[ \t]*\|[ \t]*export\b.*$", re.MULTILINE)
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
GENERATED = "# Generated from notebooks/"
LOOKUPS = {
    "data_of",
    "get",
    "kind_of",
    "methods",
    "names",
    "passes_of",
    "room",
}  # functions of sslkit.chapters, not chapters


def export(root: Path = files.ROOT, names: list[str] | None = None, check: bool = False) -> list[str]:
    """Bring sslkit/chapters up to date with the notebooks, or with `check` only say what is not.

    `names` limits it to some modules. A notebook with a problem leaves its module as it was.
    Returns the problems in words; an empty list says that all is well.
    """
    notebooks = files.course(root)
    folder = root / "sslkit" / "chapters"
    problems, wanted = [], {}
    for name in names if names is not None else notebooks:
        if name not in notebooks:
            raise ValueError(f"no notebook exports {name!r}; there are: {', '.join(notebooks) or 'none yet'}")
        text, found = module(notebooks[name], notebooks)
        problems += found
        if not found:
            wanted[name] = text
    for name, text in wanted.items():
        problems += _settle(folder / name / "method.py", text, notebooks[name], check)
    if names is None:
        problems += _strays(root, folder, notebooks, check)
    return problems


def module(path: Path, notebooks: dict[str, Path]) -> tuple[str, list[str]]:
    """The text of the module that a notebook exports ("" without export cells), and what is wrong with it."""
    nb = files.read(path)
    headings = files.headings(nb)
    problems, parts, defined = [], [], {}
    for index, cell in enumerate(nb.cells):
        where = f"notebooks/{path.name}, cell {index + 1}"
        if cell.cell_type != "code":
            continue
        if not cell.source.startswith(MARK + "\n"):
            if near := LOOKS_LIKE_MARK.search(cell.source):
                problems.append(f"{where}: {near[0].strip()!r} exports nothing: line 1 must read {MARK!r}")
            continue
        source = cell.source.split("\n", 1)[1].strip("\n").rstrip()
        found = _cell_problems(source, path, notebooks, defined, index + 1)
        problems += [f"{where}, {problem}" for problem in found]
        parts.append(f"# --- {headings[index][:90] or 'export'} ---\n{source}\n")
    if not parts:
        return "", problems
    header = f"{GENERATED}{path.name} by `python -m sslkit.notebooks export`."
    text = f"{header}\n# Do not edit: edit the notebook.\n\n" + "\n\n".join(parts)
    if not problems:
        try:
            compile(text, f"{path.stem}.py", "exec")
        except SyntaxError as error:
            problems.append(f"notebooks/{path.name}: its export cells together are no module: {error.msg}")
    return text, problems


def _cell_problems(source, path, notebooks, defined, cell) -> list[str]:
    """What keeps one export cell out of a module. `defined` (name -> cell) grows by what the cell defines."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        rule = "an export cell is plain Python, without magics, and holds its definitions whole"
        return [f"line {(error.lineno or 0) + 1}: {error.msg}: {rule}"]
    problems = []
    for node in tree.body:
        line = f"line {node.lineno + 1}"  # the mark is line 1
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
    return problems + _import_problems(tree, path, notebooks)


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
    if all(isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id) for target in targets):
        return [target.id for target in targets]
    return None


def _import_problems(tree: ast.Module, path: Path, notebooks: dict[str, Path]) -> list[str]:
    """Imports that would not work in the module, or that turn the order of the course round."""
    problems = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            problems.append(f"line {node.lineno + 1}: a relative import does not work in a notebook")
            continue
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        imported = {m.split(".")[2] for m in modules if m.startswith("sslkit.chapters.")} - LOOKUPS
        for name in sorted(imported):
            if name not in notebooks:
                problems.append(f"line {node.lineno + 1}: there is no chapter {name}")
            elif files.number(notebooks[name]) >= files.number(path):
                rule = f"comes from {notebooks[name].name}: export cells import only earlier notebooks"
                problems.append(f"line {node.lineno + 1}: sslkit.chapters.{name} {rule}")
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
    else:
        return _remove(target)
    return []


def _strays(root: Path, folder: Path, notebooks: dict[str, Path], check: bool) -> list[str]:
    """Modules without a notebook, and export cells in notebooks whose name makes no module."""
    problems = []
    for path in sorted(folder.glob("*/method.py")):
        name = path.parent.name
        if name in notebooks:
            continue
        if check:
            problems.append(f"sslkit/chapters/{name}/{path.name} is an orphan: there is no NN_{name}.ipynb")
        else:
            problems += _remove(path)
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        if path not in notebooks.values() and _exports(files.read(path)):
            problems.append(f"notebooks/{path.name} has export cells, so it must be called NN_name.ipynb")
    return problems


def _exports(nb: nbformat.NotebookNode) -> bool:
    return any(cell.cell_type == "code" and cell.source.startswith(MARK) for cell in nb.cells)


def _remove(path: Path) -> list[str]:
    """Remove a generated file; a file that a person wrote is not ours to remove."""
    if not path.read_text(encoding="utf-8").startswith(GENERATED):
        return [
            f"sslkit/chapters/{path.parent.name}/{path.name} was not generated: rename it, only exported code is called so"
        ]
    path.unlink()
    return []
