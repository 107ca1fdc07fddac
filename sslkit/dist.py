"""One process or many: torchrun's world, and the one differentiable gather. The only importer of torch.distributed but chapter 25,
which builds that gather in view."""

import gc
import os
import socket
import time
from datetime import timedelta

import torch
import torch.distributed as torch_dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

# How long a process waits for one that hangs. One that dies is noticed at once by gloo; nccl may wait as long as this,
# unless torchrun ends the process before (30 s after another one of its machine died).
TIMEOUT = timedelta(minutes=10)
_members: list[tuple[str, int]] = []  # machine and process id of every rank


def init() -> None:
    """Join the processes that torchrun started (nccl with GPUs, else gloo, which is for tensors on the CPU). Without torchrun, or
    when joined already: nothing. ValueError where WORLD_SIZE is set, and what else torchrun sets is not."""
    if "WORLD_SIZE" not in os.environ or torch_dist.is_initialized():
        return
    gpu = torch.cuda.is_available() and (os.environ.get("SSLKIT_DEVICE") or "cuda").startswith("cuda")
    if gpu:
        torch.cuda.set_device(local_rank())
    torch_dist.init_process_group("nccl" if gpu else "gloo", timeout=TIMEOUT)
    _members[:] = [("", 0)] * world()
    torch_dist.all_gather_object(_members, (socket.gethostname(), os.getpid()))


def finish() -> None:
    """Leave the group of processes, if there is one. Call it when nothing refers to a wrapped method any more.

    A wrapped method that lives on keeps gloo's threads alive, and one of them that still holds a tensor when Python
    shuts down aborts the process (pytorch#179291).
    """
    if torch_dist.is_initialized():
        gc.collect()
        torch_dist.destroy_process_group()


def world() -> int:
    """How many processes train together; 1 without torchrun."""
    return torch_dist.get_world_size() if torch_dist.is_initialized() else 1


def rank() -> int:
    """This process's number, 0 .. world() - 1."""
    return torch_dist.get_rank() if torch_dist.is_initialized() else 0


def local_rank() -> int:
    """This process's number on its machine: the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", 0))


def is_main() -> bool:
    """Whether this process prints and saves."""
    return rank() == 0


def wrap(method: nn.Module) -> nn.Module:
    """The method such that its gradients are averaged over all processes; itself in one process. Keep what is
    returned until the backward pass is done: its hooks do the averaging.

    On GPUs batch norm takes its statistics over all processes (SyncBatchNorm). On CPUs each process normalises with its
    own, since gloo has no synchronised batch norm: there, two processes with batch norm are not quite one process with
    the whole batch. `settle` then makes the running averages equal.
    """
    if world() == 1:
        return method
    where = next(method.parameters()).device
    if where.type == "cuda":
        # In place: the caller trains `method`, not a converted copy of it.
        nn.SyncBatchNorm.convert_sync_batchnorm(method)
    wrapped = DistributedDataParallel(method, device_ids=[where.index] if where.type == "cuda" else None)
    # Weights and buffers were sent from process 0 just now. DDP would send all buffers (a queue, say) before each step
    # again; they stay equal by themselves, or by `settle`.
    wrapped.broadcast_buffers = False
    return wrapped


def settle(method: nn.Module) -> None:
    """After a backward pass: bring the running averages of batch norm to their mean over all processes, on CPUs, where
    each process has counted its own images. So all processes hold the same state, and any of them can save it."""
    if world() == 1 or next(method.parameters()).device.type == "cuda":
        return
    norms = [module for module in method.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    running = [kept for norm in norms for kept in (norm.running_mean, norm.running_var) if kept is not None]
    if running:
        average(running)


@torch.no_grad()
def average(tensors: list[Tensor]) -> None:
    """Replace each floating tensor by its mean over all processes, in place; they travel as one message."""
    if world() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    torch_dist.all_reduce(flat)
    for tensor, mean in zip(tensors, (flat / world()).split([tensor.numel() for tensor in tensors])):
        tensor.copy_(mean.view_as(tensor))


def agree(number: Tensor, stop: bool) -> tuple[float, bool]:
    """The mean of a number [] over all processes, and whether any of them wants to stop: the same answer in each."""
    if world() == 1:
        return number.item(), stop
    both = torch.stack([number, torch.full_like(number, float(stop))])
    average([both])
    return both[0].item(), both[1].item() > 0


def is_lost(error: Exception) -> bool:
    """Whether an error of a step says that another process does not answer any more."""
    backend = isinstance(error, (torch_dist.DistBackendError, torch_dist.DistNetworkError))
    return world() > 1 and (backend or "gloo" in str(error))


def gone(seconds: float = 2.0) -> list[int]:
    """The ranks on this machine whose process no longer runs, as soon as there is one, else [] after `seconds`; those
    on other machines cannot be seen from here. Of two processes it is the other one."""
    if world() == 2:
        return [1 - rank()]
    mine = [(r, pid) for r, (machine, pid) in enumerate(_members) if machine == socket.gethostname()]
    end = time.monotonic() + seconds
    while os.name == "posix" and time.monotonic() < end:
        if dead := [r for r, pid in mine if not runs(pid)]:
            return dead
        time.sleep(0.05)  # torchrun looks ten times a second which of its children are dead, and buries them
    return []


def runs(pid: int) -> bool:
    """Whether there is a process of that number on this machine (not on Windows, where signal 0 is Ctrl-C)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def gather(z: Tensor) -> Tensor:
    """The rows z [N, ...] of all processes in rank order, [world N, ...], with gradient; z itself in one process.

    Every process then computes the same loss L of all rows. Row i of process r influences all `world` copies of L, so
    its gradient is the sum over processes: that is what backward returns. DDP divides the sum over processes of the
    parameter gradients by `world`, which undoes the copies: what remains is the gradient of L for the whole batch in
    one process, exactly. With a plain all_gather the other processes' rows count as constants, and half of the
    gradient or more is lost without an error.
    """
    return z if world() == 1 else _Gather.apply(z)


def share(z: Tensor) -> Tensor:
    """This process's part of rows z [world N, ...] that all processes hold, [N, ...]: the inverse of gather. ValueError
    for rows that cannot be shared out equally."""
    if len(z) % world():
        raise ValueError(f"{len(z)} rows cannot be shared out equally among {world()} processes")
    return z.chunk(world())[rank()]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z: Tensor) -> Tensor:
        sizes = [torch.empty(1, dtype=torch.int64, device=z.device) for _ in range(world())]
        torch_dist.all_gather(sizes, torch.tensor([len(z)], device=z.device))
        if any(size.item() != len(z) for size in sizes):
            raise ValueError(f"gather needs equally many rows in each process, got {[int(size) for size in sizes]}")
        parts = [torch.empty_like(z, memory_format=torch.contiguous_format) for _ in range(world())]
        torch_dist.all_gather(parts, z.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        # A copy: autograd may hand the same tensor to another node, and all_reduce works in place.
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        torch_dist.all_reduce(gradient)
        return gradient.chunk(world())[rank()]
