"""The scoreboard: pixels, an untrained network, this one and a supervised one, side by side before the same judges."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sslkit import measures
from sslkit.datasets import Dataset, Split
from sslkit.measures import effective_rank, has_collapsed
from sslkit.probes.features import backbone, evenly, features, labels_of, pixels, reinitialised, tf_idf
from sslkit.probes.few import few_labels
from sslkit.probes.finetuning import supervised
from sslkit.probes.knn import knn_accuracy
from sslkit.probes.linear import quick_linear_probe
from sslkit.progress import progress
from sslkit.train import scale

LABELLED = 10_000  # training images whose labels kNN and the linear probe see
RANK_ROWS = 2000  # test images that the effective rank is taken over: it cannot exceed their number
COLUMNS = ("kNN", "linear probe", "few labels", "effective rank")


@dataclass(frozen=True)
class Row:
    """What the judges say of one network. knn, linear_probe, few_labels_all: accuracy on the test split, the last once for each
    choice of labels; effective_rank, spread: of the test features; chance: accuracy of always guessing the commonest class;
    tested: test images."""

    name: str
    knn: float
    linear_probe: float
    few_labels_all: list[float]
    effective_rank: float
    spread: float
    chance: float
    tested: int

    @property
    def few_labels(self) -> float:
        """Mean over the choices of labels."""
        return torch.tensor(self.few_labels_all, dtype=torch.float64).mean().item()

    @property
    def few_labels_std(self) -> float:
        """Standard deviation over the choices of labels."""
        return torch.tensor(self.few_labels_all, dtype=torch.float64).std(correction=0).item()

    @property
    def verdict(self) -> str:
        """What has to be said of it, "" when nothing is wrong."""
        doubt = 3 * (self.chance * (1 - self.chance) / self.tested) ** 0.5  # three standard errors of guessing
        faults = []
        if has_collapsed(self.spread, self.effective_rank):
            faults.append(f"collapsed: nearly the same features for all samples (spread {self.spread:.2f})")
        if max(self.knn, self.linear_probe) <= self.chance + doubt:
            faults.append("no better than guessing")
        return "; ".join(faults)

    def cells(self) -> list[str]:
        """Its name and numbers as text: accuracies in percent, few labels as mean ± standard deviation."""
        few = f"{100 * self.few_labels:.1f} ± {100 * self.few_labels_std:.1f}"
        accuracies = [f"{100 * self.knn:.1f}", f"{100 * self.linear_probe:.1f}", few]
        return [self.name, *accuracies, f"{self.effective_rank:.1f}"]


@dataclass(frozen=True)
class Scoreboard:
    """rows: one for each network, in order. caption: protocol, splits, seeds. Prints as a table."""

    rows: list[Row]
    caption: str

    def cells(self) -> list[list[str]]:
        """The table as text, its header first, without the verdicts."""
        return [["", *COLUMNS], *(row.cells() for row in self.rows)]

    def __str__(self) -> str:
        table = self.cells()
        first, *widths = [max(map(len, column)) for column in zip(*table)]
        lines = ["  ".join([name.ljust(first), *map(str.rjust, cells, widths)]) for name, *cells in table]
        verdicts = [row.verdict for row in self.rows]
        judged = [f"{line}  {verdict}".rstrip() for line, verdict in zip(lines[1:], verdicts)]
        return "\n".join([lines[0], "-" * len(lines[0]), *judged, self.caption])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.cells()]
        rows = ["".join(f"<th>{cell}</th>" for cell in head)]
        for row, (name, *cells) in zip(self.rows, body):
            cells += [html.escape(row.verdict)] * bool(row.verdict)
            rows.append(f'<th style="text-align:left">{name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells))
        lines = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table>{lines}</table><p><small>{html.escape(self.caption)}</small></p>"


def scoreboard(
    model: nn.Module,
    data: Dataset,
    *,
    name: str | None = None,
    seeds: Sequence[int] = range(5),
    per_class: int = 10,
    with_supervised: bool = True,
    limit: int = LABELLED,
    supervised_steps: int | None = None,
    seed: int = 0,
) -> Scoreboard:
    """Judge a method or an encoder on labelled data, beside pixels (text: tf-idf), the same architecture untrained, and
    supervised.

    Accuracy on the test split, which each row touches once: kNN and linear probe with the labels of `limit` training
    images, evenly spread (its C chosen on val), a linear probe with `per_class` labels for each label subset of
    `seeds`. seed is that of the untrained and the supervised network. A network that collapsed, or guesses, is called
    so in its row. ValueError for data without labels, or of a kind that the scoreboard cannot judge.
    """
    data, seeds = data.judged, list(seeds)
    if data.kind.judge != "scoreboard":
        noun = data.kind.noun
        raise ValueError(f"{data.name} holds {noun}, which the scoreboard cannot judge: sslkit.probes.report does")
    labels_of(data)
    if not seeds:
        raise ValueError("the scoreboard needs at least one seed for its choice of few labels, got none")
    steps = (supervised_steps or (8 if scale() == "smoke" else 500)) if with_supervised else None
    known = replace(data, train=at_most(limit, data.train), val=at_most(limit, data.val))
    splits, labels = (known.train, known.val, known.test), labels_of(known)
    smallest = int(torch.unique(labels[0], return_counts=True)[1].min())
    networks, raw = lineup(model, data, name or type(model).__name__, seed, steps), data.kind.baseline
    show = progress("scoreboard", 1 + len(networks), "rows")
    show(0, f"judging {raw}")
    rows = [judge(raw, baseline(known), labels, seeds, min(per_class, smallest))]
    for label, make in networks.items():
        show(len(rows), f"{'training and ' * (label == 'supervised')}judging {label}")
        network = make()
        h = [features(network, split.x) for split in splits]
        rows.append(judge(label, h, labels, seeds, min(per_class, smallest)))
    show(len(rows))
    about = caption(
        known,
        rows[0].chance,
        seeds,
        wanted=per_class,
        smallest=smallest,
        seed=seed,
        supervised_steps=steps,
        labels=len(data.train),
    )
    return Scoreboard(rows, about)


def at_most(limit: int, split: Split) -> Split:
    """The split, or `limit` of its samples, evenly spread."""
    return split if len(split) <= limit else split[evenly(len(split), limit)]


def lineup(
    model: nn.Module, data: Dataset, name: str, seed: int, supervised_steps: int | None
) -> dict[str, Callable[[], nn.Module]]:
    """What makes the network of each row: untrained, this one and, unless its steps are None, a supervised one, which is trained
    then."""
    encoder = backbone(model)
    networks = {"untrained": lambda: reinitialised(encoder, seed), name: lambda: model}
    if supervised_steps is not None:
        networks["supervised"] = lambda: supervised(encoder, data, seed=seed, steps=supervised_steps)[0]
    return networks


def baseline(data: Dataset) -> list[Tensor]:
    """Features of train, val and test that nothing has learned: pixels, of text tf-idf."""
    x = [split.x for split in (data.train, data.val, data.test)]
    return tf_idf(x, data.kind.inputs) if data.kind.baseline == "tf-idf" else [pixels(one) for one in x]


def judge(name: str, h: Sequence[Tensor], y: Sequence[Tensor], seeds: Sequence[int], per_class: int) -> Row:
    """What each judge says of features h and labels y of train, val and test."""
    few = few_labels(h[0], y[0], h[2], y[2], per_class=per_class, seeds=seeds)
    return Row(
        name=name,
        knn=knn_accuracy(h[0], y[0], h[2], y[2]),
        linear_probe=quick_linear_probe(h[0], y[0], h[1], y[1]).score(h[2], y[2]),
        few_labels_all=few,
        effective_rank=effective_rank(h[2][evenly(len(h[2]), RANK_ROWS)]),
        spread=measures.spread(h[2]),
        chance=(y[2] == y[0].mode().values).double().mean().item(),
        tested=len(y[2]),
    )


def caption(
    data: Dataset,
    chance: float,
    seeds: Sequence[int],
    *,
    wanted: int,
    smallest: int,
    seed: int,
    supervised_steps: int | None,
    labels: int,
) -> str:
    """The protocol. data: as the judges know it; wanted: labels per class, of which the smallest class may have fewer; labels: that
    the supervised network is trained on."""
    noun, named = data.kind.noun, ", ".join(map(str, seeds))
    train, val, test = (f"{len(split):,}" for split in (data.train, data.val, data.test))
    few = f"{min(wanted, smallest)} labels per class"
    few += f" (not {wanted}: the smallest class has no more)" if wanted > smallest else ""
    networks = f"Untrained{'' if supervised_steps is None else ' and supervised'}: seed {seed}"
    networks += "" if supervised_steps is None else f", supervised {supervised_steps} steps on all {labels:,} labels"
    return (
        f"{data.name}: accuracy in % on the test split ({test} {noun}, used once a row); always guessing one class gives "
        f"{100 * chance:.1f}. kNN (k = 20, temperature 0.07) and linear probe (C chosen on {val} val {noun}) see the "
        f"labels of {train} training {noun}; few labels is a linear probe with {few}, mean ± "
        f"standard deviation over {len(seeds)} choices of them (seed{'s' if len(seeds) > 1 else ''} {named}). Effective rank over "
        f"{min(RANK_ROWS, len(data.test)):,} test {noun}. {networks}."
    )
