# Generated from notebooks/10_simclr.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.simclr.method import info_nce
from sslkit.checks.exercise import Task

def similarity_matrix(z: Tensor) -> Tensor:
    """Cosine of all pairs of rows, with -inf on the diagonal: no view meets itself.

    z: projections [M, D]. Returns [M, M] with a gradient.
    """
    z = F.normalize(z, dim=1)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    return (z @ z.T).masked_fill(itself, float("-inf"))


def positive_index(n: int) -> Tensor:
    """For each of the 2 n rows of torch.cat([z1, z2]) the row with the other view of its image.

    n: images in the batch. Returns row numbers, int64 [2 n].
    """
    return (torch.arange(2 * n) + n) % (2 * n)


def false_negative_rate(y: Tensor) -> Tensor:
    """Which fraction of the negatives shows the anchor's class, on average over the 2 N anchors.

    Each image gives two views; an anchor's negatives are the 2 N - 2 views of other images.
    y: classes of the N images, int64 [N]. Returns one number in 0 .. 1.
    """
    n, same = len(y), y[:, None] == y[None, :]
    # both views of an image count alike: the factors 2 cancel
    return (same.sum() - n) / (n * (n - 1))


TASKS = {
    "similarity_matrix": Task(
        title="All similarities at once",
        difficulty=1,
        minutes=5,
        task="Write `similarity_matrix(z)`: the cosine similarity of every row of `z` with every other row, as a table [M, M], and `-inf` on the diagonal, so that softmax gives a view no weight on itself.",
        hints=(
            "A cosine is a dot product of vectors of length 1; a matrix product is all dot products.",
            "`F.normalize(z, dim=1)`, then `z @ z.T`.",
            "`torch.eye(len(z), dtype=torch.bool)` is True on the diagonal: use it with `masked_fill` and `float('-inf')`.",
        ),
    ),
    "positive_index": Task(
        title="Where is the positive?",
        difficulty=1,
        minutes=5,
        task="Write `positive_index(n)`: stack the first views of n images on their second views, `torch.cat([z1, z2])`. For each of the 2 n rows, which row is the other view of the same image?",
        hints=(
            "Write down the rows for n = 3: 0 1 2 are first views, 3 4 5 second views. Who belongs to 0? Who to 4?",
            "The first n rows look n further down, the last n rows n further up.",
            "`(torch.arange(2 * n) + n) % (2 * n)`, or `torch.cat` of two aranges.",
        ),
    ),
    "info_nce": Task(
        title="InfoNCE",
        difficulty=3,
        minutes=20,
        task="Write `info_nce(z1, z2, temperature)` in matrix form. Each of the 2 N views is an anchor once; its positive is the other view of the same image; all other 2 N - 1 views (the positive among them) stand in the denominator; similarity is the cosine, divided by the temperature. Return the mean over the 2 N anchors.",
        hints=(
            "It is a classification: each view must pick its partner out of all the other views. What are the logits, what the labels?",
            "`similarity_matrix(torch.cat([z1, z2])) / temperature` holds all logits. (The solution writes it out, to compute in full precision.)",
            "`positive_index(N)` holds the labels; `F.cross_entropy(logits, labels)` does the rest, the mean included.",
        ),
    ),
    "false_negative_rate": Task(
        title="False negatives",
        difficulty=3,
        minutes=15,
        task="SimCLR pushes all other images away, those of the same class too: false negatives. Write `false_negative_rate(y)`: the fraction of an anchor's 2 N - 2 negatives that have its class, on average over all anchors of the batch.",
        hints=(
            "Count for one image: how many of the other N - 1 images have its class? Each gives two views, which changes nothing in the fraction.",
            "`y[:, None] == y[None, :]` is a table [N, N], True where two images have one class. Who does not count?",
            "Take the N entries of the diagonal off the sum, and divide by the N (N - 1) entries that remain.",
        ),
    ),
}
