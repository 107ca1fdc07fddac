"""Long work says how far it is, and leaves nothing behind; a training cell that is stopped says where, and nothing runs after it."""

from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from sslkit import plots, progress
from sslkit.notebooks.files import ROOT
from sslkit.notebooks.saving import keep_pictures

TRAINING = """import os, signal, time
import torch
from torch import nn
from sslkit import plots
from sslkit.train import Recipe, train

class Slow(nn.Module):
    stops_at, steps = None, 0
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 2)
    def pretext(self, x, generator):
        time.sleep(0.05)
        self.steps += 1
        if self.steps == self.stops_at:
            os.kill(os.getpid(), signal.SIGINT)
        return x.float()
    def forward(self, x):
        return self.encoder(x).square().mean(), {}
    def chance(self, batch):
        return 1.0

method = Slow()"""
LOOP = """live = plots.Live(chance=1.0, every=1e9)
for record in train(method, torch.ones(8, 4), Recipe(steps=1000, lr=0.01, batch=8)):
    live.update(record)"""
IN_THE_BODY = (
    LOOP
    + """
    if record.step == 5:
        raise KeyboardInterrupt"""
)


IN_A_STEP = "method.stops_at = 20\n" + LOOP


@pytest.mark.parametrize("loop, step", [(IN_A_STEP, 20), (IN_THE_BODY, 5)], ids=["in a step", "between steps"])
@pytest.mark.slow
def test_a_stopped_training_cell_finishes_its_figure_and_ends_run_all(loop, step):
    nb = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (TRAINING, loop, "print('after')")]
    )
    client = NotebookClient(nb, kernel_name="python3", timeout=120, extra_arguments=["--IPKernelApp.log_level=40"])
    with pytest.raises(CellExecutionError):
        client.execute(cwd=str(ROOT))
    training, after = nb.cells[1].outputs, nb.cells[2]
    assert not after.outputs and after.execution_count is None  # Run All stops here
    errors = [output for output in training if output.output_type == "error"]
    figures = [output for output in training if "data" in output and "step" in output["data"].get("text/plain", "")]
    assert len(errors) == 1 and len(figures) == 1
    if loop is IN_A_STEP:
        said = errors[0].traceback
        assert len(said) == 1 and said[0].startswith("Stopped after step 20 ") and "what was learned is kept" in said[0]
    assert f"step {step} of 1,000" in figures[0]["data"]["text/plain"]


def test_progress_on_a_page_is_one_line_that_goes_away(monkeypatch):
    nb = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(
                "from sslkit import progress\n"
                "progress.QUIET_SECONDS = 0\n"
                "show = progress.progress('fitting', 4, 'rows')\n"
                "import time\n"
                "for k in range(5):\n    time.sleep(0.6)\n    show(k, 'one <of> them')\n    k == 3 and print(progress.in_jupyter())"
            )
        ]
    )
    client = NotebookClient(nb, kernel_name="python3", timeout=60, extra_arguments=["--IPKernelApp.log_level=40"])
    seen = []
    process = client.process_message
    monkeypatch.setattr(client, "process_message", lambda msg, *rest: seen.append(msg) or process(msg, *rest))
    client.execute(cwd=str(ROOT))
    pages = [
        m["content"]["data"]["text/html"] for m in seen if m["msg_type"] in ("display_data", "update_display_data")
    ]
    assert len(pages) >= 3 and pages[-1] == "" and "fitting: one &lt;of&gt; them, 1 of 4 rows,  25%, about" in pages[1]
    line = nb.cells[0].outputs[0]
    assert line["data"]["text/plain"] == "" and line["metadata"] == progress.MARK
    keep_pictures({"type": "notebook", "content": nb})
    assert [output.output_type for output in nb.cells[0].outputs] == ["stream"]


def test_progress_on_a_terminal_rewrites_one_line(monkeypatch, capsys):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show = progress.progress("fitting", 100, "rows")
    for done in (0, 10, 50, 100):
        clock.now += 5
        show(done)
    lines = capsys.readouterr().out.split("\r")
    assert lines[2].rstrip() == "fitting: 10 of 100 rows,  10%, about 1 min 30 s left" and lines[-1].endswith("\n")


def test_t_sne_says_how_far_it_is_and_prints_nothing(monkeypatch, capsys):
    said = []
    monkeypatch.setattr(
        "sslkit.plots.maps.progress", lambda *about: said.append(about) or (lambda done: said.append(done))
    )
    plots.tsne(np.random.default_rng(0).normal(size=(60, 5)), perplexity=5)
    assert said[0][0] == "t-SNE of 60 points" and said[-1] > 300 and said[1:] == sorted(said[1:])
    assert capsys.readouterr().out == ""


def test_what_is_short_says_nothing(capsys):
    show = progress.progress("fitting", 3)
    for done in range(4):
        show(done)
    assert capsys.readouterr().out == ""
