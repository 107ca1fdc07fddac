"""Processes that tests start: the kit's command line, also under torchrun; and a free port."""

import os
import socket
import subprocess
import sys
from pathlib import Path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def short_run(steps: int) -> list[str]:
    """The words after `sslkit` of a run of SimCLR that takes seconds."""
    return f"pretrain simclr --data scenes --limit 128 --scale smoke --steps {steps}".split()


def alone(*words: str | Path) -> list[str]:
    """The command that runs the kit with these words in one process."""
    return [sys.executable, "-m", "sslkit", *map(str, words)]


def torchrun(processes: int, *words: str | Path) -> list[str]:
    """The command that runs the kit with these words in several processes."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [*start, "-m", "sslkit", *map(str, words)]


def one_thread(**more: str) -> dict[str, str]:
    """The environment in which each process computes with one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def finish(command: list[str], env: dict[str, str], timeout: float) -> str:
    """Run a command to its good end, within seconds; what was said."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout
