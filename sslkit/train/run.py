"""The state of a training run: progress, checkpoints, stopping."""

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import checkpoint, dist
from sslkit.nets import device_of, network_name
from sslkit.train.batches import batch_indices, step_seed, to_device
from sslkit.train.hardware import precision
from sslkit.train.lock import only_writer
from sslkit.train.method import Learner
from sslkit.train.optimizer import load_moments, make_optimizer
from sslkit.train.recipe import Recipe
from sslkit.train.record import Record, spread_of
from sslkit.train.whole_steps import Stopped, interrupts_wait, undisturbed


class Run:
    """A training of `method`, step by step; the arguments are those of `train`.

    done: whole steps so far; over: whether the loop ends here; seconds: spent in steps. share: samples a process takes in
    a step, one of `processes`.
    """

    def __init__(
        self,
        method: Learner,
        x: Any,
        recipe: Recipe,
        *,
        seed: int = 0,
        out: str | Path | None = None,
        about: dict[str, Any] | None = None,
        save_every: float | None = None,
        stop: Callable[[], object] | None = None,
        dtype: torch.dtype | None = None,
    ):
        if not isinstance(method, nn.Module):
            raise TypeError(f"training needs a network (nn.Module), got {type(method).__name__}")
        if len(x) < 2:
            raise ValueError(f"training needs at least two images, there are {len(x)}")
        self.method, self.recipe, self.seed, self.stop = method, recipe, seed, stop
        self.device, self.processes = device_of(method), dist.world()
        self.share = min(recipe.batch, len(x)) // self.processes
        if self.share < 2:
            raise ValueError(
                f"a batch of {recipe.batch} out of {len(x)} images gives {self.processes} processes {self.share} each; "
                "at least 2 are needed"
            )
        self.samples = len(x)
        self.x = x.to(self.device) if isinstance(x, Tensor) else x
        self.optimizer = make_optimizer(method, recipe)
        self.dtype = dtype or precision(self.device.type)
        self.generator = torch.Generator(self.device)
        self.path = Path(out) / "checkpoint.pt" if out else None
        self.settings = {"recipe": asdict(recipe), "seed": seed, "images": len(x), **(about or {})}
        self.done, self.seconds, self.saved, self.torn = 0, 0.0, 0, False
        self.losses: list[Tensor] = []
        self.asked, self.stopping = False, False
        self.every = 10 if self.device.type == "cuda" else 1  # reading the loss makes a GPU wait
        self.looks = 0 if hasattr(method, "chance") else max(1, recipe.steps // 100)  # steps from spread to spread
        save_every = seconds_to_save() if save_every is None else save_every
        self.save_every, self.pause, self.last_save = save_every, min(1.0, save_every), time.monotonic()

    @property
    def over(self) -> bool:
        """Whether no step follows: all are done, or somebody asked to stop."""
        return self.done >= self.recipe.steps or self.stopping

    def resume(self) -> None:
        """Go on where the checkpoint stands."""
        if self.path is None:
            raise ValueError("resume=True needs out=, the folder of the run that goes on")
        state = checkpoint.load(self.path)
        if isinstance(state.get("recipe"), dict):  # settings that are newer than the run, at their defaults
            state["recipe"] = asdict(Recipe(steps=self.recipe.steps, lr=self.recipe.lr)) | state["recipe"]
        checkpoint.check_matches(state, method=self.method, settings=self.settings)
        done, seconds, dtype, before = (state.get(key) for key in ("step", "seconds", "dtype", "processes"))
        steps = self.recipe.steps
        if type(done) is not int or not 0 <= done <= steps or type(seconds) is not float or not seconds >= 0:
            raise ValueError(f"{self.path} cannot be resumed: it says step {done!r}, after {seconds!r} seconds")
        if dtype not in ("float32", "bfloat16") or type(before) not in (int, type(None)) or before == 0:
            raise ValueError(f"{self.path} cannot be resumed: it says {dtype!r}, by {before!r} processes")
        with checkpoint.in_words(self.path):
            load_moments(self.optimizer, state.get("optimizer"))
            self.method.load_state_dict(state["model"])
        self.done, self.seconds, self.dtype = done, seconds, getattr(torch, dtype)
        self.saved = self.done
        if before not in (None, self.processes) and dist.is_main():
            print(other_processes(before, self.recipe.batch))

    def save(self, by: int = 0) -> None:
        """Write the checkpoint, unless a step was torn; process `by` does."""
        if self.torn:
            return
        self.saved = self.done
        if self.path and dist.rank() == by:
            state = {"method": type(self.method).__name__, "model": self.method.state_dict(),
                     "optimizer": self.optimizer.state_dict(), "step": self.done, "seconds": self.seconds,
                     "dtype": str(self.dtype).removeprefix("torch."), "processes": self.processes, **self.settings}  # fmt: skip
            if network := network_name(getattr(self.method, "encoder", None)):
                state["network"] = network
            with undisturbed():
                checkpoint.save(self.path, state)

    @contextmanager
    def session(self, resume: bool) -> Iterator[None]:
        """Hold the folder, and resume where wanted; save what was learned when the block ends, whatever ends it; put a
        lost process into words."""
        lock = only_writer(self.path.parent) if self.path and dist.is_main() else None
        try:
            if resume:
                self.resume()
            yield
            if self.stopping and self.done < self.recipe.steps:
                if not self.stop:
                    raise Stopped(self.farewell())
                if dist.is_main():
                    print(self.farewell())
        except RuntimeError as error:
            if not dist.is_lost(error):
                raise
            gone = dist.gone()
            if self.done:
                self.save(by=min(set(range(self.processes)) - set(gone)))
            which = " and ".join(f"process {r}" for r in gone) or "another process"
            kept = f"what was learned until then is kept in {self.path}"
            raise ConnectionError(
                f"{which} of {self.processes} is gone (killed, crashed or stuck), so process {dist.rank()} ends the run after step "
                f"{self.done} of {self.recipe.steps}; {kept if self.path else 'without out= nothing is kept'}."
            ) from error
        finally:
            try:
                if self.saved != self.done:
                    self.save()
            finally:
                if lock:
                    lock.release()

    def farewell(self) -> str:
        """What a run says that ends early."""
        anew = "training again starts at step 1, from what it is now"
        again = f"resume=True goes on from {self.path}" if self.path else anew
        return f"Stopped after step {self.done} of {self.recipe.steps}; what was learned is kept, and {again}."

    @contextmanager
    def torn_if_it_fails(self) -> Iterator[None]:
        """If the block fails half-way through a step, nothing more is saved: the last checkpoint stays."""
        try:
            yield
        except BaseException:
            self.torn = True
            raise

    @contextmanager
    def whole_step(self) -> Iterator[int]:
        """The block is step 0, 1, ..., which counts when it is done; Ctrl-C, or a wish to stop, is heard only then."""
        start = time.perf_counter()
        with undisturbed() if self.stop else interrupts_wait() as interrupted:
            yield self.done
            self.done += 1
            self.seconds += time.perf_counter() - start
        self.asked = self.asked or bool((self.stop or interrupted)())

    def seed_step(self, step: int) -> None:
        """Start the random numbers of a step: those of views in `generator`, those of dropout in torch's own."""
        number = step_seed(self.seed, step, dist.rank())
        self.generator.manual_seed(number)
        # torch.manual_seed also notes, for GPUs that are not there, who called it: 0.3 ms
        if self.device.type == "cpu":
            torch.default_generator.manual_seed(number)
        else:
            torch.manual_seed(number)

    def indices(self, step: int) -> Tensor:
        """Which samples this process takes in a step, int64 [share]."""
        whole = batch_indices(self.samples, self.share * self.processes, step, self.seed)
        return whole[self.share * dist.rank() :][: self.share]

    def batch(self, step: int) -> Any:
        """This process's samples for a step, on the device."""
        index = self.indices(step)
        chosen = self.x[index.to(self.device)] if isinstance(self.x, Tensor) else to_device(self.x[index], self.device)
        if hasattr(self.x, "prefetch") and step + 1 < self.recipe.steps:
            self.x.prefetch(self.indices(step + 1))
        return chosen

    def report(self, loss: Tensor, lr: float, extras: dict[str, Tensor], images: Any) -> Record | None:
        """The Record of the step just taken, on a GPU of the last ten; None in between. Saves when it is time."""
        self.losses.append(loss)
        steps = self.recipe.steps
        if self.done % self.every and self.done < steps and not (self.asked and self.processes == 1):
            return None
        mean, self.stopping = dist.agree(torch.stack(self.losses).float().mean(), self.asked)
        self.losses.clear()
        if not math.isfinite(mean):
            self.torn = True  # nothing worth keeping: the last good checkpoint stays
            raise FloatingPointError(
                f"the loss became {mean} at step {self.done} of {steps} (learning rate {lr:.3g}). Try a lower lr, a longer warmup, "
                "or SSLKIT_PRECISION=float32"
                + (f"; {self.path} is from before" if self.path and self.path.exists() else "")
            )
        if time.monotonic() - self.last_save > self.pause:
            self.save()
            self.last_save, self.pause = time.monotonic(), min(2 * self.pause, self.save_every)
        looked = {}
        if self.looks and (self.done % self.looks < self.every or self.done == steps):
            looked = spread_of(self.method, extras, images)
        speed = self.done * self.share * self.processes / self.seconds
        return Record(self.done, steps, mean, lr, self.seconds, speed, extras, **looked)


def seconds_to_save() -> float:
    """The longest time between checkpoints: SSLKIT_SAVE_EVERY where it is set, else a minute."""
    words = os.environ.get("SSLKIT_SAVE_EVERY", "60")
    try:
        if (seconds := float(words)) >= 0:
            return seconds
    except ValueError:
        pass
    raise ValueError(f"SSLKIT_SAVE_EVERY is {words!r}: set it to a number of seconds, 0 or more, or unset it")


def other_processes(before: int, batch: int) -> str:
    """What it means that a run of `before` processes goes on with another number."""
    now = dist.world()
    words = "the same images" if batch // before * before == batch // now * now else f"{batch // now * now} images"
    return (
        f"This run was started with {before} process(es) and goes on with {now}. That is allowed, but is not bit for bit what it "
        f"would have been: each step takes {words} ({batch // now} a process), with other random views, and on CPUs "
        "batch norm sees other groups of images."
    )
