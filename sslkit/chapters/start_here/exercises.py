# Generated from notebooks/00_start_here.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Task

def partners(z: Tensor) -> Tensor:
    """For each row the other row with the greatest cosine similarity; no row is its own partner.

    z: outputs of the network [N, D]. Returns row numbers, int64 [N].
    """
    z = F.normalize(z, dim=1)
    similarity = (z @ z.T).fill_diagonal_(-torch.inf)
    return similarity.argmax(dim=1)


def chance_level(counts: Tensor) -> Tensor:
    """Accuracy of the best guess without looking: always name the most frequent class.

    counts: how many images each class has, int64 [C]. Returns one number in 0 .. 1.
    """
    return counts.max() / counts.sum()


def accuracy(pred: Tensor, y: Tensor) -> Tensor:
    """Fraction of predictions that are right: 0 none, 1 all.

    pred, y: class numbers, int64 [N]. Returns one number.
    """
    return (pred == y).float().mean()


TASKS = {
    "partners": Task(
        title="Solve the puzzle",
        difficulty=2,
        minutes=10,
        task="Write `partners(z)`: row i of `z` is the network's output for piece i. For each row, give the number of the *other* row that points most nearly in the same direction (greatest cosine similarity).",
        hints=(
            "The cosine of two vectors is their dot product, once both have length 1. Which piece would win if a piece could be its own partner?",
            "After `z = F.normalize(z, dim=1)` every row has length 1; `z @ z.T` then holds all cosines, [N, N], with each piece and itself on the diagonal.",
            "`fill_diagonal_(-torch.inf)` rules the diagonal out; `argmax(dim=1)` finds the best of each row.",
        ),
    ),
    "chance_level": Task(
        title="What guessing is worth",
        difficulty=1,
        minutes=5,
        task="Write `chance_level(counts)`: the accuracy that is reached without looking at the image, by always naming the most frequent class. With balanced classes it is 1 / number of classes; with unbalanced ones it is more.",
        hints=(
            "If 6 of 10 images are cats and you always say cat, how often are you right?",
            "You need two numbers: the count of the most frequent class, and the count of all images.",
            "`counts.max()` and `counts.sum()`; divide one by the other.",
        ),
    ),
    "accuracy": Task(
        title="How often is it right? · *optional*",
        difficulty=1,
        minutes=5,
        task="Write `accuracy(pred, y)`: the fraction of images whose predicted class `pred[i]` is the true class `y[i]`. The probe beside the loss and the bars of stage two are such fractions.",
        hints=(
            "How would you count it by hand, with two lists of class numbers side by side?",
            "`pred == y` compares entry by entry and gives a tensor of True and False.",
            "True counts as 1 and False as 0: turn the comparison into floats and take the mean.",
        ),
    ),
}
