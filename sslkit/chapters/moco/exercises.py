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
        task="Write `write_keys(queue, pointer, keys)`: the new keys take the place of the oldest, which begin at row `pointer`. After the last row comes row 0; the number of keys need not divide the length of the queue. Return the new queue and the new pointer, and leave the old queue as it was.",
        hints=(
            "Which rows must go? Row `pointer` and those below it, one for each key. All others stay where they are.",
            "Key i (from 0) belongs in row pointer + i, unless that is past the end: think of a clock.",
            "`rows = (pointer + torch.arange(len(keys))) % len(queue)`, then `new = queue.clone()` and `new[rows] = keys`. The pointer moves on by `len(keys)`, and wraps round in the same way.",
        ),
    ),
    "moco_loss": Task(
        title="The loss with a queue",
        difficulty=4,
        minutes=12,
        task="Write `moco_loss(q, k, queue, temperature)`. Query i has one positive, its own key `k[i]`, and Q negatives, the rows of the queue; the other keys of the batch play no part. Similarity is the cosine over the temperature. Return the mean over the queries of the cross-entropy. Only `q` is trained: let no gradient reach `k` and `queue`.",
        hints=(
            "For each query there are 1 + Q choices. How do you get the one logit of its own key, and how the Q logits of the queue?",
            "Scale all rows to length 1, with `unit` from above. Then the positive logits are a row-wise dot product, [N, 1], the negative ones a matrix product, [N, Q]. Put them side by side and divide by the temperature.",
            "With the positive in column 0 every label is 0: `F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.int64, device=q.device))`. `k.detach()` and `queue.detach()` stop the gradient.",
        ),
    ),
    "teacher_weights": Task(
        title="The teacher follows",
        difficulty=1,
        minutes=3,
        task="Write `teacher_weights(student, teacher, momentum)`: it mixes the two and returns the teacher's new weights; `momentum` is the share of its old ones. With momentum 0 the teacher is the student, with momentum 1 it never moves.",
        hints=(
            "It is a weighted mean of two tensors. What are the two weights, and what do they add up to?",
            "The teacher's weight is `momentum`, the student's is `1 - momentum`.",
            "`momentum * teacher + (1 - momentum) * student`; `torch.lerp` does the same.",
        ),
    ),
    "half_life": Task(
        title="How long does the teacher remember? · *optional*",
        difficulty=2,
        minutes=5,
        task="How slow is slow? Each step multiplies the share of the teacher's old weights by `momentum`. Write `half_life(momentum)`: after how many steps is the share of today's weights down to one half? Do not round.",
        hints=(
            "After one step the share is m, after two steps m * m. After n steps?",
            "Solve m ** n = 1/2 for n.",
            "Take the log of both sides: n log m = log 1/2. Divide; `math.log` is the logarithm of a number.",
        ),
    ),
}
