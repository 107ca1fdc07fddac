"""Two processes under torchrun, one of which is killed, told to end, or not there when the run goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import alone, finish, one_thread, short_run, torchrun
from states import same

from sslkit import checkpoint

STEPS = 40
RUN = short_run(STEPS)
ENV = one_thread(SSLKIT_PRECISION="float32")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")]


def command(out: Path, processes: int = 2, *more: str) -> list[str]:
    return torchrun(processes, *RUN, "--out", out, *more)


def to_the_end(out: Path, processes: int = 2, *more: str) -> str:
    """Run to the end; what was said."""
    return finish(command(out, processes, *more), ENV, timeout=120)


def started(out: Path, steps: int = 7) -> subprocess.Popen:
    """A run of two processes that has made some steps."""
    run = subprocess.Popen(command(out), env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log, end = out / "log.jsonl", time.monotonic() + 60
    while not (log.exists() and log.read_text().count("\n") >= steps):
        assert run.poll() is None and time.monotonic() < end, run.communicate()
        time.sleep(0.01)
    return run


def worker(run: subprocess.Popen, rank: int) -> int:
    """The process id of a rank."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
        if parent == run.pid and b"RANK=%d" % rank in environment:
            return int(process.name)
    raise AssertionError(f"no worker of rank {rank}")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The last checkpoint of two processes that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole")
    to_the_end(out)
    return checkpoint.load(out / "checkpoint.pt")


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes in /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_one_is_killed(rank, tmp_path, whole):
    """The other one ends within seconds, says what happened, and keeps all whole steps; the resume is bit for bit."""
    run = started(tmp_path)
    before = (tmp_path / "log.jsonl").read_text().count("\n")
    os.kill(worker(run, rank), signal.SIGKILL)
    out, err = run.communicate(timeout=300)  # not the ten minutes of the group's own timeout
    assert run.returncode != 0
    line = next(line for line in err.splitlines() if line.startswith("python -m sslkit pretrain:"))
    assert f"process {rank} of 2 is gone" in line and f"process {1 - rank} ends the run" in line
    assert "kept in" in line and "--nproc-per-node 2" in line and line.endswith("--resume")
    assert "sslkit/train/" not in err, "no traceback of the kit's own"
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert before <= state["step"] < STEPS and f"after step {state['step']} of {STEPS}" in line
    to_the_end(tmp_path, 2, "--resume")
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == STEPS and same(state["model"], whole["model"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end(number, tmp_path):
    """As a cluster does it, and as Ctrl-C does: torchrun passes it on, all stop at the same step."""
    run = started(tmp_path)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode != 0 and "is gone" not in err
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert 7 <= state["step"] < STEPS and f"Stopped after step {state['step']} of {STEPS}" in out
    assert out.count("Stopped after") == 1 and "--resume" in out
    if number == signal.SIGTERM:  # and with another number of processes it goes on, too
        said = to_the_end(tmp_path, 1, "--resume")
        assert "started with 2 process(es) and goes on with 1" in said and "not bit for bit" in said
        state = checkpoint.load(tmp_path / "checkpoint.pt")
        assert state["step"] == STEPS and state["processes"] == 1


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes in /proc")
def test_one_is_told_to_end_and_the_other_stops_with_it(tmp_path):
    run = started(tmp_path)
    os.kill(worker(run, 1), signal.SIGTERM)
    out, err = run.communicate(timeout=60)
    assert "Stopped after step" in out and "is gone" not in err
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] < STEPS


def test_one_process_told_to_end(tmp_path):
    plain = alone(*RUN, "--out", tmp_path)
    run = subprocess.Popen(plain, env=ENV, stdout=subprocess.PIPE, text=True)
    while not ((tmp_path / "log.jsonl").exists() and (tmp_path / "log.jsonl").read_text().count("\n") >= 3):
        assert run.poll() is None
        time.sleep(0.01)
    run.terminate()
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM and "python -m sslkit pretrain simclr" in out
    assert 3 <= checkpoint.load(tmp_path / "checkpoint.pt")["step"] < STEPS
