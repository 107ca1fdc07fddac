"""How much memory a process and its children take at most, and how much of the processor."""

import contextlib
import threading
from collections.abc import Callable

import psutil

INTERVAL = 0.5  # seconds; listing children costs milliseconds


def watch(pid: int) -> Callable[[], int]:
    """Watch a process from now on. The returned function gives the peak in bytes so far, and ends the watch.

    The process's own peak is the system's exact one where the system keeps it (Linux, Windows); that of
    process and children together is sampled. Pages that they share count once on Linux, elsewhere once for each.
    """
    process, done, peak = psutil.Process(pid), threading.Event(), [0]

    def sample() -> None:
        try:
            tree = [process, *process.children(recursive=True)]
            sizes = [_resident(one, shared=len(tree) > 1) for one in tree]
            peak[0] = max(peak[0], sum(sizes), _own_peak(process))
        except psutil.Error:
            done.set()  # the process is gone: the peak stands

    def loop() -> None:
        while not done.wait(INTERVAL):
            sample()

    def stop() -> int:
        sample()
        done.set()
        return peak[0]

    threading.Thread(target=loop, daemon=True).start()
    return stop


def core_seconds(pid: int) -> float:
    """Seconds of one core that a process and its children have taken; on Linux also those of children that ended.

    Unlike the clock it does not count what others do on the same cores.
    """
    found, process = 0.0, psutil.Process(pid)
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # a child that ended since it was listed
            found += sum(one.cpu_times()[:4])  # user and system, its own and its ended children's
    return found


def _resident(process: psutil.Process, shared: bool) -> int:
    try:
        if shared and psutil.LINUX:  # torch's libraries alone are hundreds of MB, the same pages in each process
            return process.memory_full_info().pss
        return process.memory_info().rss
    except psutil.Error:  # a child that ended since it was listed
        return 0


def _own_peak(process: psutil.Process) -> int:
    if psutil.LINUX:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), 0)
        except FileNotFoundError as error:
            raise psutil.NoSuchProcess(process.pid) from error
    return getattr(process.memory_info(), "peak_wset", 0)
