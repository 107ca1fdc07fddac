# Generated from notebooks/25_many_gpus.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

from torch import Tensor

from sslkit.checks.exercise import Task

def my_share(order: Tensor, step: int, batch: int, rank: int, world: int) -> Tensor:
    """The images that one process takes at a step.

    order: int64 [N], the images of an epoch, shuffled alike in all processes; step: 0, 1, ...
    within the epoch; batch: images in a step over all processes, a multiple of world; rank:
    0 .. world - 1. Returns int64 [batch / world]: the rank-th of `world` equal consecutive parts.
    """
    return order[step * batch : (step + 1) * batch].chunk(world)[rank]


def gather_gradient(gradients: Tensor, rank: int) -> Tensor:
    """The backward pass of gather: what one process's own rows get.

    gradients: [W, W N, K]; gradients[p] is what process p's copy of the loss says of all W N
    gathered rows, which stand in the order of the ranks. Returns [N, K], the gradient of the sum of
    all copies of the loss for the rows of process `rank`.
    """
    return gradients.sum(dim=0).chunk(len(gradients))[rank]


def joint_statistics(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Batch norm over all processes, from what each knows of its own images.

    means, variances: [W, C], of equally many values in each process; variances are the mean squared
    distance to the process's own mean (no correction). Returns mean [C] and variance [C] of all.
    """
    mean = means.mean(dim=0)
    return mean, variances.mean(dim=0) + (means - mean).square().mean(dim=0)


def scaled_rate(rate: float, batch: int, world: int, step: int, warmup: int) -> float:
    """Linear scaling with gradual warm-up (Goyal et al. 2017, section 2).

    rate: what was good for one process with batches of `batch`; now `world` processes take `batch`
    images each. step: 0, 1, ... . In the first `warmup` steps (0: there are none) the rate rises in
    equal steps from `rate` at step 0 to the scaled rate, which it has at step `warmup` and after.
    """
    scaled = rate * world
    return rate + (scaled - rate) * step / warmup if step < warmup else scaled


TASKS = {
    "my_share": Task(
        title="Who takes which images?",
        difficulty=1,
        minutes=10,
        task="The number of processes is called `world` (size), and each process has a number, its `rank`: 0, 1, ... . Write `my_share(order, step, batch, rank, world)`: the `rank`-th of `world` equal consecutive parts of the step's batch. Together the processes take each of its images exactly once.",
        hints=(
            "First the batch of the step, as one process would take it. Then your part of it.",
            "The step's batch is `order[step * batch : (step + 1) * batch]`. It has `batch // world` images for each process.",
            "Its parts start at `rank * (batch // world)`; or cut it with `.chunk(world)` and take the part number `rank`.",
        ),
    ),
    "gather_gradient": Task(
        title="The way back through gather",
        difficulty=3,
        minutes=15,
        task="Write `gather_gradient(gradients, rank)`. On the way forward each row was copied to all W processes, and each of them computed a loss with it.",
        hints=(
            "A number that is used in several places gets the sum of the gradients of all these places.",
            "First add up over the processes: `gradients.sum(dim=0)` is [W N, K]. Which of these rows are yours?",
            "The rows stand in the order of the ranks: `.chunk(W)[rank]` of the sum.",
        ),
    ),
    "joint_statistics": Task(
        title="One batch norm for all",
        difficulty=2,
        minutes=15,
        task="Write `joint_statistics(means, variances)`: return `mean, variance`. This is what SyncBatchNorm computes.",
        hints=(
            "Two processes, all values of the first are 0, all of the second are 2. Each variance is 0. What is that of all?",
            "The variance of all is the mean variance within the processes plus the variance of their means.",
            "`variances.mean(0) + (means - mean).square().mean(0)`.",
        ),
    ),
    "scaled_rate": Task(
        title="The learning rate for more processes",
        difficulty=1,
        minutes=10,
        task="Write `scaled_rate(rate, batch, world, step, warmup)`: `rate` was good for one process with `batch` images; now `world` processes take `batch` each. In the first `warmup` steps climb in equal steps from `rate` to the scaled rate. (One argument is not needed.)",
        hints=(
            "World processes with `batch` images each make batches that are world times as large. What happens to the rate?",
            "In the warm-up the share of the way that is done is `step / warmup`: 0 at the first step.",
            "`rate + (rate * world - rate) * step / warmup` while `step < warmup`, then `rate * world`.",
        ),
    ),
}
