"""Training, a generator: `for record in train(method, x, recipe): ...`, in a notebook, on the command line, under torchrun."""

from sslkit.train.hardware import autocast, device, precision
from sslkit.train.loop import Record, batch_indices, build, other_processes, train
from sslkit.train.recipe import SCALES, Recipe, choose, learning_rate, make_optimizer, scale
from sslkit.train.whole_steps import interrupts_wait

__all__ = [
    "SCALES",
    "Recipe",
    "Record",
    "autocast",
    "batch_indices",
    "build",
    "choose",
    "device",
    "interrupts_wait",
    "learning_rate",
    "make_optimizer",
    "other_processes",
    "precision",
    "scale",
    "train",
]
