"""A command that runs in several processes: one of them prints, and all are started again together."""

import os
import shlex

from sslkit import dist


def say(line: str) -> None:
    """Print a line, at once, in the first process alone."""
    if dist.is_main():
        print(line, flush=True)


def resuming(given: list[str]) -> str:
    """The command that resumes the run of these arguments, with as many processes."""
    words = shlex.join([*given, *(["--resume"] if "--resume" not in given else [])])
    if dist.world() == 1:
        return f"python -m sslkit {words}"
    if int(os.environ.get("GROUP_WORLD_SIZE", 1)) > 1:
        return f"your torchrun command on all machines, that is, ... -m sslkit {words}"
    return f"torchrun --standalone --nproc-per-node {dist.world()} -m sslkit {words}"
