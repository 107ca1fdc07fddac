# Generated from notebooks/11_moco.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import math

from sslkit.chapters.moco.method import moco_loss, teacher_weights, write_keys
from sslkit.checks.exercise import Task

def half_life(momentum: float) -> float:
    """After how many steps has the weight of what the teacher knows now fallen to one half?

    momentum: how much of the teacher stays at each step, between 0 and 1. Returns steps, not
    rounded.
    """
    return math.log(0.5) / math.log(momentum)


TASKS = {
    "write_keys": Task(
        title="The queue is a ring",
        difficulty=3,
        minutes=10,
        task="Write `write_keys(queue, pointer, keys)`: the new keys take the place of the oldest, which begin at row `pointer`. After the last row comes row 0; the number of keys need not divide the length of the queue. Return the new queue and the new pointer.",
        hints=(
            "Moving all rows up would copy the whole queue. In a ring nothing moves but the pointer.",
            "Key i belongs in row pointer + i, except where that is past the end: think of a clock.",
            "`rows = (pointer + torch.arange(len(keys))) % len(queue)`, then `queue[rows] = keys` on a clone.",
        ),
    ),
    "moco_loss": Task(
        title="The loss with a queue",
        difficulty=4,
        minutes=12,
        task="Write `moco_loss(q, k, queue, temperature)`. Query i has one positive, its own key `k[i]`, and Q negatives, the rows of the queue; the other keys of the batch play no part. Similarity is the cosine over the temperature. Return the mean over the queries of the cross-entropy. Only `q` is trained: let no gradient reach `k` and `queue`.",
        hints=(
            "For each query there are 1 + Q choices. How do you get the one logit of its own key, and how the Q of the queue?",
            "The positive logits are a row-wise dot product, [N, 1]; the negative ones a matrix product, [N, Q]. Put them side by side.",
            "With the positive in column 0 every label is 0: `F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.int64))`. `k.detach()` stops the gradient.",
        ),
    ),
    "teacher_weights": Task(
        title="The teacher follows",
        difficulty=1,
        minutes=3,
        task="Write `teacher_weights(student, teacher, momentum)`: the teacher's new weights are `momentum` times its old ones plus the rest of the student's. With momentum 0 the teacher is the student, with momentum 1 it never moves.",
        hints=(
            "It is a weighted mean of two tensors. What are the two weights, and what do they add up to?",
            "The teacher's weight is `momentum`, the student's is `1 - momentum`.",
            "`momentum * teacher + (1 - momentum) * student`; `torch.lerp` knows it too.",
        ),
    ),
    "half_life": Task(
        title="How long does the teacher remember?",
        difficulty=2,
        minutes=5,
        task="How slow is slow? At each step the teacher's old weights count `momentum` times what they counted before. Write `half_life(momentum)`: after how many steps do today's weights count one half? A fraction of a step is fine.",
        hints=(
            "After one step they count m, after two m * m. After n steps?",
            "Solve m ** n = 1/2 for n.",
            "Take the log of both sides: n log m = log 1/2. `math.log` takes a number.",
        ),
    ),
}
