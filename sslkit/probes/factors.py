"""What features know of each factor behind an image: how well a linear probe reads it, and how far the features move when it
alone changes. The first asks what could be found out, the second what the features are busy with."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sslkit.datasets import Split
from sslkit.probes.features import accuracy, pixels
from sslkit.probes.linear import standardise
from sslkit.probes.ridge import PENALTIES, r2, ridge_probe

ANGLES = ("hue",)  # factors in turns: 0.99 and 0.01 are neighbours
CLASSES = 20  # a factor of more values is not a class that could be told apart by a few thousand images


def factor_targets(splits: Sequence[Split]) -> dict[str, list[Tensor]]:
    """{factor: [targets [N, K] of each split]}, float64, of what the splits know: a number as itself, an angle (see
    ANGLES) as cosine and sine, a class as one column of 0 and 1 for each, and "mean colour", that of the image.

    Whole numbers are classes; factors of more than 20 classes, and those that are not a list of N numbers, are left out.
    """
    targets = {}
    for name, values in splits[0].factors.items():
        parts = [split.factors[name] for split in splits]
        if values.ndim != 1:
            continue
        if name in ANGLES and values.is_floating_point():
            turns = [part.double() * math.tau for part in parts]
            targets[name] = [torch.stack([t.cos(), t.sin()], 1) for t in turns]
        elif values.is_floating_point():
            targets[name] = [part.double()[:, None] for part in parts]
        elif (count := int(max(part.max() for part in parts)) + 1) <= CLASSES:
            targets[name] = [torch.nn.functional.one_hot(part.long(), count).double() for part in parts]
    return targets | {"mean colour": [pixels(s.x).unflatten(1, s.x.shape[1:]).mean((2, 3)).double() for s in splits]}


def read_factors(h: Sequence[Tensor], splits: Sequence[Split]) -> dict[str, float]:
    """How well a ridge probe reads each factor from frozen features: {factor: 0 (not at all) .. 1 (exactly)}.

    h: features [N, D] of three splits: the first to fit, the second to choose the penalty (for each factor its own), the
    third to judge. Numbers and angles: the share of the variance explained (R2, mean over cosine and sine or over
    channels), below 0 where worse than their mean. Classes: regression on 0 and 1, the largest wins; accuracy a as
    (a - c) / (1 - c), c that of always guessing the commonest, so that 0 is chance for all.
    """
    if len(h) != 3 or len(splits) != 3:
        got = f"{len(h)} and {len(splits)}"
        raise ValueError(f"features and splits to fit, to choose and to judge are needed, got {got}")
    targets = factor_targets(splits)
    fit, choose, _ = (torch.cat([parts[i] for parts in targets.values()], 1) for i in range(3))
    probes = [ridge_probe(h[0], fit, h[1], choose, penalties=(penalty,)) for penalty in PENALTIES]
    widths = [parts[0].shape[1] for parts in targets.values()]
    chosen, judged = ([probe.predict(h[i]).split(widths, 1) for probe in probes] for i in (1, 2))
    scores = {}
    for k, (name, (_, val, test)) in enumerate(targets.items()):
        is_class = name != "mean colour" and not splits[0].factors[name].is_floating_point()
        score = class_skill if is_class else mean_r2
        best = max(range(len(probes)), key=lambda p: score(chosen[p][k], val))
        scores[name] = score(judged[best][k], test)
    return scores


def mean_r2(prediction: Tensor, y: Tensor) -> float:
    """R2, mean over columns."""
    return r2(prediction, y).mean().item()


def class_skill(prediction: Tensor, y: Tensor) -> float:
    """(a - c) / (1 - c): a the accuracy of the largest column of prediction [N, K], c that of guessing y's commonest."""
    guess = y.mean(0).max().item()
    return (accuracy(prediction.argmax(1), y.argmax(1)) - guess) / (1 - guess) if guess < 1 else 0.0


def total_effect(h: Tensor, changed: Tensor, reference: Tensor | None = None) -> float:
    """How far features h [N, D] move when one factor alone is drawn anew, as a share of how far apart two independent
    images are: 0 = the features do not notice, 1 = as if everything were new.

    changed [N, D]: features of the same images with that factor changed. Both are standardised by the statistics of
    reference [M, D], by default h, so that each dimension counts alike; those that never change there count not at all.
    For independent factors this is the total-effect index of global sensitivity analysis, mean over dimensions; the
    indices of all factors add up to 1 where their effects simply add, to more where they act together. Source: the
    estimator of Jansen 1999.
    """
    if h.shape != changed.shape or h.ndim != 2 or len(h) < 2:
        got = f"{list(h.shape)} and {list(changed.shape)}"
        raise ValueError(f"two tables of features [N, D] of one shape are needed, got {got}")
    if not torch.isfinite(h).all() or not torch.isfinite(changed).all():
        raise ValueError("the features hold NaN or infinity: did training diverge?")
    h, changed = h.detach().cpu().double(), changed.detach().cpu().double()
    reference = h if reference is None else reference.detach().cpu().double()
    _, scale = standardise(reference)
    alive = (reference - reference[0]).abs().amax(0) > 1e-6 * reference.abs().amax(0)
    if not alive.any():
        return 0.0
    return (((h - changed) / scale)[:, alive].square().mean() / 2).item()
