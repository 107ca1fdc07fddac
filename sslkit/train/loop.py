"""The training loop. What a run is besides, its state, saving, stopping, stands in run.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from sslkit import dist
from sslkit.train.hardware import autocast
from sslkit.train.optimizer import limit_gradients, set_rates
from sslkit.train.recipe import Recipe
from sslkit.train.record import Record
from sslkit.train.run import Run
from sslkit.train.whole_steps import buffers_kept_if_it_fails
from sslkit.views import crops_of


def train(
    method: Any,
    x: Any,
    recipe: Recipe,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    about: dict[str, Any] | None = None,
    save_every: float | None = None,
    stop: Callable[[], object] | None = None,
    dtype: torch.dtype | None = None,
) -> Iterator[Record]:
    """Train `method` on images x (uint8 [N, C, H, W]) or tokens, and yield a Record after each step (on a GPU, each
    tenth). x may be any object with a length that gives a batch, a tensor or a tuple of them, for a LongTensor.

    The method turns x[index] into a task by `pretext`, and the task into a loss by `forward`. Random numbers of step
    s depend only on (seed, s, process), so a resumed run repeats an uninterrupted one. With `out`, a checkpoint is
    written to out/checkpoint.pt every `save_every` (SSLKIT_SAVE_EVERY, 60) seconds, sooner while the run is young, at
    the end, and when the kernel is interrupted; `about` (plain values) is kept in it. An interrupt ends the loop after the
    step in hand with Stopped, a KeyboardInterrupt, and the method keeps what it learned; `stop`, where it is given, is
    asked after each step instead, and the loop just ends. dtype: None for the precision that pays here. Under torchrun
    all processes stop at the same step, and loss is their mean. Raises FloatingPointError when the loss is not finite,
    ConnectionError when another process is gone (what was learned is saved before), OSError where `out` cannot be
    written, ValueError where another run writes to it.
    """
    run = Run(method, x, recipe, seed=seed, out=out, about=about, save_every=save_every, stop=stop, dtype=dtype)
    with run.kept(resume):  # what was learned is saved, however the loop ends
        parallel = dist.wrap(method)  # on many processes: the same method, with the mean of their gradients
        method.train()
        while not run.over:
            with run.whole_step() as step:  # Ctrl-C waits until it is done
                lr = set_rates(run.optimizer, recipe, step)
                run.seed_step(step)
                images = run.batch(step)
                with buffers_kept_if_it_fails(method):  # the only part that meets other processes
                    with crops_of(recipe.side(step)):
                        task = method.pretext(images, run.generator)
                    with autocast(run.device, run.dtype):
                        loss, extras = parallel(task)
                    run.optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    dist.settle(method)
                with run.torn_if_it_fails():
                    limit_gradients(run.optimizer, recipe.clip)
                    run.optimizer.step()
                    if hasattr(method, "after_step"):
                        method.after_step((step + 1) / recipe.steps)
            if record := run.report(loss.detach(), lr, extras, images):
                yield record
