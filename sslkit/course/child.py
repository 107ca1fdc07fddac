"""The process of its own in which one student's functions are defined and graded.

JOB is a JSON file {"chapter", "prelude", "functions", "seed"}. To RESULTS goes a line of JSON when an exercise begins and one when its
verdict is known: so the parent knows what a dying process had done, and what it was at.
"""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

MEMORY = 4_000_000_000  # bytes that a student's process may have
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000  # unshare(2)
DIE_WITH_PARENT = 1  # prctl(2)
STARTS = "os.fork os.forkpty os.exec os.posix_spawn os.spawn os.system os.startfile subprocess.Popen".split()
PATIENT = 60.0  # seconds for a function that was slow while the machine was busy with something else


def isolate(folder: str) -> None:
    """Give this process a session, a home and a current folder of its own, and nothing to read from or print to; where Linux allows it,
    also no network, and no other process that it could see or end."""
    os.chdir(folder)
    os.environ |= {"HOME": folder, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    if os.name != "nt":
        os.setsid()  # what it starts can be ended with it
    if sys.platform == "linux" and ctypes.CDLL(None).unshare(NEW_USER | NEW_PID | NEW_NET) == 0:
        if first := os.fork():  # the first process among the new numbers; all others end with it
            os._exit(os.waitpid(first, 0)[1] != 0)
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


def forbid_processes() -> None:
    """Let no process be started from here on: a function that forks whenever it is called would double the load with every call."""

    def refuse(event: str, args: object) -> None:
        if event in STARTS:
            raise PermissionError("a graded function may not start other processes")

    def fork_exec(*args: object) -> None:
        refuse("subprocess.Popen", args)

    sys.addaudithook(refuse)
    if os.name != "nt":
        import _posixsubprocess

        _posixsubprocess.fork_exec = fork_exec  # type: ignore[assignment]  # multiprocessing calls it; Python does not audit it


def limit_resources() -> None:
    """Take away what can be taken away on this system: memory beyond MEMORY, files beyond 100 MB, further core dumps."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_FSIZE, 100_000_000), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            pass


def grade_patiently(grade: Callable, name: str, function: object, seed: int) -> dict:
    """The verdict on a function; graded once more where it was slow by the clock but the processor hardly worked on it."""
    clock, worked = time.monotonic(), time.process_time()
    verdict = grade(name, function, seed=seed)
    if "too slow" in verdict.mistakes and time.process_time() - worked < (time.monotonic() - clock) / 2:
        verdict = grade(name, function, seed=seed, seconds=PATIENT)
    return verdict.as_dict()


def main(job: Path, results: Path) -> None:
    """Grade all functions of a job, in the job's folder."""
    isolate(str(job.parent))
    from sslkit.checks import grade

    wanted = json.loads(job.read_text(encoding="utf-8"))
    with open(results, "a", encoding="utf-8") as out:

        def say(**values: object) -> None:
            out.write(json.dumps(values) + "\n")
            out.flush()

        limit_resources()
        forbid_processes()
        names: dict = {"__name__": "__student__"}
        for code in wanted["prelude"]:
            try:
                exec(compile(code, "<notebook>", "exec"), names)
            except BaseException:  # a line that needs what is not there; a function that needs it will say so
                continue
        for name, code in wanted["functions"].items():
            say(begins=name)
            try:
                exec(compile(code, f"<{name}>", "exec"), names)
                verdict = grade_patiently(grade, f"{wanted['chapter']}.{name}", names[name], wanted["seed"])
            except BaseException as error:
                verdict = {"status": "wrong", "points": 0.0, "mistakes": [], "text": f"{type(error).__name__}: {error}"}
            say(name=name, verdict={key: value for key, value in verdict.items() if key != "printed"})
