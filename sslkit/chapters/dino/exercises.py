# Generated from notebooks/16_dino.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

from sslkit.chapters.dino.method import dino_loss, entropy_and_kl, moved_centre, teacher_momentum
from sslkit.checks.exercise import Task

TASKS = {
    "moved_centre": Task(
        title="The centre moves",
        difficulty=1,
        minutes=5,
        task="Write `moved_centre(centre, teacher, momentum)`: the running mean [K] of the teacher's scores [A, N, K] for A views of N images, after this batch. momentum is what stays of the old centre.",
        hints=(
            "The mean is over views and images alike: one number for each prototype.",
            "`teacher.mean(dim=(0, 1))` has shape [K].",
            "`momentum` of the old plus `1 - momentum` of the new.",
        ),
    ),
    "dino_loss": Task(
        title="The teacher's answers as labels",
        difficulty=2,
        minutes=10,
        task="Write `dino_loss(student, teacher, centre, student_temperature, teacher_temperature)`: student [V, N, K] scores of all V views, teacher [A, N, K] of the first A, centre [K]. Subtract the centre from the teacher's scores, sharpen them, and let every view of the student predict the teacher's distribution for every *other* view. Return the mean. Only the student gets a gradient.",
        hints=(
            "Once the teacher's distributions are there, this is the swapped prediction of chapter 15, which is imported above.",
            "`swapped_loss(scores, codes, temperature)` divides the scores by the temperature itself.",
            "The codes are `((teacher - centre) / teacher_temperature).softmax(dim=2)`, and `swapped_loss` detaches them. The student's scores are not centred.",
        ),
    ),
    "entropy_and_kl": Task(
        title="Entropy and divergence",
        difficulty=2,
        minutes=10,
        task="Write `entropy_and_kl(target, guess)` for distributions [N, K]: the entropy of each target, and the divergence of its guess from it, KL(target ‖ guess), both in nats and averaged over the N rows. Entries of target may be 0, those of guess are above 0.",
        hints=(
            "Entropy is $-\\sum_k p_k \\ln p_k$, and 0 ln 0 counts as 0: `torch.special.entr`.",
            "$\\mathrm{KL}(p \\| q) = \\sum_k p_k \\ln p_k - \\sum_k p_k \\ln q_k$: the cross-entropy minus the entropy.",
            "Sum over dim=1, then the mean. Return the two as a tuple.",
        ),
    ),
    "teacher_momentum": Task(
        title="A momentum that grows · *optional*",
        difficulty=1,
        minutes=5,
        task="Write `teacher_momentum(progress, start)`: `start` at progress 0, 1 at progress 1, and half of a cosine wave between, level at both ends.",
        hints=(
            "The cosine of π · progress runs from 1 to -1, level at both ends.",
            "`(1 + math.cos(math.pi * progress)) / 2` runs from 1 to 0. What must it multiply?",
            "The distance from 1 shrinks from `1 - start` to 0.",
        ),
    ),
}
