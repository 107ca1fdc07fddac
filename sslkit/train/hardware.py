"""What this machine has: the device, and the precision that pays on it."""

import math
import os
import time
from contextlib import nullcontext
from functools import lru_cache

import torch
from torch import nn

from sslkit import dist


def device() -> torch.device:
    """This process's GPU if there is one, else the CPU; SSLKIT_DEVICE (cpu, mps, ...) overrules."""
    if wanted := os.environ.get("SSLKIT_DEVICE"):
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda", dist.local_rank())
    return torch.device("cpu")


@lru_cache
def precision(kind: str) -> torch.dtype:
    """bfloat16 where it makes a convolution's step clearly faster on this kind of device ("cpu", "cuda"), else float32.

    Measured once a process (0.2 s), since processors differ too much to know; SSLKIT_PRECISION=float32 or bfloat16
    overrules.
    """
    if wanted := os.environ.get("SSLKIT_PRECISION"):
        if wanted not in ("float32", "bfloat16"):
            raise ValueError(f"SSLKIT_PRECISION is {wanted!r}; it can be float32 or bfloat16")
        return getattr(torch, wanted)
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if kind != "cpu":
        return torch.float32
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.ones(64, 64, 16, 16).to(memory_format=torch.channels_last).requires_grad_()

    def seconds(dtype: torch.dtype) -> float:
        best = math.inf
        for _ in range(4):
            start = time.perf_counter()
            with torch.enable_grad(), torch.autocast(kind, dtype, enabled=dtype != torch.float32):
                layer(x).sum().backward()
            best = min(best, time.perf_counter() - start)
        return best

    return torch.bfloat16 if seconds(torch.bfloat16) < 0.8 * seconds(torch.float32) else torch.float32


def autocast(where: torch.device, dtype: torch.dtype | None = None):
    """A context in which convolutions and matrix products run in the precision that pays on this device."""
    dtype = dtype or precision(where.type)
    return nullcontext() if dtype == torch.float32 else torch.autocast(where.type, dtype)
