"""The address of this repository, from one constant (`REPOSITORY` in kit.py): what the notebooks' Colab cell, their badges and the
README make of it. Who publishes a copy of the kit sets it once: python -m sslkit.notebooks address https://github.com/you/sslkit
"""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from sslkit.notebooks import files
from sslkit.notebooks.cells import COLAB, tagged

CONSTANT = re.compile(r'^REPOSITORY = "([^"]*)"', re.MULTILINE)
FETCH = """\
# On Google Colab this fetches the kit; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    fetch = "test -d /content/sslkit || git clone -q --depth 1 {address} /content/sslkit"
    subprocess.run(fetch, shell=True, check=True)
    sys.path.insert(0, "/content/sslkit")
    import kit

    kit.colab()"""
NOWHERE = """\
# On Google Colab this would fetch the kit; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    raise SystemExit("This copy of the kit has no address yet: CONTRIBUTING.md, 'Publish a copy'.")"""


def address(root: Path = files.ROOT) -> str:
    """Where the repository is published, "" while it is nowhere."""
    return CONSTANT.search((root / "kit.py").read_text(encoding="utf-8"))[1]  # type: ignore[index]


def badge(url: str, path: Path) -> str:
    """A link that opens a notebook in Colab; "" where Colab cannot: it reads from GitHub."""
    at = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", url)
    return (
        f"[Open in Colab](https://colab.research.google.com/github/{at[1]}/blob/main/notebooks/{path.name})"
        if at
        else ""
    )


def dressed(nb: NotebookNode, url: str, path: Path) -> NotebookNode:
    """The notebook with the cell that fetches the kit, and its badge, below its head."""
    head, *rest = [cell for cell in nb.cells if not tagged(cell, COLAB)]
    ours = [v4.new_code_cell(FETCH.format(address=url) if url else NOWHERE)]
    if link := badge(url, path):
        ours.insert(0, v4.new_markdown_cell(link))
    old = [cell for cell in nb.cells if tagged(cell, COLAB)]
    for cell in ours:
        cell.id, cell.metadata["tags"] = f"{COLAB}-{cell.cell_type}", [COLAB]
        before = next((one for one in old if one.id == cell.id), None)
        if before and cell.cell_type == "code":  # it ran, and printed nothing
            cell.execution_count = before.execution_count
    nb.cells = [head, *ours, *rest]
    return nb


def clone(url: str) -> str:
    """The README's two commands."""
    first = f"git clone {url} sslkit\ncd sslkit\n" if url else ""
    where = (
        ""
        if url
        else "Unpack the kit, or clone it from where you found it. Open a terminal in its folder and type:\n\n"
    )
    return f"{where}```\n{first}python3 kit.py lab\n```"


def write(url: str | None = None, root: Path = files.ROOT, check: bool = False) -> list[str]:
    """Bring kit.py, README.md and the notebooks to an address (None: the one in kit.py); returns
    a message for each that was stale.

    ValueError for an address that git cannot clone from.
    """
    if url and not re.fullmatch(r"(https://|ssh://|git@|file://)[^\s'\"\\]+", url):
        raise ValueError(f"{url!r} is not an address to clone from: https://github.com/you/sslkit")
    launcher, readme, stale = root / "kit.py", root / "README.md", []
    new = {}
    text = launcher.read_text(encoding="utf-8")
    url = CONSTANT.search(text)[1] if url is None else url  # type: ignore[index]
    new[launcher] = CONSTANT.sub(lambda _: f'REPOSITORY = "{url}"', text)
    block = re.compile(r"(<!-- clone -->\n).*?(<!-- /clone -->)", re.DOTALL)
    new[readme] = block.sub(lambda match: match[1] + clone(url) + "\n" + match[2], readme.read_text(encoding="utf-8"))
    for path in files.course(root).values():
        new[path] = nbformat.writes(dressed(files.read(path), url, path)) + "\n"
    for path, text in new.items():
        if path.read_text(encoding="utf-8") != text:
            stale.append(f"{path.name} is not at the address of kit.py: python -m sslkit.notebooks address")
            if not check:
                files.write(path, text)
    return stale
