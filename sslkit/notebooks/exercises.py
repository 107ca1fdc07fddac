"""Exercises: the cells marked `#| exercise` of notebooks/NN_name.ipynb, with the task above each, become sslkit/chapters/name/exercises.py.

A task is a markdown cell right above its solution:

    ### Exercise: TITLE

    ●●●○○ about 10 minutes

    What to do.

    <details><summary>Hint 1</summary> ... </details>   three of them

Somewhere below stands `check("name.function", function)`.
"""

import ast
import builtins
import re
import sys
from pathlib import Path

import nbformat

from sslkit.notebooks import files
from sslkit.notebooks.cells import EXERCISE, TASK, TRIAL, is_exercise, is_task, without_magics, without_marks

HEAD = re.compile(
    TASK + r"(?P<title>[^\n]+)\n+(?P<dots>[●○]{5}) about (?P<minutes>\d+) minutes?\n+(?P<rest>.*)", re.DOTALL
)
HINT = re.compile(r"<details><summary>Hint (\d)</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
HINTS = 3


def generate(nb: nbformat.NotebookNode, path: Path, header: str, exported: set[str]) -> tuple[str, list[str]]:
    """The text of the module of exercises of a notebook ("" without any), and what is wrong with it.

    header: its first lines; exported: the names that the chapter's method module has: those are imported, not repeated.
    """
    chapter, problems = files.name_of(path), []
    tasks: dict[str, str] = {}
    solutions: dict[str, str] = {}
    for index, cell in enumerate(nb.cells):
        where = f"notebooks/{path.name}, cell {index + 1}"
        if (
            is_task(cell)
            and not cell.source.startswith(TRIAL)
            and not any(map(is_exercise, nb.cells[index + 1 : index + 2]))
        ):
            problems.append(f"{where}: a task without a solution: the cell below must begin with {EXERCISE!r}")
        if not is_exercise(cell):
            continue
        names = [node.name for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
        if len(names) != 1:
            problems.append(
                f"{where}: an exercise is one function, here are {len(names)}: {', '.join(names) or 'none'}"
            )
            continue
        name = names[0]
        task, wrong = entry_of(nb.cells[index - 1] if index else None, name)
        problems += [f"{where}: {words}" for words in wrong]
        if not any(f'check("{chapter}.{name}", {name})' in other.source for other in nb.cells[index + 1 :]):
            problems.append(f'{where}: no cell below says {name} = check("{chapter}.{name}", {name})')
        if name in tasks:
            problems.append(f"{where}: {name} is an exercise twice")
        tasks[name] = task
        if name not in exported:
            solutions[name] = f"{without_marks(cell)}\n"
    if not tasks:
        return "", problems
    imports, missing = needed(nb, chapter, list(solutions.values()), exported, {*tasks} - {*solutions})
    problems += [
        f"notebooks/{path.name}: the exercises use {name}, which no import of the notebook brings" for name in missing
    ]
    table = "TASKS = {\n" + "".join(tasks.values()) + "}\n"
    return f"{header}\n{imports}\n\n" + "\n\n".join([*solutions.values(), table] if solutions else [table]), problems


def entry_of(cell: nbformat.NotebookNode | None, name: str) -> tuple[str, list[str]]:
    """A task as the source of an entry of TASKS, and what is wrong with its cell."""
    found = HEAD.fullmatch(cell.source) if cell is not None and cell.cell_type == "markdown" else None
    if not found:
        return "", [
            f"above {name} there must be a markdown cell '### Exercise: TITLE', '●●○○○ about N minutes', the task, hints"
        ]
    hints = HINT.findall(found["rest"])
    if [number for number, _ in hints] != [str(k + 1) for k in range(HINTS)]:
        return "", [
            f"the task of {name} needs Hint 1 to Hint {HINTS}, each in <details> with a blank line before and after its text"
        ]
    task = found["rest"].split("<details>")[0].strip()
    if not task or not all(text.strip() for _, text in hints):
        return "", [f"the task of {name} or one of its hints says nothing"]
    lines = [
        f"title={literal(found['title'].strip())}",
        f"difficulty={found['dots'].count('●')}",
        f"minutes={found['minutes']}",
    ]
    lines += [
        f"task={literal(task)}",
        "hints=(\n" + "".join(f"            {literal(text)},\n" for _, text in hints) + "        )",
    ]
    return f'    "{name}": Task(\n' + "".join(f"        {line},\n" for line in lines) + "    ),\n", []


def literal(text: str) -> str:
    """A string as the formatter writes it."""
    quoted = text.replace("\\", "\\\\")
    if "\n" in text:
        return '"""' + quoted.replace('"""', '\\"\\"\\"') + ('\\\n"""' if text.endswith('"') else '"""')
    if '"' in text and "'" not in text:
        return f"'{quoted}'"
    return '"' + quoted.replace('"', '\\"') + '"'


def needed(
    nb: nbformat.NotebookNode, chapter: str, sources: list[str], exported: set[str], solved: set[str]
) -> tuple[str, list[str]]:
    """The import lines that the solutions need, and the names that nothing brings."""
    available: dict[str, tuple[str, str]] = {}  # name: (module, what is imported from it; "" for the module itself)
    for cell in nb.cells:
        if cell.cell_type != "code" or cell.source.startswith(("%", "!")):
            continue
        try:
            tree = ast.parse(without_magics(cell.source))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                available |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                available |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    tree = ast.parse("\n\n".join(sources))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    inner = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    inner |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    inner |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    plain, grouped = set(), {"sslkit.checks.exercise": {"Task"}}
    if solved:
        grouped[f"sslkit.chapters.{chapter}.method"] = set(solved)
    missing = []
    for name in sorted(used - defined - inner - set(dir(builtins))):
        if name in exported:
            grouped.setdefault(f"sslkit.chapters.{chapter}.method", set()).add(name)
        elif name not in available:
            missing.append(name)
        elif not available[name][1]:
            module = available[name][0]
            plain.add(f"import {module}" if module == name else f"import {module} as {name}")
        else:
            module, what = available[name]
            grouped.setdefault(module, set()).add(what if what == name else f"{what} as {name}")
    return "\n".join(ordered(plain, grouped)), missing


def ordered(plain: set[str], grouped: dict[str, set[str]]) -> list[str]:
    """Import lines as ruff sorts them: the standard library, other packages, the kit; `import` before `from`."""
    lines = [(line.split()[1], line) for line in plain]
    for module, names in grouped.items():
        line = f"from {module} import {', '.join(sorted(names, key=lambda n: (n.split()[0].islower(), n)))}"
        if len(line) > 120:
            line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in sorted(names)) + ")"
        lines.append((module, line))

    def place(item: tuple[str, str]) -> tuple:
        top = item[0].split(".")[0]
        part = 2 if top == "sslkit" else 0 if top in sys.stdlib_module_names else 1
        return part, item[1].startswith("from"), item[0]

    out: list[str] = []
    for k, item in enumerate(ordered_items := sorted(lines, key=place)):
        if k and place(item)[0] != place(ordered_items[k - 1])[0]:
            out.append("")
        out.append(item[1])
    return out
