"""Features of a frozen network, and the checks that every probe shares."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from sslkit.datasets import Dataset
from sslkit.nets import device_of, evaluating, to_input
from sslkit.train import autocast


@torch.no_grad()
def features(model: nn.Module, x: Any, batch: int | None = None) -> Tensor:
    """Features [N, D], float32 on the CPU, of x [N, C, H, W] (uint8, or float in [0, 1]) or tokens [N, T].

    A model with `encode` (a method) is asked for that, any other is called. Evaluation mode, no gradient. x may be a
    streamed object with .shape that gives a batch when indexed by a LongTensor. Computed in the precision that training
    uses here (sslkit.train.precision). batch: 512 by default, of passages 32, whose attention then fits a processor's cache.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"features needs a network (nn.Module), got {type(model).__name__}")
    n, device, encode = x.shape[0], device_of(model), getattr(model, "encode", model)
    if n == 0:
        raise ValueError("features of no images: x is empty")
    parts = []
    batch = batch or (32 if len(x.shape) == 2 else 512)
    with evaluating(model):
        for rows in torch.arange(n).split(batch):
            with autocast(device):
                h = encode(to_input(x[rows], device))
            if not isinstance(h, Tensor) or h.ndim != 2 or len(h) != len(rows):
                got = list(h.shape) if isinstance(h, Tensor) else type(h).__name__
                raise ValueError(
                    f"the network must give features [{len(rows)}, D] for {len(rows)} images, it gave {got}"
                )
            parts.append(h.float().cpu())
    return torch.cat(parts)


def pixels(x: Any) -> Tensor:
    """The images themselves as features: [N, C*H*W] float32 in [0, 1], what any learned feature has to beat."""
    return to_input(x[torch.arange(x.shape[0])], torch.device("cpu")).float().flatten(1)


def tf_idf(splits: list[Tensor], vocabulary: int) -> list[Tensor]:
    """Passages of tokens [N, T] as counts of each of `vocabulary` tokens, rare ones worth more: [N, vocabulary] each,
    weighted by how rare they are in the first split, rows of length 1. What any learned feature of text has to beat.
    Source: scikit-learn's TfidfTransformer, sublinear counts."""
    # scikit-learn takes a second to import: only text pays
    from sklearn.feature_extraction.text import TfidfTransformer

    ones = [torch.ones(x.shape) for x in splits]
    counts = [torch.zeros(len(x), vocabulary).scatter_add_(1, x, one).numpy() for x, one in zip(splits, ones)]
    weigh = TfidfTransformer(sublinear_tf=True).fit(counts[0])
    return [torch.from_numpy(weigh.transform(count).toarray()).float() for count in counts]


def accuracy(predictions: Tensor, y: Tensor) -> float:
    """The share of predictions [N] that equal the labels y [N]."""
    if predictions.shape != y.shape or y.ndim != 1 or len(y) == 0:
        raise ValueError(f"accuracy compares two lists of N labels, got {list(predictions.shape)} and {list(y.shape)}")
    return (predictions.cpu() == y.cpu()).double().mean().item()


def backbone(model: nn.Module) -> nn.Module:
    """The encoder of a method, or the encoder itself."""
    return model.get_submodule("encoder") if hasattr(model, "encode") else model


def reinitialised(encoder: nn.Module, seed: int = 0) -> nn.Module:
    """A copy of the encoder as it was before any training: every module's reset_parameters() is called, under `seed`.

    Inner modules come first, so that an outer module's own reset_parameters has the last word. A parameter that nothing
    resets would smuggle trained weights into the untrained row: that is a ValueError which names it.
    """
    device, fresh = device_of(encoder), copy.deepcopy(encoder).cpu().requires_grad_(True)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        for parameter in fresh.parameters():
            parameter.fill_(math.nan)  # what is still NaN in the end was reset by nothing
        for module in reversed(list(fresh.modules())):
            reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
            if reset is not None:
                reset()
    for name, module in fresh.named_modules():
        if kept := [key for key, p in module.named_parameters(recurse=False) if p.isnan().any()]:
            where = f"{name}: {type(module).__name__}" if name else type(module).__name__
            raise ValueError(
                f"cannot start {where} afresh: it holds parameters ({', '.join(kept)}) that nothing resets; give its class a "
                "reset_parameters() that sets them, or wrap what makes the network: sslkit.nets.wrap(lambda: MyNetwork(...))"
            )
    return fresh.to(device)


def check_labelled(h: Tensor, y: Tensor | None, what: str) -> None:
    """A ValueError unless h is finite features [N, D] with integer labels y [N], N >= 1; `what` names them in it."""
    if not isinstance(h, Tensor) or h.ndim != 2 or not h.is_floating_point() or len(h) == 0:
        got = f"{h.dtype} {list(h.shape)}" if isinstance(h, Tensor) else type(h).__name__
        raise ValueError(f"{what} features must be a floating tensor [N, D], got {got}")
    if y is None:
        raise ValueError(f"{what} labels are missing (None): this probe needs a labelled data set")
    if y.shape != h.shape[:1] or y.is_floating_point():
        raise ValueError(f"{what} labels must be {len(h)} integers, one per feature row, got {y.dtype} {list(y.shape)}")
    if not torch.isfinite(h).all():
        raise ValueError(f"{what} features hold NaN or infinity: did training diverge?")


def labels_of(data: Dataset) -> tuple[Tensor, Tensor, Tensor]:
    """The labels y [N] of train, val and test; a ValueError that says how to get some where there are none."""
    train, val, test = data.train.y, data.val.y, data.test.y
    if train is None or val is None or test is None:
        raise ValueError(
            f"the data set {data.name!r} has no labels, and judging features needs some: put the images into one "
            "subfolder per class (flowers/rose/1.jpg, flowers/tulip/2.jpg, ...) and load folder:flowers"
        )
    return train, val, test


def evenly(n: int, limit: int) -> Tensor:
    """At most `limit` of n row numbers, evenly spread: a folder's images are sorted by class."""
    return torch.arange(n) if n <= limit else torch.arange(limit) * n // limit
