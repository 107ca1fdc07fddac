"""The first page as a demo for a workshop: twenty minutes, no exercises, and training cut to a fifth.

What takes longer comes from the network that ships. A cell with the tag NOT_IN_DEMO is left out.
"""

from pathlib import Path

import nbformat

from sslkit.course.editions import without_outputs
from sslkit.notebooks import files
from sslkit.notebooks.cells import checked, is_exercise, is_task, tagged

SOURCE, NOT_IN_DEMO = "00_start_here", "not-in-demo"
FIRST = 'import os\n\nos.environ["SSLKIT_SCALE"] = "demo"  # a fifth of the laptop\'s steps'


def demo(root: Path = files.ROOT) -> nbformat.NotebookNode:
    """The demo notebook, not executed."""
    nb = without_outputs(files.read(files.locate(SOURCE, root)))
    nb.cells = [cell for cell in nb.cells if shown(cell)]
    nb.cells.insert(1, nbformat.v4.new_code_cell(FIRST, id="demo-scale"))
    return nb


def shown(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell belongs to the demo."""
    return not (tagged(cell, NOT_IN_DEMO) or is_task(cell) or is_exercise(cell) or checked(cell))


def write(path: Path, root: Path = files.ROOT) -> None:
    """Write the demo, in place of an older one."""
    files.write(path, nbformat.writes(demo(root)) + "\n")
