"""Two processes that form a group, for the tests that compare them with one."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
import torch.multiprocessing as multiprocessing
from running import free_port

from sslkit import dist


def in_two_processes(work: Callable[[], dict], folder: Path) -> list[dict]:
    """What `work`, a function of a module, returns in each: [process 0, process 1]."""
    start = "spawn"
    if "forkserver" in multiprocessing.get_all_start_methods():  # PyTorch is imported once, not by every process
        start = "forkserver"
        multiprocessing.set_forkserver_preload(["sslkit.train"])
    multiprocessing.start_processes(_process, (work, free_port(), folder, dict(os.environ)), 2, start_method=start)
    return [torch.load(folder / f"{number}.pt", weights_only=True) for number in range(2)]


def _process(number: int, work: Callable[[], dict], port: int, folder: Path, environment: dict[str, str]) -> None:
    os.environ |= environment | {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init()
    torch.save(work(), folder / f"{number}.pt")
    dist.finish()
    assert dist.world() == 1
