"""The training loop. A run's state, saving and stopping are in run.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from sslkit import dist
from sslkit.train.hardware import autocast
from sslkit.train.method import Learner
from sslkit.train.optimizer import limit_gradients, set_rates
from sslkit.train.recipe import Recipe
from sslkit.train.record import Record
from sslkit.train.run import Run
from sslkit.train.whole_steps import buffers_kept_if_it_fails
from sslkit.views import small_crops


def train(
    method: Learner,
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
    """Train `method` in place: its `pretext` turns x[index] into a task, its `forward` the task into a loss. Nothing happens,
    and no error comes, before the first record is asked for.

    x           images uint8 [N, C, H, W], tokens [N, T], or any object with a length that gives a batch, a tensor or a tuple
                of them, for a LongTensor
    seed        the random numbers of step s depend on (seed, s, process) alone: a resumed run repeats an uninterrupted one
    out         a folder: out/checkpoint.pt is written while it trains, at the end, and when the run is interrupted
    resume      go on from that checkpoint
    about       plain values that are kept in it
    save_every  seconds between checkpoints, SSLKIT_SAVE_EVERY or 60 by default; sooner while the run is young
    stop        asked after each step whether the loop is to end; without it an interrupt ends the loop after the step in hand
    dtype       None for the precision that pays here

    Yields a Record after each step, on a GPU after each tenth. Under torchrun all processes stop at the same step, and the
    loss is their mean. Raises Stopped, a KeyboardInterrupt, when it is interrupted: the method keeps what it learned;
    FloatingPointError when the loss is not finite; ConnectionError when another process is gone, after saving what was
    learned; OSError where `out` cannot be written; ValueError where another run writes to it.
    """
    run = Run(method, x, recipe, seed=seed, out=out, about=about, save_every=save_every, stop=stop, dtype=dtype)
    with run.session(resume):  # what was learned is saved, however the loop ends
        parallel = dist.wrap(run.method)  # on many processes: the same method, with the mean of their gradients
        run.method.train()
        while not run.over:
            with run.whole_step() as step:  # Ctrl-C waits until it is done
                lr = set_rates(run.optimizer, recipe, step)
                run.seed_step(step)
                images = run.batch(step)
                with buffers_kept_if_it_fails(run.method):  # the only part that meets other processes
                    with small_crops(recipe.side(step)):
                        task = method.pretext(images, run.generator)
                    with autocast(run.device, run.dtype):
                        loss, extras = parallel(task)
                    run.optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    dist.settle(run.method)
                with run.torn_if_it_fails():
                    limit_gradients(run.optimizer, recipe.clip)
                    run.optimizer.step()
                    if hasattr(method, "after_step"):
                        method.after_step((step + 1) / recipe.steps)
            if record := run.report(loss.detach(), lr, extras, images):
                yield record
