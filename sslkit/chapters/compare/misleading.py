"""Comparisons that mislead: too few images, one loud feature, batch norm of other images, three evaluations with a bug."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import plots
from sslkit.chapters.compare.figures import lines
from sslkit.chapters.compare.lineup import Lineup, judge
from sslkit.datasets import Dataset
from sslkit.measures import cka
from sslkit.probes import features, knn_accuracy
from sslkit.probes.finetuning import measure_batch_norm


def few_images(a: Tensor, b: Tensor, names: tuple[str, str]) -> plots.Picture:
    """CKA of two networks by the number of images, plain and debiased."""
    counts = sorted({n for n in (16, 32, 64, 128, 256, 512, 1024) if n < len(a)} | {len(a)})
    curves: dict[str, dict[int, list[float]]] = {"plain": {}, "debiased": {}}
    for n in counts:
        seeds = range(1 if n == len(a) else 12)
        draws = [torch.randperm(len(a), generator=torch.Generator().manual_seed(seed))[:n] for seed in seeds]
        for form in curves:
            curves[form][n] = [cka(a[rows], b[rows], debiased=form == "debiased") for rows in draws]
    title = f"The fewer images, the higher plain CKA; the debiased one stays ({names[0]} and {names[1]})"
    caption = "Random choices of validation scenes, twelve for each number; line: mean, band: lowest to highest."
    return lines(curves, title=title, caption=caption, xlabel="images N", ylabel="CKA", log=True)


def one_loud(h: list[Tensor], splits: Any, name: str, gain: float = 30.0) -> plots.Picture:
    """Three judges of a network's features as they are, and with the feature that varies most made louder."""
    factor = torch.ones(h[0].shape[1])
    factor[h[0].std(0).argmax()] = gain
    table = {}
    for shown, parts in {
        "as they are": h,
        f"one feature {gain:.0f} times as loud": [part * factor for part in h],
    }.items():
        scores = judge(parts, splits)
        likeness = cka(parts[2], h[2])
        table[shown] = {key: scores[key] for key in ("linear probe", "kNN")} | {"CKA with the original": likeness}
    caption = f"Features of {name}, {len(h[2]):,} validation scenes."
    title = "One loud feature: the probe does not mind, kNN and CKA do"
    return plots.scoreboard(table, title=title, caption=caption, highlight="", percent=("linear probe", "kNN"))


def three_bugs(h: dict[str, list[Tensor]], splits: Any, name: str) -> plots.Picture:
    """The same evaluation of one network, right and with three bugs: validation images that stand in the bank; labels in another order
    than the features; weights that were never loaded."""
    good, fresh = h[name], h["untrained"]
    order = torch.randperm(len(splits[2]), generator=torch.Generator().manual_seed(0))
    fitted = [torch.cat([part, good[2]]) if k == 0 else part for k, part in enumerate(good)]
    both = [Joined(splits[0], splits[2]), *splits[1:]]
    rows = {
        "as it should be": (good, splits),
        "A": (fitted, both),
        "B": ([*good[:2], good[2][order]], splits),
        "C": (fresh, splits),
    }
    table = {}
    for shown, (parts, judged) in rows.items():
        likeness = cka(parts[2], fresh[2], debiased=True)
        table[shown] = judge(parts, judged) | {"CKA with untrained": max(0.0, likeness)}
    caption = f"Features of {name}, {len(good[2]):,} validation scenes, {len(good[0]):,} labelled ones to fit."
    title = "One evaluation and three with a bug: which is which?"
    return plots.scoreboard(table, title=title, caption=caption, highlight="", percent=("linear probe", "kNN"))


class Joined:
    """The labels of two splits, one after the other."""

    def __init__(self, first: Any, second: Any):
        self.y = torch.cat([first.y, second.y])


def batch_norm(line: Lineup, data: Dataset, splits: Any) -> plots.Picture:
    """kNN of the convolutional networks as they are, and with batch norm statistics measured anew on 1,000 plain scenes."""
    fit, _, judged = splits
    table = {}
    for name in line.trained:
        again = copy.deepcopy(line.networks[name])
        measure_batch_norm(again, data.train.x)
        both = {"as trained": line.networks[name], "on plain scenes": again.eval()}
        if any(isinstance(part, nn.BatchNorm2d) for part in again.modules()):
            h = {shown: [features(net, split.x) for split in (fit, judged)] for shown, net in both.items()}
            table[name] = {
                f"kNN, statistics {shown}": knn_accuracy(a, fit.y, b, judged.y) for shown, (a, b) in h.items()
            }
    caption = f"{len(judged):,} validation scenes, {len(fit):,} labelled ones to fit; one run each."
    return plots.scoreboard(
        table, title="Batch norm measured anew: no method gains or loses much", caption=caption, highlight=""
    )
