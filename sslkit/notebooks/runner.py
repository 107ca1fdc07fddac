"""Execute a notebook in a fresh kernel, stamp it, and write it only when all of it ran."""

import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from sslkit.notebooks import files
from sslkit.notebooks.cells import drop_progress, drop_widget_views, headings, optional, tags
from sslkit.notebooks.memory import core_seconds, watch
from sslkit.notebooks.modules import export

SCALES = ("smoke", "demo", "laptop", "gpu")  # not "shelf", which is for one method alone: some have no recipe for it
TIMEOUT = 1200  # seconds a cell may take, also on a slow machine; the tag `timeout-60` on a cell changes it
VERSIONS = ("torch", "torchvision", "numpy", "matplotlib", "scikit-learn", "ipywidgets")
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class NotebookFailed(RuntimeError):
    """A notebook did not run to its end; the message names notebook, cell, heading and cause."""


def _say(text: str) -> None:
    print(text, flush=True)


def run(
    path: Path, scale: str = "laptop", to: Path | None = None, html: Path | None = None, say: Callable = _say
) -> nbformat.NotebookNode:
    """Export the notebook's module, execute it from a fresh kernel of this interpreter, stamp and write it.

    scale: SSLKIT_SCALE of the kernel; to: where the executed notebook goes (may be `path`; None: nowhere);
    html: where a page to look at goes. The notebook's folder is the working directory.
    Returns the executed notebook; metadata.sslkit holds the stamp (seconds of the whole run and those of its optional
    cells, by the clock and of one core; peak_mb of the kernel with its children). Raises NotebookFailed; ValueError
    for an unknown scale or a file that is not a notebook; OSError where nothing can be written.
    """
    if scale not in SCALES:
        raise ValueError(f"no scale {scale!r}; there are: {', '.join(SCALES)}")
    path = path.resolve()
    nb = files.read(path)
    for target in filter(None, (to, html)):  # a folder that cannot be made is said now, not after an hour
        target.parent.mkdir(parents=True, exist_ok=True)
    source, written = files.source_hash(nb), [cell.source for cell in nb.cells]
    root = path.parent.parent
    in_course = path.parent.name == "notebooks" and (root / "sslkit" / "chapters").is_dir()
    if in_course and path in files.course(root).values():
        problems = export(root, [files.name_of(path)])
        if problems:
            raise NotebookFailed("\n".join([f"{path.name} cannot be exported:", *problems]))
    say(f"{path.name}: running at {scale} scale")
    (seconds, cores), (beside, beside_cores), peak = _execute(nb, path, scale, root if in_course else None, say)
    _normalise(nb)
    nb.metadata.sslkit = {
        "scale": scale,
        "source": source,
        "seconds": round(seconds),
        "optional_seconds": round(beside),
        "core_seconds": round(cores),
        "optional_core_seconds": round(beside_cores),
        "peak_mb": round(peak / 1e6),
        "cpus": os.cpu_count(),
        "versions": {"python": sys.version.split()[0]} | {name: metadata.version(name) for name in VERSIONS},
    }
    say(f"{path.name}: ran in {seconds:.0f} s, {cores:.0f} s of one core, peak memory {peak / 1e6:,.0f} MB")
    if to is not None:
        if to.resolve() == path and [cell.source for cell in files.read(path).cells] != written:
            raise NotebookFailed(f"{path.name} was edited while it ran; nothing was written, run it again")
        files.write(to, nbformat.writes(nb) + "\n")
        say(f"{path.name}: written to {to}")
    if html is not None:
        from sslkit.notebooks.page import page  # half a second that only this needs

        files.write(html, page(nb, path.stem))
        say(f"{path.name}: to look at: {html.resolve().as_uri()}")
    return nb


def _execute(nb, path, scale, root, say) -> tuple[list[float], list[float], int]:
    """Run all cells in place; returns the seconds, by the clock and of one core, of the whole run and of optional cells; and peak bytes."""
    start, beside = time.perf_counter(), [0.0, 0.0]
    above = headings(nb)
    client = _client(nb, path.parent, scale)
    with tempfile.TemporaryDirectory() as profile:
        try:
            client.start_new_kernel(env=_environment(scale, root, profile))
            client.start_new_kernel_client()
        except RuntimeError as error:
            raise NotebookFailed(f"{path.name}: the kernel did not start: {error}") from error
        with client.setup_kernel(cleanup_kc=True):
            pid = client.km.provisioner.pid  # type: ignore[union-attr]  # the local one has it
            peak = watch(pid)
            for index, (cell, is_optional) in enumerate(zip(nb.cells, optional(nb))):
                began = time.perf_counter(), core_seconds(pid)
                where = f"{path.name}, cell {index + 1} of {len(nb.cells)}, under {above[index]!r}"
                try:
                    client.execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
                except DeadKernelError:
                    cause = f"killed or crashed, often for want of memory (peak {peak() / 1e6:,.0f} MB)"
                    raise NotebookFailed(f"{where}: the kernel died: {cause}") from None
                except CellExecutionError as error:
                    raise NotebookFailed(f"{where}:\n{_short(cell, error)}") from None
                took = time.perf_counter() - began[0], core_seconds(pid) - began[1]
                if is_optional:
                    beside = [sum(both) for both in zip(beside, took)]
                if took[0] > 2:
                    say(f"  cell {index + 1:>3}  {took[0]:6.1f} s  {above[index]}")
            cores, most = core_seconds(pid), peak()
    return [time.perf_counter() - start, cores], beside, most


def _client(nb: nbformat.NotebookNode, folder: Path, scale: str) -> NotebookClient:
    client = NotebookClient(
        nb,
        # An empty search path leaves jupyter_client's native kernel: this interpreter, whatever is installed.
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[])),
        timeout_func=None if scale == "gpu" else _timeout,
        interrupt_on_timeout=True,
        # Without it a cell that handles the interrupt would pass as complete; one that ignores it would hang.
        error_on_timeout={"ename": "Timeout", "evalue": "", "traceback": []},
        iopub_timeout=10,  # for the traceback of an interrupted cell, on a busy machine
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        startup_timeout=120,
        extra_arguments=["--IPKernelApp.log_level=40"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.log.setLevel("CRITICAL")  # what it raises says the same
    return client


def _environment(scale: str, root: Path | None, profile: str) -> dict[str, str]:
    """Nothing of the user's IPython, this interpreter's programs for `!python`, this clone's package."""
    env = os.environ | {"SSLKIT_SCALE": scale, "IPYTHONDIR": profile, "PYTHONHASHSEED": "0"}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if root is not None:
        env["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    return env


def _timeout(cell: nbformat.NotebookNode) -> int:
    """Seconds that a cell may take: its tag `timeout-N`, else TIMEOUT."""
    found = [re.fullmatch(r"timeout-(\d+)", tag) for tag in tags(cell)]
    return next((int(match[1]) for match in found if match), TIMEOUT)


def _short(cell: nbformat.NotebookNode, error: CellExecutionError) -> str:
    """Where in the cell, through which files, and what: the lines of a traceback that say so."""
    outputs = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    lines = [line for output in outputs for line in ANSI.sub("", "\n".join(output.traceback)).splitlines()]
    lines = [line for line in lines if re.match(r"Cell In|File |\s*-+> ?\d", line)][-12:]
    if error.ename == "Timeout":
        return "\n".join([*lines, f"stopped after {_timeout(cell)} s; the tag timeout-N gives it N seconds"])
    return "\n".join([*lines, f"{error.ename}: {ANSI.sub('', error.evalue)}"])


def _normalise(nb: nbformat.NotebookNode) -> None:
    """Keep what does not change from run to run, and pictures instead of widgets that need a kernel."""
    kept = {key: value for key, value in nb.metadata.items() if key not in ("widgets", "signature")}
    nb.metadata = nbformat.from_dict(
        kept
        | {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        }
    )
    nb.nbformat_minor = max(nb.nbformat_minor, 5)
    for index, cell in enumerate(nb.cells):
        if "id" not in cell:  # older formats have none; derived, so that a second run gives the same
            cell["id"] = hashlib.sha256(f"{index}{cell.source}".encode()).hexdigest()[:8]
        cell.metadata.pop("execution", None)
        drop_progress(cell)
        drop_widget_views(cell, beside="text/html")  # a widget without a picture stays: checks.py names it
