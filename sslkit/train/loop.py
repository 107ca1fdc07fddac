"""The training loop."""

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from sslkit import checkpoint, dist
from sslkit.nets import build_encoder
from sslkit.train.hardware import autocast, device, precision
from sslkit.train.recipe import Recipe, learning_rate, make_optimizer
from sslkit.train.whole_steps import buffers_kept_if_it_fails, interrupts_wait


def build(method_class: type[nn.Module], recipe: Recipe, channels: int = 3, seed: int = 0) -> nn.Module:
    """A new method with a new encoder on this process's device; the same seed gives the same weights."""
    torch.manual_seed(seed)
    method = method_class(build_encoder(recipe.encoder, channels), **recipe.options)
    return method.to(device(), memory_format=torch.channels_last)  # convolutions are faster so, on CPUs and GPUs alike


@dataclass(frozen=True)
class Record:
    """What one step (on a GPU: a few steps) of training gave. seconds count training alone, not what the caller does
    in between."""

    step: int  # steps done
    steps: int  # steps in all
    loss: float
    lr: float
    seconds: float
    images_per_second: float
    extras: dict[str, Tensor]

    @property
    def seconds_left(self) -> float:
        """At the mean speed so far."""
        return self.seconds / self.step * (self.steps - self.step)


def batch_indices(n: int, batch: int, step: int, seed: int) -> Tensor:
    """Which images step 0, 1, ... uses, int64 [batch]: all n in a new random order each epoch, the last incomplete
    batch left out."""
    epoch, place = divmod(step, n // batch)
    return _order(n, seed, epoch)[place * batch : (place + 1) * batch]


@lru_cache(maxsize=2)
def _order(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


def train(
    method: nn.Module,
    x: Tensor,
    recipe: Recipe,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    about: dict | None = None,
    save_every: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Record]:
    """Train `method` on images x (uint8 [N, C, H, W]) or tokens, and yield a Record after each step (on a GPU, each
    tenth).

    The method turns x[index] into a task by `pretext`, and the task into a loss by `forward`. Random numbers of step
    s depend only on (seed, s, process), so a resumed run repeats an uninterrupted one. With `out`, a checkpoint is
    written to out/checkpoint.pt every `save_every` (SSLKIT_SAVE_EVERY, 60) seconds, sooner while the run is young, at
    the end, and when the kernel is interrupted; `about` (plain values) is kept in it. Interrupting ends the loop after
    the step in hand, and the method keeps what it learned; `stop` is asked after each step instead, where it is given.
    Under torchrun all processes stop at the same step, and loss is their mean. Raises FloatingPointError when the loss
    is not finite, ConnectionError when another process is gone (what was learned is saved before).
    """
    if len(x) < 2:
        raise ValueError(f"training needs at least two images, there are {len(x)}")
    where = next(method.parameters()).device
    dtype = precision(where.type)
    batch = min(recipe.batch, len(x)) // dist.world()
    if batch < 2:
        raise ValueError(
            f"a batch of {recipe.batch} out of {len(x)} images gives {dist.world()} processes {batch} each; at least 2 are needed"
        )
    optimizer = make_optimizer(method, recipe)
    path = Path(out) / "checkpoint.pt" if out else None
    save_every = float(os.environ.get("SSLKIT_SAVE_EVERY", 60)) if save_every is None else save_every
    done, spent = 0, 0.0
    processes = dist.world()
    settings = {"recipe": asdict(recipe), "seed": seed, "images": len(x), **(about or {})}
    if resume:
        state = checkpoint.load(path)
        checkpoint.check_matches(state, method=method, settings=settings)
        method.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done, spent, dtype = state["step"], state["seconds"], getattr(torch, state["dtype"])
        if state.get("processes", processes) != processes and dist.is_main():
            print(other_processes(state["processes"], state["recipe"]["batch"]))
    wrapped, generator = dist.wrap(method), torch.Generator(where)
    images = x.to(where) if isinstance(x, Tensor) else x
    every = 10 if where.type == "cuda" else 1  # reading the loss makes a GPU wait

    def save(by: int = 0) -> None:
        if path and dist.rank() == by:
            state = {"method": type(method).__name__, "model": method.state_dict(), "optimizer": optimizer.state_dict(), "step": done,
                     "seconds": spent, "dtype": str(dtype).removeprefix("torch."), "processes": processes, **settings}  # fmt: skip
            checkpoint.save(path, state)

    def indices(step: int) -> Tensor:
        return batch_indices(len(x), batch * dist.world(), step, seed)[batch * dist.rank() :][:batch]

    saved, sums, asked, stopping = done, [], False, False
    last_save, pause = time.monotonic(), min(1.0, save_every)
    method.train()
    try:
        while done < recipe.steps and not stopping:
            start = time.perf_counter()
            with nullcontext(stop) if stop else interrupts_wait() as interrupted:
                lr = learning_rate(recipe, done)
                for group in optimizer.param_groups:
                    group["lr"] = lr
                number = (seed * 1_000_003 + done) * 1009 + dist.rank()
                generator.manual_seed(number)
                torch.manual_seed(number)  # for dropout; views draw from `generator`
                index = indices(done)
                chosen = images[index.to(where)] if isinstance(images, Tensor) else images[index].to(where)
                if hasattr(images, "prefetch") and done + 1 < recipe.steps:
                    images.prefetch(indices(done + 1))
                with buffers_kept_if_it_fails(method):  # the only part that meets other processes
                    task = method.pretext(chosen, generator)
                    with autocast(where, dtype):
                        loss, extras = wrapped(task)
                    optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    dist.settle(method)
                optimizer.step()
                if hasattr(method, "after_step"):
                    method.after_step((done + 1) / recipe.steps)
                done += 1
                sums.append(loss.detach())
                asked = asked or interrupted()
            spent += time.perf_counter() - start
            if done % every and done < recipe.steps and not (asked and processes == 1):
                continue
            mean, stopping = dist.agree(torch.stack(sums).float().mean(), asked)
            sums.clear()
            if not math.isfinite(mean):
                saved = done  # nothing worth keeping: the last good checkpoint stays
                raise FloatingPointError(
                    f"the loss became {mean} at step {done} of {recipe.steps} (learning rate {lr:.3g}). Try a lower lr, a longer warmup, "
                    f"or SSLKIT_PRECISION=float32" + (f"; {path} is from before" if path and path.exists() else "")
                )
            if time.monotonic() - last_save > pause:
                save()
                saved, last_save, pause = done, time.monotonic(), min(2 * pause, save_every)
            yield Record(done, recipe.steps, mean, lr, spent, done * batch * dist.world() / spent, extras)
        if stopping and dist.is_main():
            print(f"Stopped after step {done} of {recipe.steps}; what was learned is kept.")
    except RuntimeError as error:
        if not dist.is_lost(error):
            raise
        gone = dist.gone()
        save(by=min(set(range(processes)) - set(gone)))
        saved = done
        which = " and ".join(f"process {r}" for r in gone) or "another process"
        kept = f"what was learned until then is kept in {path}" if path else "without out= nothing is kept"
        raise ConnectionError(
            f"{which} of {processes} is gone (killed, crashed or stuck), so process {dist.rank()} ends the run after step {done} "
            f"of {recipe.steps}; {kept}."
        ) from error
    finally:
        if saved != done:
            save()


def other_processes(before: int, batch: int) -> str:
    """What it means that a run of `before` processes goes on with another number."""
    now = dist.world()
    words = "the same images" if batch // before * before == batch // now * now else f"{batch // now * now} images"
    return (
        f"This run was started with {before} process(es) and goes on with {now}. That is allowed, but is not bit for bit what it "
        f"would have been: each step takes {words} ({batch // now} a process), with other random views, and on CPUs "
        "batch norm sees other groups of images."
    )
