"""Accuracy as labels grow: what pretraining saves, measured in labels."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from sslkit.datasets import Dataset
from sslkit.probes.features import backbone, features, labels_of, reinitialised
from sslkit.probes.few import few_labels
from sslkit.probes.finetuning import finetune

COUNTS = (1, 2, 5, 10, 20, 50, 100, None)  # labels per class; None: all there are
FROZEN, TUNED, SCRATCH = ARMS = ("frozen probe", "fine-tuned", "from scratch")

Table = dict[str, dict[int, list[float]]]


def label_efficiency(
    encoders: nn.Module | Sequence[nn.Module],
    data: Dataset,
    counts: Sequence[int | None] = COUNTS,
    seeds: Sequence[int] = range(3),
    *,
    arms: Sequence[str] = ARMS,
    more: dict[str, Callable] | None = None,
    steps: int = 120,
    steps_all: int = 400,
    on_result: Callable[[Table], None] | None = None,
) -> Table:
    """Test accuracy by labels per class, as {arm: {labels per class: [one a seed]}}: plain values, ready to plot.

    encoders: a pretrained network, or one for each seed. Seed s draws the labels (nested: more labels keep the fewer),
    the order of the training and, for the arm from scratch, the weights. Arms: "frozen probe" (few_labels),
    "fine-tuned", "from scratch" (finetune with `steps`, or `steps_all` when all labels are used); `more` adds arms
    {name: function(encoder, data, per_class, seed) -> test accuracy}. Counts above the smallest class are left out;
    None, all labels, is filed under their mean number per class. on_result(table) is called after each number.
    """
    data = data.judged
    y, _, y_test = labels_of(data)
    seeds = list(seeds)
    encoders = [backbone(e) for e in ([encoders] * len(seeds) if isinstance(encoders, nn.Module) else encoders)]
    if unknown := set(arms) - set(ARMS):
        raise ValueError(f"no arm {', '.join(sorted(unknown))}; there are {', '.join(ARMS)}, and `more` for your own")
    if not seeds or len(encoders) != len(seeds):
        raise ValueError(f"there must be an encoder for each seed: {len(encoders)} encoders, {len(seeds)} seeds")
    more, numbers = more or {}, usable(counts, y)
    table: Table = {arm: {number: [] for number in numbers} for arm in (*arms, *more)}
    for encoder, seed in zip(encoders, seeds):
        h = [features(encoder, split.x) for split in (data.train, data.test)] if FROZEN in arms else []
        networks = {TUNED: encoder, SCRATCH: reinitialised(encoder, seed)}
        for number, per_class in numbers.items():
            length = steps_all if per_class is None else steps
            for arm in table:
                if arm == FROZEN:
                    value = few_labels(h[0], y, h[1], y_test, per_class=per_class, seeds=[seed])[0]
                elif arm in networks:
                    value = finetune(networks[arm], data, per_class, seed, steps=length).test
                else:
                    value = more[arm](encoder, data, per_class, seed)
                table[arm][number].append(value)
                if on_result:
                    on_result(table)
    return table


def usable(counts: Sequence[int | None], y: torch.Tensor) -> dict[int, int | None]:
    """{labels per class: what to ask label_subset for}, in ascending order: the counts that each class in labels y can
    give; None, all labels, under their mean number. ValueError when nothing is left."""
    sizes = torch.unique(y, return_counts=True)[1]
    wanted = sorted({c for c in counts if c is not None})
    found: dict[int, int | None] = {count: count for count in wanted if count <= sizes.min()}
    if None in counts:
        mean = round(len(y) / len(sizes))
        found = {number: count for number, count in found.items() if number < mean} | {mean: None}
    if not found:
        raise ValueError(f"the smallest class has {int(sizes.min())} labels: no count of {list(counts)} can be met")
    return found


def lead(first: dict[int, list[float]], second: dict[int, list[float]]) -> dict[int, list[float]]:
    """By how much the first curve leads the second at each number of labels that both have, seed by seed."""
    return {number: [a - b for a, b in zip(first[number], second[number])] for number in first if number in second}


def crossing(first: dict[int, list[float]], second: dict[int, list[float]]) -> float | None:
    """From how many labels per class on the second curve's mean is not below the first's; None when it stays below.

    Between two measured numbers the lead is taken as a straight line over the logarithm of the labels.
    """
    means = {number: sum(values) / len(values) for number, values in sorted(lead(first, second).items()) if values}
    if not means:
        raise ValueError("the two curves have no number of labels in common")
    numbers = list(means)
    leading = [i for i, number in enumerate(numbers) if means[number] > 0]
    if not leading:
        return float(numbers[0])
    if leading[-1] == len(numbers) - 1:
        return None
    a, b = numbers[leading[-1]], numbers[leading[-1] + 1]
    share = means[a] / (means[a] - means[b])
    return math.exp(math.log(a) + share * (math.log(b) - math.log(a)))


def finetune_report(
    encoder: nn.Module,
    data: Dataset,
    per_class: int | None = 10,
    seeds: Sequence[int] = range(3),
    on_result: Callable[[str], None] | None = None,
    out: Path | None = None,
    **options,
) -> str:
    """A table in words: test accuracy of the encoder fine-tuned, and of the same network from scratch, for each seed.

    options go to `finetune`; with `out` its checkpoints go to out/tuned-SEED and out/scratch-SEED. on_result(line) is called
    with each seed's line as it comes.
    """
    encoder, rows = backbone(encoder), []
    for seed in seeds:
        starts = {"tuned": encoder, "scratch": reinitialised(encoder, seed)}
        kept = {name: out / f"{name}-{seed}" if out else None for name in starts}
        test = {n: finetune(start, data, per_class, seed, out=kept[n], **options).test for n, start in starts.items()}
        rows.append(list(test.values()))
        if on_result:
            on_result(f"labels of seed {seed}: fine-tuned {test['tuned']:.1%}, from scratch {test['scratch']:.1%}")
    if not rows:
        raise ValueError("fine-tuning needs at least one seed, got none")
    tuned, scratch = torch.tensor(rows, dtype=torch.float64).T
    gain, spread = tuned - scratch, (lambda x: f" ± {100 * x.std():.1f}" if len(x) > 1 else "")
    labels = f"{per_class} labels per class" if per_class else f"all {len(data.train):,} labels"
    return (
        f"fine-tuned    {100 * tuned.mean():5.1f}{spread(tuned)}\nfrom scratch  {100 * scratch.mean():5.1f}{spread(scratch)}\n"
        f"difference    {100 * gain.mean():+5.1f}{spread(gain)}\n{data.name}: test accuracy in % ({len(data.test):,} samples) with "
        f"{labels}, mean{' ± standard deviation' if len(rows) > 1 else ''} over {len(rows)} choice(s) of labels; learning rates "
        "chosen on val."
    )
