# Generated from notebooks/00_start_here.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Task

def nearest(h_query: Tensor, h_bank: Tensor) -> Tensor:
    """For each query the row of the bank with the greatest cosine similarity.

    h_query: features [Q, D]; h_bank: features of other images [B, D]. Returns rows, int64 [Q].
    """
    similarity = F.normalize(h_query, dim=1) @ F.normalize(h_bank, dim=1).T
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
    "nearest": Task(
        title="The nearest neighbour",
        difficulty=2,
        minutes=10,
        task="Write `nearest(h_query, h_bank)`: for each row of `h_query` the number of the row of `h_bank` that points most nearly in the same direction (greatest cosine similarity). No query is itself in the bank.",
        hints=(
            "The cosine of two vectors is their dot product, once both have length 1.",
            "`F.normalize(h, dim=1)` gives every row length 1; a matrix product `a @ b.T` then holds all cosines, [Q, B].",
            "The best column of each row is `similarity.argmax(dim=1)`.",
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
        title="How often is it right?",
        difficulty=1,
        minutes=5,
        task="Write `accuracy(pred, y)`: the fraction of images whose predicted class `pred[i]` is the true class `y[i]`.",
        hints=(
            "How would you count it by hand, with two lists of class numbers side by side?",
            "`pred == y` compares entry by entry and gives a tensor of True and False.",
            "True counts as 1 and False as 0: turn the comparison into floats and take the mean.",
        ),
    ),
}
