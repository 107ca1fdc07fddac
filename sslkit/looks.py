"""Look at what encoders make of a data set, the same way in every chapter: maps, an explorer, nearest neighbours, what is
known of each factor, ten labels."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from sslkit import checkpoint, plots, probes, runs, widgets
from sslkit.datasets import Dataset, Split
from sslkit.plots.picture import WRONG
from sslkit.plots.table import draw_table, to_pixels
from sslkit.probes.factors import read_factors
from sslkit.train import scale

GREY = "#C4C4C4"  # of points that no name tells apart
FACTORS = ("hue", "size", "background")  # what may colour the explorer's points beside the class


def first_of(split: Any, kinds: list[int]) -> Any:
    """The first image of each kind, as a part of the split."""
    return split[torch.stack([(split.y == kind).nonzero()[0, 0] for kind in kinds])]


def stages(name: str, before: nn.Module, now: nn.Module, data: Dataset) -> dict[str, nn.Module]:
    """A chapter's encoders to look at side by side: untrained, trained in the notebook, and that of the method's hour on the shelf,
    where it is there for these data."""
    found = {"untrained": before, "your run": now}
    if (runs.READY / "shelf" / f"{name}_{data.name}.pt").exists():
        found["an hour"] = runs.shelf(name, data.name)
    return found


def maps(
    encoders: dict[str, nn.Module], data: Dataset, title: str, n: int = 800, named: Sequence[str] = ()
) -> plots.Picture:
    """t-SNE maps of the same test samples by several encoders, {name: encoder}; named: the classes that have a colour,
    where there are too many to be told apart (by default all)."""
    some = data.test[plots.subsample(len(data.test), n)]
    y, classes = some.y, data.classes
    look: dict[str, Any] = {}
    if named and y is not None:
        places = {data.classes.index(name): place for place, name in enumerate(named)}
        y = torch.tensor([places.get(kind, len(named)) for kind in y.tolist()])
        classes, look = [*named, "others"], {"colours": [*plots.COLOURS[: len(named)], GREY]}
    laid = [(name, plots.tsne(probes.features(model, some.x)), y) for name, model in encoders.items()]
    caption = (
        f"t-SNE (perplexity 30, seed 0) of the backbone features of {len(some)} {data.kind.noun} of the test split."
    )
    return plots.tsne_maps(laid, classes, title=title, caption=caption, **look)


def explorer(encoders: dict[str, nn.Module], data: Dataset, n: int = 600) -> Any:
    """Linked maps of the same validation images by several encoders, {name: encoder}."""
    some = data.val[plots.subsample(len(data.val), n)]
    return widgets.embedding_explorer(
        {name: probes.features(model, some.x) for name, model in encoders.items()},
        some.x,
        some.y,
        data.classes,
        some.names,
        factors={name: some.factors[name] for name in FACTORS if name in some.factors},
        encoders={name: partial(probes.features, model) for name, model in encoders.items()},
        title="What each network takes to be alike",
        caption=f"{len(some)} validation scenes.",
    )


def nearest(
    encoders: dict[str, nn.Module],
    data: Any,
    kinds: Sequence[int] = (0, 1, 5, 8),
    bank: int = 5000,
    typical: bool = False,
) -> list[plots.Picture]:
    """For each encoder a picture of the training images nearest to a few test images, one of each kind named; the caption
    says how many of the seven nearest are right over all test images. typical: not the first image of a kind, but the one with
    most nearly as many right neighbours, by each encoder, as its kind has on average."""
    train, test = data.train[:bank], data.test[:2000]
    kinds = [k for k in kinds if (test.y == k).any()]
    near = {}
    for name, model in encoders.items():
        near[name] = probes.neighbours(probes.features(model, train.x), probes.features(model, test.x), k=7)[1]
    right = {name: (train.y[index] == test.y[:, None]).float().mean(1) for name, index in near.items()}
    own = [(test.y == kind).nonzero()[:, 0] for kind in kinds]
    rows = torch.stack([rows[middling([share[rows] for share in right.values()]) if typical else 0] for rows in own])
    rule = " Each query has about as many right neighbours as its kind has on average." if typical else ""
    return [
        plots.neighbours(
            test.x[rows],
            train.x[index[rows].flatten()].unflatten(0, index[rows].shape),
            test.y[rows],
            train.y[index[rows]],
            data.classes,
            title=f"{name}: the training images nearest to {len(rows)} test images",
            caption=f"Cosine of backbone features.{rule} Of the 7 nearest to each of {len(test):,} test images "
            f"{right[name].mean():.0%} are right; here",
            side=64,
        )
        for name, index in near.items()
    ]


def middling(shares: list[torch.Tensor]) -> int:
    """The row that is nearest to the mean of all rows in several lists of numbers [N] at once; the first of several."""
    return int(torch.stack([(share - share.mean()).abs() for share in shares]).sum(0).argmin())


def pushed(
    images: torch.Tensor, kinds: torch.Tensor, classes: list[str], title: str, caption: str, first: str
) -> plots.Picture:
    """What is pushed hardest from some images, [R, 1 + K, C, H, W] with kinds [R, 1 + K]; framed red: false negatives, which are
    of the kind of the first in their row. first: what that one is called."""
    false = kinds[:, 1:] == kinds[:, :1]
    count = f"Here {false.sum()} of {false.numel()} are false: of the {first}'s own kind."
    return draw_table(
        [to_pixels(row) for row in images],
        title,
        f"{caption} {count}",
        f"{len(images)} images, each with the {images.shape[1] - 1} that are pushed from it hardest",
        column_names=[first, *(f"{k}." for k in range(1, images.shape[1]))],
        labels=[[classes[kind] for kind in row] for row in kinds],
        frames=[[None, *(WRONG if one else None for one in row)] for row in false],
        split=1,
        side=64,
    )


def known(
    models: dict[str, nn.Module],
    data: Dataset,
    names: dict[str, str],
    bank: int = 5000,
    on: str = "test",
    highlight: str = "",
) -> plots.Picture:
    """What a ridge probe reads of a scene's factors from each model's output (probes.factors.read_factors). names: {factor: shown as}.

    on "val": for where the test split has to stay closed. The penalty is then chosen on the 2,000 training images that follow.
    highlight: the model in strong blue, by default the last.
    """
    bank = min(bank, len(data.train) // 2)
    held_out = {"test": (data.val, data.test), "val": (data.train[bank : bank + 2000], data.val)}[on]
    splits, chosen = [data.train[:bank], *held_out], {"test": "val", "val": "other training images"}[on]
    table = {}
    for name, model in models.items():
        read = read_factors([probes.features(model, split.x) for split in splits], splits)
        table[name] = {shown: read[key] for key, shown in names.items() if key in read}
    title = "How much of each factor a linear probe reads: 0 % is guessing, 100 % is all of it"
    images = f"{len(splits[2]):,} {'test' if on == 'test' else 'validation'} images"
    caption = f"Ridge probes on {bank:,} training images, penalty chosen on {chosen}, judged on {images}."
    return plots.scoreboard(
        table, title, caption, highlight=highlight or list(models)[-1], percent=list(names.values())
    )


def two_starts(
    starts: dict[str, nn.Module],
    data: Dataset,
    steps: int,
    seeds: int | None = None,
    per_class: int = 10,
    title: str = "The same few labels, from different starts",
) -> plots.Picture:
    """Test accuracy with few labels from several starts, {name: encoder}, for several choices of labels (3; at smoke scale 1)."""
    seeds = seeds or (1 if scale() == "smoke" else 3)
    found = {
        name: [probes.finetune(model, data, per_class=per_class, seed=seed, steps=steps).test for seed in range(seeds)]
        for name, model in starts.items()
    }
    caption = f"{per_class} labels per class, {seeds} choices of labels, {steps} steps, learning rate chosen on val."
    return plots.bars(found, title=title, caption=caption, xlabel="test accuracy", chance=1 / len(data.classes))


def forming(
    hs: Sequence[Any], times: Sequence[str], split: Split, classes: Sequence[str], title: str, by: str = ""
) -> Any:
    """The map of a split's images as it formed in training: features at each moment (probes.Snapshots), and the first beside
    them, standing still. by: what these features are, if they are not the backbone's as they are."""
    xy = plots.forming(hs)
    return widgets.embedding_explorer(
        {"before": hs[0], "while it trains": hs[-1]},
        split.x,
        split.y,
        classes,
        split.names,
        xy={"before": xy[0], "while it trains": xy},
        times=times,
        factors={name: split.factors[name] for name in FACTORS if name in split.factors},
        title=title,
        caption=f"{len(split)} validation images{by}.",
    )


def shelf_hour(name: str, data: Dataset, title: str) -> Any:
    """The same for a network that ships: its long training, as tests/benchmarks/shelf.py kept it; a note where it was
    trained on other data."""
    path = runs.READY / "shelf" / f"{name}_{data.name}_forming.pt"
    if not path.exists():
        return plots.note(
            title, f"No network was trained for an hour on {data.name}; the one that ships learned from scenes."
        )
    kept = checkpoint.load(path)
    along = list(zip(kept["step"], kept["knn"]))[1:]
    times = ["untrained", *(f"step {step:,}, kNN {knn:.0%}" for step, knn in along)]
    n = min(kept["h"].shape[1], len(data.val))
    by = f", by the {kept['h'].shape[2]} widest directions of their features, all that was kept along the way"
    return forming(list(kept["h"][:, :n].float()), times, data.val[:n], data.classes, title, by)
