"""What this machine has: the device, and the precision that pays on it."""

import ctypes
import os
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path

import torch

from sslkit import dist


def device() -> torch.device:
    """This process's GPU if there is one, else the CPU; SSLKIT_DEVICE (cpu, cuda, cuda:1, mps) overrules.

    ValueError for a device that this machine, or this build of PyTorch, does not have.
    """
    gpu = torch.cuda.is_available()
    wanted = os.environ.get("SSLKIT_DEVICE")
    if not wanted:
        return torch.device("cuda", dist.local_rank()) if gpu else torch.device("cpu")
    try:
        torch.Generator(wanted)  # which also refuses "meta", where nothing can be computed
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError, ValueError) as error:  # what PyTorch raises differs from device to device
        here = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count() if gpu else 0))]
        here += ["mps"] if torch.backends.mps.is_available() else []
        raise ValueError(
            f"SSLKIT_DEVICE is {wanted!r}, which PyTorch cannot use here; it can use {', '.join(here)}. Set it to one of these, or unset it"
        ) from error
    return torch.device(wanted)


def precision(kind: str) -> torch.dtype:
    """The precision in which training pays on this kind of device ("cpu", "cuda"): bfloat16 or float32; see
    `chosen_precision`."""
    return chosen_precision(kind)[0]


def chosen_precision(kind: str) -> tuple[torch.dtype, str]:
    """The precision for a kind of device, and why, in words.

    bfloat16 where the hardware multiplies matrices in it: NVIDIA GPUs since Ampere, processors with AMX. Elsewhere it is
    emulated, or no faster than float32. Decided by what the hardware says of itself and never by a stop-watch, so that
    the same seed gives the same numbers on the same machine. SSLKIT_PRECISION=float32 or bfloat16 overrules.
    """
    if wanted := os.environ.get("SSLKIT_PRECISION"):
        if wanted not in ("float32", "bfloat16"):
            raise ValueError(f"SSLKIT_PRECISION is {wanted!r}; it can be float32 or bfloat16")
        return getattr(torch, wanted), "SSLKIT_PRECISION says so"
    if kind == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16, "this GPU computes in it"
        return torch.float32, "this GPU only emulates bfloat16"
    if kind != "cpu":
        return torch.float32, f"the safe choice on {kind}"
    if "amx_bf16" in cpu_features():
        return torch.bfloat16, "this processor multiplies matrices in it (AMX)"
    return torch.float32, "this processor has no AMX, without which bfloat16 is not reliably faster"


@lru_cache
def cpu_features() -> frozenset[str]:
    """What the processor can do, by the names that Linux uses ("avx2", "amx_bf16"); empty where nothing says so."""
    if hasattr(torch.cpu, "get_capabilities"):  # since PyTorch 2.11, on all systems
        return frozenset(name for name, value in torch.cpu.get_capabilities().items() if value is True)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":")[1].split() for line in lines if line.startswith("flags")), []))


KEPT, LARGEST = 1 << 30, 1 << 28  # bytes that stay with the process once freed; a piece above that goes back at once


@lru_cache
def keep_memory() -> bool:
    """Let freed memory stay with the process, so that each step's tensors find it ready; whether that was possible.

    glibc gives tensors above 32 MB, and what is free at the end of its heap, back to the system each time, which hands
    them out again zeroed page by page. With thresholds like these a step at full resolution takes between an eighth and a
    quarter less time (tests/benchmarks/README.md). For a process that does nothing but train: in the kernels of two
    chapters it cost half a gigabyte, more than the 3 GB that the course promises. What is computed stays the same.
    Only where glibc is, and where no MALLOC_ setting of the reader's says otherwise.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(-1, KEPT) and mallopt(-3, LARGEST))  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    except (AttributeError, OSError, TypeError):  # no glibc: macOS, Windows, musl
        return False


def autocast(where: torch.device, dtype: torch.dtype | None = None) -> AbstractContextManager:
    """A context in which convolutions and matrix products run in the precision that pays on this device."""
    dtype = dtype or precision(where.type)
    return nullcontext() if dtype == torch.float32 else torch.autocast(where.type, dtype)
