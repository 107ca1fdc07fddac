"""The course as a site of plain files: every chapter as it was executed, with search, dark mode, and formulas that need no network.

Sphinx with MyST-NB reads the committed notebooks, Furo gives the pages their look. Nothing is executed. Maps to explore stand beside
the chapters as pages of their own, since a page has no kernel. print/ holds all chapters on one page.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from sslkit import looks, runs
from sslkit.chapters import methods, title
from sslkit.datasets import load
from sslkit.notebooks import address, files
from sslkit.notebooks.cells import COLAB, INSTRUCTOR, drop_widget_views, tagged
from sslkit.notebooks.page import mathml
from sslkit.widgets.explorer import EmbeddingExplorer

PAGES = ("SYLLABUS", "ROOMS")  # beside the chapters
TITLE = "Self-supervised learning, built from scratch"
SETTINGS: dict[str, Any] = {
    "project": TITLE,
    "html_title": TITLE,
    "extensions": ["myst_nb", __name__],
    "html_theme": "furo",
    "html_static_path": ["_static"],
    "html_css_files": ["book.css"],
    "html_extra_path": ["extra"],
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_show_search_summary": False,  # a page opened from the disk may fetch nothing
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 3,
    "nb_execution_mode": "off",
    "nb_mime_priority_overrides": [("html", "text/html", 0), ("html", "image/png", 1), ("singlehtml", "text/html", 0)],
    "suppress_warnings": ["app", "mystnb.unknown_mime_type", "myst.header", "misc.highlighting_failure"],
}
CSS = """
details { border: 1px solid var(--color-background-border); border-radius: .4rem; padding: .4rem .8rem; margin: .6rem 0; }
summary { cursor: pointer; font-weight: 600; }
div.output img { background: white; }
iframe.explorer { border: 1px solid var(--color-background-border); width: 100%; height: 46rem; }
@media print {
  .sidebar-drawer, .toc-drawer, .mobile-header, .related-pages, iframe.explorer { display: none !important; }
  div.cell_input, div.output, figure, img { break-inside: avoid; }
}
"""
EXPLORE = """# Maps to explore

Each point is an image that no network here was trained on. Move over a point for its image and its nearest neighbours, click to pin
it, drag with Shift to select, zoom with the wheel; colour the points by kind or by any factor behind the image.

"""
RUN = '<a class="launch" href="notebooks/{name}" download>Download this chapter as a notebook</a>'
FRAME = """## {title}

{words} <a href="explore/{name}.html">On a page of its own</a>.

<iframe class="explorer" title="{title}" src="explore/{name}.html"></iframe>

"""


def book(out: Path, root: Path = files.ROOT, explore: bool = True) -> list[str]:
    """Build the site in the folder `out`, and what Sphinx complained of. explore: with the maps, a minute more.

    ValueError where `out` holds anything but such a site.
    """
    if out.exists() and any(out.iterdir()) and not (out / "objects.inv").exists():
        raise ValueError(f"{out} is not empty, and not a book: choose another folder")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        write_source(source, root, explore)
        complaints = Path(folder) / "complaints"
        with complaints.open("w", encoding="utf-8") as said:
            for builder, target in (("html", out), ("singlehtml", out / "print")):
                app = Sphinx(
                    source,
                    None,
                    target,
                    Path(folder) / builder,
                    builder,
                    confoverrides=SETTINGS,
                    status=None,
                    warning=said,
                )
                app.build()
                shutil.rmtree(target / "jupyter_execute", ignore_errors=True)  # the notebooks once more
        return [line for line in complaints.read_text(encoding="utf-8").splitlines() if line.strip()]


def setup(app: Sphinx) -> None:
    """Sphinx calls this. Formulas as MathML, which browsers draw by themselves: MathJax would come from the network."""

    def inline(self: Any, node: nodes.math) -> None:
        self.body.append(mathml(node.astext(), "inline"))
        raise nodes.SkipNode

    def block(self: Any, node: nodes.math_block) -> None:
        self.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>')
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", (inline, None), (block, None))


def write_source(source: Path, root: Path, explore: bool) -> None:
    """What Sphinx reads: a first page, the chapters, the syllabus, the maps."""
    (source / "_static").mkdir(parents=True)
    (source / "_static" / "book.css").write_text(CSS)
    (source / "extra").mkdir()
    chapters = files.course(root)
    for path in chapters.values():
        nb = files.read(path)
        nb.cells = [cell for cell in nb.cells if not tagged(cell, COLAB, INSTRUCTOR)]
        links = [RUN.format(name=path.name), address.badge(address.address(root), path)]
        nb.cells.insert(1, nbformat.v4.new_markdown_cell(" · ".join(filter(None, links)), id="run-it"))
        files.write(source / path.name, nbformat.writes(without_widgets(nb)))
        (source / "extra" / "notebooks").mkdir(exist_ok=True)
        (source / "extra" / "notebooks" / path.name).write_bytes(path.read_bytes())
    for name in PAGES:
        shutil.copy(root / "notebooks" / f"{name}.md", source)
    names = [path.stem for path in chapters.values()]
    if explore:
        write_maps(source)
        names.append("explore")
    toc = "\n".join(["```{toctree}", ":maxdepth: 1", "", *names, *PAGES, "```"])
    downloads = "\n".join(f'- <a href="notebooks/{path.name}" download>{path.name}</a>' for path in chapters.values())
    first = f"# {TITLE}\n\n{FIRST}\n\n{toc}\n\n## The notebooks\n\nTo run a chapter, install the kit and open its notebook:\n\n"
    (source / "index.md").write_text(f"{first}{downloads}\n", encoding="utf-8")


FIRST = (
    "A network makes its own labels from data that nobody labelled, and learns to see, to read and to predict by answering its own "
    "questions. Each chapter builds one method from scratch, trains it on two laptop cores, looks at what it learned and measures it. "
    'Everything on <a href="print/index.html">one page, to print</a>.'
)


def without_widgets(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Widgets as the pictures that stand beside them: a page has no kernel."""
    for cell in nb.cells:
        drop_widget_views(cell)
    nb.metadata.pop("widgets", None)
    return nb


def maps() -> dict[str, tuple[str, str, EmbeddingExplorer]]:
    """{file: (title, words, explorer)}, of the networks that ship."""
    data, found = load("scenes"), {}
    shipped = [run for run in runs.all_runs(Path("/nowhere"), data.name)[0] if run.shipped]
    learned = [run for run in shipped if run.name in methods()]
    shown = [*learned[::2], *(run for run in shipped if run not in learned)]  # all of them would not fit on a page
    encoders = {title(run.name): runs.load_encoder(run.path)[0] for run in shown}
    heading = f"What {', '.join(encoders)} take to be alike"
    found["networks"] = (heading, "The same images, with one selection on all maps.", looks.explorer(encoders, data))
    for name in methods():
        forming = looks.shelf_hour(name, data, f"{title(name)}: the map as it forms")
        if isinstance(forming, EmbeddingExplorer):
            words = "Press play, or drag the slider over a training without labels."
            found[f"forming_{name}"] = (f"{title(name)}: the map as it forms", words, forming)
    return found


def write_maps(source: Path) -> None:
    """The maps as pages that need no kernel, and the chapter that shows them."""
    (source / "extra" / "explore").mkdir()
    text = EXPLORE
    for name, (heading, words, explorer) in maps().items():
        explorer.save(source / "extra" / "explore" / f"{name}.html")
        text += FRAME.format(title=heading, words=words, name=name)
    (source / "explore.md").write_text(text, encoding="utf-8")
