# Generated from notebooks/22_transfer.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
from torch import Tensor

from sslkit.chapters.transfer.method import consistency_loss, labels_saved, rates_per_layer
from sslkit.checks.exercise import Task

def nested_subset(y: Tensor, per_class: int, order: Tensor) -> Tensor:
    """Rows of the first `per_class` images of each class that are met walking through `order`.

    y: int64 [N], classes 0 .. K - 1, each at least `per_class` times; order: int64 [N], a
    permutation of the rows. Returns the rows in ascending order, int64 [K * per_class].
    """
    kinds = y[order]
    chosen = [order[kinds == c][:per_class] for c in y.unique()]
    return torch.cat(chosen).sort().values


TASKS = {
    "nested_subset": Task(
        title="A label subset that is balanced and nested",
        difficulty=2,
        minutes=10,
        task="Write `nested_subset(y, per_class, order)` without walking through the rows one by one: keep the first `per_class` rows of each class that are met in `order`; return the rows sorted.",
        hints=(
            "`y[order]` is the class of each row in the order in which they are met.",
            "`order[y[order] == c]` are the rows of class c, first met first.",
            "Take `[:per_class]` of that for each class, `torch.cat` them, and `.sort().values`.",
        ),
    ),
    "labels_saved": Task(
        title="How many labels does it take from scratch?",
        difficulty=3,
        minutes=15,
        task="A network from scratch has a curve of accuracy over labels per class. Write `labels_saved(counts, accuracy, target)`: how many labels it needs for the accuracy `target`, for example that of a pretrained network with ten. (What is saved is this number less the ten.) Interpolate over the logarithm of the labels.",
        hints=(
            "Find the first count whose accuracy reaches the target; the answer lies between the count before it and that one.",
            "Which share of the way up from the accuracy before is the target? Go the same share of the way in log(labels).",
            "`exp(log(a) + share * (log(b) - log(a)))` between counts a and b; mind the two cases outside of the curve.",
        ),
    ),
    "rates_per_layer": Task(
        title="A learning rate for each layer",
        difficulty=1,
        minutes=10,
        task="Write `rates_per_layer(layers, lr, decay)`: the last layer learns with `lr`, and each layer before it with `decay` times the rate of the next. Return them as one tensor, or a list, the layer next to the input first.",
        hints=(
            "The last layer has exponent 0. Which exponent has the first of `layers` layers?",
            "Layer l (from 0) is `layers - 1 - l` steps away from the last.",
            "`lr * decay ** torch.arange(layers - 1, -1, -1)`.",
        ),
    ),
    "consistency_loss": Task(
        title="FixMatch's loss · *optional*",
        difficulty=3,
        minutes=20,
        task="Write `consistency_loss(weak, strong, threshold)`: guess on the weak view, keep the sure guesses, and ask the strong view to repeat them. Mean over all images, the ones that do not count included; no gradient through the guess.",
        hints=(
            "Three parts: a guess with its probability for each image; which of them count; a cross-entropy for each image.",
            "`confidence, labels = weak.detach().softmax(dim=1).max(dim=1)`; `F.cross_entropy(strong, labels, reduction='none')`.",
            "Multiply the losses by `confidence >= threshold` and take `.mean()`: that divides by all N.",
        ),
    ),
}
