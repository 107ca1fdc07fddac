"""Processes that the notebook starts: two that compute a gradient, two that train and of which one may be killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
from torch import Tensor, nn

import sslkit
from sslkit import checkpoint
from sslkit.plots import Live
from sslkit.train import Recipe

RUN = ("-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", "2")
PATIENCE = 600  # seconds that a run may take before it counts as stuck


def environment() -> dict[str, str]:
    """One thread for each process: two processes of two threads on two cores would get into each other's way."""
    root = str(Path(sslkit.__file__).parents[1])
    # On Linux the second gives the memory that drawing the scenes took back at once.
    return {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "4194304", "PYTHONPATH": root}


def gradients(folder: Path, net: nn.Sequential, views: tuple[Tensor, Tensor], temperature: float) -> dict[str, Tensor]:
    """The mean gradient of InfoNCE in two real processes, for each of the four ways (see processes.py)."""
    given = {"net": net.state_dict(), "views": list(views), "temperature": temperature}
    checkpoint.save(folder / "given.pt", given)
    command = [sys.executable, *RUN, "-m", "sslkit.chapters.many_gpus.processes", str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return checkpoint.load(folder / "found.pt")["gradients"]


class Training:
    """SimCLR on scenes in two processes, by the command line, into the folder `out`. limit: how many images of a split."""

    def __init__(self, out: Path, recipe: Recipe, limit: int | None = None):
        self.out, self.steps = out, recipe.steps
        self.process: subprocess.Popen | None = None
        self.spoken = out.with_suffix(".txt")
        settings = {
            "steps": recipe.steps,
            "batch": recipe.batch,
            "encoder": recipe.encoder,
            "optimizer": recipe.optimizer,
            "lr": recipe.lr,
            "weight-decay": recipe.weight_decay,
            "limit": limit,
        }
        self.command = [
            sys.executable,
            *RUN,
            "-m",
            "sslkit",
            "pretrain",
            "simclr",
            "--data",
            "scenes",
            "--scale",
            "laptop",
        ]
        self.command += [
            part for key, value in settings.items() if value is not None for part in (f"--{key}", str(value))
        ]
        self.command += ["--out", str(out)]

    def start(self, *more: str) -> None:
        """Start it, in the background; what it says goes to a file."""
        with self.spoken.open("a") as said:
            self.process = subprocess.Popen(
                [*self.command, *more], env=environment(), stdout=said, stderr=subprocess.STDOUT
            )

    def records(self) -> list[SimpleNamespace]:
        """The steps that it has logged so far."""
        log = self.out / "log.jsonl"
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        return [SimpleNamespace(**json.loads(line), steps=self.steps) for line in lines if line.endswith("\n")]

    def said(self) -> str:
        """What it said, without torchrun's own report and without the paths of this machine."""
        kept = ("simclr", "step", "Kept", "python -m sslkit")
        lines = [line for line in self.spoken.read_text().splitlines() if line.startswith(kept)]
        return "\n".join(lines).replace(str(self.out.parent), "runs")

    def follow(self, until: int | None = None, live: Live | None = None) -> None:
        """Wait until it has made so many steps; without a number, until it has ended, which must be well."""
        assert self.process is not None, "start it first"
        drawn, end = 0, time.monotonic() + PATIENCE
        while True:
            ended, records = self.process.poll() is not None, self.records()
            if live:
                for record in records[drawn:]:
                    live.update(record)
            drawn = len(records)
            if ended and (until is None or self.process.returncode):
                break
            if until is not None and records and records[-1].step >= until:
                return
            if time.monotonic() > end:
                raise TimeoutError(self.spoken.read_text())
            time.sleep(0.2)
        if self.process.returncode:
            raise RuntimeError(self.spoken.read_text())

    def kill(self, rank: int) -> None:
        """Kill the process of that rank, and wait until the other has left too."""
        assert self.process is not None, "start it first"
        children = psutil.Process(self.process.pid).children()
        next(child for child in children if child.environ().get("RANK") == str(rank)).kill()
        self.process.wait(timeout=60)
