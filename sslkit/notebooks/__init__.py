"""The course's notebooks as the source: export their cells to modules, execute them, check what is committed.

python -m sslkit.notebooks export [--check] [NAME ...]
python -m sslkit.notebooks run NOTEBOOK ... [--scale S] [--to PATH | --in-place] [--html PATH]
python -m sslkit.notebooks check [NAME ...]
python -m sslkit.notebooks address [URL] [--check]
python -m sslkit.notebooks budget
"""

from sslkit.notebooks.checks import check
from sslkit.notebooks.files import course, source_hash
from sslkit.notebooks.modules import export
from sslkit.notebooks.runner import NotebookFailed, run

__all__ = ["NotebookFailed", "check", "course", "export", "run", "source_hash"]
