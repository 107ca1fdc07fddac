"""The scoreboard: pixels, an untrained network, this one and a supervised one, side by side before the same judges."""

import html
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sslkit.measures import collapse, effective_rank
from sslkit.probes.features import backbone, evenly, features, pixels, reinitialised, tf_idf
from sslkit.probes.few import few_labels
from sslkit.probes.finetuning import check_labels, supervised
from sslkit.probes.knn import knn_accuracy
from sslkit.probes.linear import linear_probe
from sslkit.progress import progress
from sslkit.train import scale

LABELLED = 10_000  # training images whose labels kNN and the linear probe see
RANK_ROWS = 2000  # test images that the effective rank is taken over: it cannot exceed their number
COLUMNS = ("kNN", "linear probe", "few labels", "effective rank", "")


@dataclass(frozen=True)
class Scoreboard:
    """rows: one plain dict per network (see `judge`), in order. caption: protocol, splits, seeds. Prints as a table."""

    rows: list[dict]
    caption: str

    def cells(self) -> list[list[str]]:
        """The table as text, its header first. Accuracies in percent, few labels as mean ± standard deviation."""
        table = [["", *COLUMNS]]
        for row in self.rows:
            few = f"{100 * row['few_labels']:.1f} ± {100 * row['few_labels_std']:.1f}"
            table.append(
                [
                    row["name"],
                    f"{100 * row['knn']:.1f}",
                    f"{100 * row['linear_probe']:.1f}",
                    few,
                    f"{row['effective_rank']:.1f}",
                    row["verdict"],
                ]
            )
        keep = [i for i in range(len(table[0])) if i < len(COLUMNS) or any(row[i] for row in table[1:])]
        return [[row[i] for i in keep] for row in table]

    def __str__(self) -> str:
        table = self.cells()
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = [
            "  ".join(
                cell.ljust(w) if i in (0, len(COLUMNS)) else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths))
            )
            for row in table
        ]
        return "\n".join([line.rstrip() for line in [lines[0], "-" * len(lines[0]), *lines[1:]]] + [self.caption])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.cells()]
        rows = ["".join(f"<th>{cell}</th>" for cell in head)]
        for row in body:
            rows.append(f'<th style="text-align:left">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]))
        lines = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table>{lines}</table><p><small>{html.escape(self.caption)}</small></p>"


def scoreboard(
    model: nn.Module,
    data,
    *,
    name: str | None = None,
    seeds=range(5),
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
    so in its row.
    """
    data = data.judged
    kind = data.kind
    if kind.judge != "scoreboard":
        raise ValueError(f"{data.name} holds {kind.noun}, which the scoreboard cannot judge: sslkit.probes.report does")
    check_labels(data)
    seeds, encoder = list(seeds), backbone(model)
    if not seeds:
        raise ValueError("the scoreboard needs at least one seed for its choice of few labels, got none")
    supervised_steps = supervised_steps or (8 if scale() == "smoke" else 500)
    splits = [
        split if len(split) <= limit else split[evenly(len(split), limit)] for split in (data.train, data.val)
    ] + [data.test]
    smallest, wanted = int(torch.unique(splits[0].y, return_counts=True)[1].min()), per_class
    per_class = min(per_class, smallest)
    labels = [split.y for split in splits]
    name = name or type(model).__name__
    networks = {"untrained": lambda: reinitialised(encoder, seed), name: lambda: model}
    if with_supervised:
        networks["supervised"] = lambda: supervised(encoder, data, seed=seed, steps=supervised_steps)[0]
    x = [split.x for split in splits]
    raw = tf_idf(x, kind.inputs) if kind.baseline == "tf-idf" else [pixels(one) for one in x]
    show = progress("scoreboard", 1 + len(networks), "rows")
    show(0, f"judging {kind.baseline}")
    rows = [judge(kind.baseline, raw, labels, seeds, per_class)]
    for label, make in networks.items():
        show(len(rows), f"{'training and ' * (label == 'supervised')}judging {label}")
        network = make()  # the supervised one is trained here
        rows.append(judge(label, [features(network, split.x) for split in splits], labels, seeds, per_class))
    show(len(rows))
    train, val, test = (f"{len(split):,}" for split in splits)
    about = {
        "data": data.name,
        "method": name,
        "per_class": per_class,
        "seeds": seeds,
        "seed": seed,
        "train": len(splits[0]),
        "test": len(splits[2]),
        "encoder": type(encoder).__name__,
    }
    noun, named = kind.noun, ", ".join(map(str, seeds))
    fewer = f" (not {wanted}: the smallest class has no more)" if wanted > smallest else ""
    caption = (
        f"{data.name}: accuracy in % on the test split ({test} {noun}, used once a row); always guessing one class gives "
        f"{100 * rows[0]['chance']:.1f}. kNN (k = 20, temperature 0.07) and linear probe (C chosen on {val} val {noun}) see the "
        f"labels of {train} training {noun}; few labels is a linear probe with {per_class} labels per class{fewer}, mean ± "
        f"standard deviation over {len(seeds)} choices of them (seed{'s' if len(seeds) > 1 else ''} {named}). Effective rank over "
        f"{min(RANK_ROWS, len(splits[2])):,} test {noun}. Untrained{' and supervised' if with_supervised else ''}: seed {seed}"
        + (f", supervised {supervised_steps} steps on all {len(data.train):,} labels." if with_supervised else ".")
    )
    return Scoreboard([about | row for row in rows], caption)


def judge(name: str, h: list[Tensor], y: list[Tensor], seeds: list[int], per_class: int) -> dict:
    """One row, plain values: what each judge says of features h and labels y of train, val and test."""
    few = torch.tensor(few_labels(h[0], y[0], h[2], y[2], per_class=per_class, seeds=seeds), dtype=torch.float64)
    probe = linear_probe(h[0], y[0], h[1], y[1], steps=60, tolerance=1e-4)  # 3 times faster, the same accuracy to 0.2 %
    row = {
        "name": name,
        "knn": knn_accuracy(h[0], y[0], h[2], y[2]),
        "linear_probe": probe.score(h[2], y[2]),
        "linear_probe_C": probe.C,
        "few_labels": few.mean().item(),
        "few_labels_std": few.std(correction=0).item(),
        "few_labels_all": few.tolist(),
        "effective_rank": effective_rank(h[2][evenly(len(h[2]), RANK_ROWS)]),
        "spread": collapse(h[2]),
        "chance": (y[2] == y[0].mode().values).double().mean().item(),
    }
    return row | {"verdict": verdict(row, len(y[2]))}


def verdict(row: dict, n: int) -> str:
    """What has to be said of a row whose test split has n images: "" when nothing is wrong."""
    doubt = 3 * (row["chance"] * (1 - row["chance"]) / n) ** 0.5  # three standard errors of guessing
    said = []
    if row["effective_rank"] < 1.5 or row["spread"] < 0.1:
        said.append(f"collapsed: nearly the same features for all samples (spread {row['spread']:.2f})")
    if max(row["knn"], row["linear_probe"]) <= row["chance"] + doubt:
        said.append("no better than guessing")
    return "; ".join(said)
