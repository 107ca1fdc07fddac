"""Training, a generator: `for record in train(method, x, recipe): ...`, in a notebook, on the command line, under torchrun."""

from sslkit.train.ablation import Ablation
from sslkit.train.batches import batch_indices
from sslkit.train.hardware import autocast, chosen_precision, device, precision
from sslkit.train.loop import train
from sslkit.train.method import Learner, Method
from sslkit.train.optimizer import learning_rate, make_optimizer
from sslkit.train.recipe import SCALES, Recipe, build, choose, scale
from sslkit.train.record import Record
from sslkit.train.run import other_processes
from sslkit.train.whole_steps import Stopped, interrupts_wait

__all__ = [
    "SCALES",
    "Ablation",
    "Learner",
    "Method",
    "Recipe",
    "Record",
    "Stopped",
    "autocast",
    "batch_indices",
    "build",
    "choose",
    "chosen_precision",
    "device",
    "interrupts_wait",
    "learning_rate",
    "make_optimizer",
    "other_processes",
    "precision",
    "scale",
    "train",
]
