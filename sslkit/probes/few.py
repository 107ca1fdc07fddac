"""Few labels: what a linear probe makes of a handful of labelled images."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sslkit.probes.features import accuracy, check_labelled
from sslkit.probes.linear import LinearProbe, fit_logistic, probe_input, standardise

REACH = 10.0  # C times D: see few_labels


def label_subset(y: Tensor | None, per_class: int | None, seed: int = 0) -> Tensor:
    """Row numbers of `per_class` random examples of each class in labels y [N], as a sorted LongTensor; None: of all.

    Nested: for one seed the subset of 5 per class lies inside that of 10. A class with too few is a ValueError.
    """
    if y is None or y.ndim != 1 or len(y) == 0 or y.is_floating_point():
        got = None if y is None else f"{y.dtype} {list(y.shape)}"
        raise ValueError(f"label_subset needs integer labels y [N], got {got}")
    if per_class is None:
        return torch.arange(len(y))
    if per_class < 1:
        raise ValueError(f"per_class must be at least 1, got {per_class}")
    y = y.cpu()
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    classes, count = torch.unique(y, return_counts=True)
    if count.min() < per_class:
        poorest = count.argmin()
        raise ValueError(
            f"{per_class} labels per class were asked for, but class {classes[poorest].item()} has only "
            f"{count[poorest].item()} examples"
        )
    return torch.cat([order[y[order] == c][:per_class] for c in classes]).sort().values


def few_labels(
    train_h: Tensor,
    train_y: Tensor,
    test_h: Tensor,
    test_y: Tensor,
    *,
    per_class: int | None = 10,
    seeds: Sequence[int] = range(5),
    C: float | None = None,
) -> list[float]:
    """Test accuracy of a linear probe that sees `per_class` labels of each class, one number per label-subset seed.

    Nothing is chosen on labels beyond the subset: C is 10 / D, one value for all features (standardised features have
    a squared length of D, so that C D is what fixes how far a probe may bend). Standardised by the statistics of all
    training features, which need no labels.
    """
    check_labelled(train_h, train_y, "training")
    check_labelled(test_h, test_y, "test")
    classes, label = torch.unique(train_y.cpu(), return_inverse=True)
    mean, scale = standardise(train_h)
    x, C, scores = probe_input(train_h, mean, scale), C or REACH / train_h.shape[1], []
    for seed in seeds:
        rows = label_subset(label, per_class, seed)
        theta = fit_logistic(x[rows], label[rows], len(classes), C)
        scores.append(accuracy(LinearProbe(theta[:-1], theta[-1], classes, mean, scale, C).predict(test_h), test_y))
    return scores
