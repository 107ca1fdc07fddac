"""What a committed notebook must be: executed whole from these sources at laptop scale, with the titles they say, small, described."""

import ast
import re
from pathlib import Path

import nbformat

from sslkit.notebooks import files
from sslkit.notebooks.cells import WIDGET, tagged

MAX_BYTES = 2_500_000  # the aim is 1 MB, at two pixels to one of the page; the judging chapter has 27 figures
MAX_MB = 3000  # what the course promises of a chapter
WITHOUT_ALT = re.compile(r"<img(?![^>]*\balt\s*=\s*[\"'][^\"']*\w)[^>]*>", re.IGNORECASE)
AGAIN = "run `python -m sslkit.notebooks run {}`"


def check(path: Path) -> list[str]:
    """What is wrong with a committed notebook: messages that name the cell; none where nothing is."""
    try:
        nb = files.read(path)
        nbformat.validate(nb)
    except (ValueError, nbformat.ValidationError) as error:
        return [f"{path.name}: {str(error).splitlines()[0]}"]
    problems = [*_stamp(nb, path.stem), *_prompts(nb), *_outputs(nb), *_titles(nb), *_pictures_in_prose(nb)]
    if nb.metadata.get("widgets"):
        problems.append("widget state is stored: " + AGAIN.format(path.stem))
    if (size := path.stat().st_size) >= MAX_BYTES:
        problems.append(f"{size / 1000:.0f} kB; at most {MAX_BYTES // 1000} kB: fewer or smaller figures")
    return [f"{path.name}: {problem}" for problem in problems]


def _stamp(nb: nbformat.NotebookNode, stem: str) -> list[str]:
    stamp = nb.metadata.get("sslkit")
    if not stamp:
        return ["never executed whole (it has no stamp): " + AGAIN.format(stem)]
    problems = []
    if stamp["source"] != files.source_hash(nb):
        problems.append("edited since it was executed: " + AGAIN.format(stem))
    if stamp["scale"] != "laptop":
        problems.append(f"executed at {stamp['scale']} scale, not at laptop scale: " + AGAIN.format(stem))
    if stamp["peak_mb"] > MAX_MB:
        problems.append(f"took {stamp['peak_mb']} MB; a chapter has {MAX_MB} MB")
    return problems


def _prompts(nb: nbformat.NotebookNode) -> list[str]:
    cells = [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in cells if not tagged(cell, "skip-execution")]
    if counts != list(range(1, len(counts) + 1)):
        return [f"prompts are {counts}, not 1 to {len(counts)}: it was not run once from top to bottom"]
    return []


def _titles(nb: nbformat.NotebookNode) -> list[str]:
    """A title in the code that is not in the figure: the cell was edited after it ran."""
    problems = []
    for index, cell in enumerate(nb.cells):
        described = "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", []))
        for title in titles(cell.source) if described else ():
            if title not in described:
                problems.append(f"cell {index + 1}: its figure does not have the title {title!r}")
    return problems


def titles(source: str) -> list[str]:
    """The titles that a cell writes out: title="..." in a call, or title = "..."."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    values = [
        key.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for key in call.keywords
        if key.arg == "title"
    ]
    values += [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "title" for t in node.targets)
    ]
    return [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]


def _outputs(nb: nbformat.NotebookNode) -> list[str]:
    problems = []
    for index, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if output.output_type == "error":
                problems.append(f"cell {index + 1}: stored error {output.ename}: {output.evalue[:80]}")
            if WITHOUT_ALT.search(data.get("text/html", "")):
                problems.append(f"cell {index + 1}: a figure without alt text")
            for mime in data:
                if mime.startswith("image/"):
                    problems.append(
                        f"cell {index + 1}: a bare {mime}, which has no alt text on the page: show a plots.Picture"
                    )
            if WIDGET in data:
                problems.append(f"cell {index + 1}: a widget without a picture for those who have no kernel")
    return problems


def _pictures_in_prose(nb: nbformat.NotebookNode) -> list[str]:
    bare = re.compile(rf"!\[\s*\]\(|{WITHOUT_ALT.pattern}", re.IGNORECASE)
    return [
        f"cell {index + 1}: a picture in the text without alt text"
        for index, cell in enumerate(nb.cells)
        if cell.cell_type == "markdown" and bare.search(cell.source)
    ]
