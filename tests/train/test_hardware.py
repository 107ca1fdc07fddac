"""Device and precision: decided by what the machine can, overruled by the environment, refused in words."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from sslkit.train import chosen_precision, device, hardware, precision


@pytest.fixture(autouse=True)
def nobody_overrules(monkeypatch):
    monkeypatch.delenv("SSLKIT_PRECISION", raising=False)
    monkeypatch.delenv("SSLKIT_DEVICE", raising=False)


@pytest.mark.parametrize(
    "features, expected",
    [({"avx512_bf16", "amx_tile", "amx_bf16"}, torch.bfloat16), ({"avx512_bf16", "avx512f"}, torch.float32), (set(), torch.float32)],
)  # fmt: skip
def test_a_processor_trains_in_bfloat16_if_it_has_amx(monkeypatch, features, expected):
    monkeypatch.setattr(hardware, "cpu_features", lambda: frozenset(features))
    dtype, why = chosen_precision("cpu")
    assert dtype == precision("cpu") == expected and "AMX" in why


def test_no_clock_is_asked(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", lambda: pytest.fail("a stop-watch"))
    hardware.cpu_features.cache_clear()
    assert {precision("cpu") for _ in range(3)} == {precision("cpu")}


@pytest.mark.parametrize("supported, expected", [(True, torch.bfloat16), (False, torch.float32)])
def test_a_gpu_by_what_it_supports(monkeypatch, supported, expected):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: supported or including_emulation
    )
    assert chosen_precision("cuda")[0] == expected


def test_another_kind_of_device_trains_in_float32():
    assert chosen_precision("mps") == (torch.float32, "the safe choice on mps")


@pytest.mark.parametrize("wanted", ["float32", "bfloat16"])
def test_the_environment_overrules(monkeypatch, wanted):
    monkeypatch.setenv("SSLKIT_PRECISION", wanted)
    assert chosen_precision("cpu") == (getattr(torch, wanted), "SSLKIT_PRECISION says so")


def test_a_precision_that_there_is_not(monkeypatch):
    monkeypatch.setenv("SSLKIT_PRECISION", "float8")
    with pytest.raises(ValueError, match="'float8'; it can be float32 or bfloat16"):
        precision("cpu")


@pytest.mark.parametrize(
    "text, expected", [("flags\t\t: fpu avx2 amx_bf16\nflags\t: fpu\n", {"fpu", "avx2", "amx_bf16"}), ("", set())]
)
def test_an_older_pytorch_leaves_linux_to_say_it(monkeypatch, text, expected):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(Path, "read_text", lambda self: text)
    hardware.cpu_features.cache_clear()
    assert hardware.cpu_features() == expected
    hardware.cpu_features.cache_clear()


@pytest.mark.parametrize("wanted", ["gpu7", "cuda:99", "cuda", "mps"])
def test_a_device_that_is_not_there_is_refused_in_words(monkeypatch, wanted):
    if (wanted == "cuda" and torch.cuda.is_available()) or (wanted == "mps" and torch.backends.mps.is_available()):
        pytest.skip("it is there")
    monkeypatch.setenv("SSLKIT_DEVICE", wanted)
    with pytest.raises(ValueError, match=f"SSLKIT_DEVICE is '{wanted}'.*it can use cpu"):
        device()


def test_a_device_by_name(monkeypatch):
    monkeypatch.setenv("SSLKIT_DEVICE", "cpu")
    assert device() == torch.device("cpu")


# --- memory that stays with the process


FAULTS = """
import resource, torch
from sslkit.train.hardware import keep_memory
kept = keep_memory()
for k in range(13):
    if k == 3:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(12_000_000)  # 48 MB
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def kept_and_faults(**settings) -> tuple[str, int]:
    """Whether memory stays, and how many pages the system had to hand out for ten tensors, in a process of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))} | settings
    done = subprocess.run([sys.executable, "-c", FAULTS], env=env, capture_output=True, text=True, check=True)
    kept, faults = done.stdout.split()
    return kept, int(faults)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.slow
def test_freed_memory_is_used_again_unless_the_reader_set_it_otherwise():
    kept, few = kept_and_faults()
    if kept == "False":
        pytest.skip("no glibc here")
    other, many = kept_and_faults(MALLOC_TOP_PAD_="0")
    assert other == "False" and few < 1000 < many


def test_where_there_is_no_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(hardware.ctypes, "CDLL", lambda name: object())
    for name in list(os.environ):
        if name.startswith(("MALLOC_", "GLIBC_TUNABLES")):
            monkeypatch.delenv(name)
    hardware.keep_memory.cache_clear()
    assert hardware.keep_memory() is False
    hardware.keep_memory.cache_clear()
