"""The k-nearest-neighbour judge: no training, no setting that matters much."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslkit.datasets import Dataset
from sslkit.probes.features import accuracy, check_labelled, evenly, features, labels_of

CELLS = 2**24  # similarities held at once: 64 MB of float32


def neighbours(bank: Tensor, h: Tensor, k: int = 20) -> tuple[Tensor, Tensor]:
    """The k most similar rows of bank [M, D] for each row of h [N, D]: cosine similarities and row numbers, both
    [N, min(k, M)], most similar first, on h's device. A row of h that is in the bank finds itself first."""
    if bank.ndim != 2 or h.ndim != 2 or bank.shape[1] != h.shape[1]:
        raise ValueError(f"bank and h must be features [M, D] and [N, D], got {list(bank.shape)} and {list(h.shape)}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    bank, k = normalize(bank, dim=1), min(k, len(bank))
    found = [(normalize(rows.to(bank), dim=1) @ bank.T).topk(k) for rows in h.split(max(1, CELLS // len(bank)))]
    similarity, index = (torch.cat(parts).to(h.device) for parts in zip(*found))
    return similarity, index


def knn(train_h: Tensor, train_y: Tensor, test_h: Tensor, k: int = 20, temperature: float = 0.07) -> Tensor:
    """Predicted labels [N] of test_h [N, D]: the k nearest of train_h [M, D] by cosine vote for their label train_y
    [M], each with weight exp(similarity / temperature).

    Source: Wu et al. 2018, sec. 3.4 (there k = 200 on ImageNet). With fewer than k training rows all of them vote. Of
    classes with equal votes the lowest number wins.
    """
    check_labelled(train_h, train_y, "training")
    check_labelled(test_h, torch.zeros(len(test_h), dtype=torch.long), "test")
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    similarity, index = neighbours(train_h, test_h, k)
    classes, label = torch.unique(train_y.to(similarity.device), return_inverse=True)
    # Taking the best similarity off scales all of a row's votes alike, and keeps exp from overflowing.
    weight = ((similarity - similarity[:, :1]) / temperature).exp()
    votes = weight.new_zeros(len(weight), len(classes)).scatter_add_(1, label[index], weight)
    return classes[votes.argmax(dim=1)]


def knn_accuracy(train_h: Tensor, train_y: Tensor, test_h: Tensor, test_y: Tensor) -> float:
    """The share of test_h whose label `knn` predicts, with its usual settings."""
    return accuracy(knn(train_h, train_y, test_h), test_y)


def quick_knn(model: nn.Module, data: Dataset, bank: int = 2000, queries: int = 500) -> float:
    """A look while a network trains: how often the 20 nearest of `bank` training samples vote for the right class of
    `queries` validation samples. A second or two; for a number that counts take the scoreboard."""
    data = data.judged
    y, val_y, _ = labels_of(data)
    rows, val_rows = evenly(len(data.train), bank), evenly(len(data.val), queries)
    h, val_h = features(model, data.train[rows].x), features(model, data.val[val_rows].x)
    return knn_accuracy(h, y[rows], val_h, val_y[val_rows])
