"""A chapter as slides for a talk: one HTML file that needs no network, from the executed notebook.

Headings begin slides, figures get slides of their own, code is shown where it is the method and hidden where it draws. Exercises and what
is marked *optional* are left out. A cell's tags overrule this: `slide`, `subslide`, `fragment`, `skip`, `notes`, nbconvert's names.
The slides are reveal.js (in reveal/, with its licence), laid out by nbconvert.
"""

import copy
import re
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import pass_context
from nbconvert import SlidesExporter
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from sslkit.notebooks import cells, files
from sslkit.notebooks.page import Renderer

REVEAL = Path(__file__).with_name("reveal")
KINDS = ("slide", "subslide", "fragment", "skip", "notes")
TEMPLATE = """
{%- extends 'reveal/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block footer_js -%}{%- endblock -%}
"""
STYLE = """
.reveal { font: 26px/1.35 sans-serif; color: #222; }
.reveal .slides section { height: 100%; overflow-y: auto; text-align: left; line-height: 1.35; }
.reveal h1, .reveal h2, .reveal h3 { font-size: 1.5em; margin: 0 0 0.5em; }
.reveal img { max-width: 100%; max-height: 70vh; object-fit: contain; background: white; }
.reveal table { border-collapse: collapse; } .reveal td, .reveal th { border-bottom: 1px solid; padding: 0.2em 0.5em; }
.reveal .jp-InputPrompt, .reveal .jp-OutputPrompt { display: none; }
"""
START = "Reveal.initialize({ hash: true, slideNumber: 'c/t', width: 1100, height: 760, center: false, transition: 'none' });"


class Slides(SlidesExporter):
    """nbconvert's slides with formulas as MathML, and nothing loaded from elsewhere."""

    raw_template = TEMPLATE

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        return MarkdownWithMath(renderer=Renderer(escape=False)).render(source)


def slides(nb: nbformat.NotebookNode, title: str) -> str:
    """The notebook's slides as one HTML page."""
    html = Slides(exclude_input_prompt=True, exclude_output_prompt=True).from_notebook_node(
        laid_out(nb), resources={"metadata": {"name": title}}
    )[0]
    html = re.sub(r'<link [^>]*href="https?:[^>]*>', "", html)
    css = (REVEAL / "reveal.css").read_text(encoding="utf-8")
    script = (REVEAL / "reveal.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    head, start = f"<style>{css}{STYLE}</style></head>", f"<script>{script}</script><script>{START}</script></body>"
    return html.replace("</head>", head, 1)[::-1].replace("</body>"[::-1], start[::-1], 1)[::-1]


def laid_out(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy whose cells know their slides, without what is left out."""
    nb, kept, inside = copy.deepcopy(nb), [], 0
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source, inside = cells.without_optional(cell.source, inside)
        heading = re.match(r"#+", cell.source) if cell.cell_type == "markdown" else None
        chosen = next((kind for kind in KINDS if cells.tagged(cell, kind)), "")
        optional_code = inside and cell.cell_type == "code"
        if not chosen and (optional_code or not cell.source.strip() or left_out(cell)):
            continue
        drawn = any("text/html" in output.get("data", {}) for output in cell.get("outputs", []))
        fitting = "slide" if heading and len(heading[0]) < 3 else "subslide" if heading or drawn else "-"
        cell.metadata["slideshow"] = {"slide_type": chosen or fitting}
        if cell.cell_type == "code" and cell.get("outputs") and cells.EXPORT not in cells.marks(cell):
            cell.metadata["transient"] = {"remove_source": True}
        cells.drop_widget_views(cell)
        kept.append(cell)
    nb.cells = kept
    nb.metadata.pop("widgets", None)
    return nb


def left_out(cell: nbformat.NotebookNode) -> bool:
    """Set-up (a cell that begins with imports), exercises, checks, and code that shows nothing."""
    if cells.is_task(cell) or cells.tagged(cell, cells.COLAB, cells.INSTRUCTOR):
        return True
    if cell.cell_type == "markdown":
        return f"marked `{cells.EXERCISE}`" in cell.source
    setup = cells.without_marks(cell).startswith(("import ", "from "))
    shows = cell.outputs or "def " in cell.source
    return setup or not shows or cells.is_exercise(cell) or bool(cells.checked(cell))


def write(out: Path, names: list[str], root: Path = files.ROOT) -> list[Path]:
    """Slides of chapters ("simclr", "10_simclr"; all when none is named) in a folder, which may hold older ones."""
    made = []
    for path in [files.locate(name, root) for name in names] or list(files.course(root).values()):
        made.append(out / f"{path.stem}.html")
        files.write(made[-1], slides(files.read(path), path.stem))
    return made
