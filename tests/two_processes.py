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
    multiprocessing.spawn(_process, (work, free_port(), folder), nprocs=2)
    return [torch.load(folder / f"{number}.pt", weights_only=True) for number in range(2)]


def _process(number: int, work: Callable[[], dict], port: int, folder: Path) -> None:
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init()
    torch.save(work(), folder / f"{number}.pt")
    dist.finish()
    assert dist.world() == 1
