"""The pictures of the first page."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslkit import plots, probes, runs
from sslkit.chapters.start_here.exercises import partners
from sslkit.datasets import Dataset, Split

# A seed at which the two pieces of the heart differ in colour, and so do those of the flag; pieces k and k + 3 are of one picture.
SEED, ORDER = 11, [0, 1, 2, 3, 5, 4]


def pieces(images: Tensor, view: Any, seed: int = SEED) -> Tensor:
    """Two random pieces of each of three pictures, mixed: [6, C, H, W]."""
    return view(images.repeat(2, 1, 1, 1), torch.Generator().manual_seed(seed))[ORDER]


def puzzle(images: Tensor, view: Any) -> plots.Picture:
    """The six pieces, numbered."""
    title = "Six pieces of three pictures: which belong together?"
    return plots.grid(pieces(images, view), list("123456"), columns=6, side=96, title=title)


def right(guess: Tensor) -> int:
    """How many of six guesses [6] name a piece of the same picture."""
    picture = torch.tensor(ORDER) % 3
    return int((picture[guess] == picture).sum())


def solved(
    method: Any, images: Tensor, view: Any, title: str, match: Callable[[Tensor], Tensor] = partners
) -> plots.Picture:
    """Which piece the network takes for each one's partner. match: its outputs [6, D] to row numbers [6]."""
    six = pieces(images, view)
    if method.encoder.channels == 1:  # it learned from clothes
        six = six.mean(1, keepdim=True)
    guess = match(probes.features(nn.Sequential(method.encoder, method.projector), six))
    titles = [f"{k}: with {best}" for k, best in enumerate((guess + 1).tolist(), 1)]
    caption = (
        f"Its guess is the piece whose output is most similar. Right for {right(guess)} of 6; blind guessing gets 1.2."
    )
    return plots.grid(six, titles, columns=6, side=96, title=title, caption=caption)


def many(
    networks: dict[str, Any],
    split: Split,
    view: Any,
    match: Callable[[Tensor], Tensor] = partners,
    puzzles: int = 200,
) -> plots.Picture:
    """How many of six pieces are matched on average over many such puzzles, by pixels and by each method's outputs."""
    rows = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[: 3 * puzzles]
    sixes = torch.cat([pieces(split.x[three], view, seed) for seed, three in enumerate(rows.split(3))])
    outputs = {"pixels": probes.pixels(sixes)} | {
        name: probes.features(nn.Sequential(method.encoder, method.projector), sixes)
        for name, method in networks.items()
    }
    puzzles = len(sixes) // 6
    found = {name: sum(right(match(six)) for six in z.split(6)) / puzzles for name, z in outputs.items()}
    title = "On many such puzzles the trained network is hardly ever wrong"
    caption = f"Mean over {puzzles} puzzles of validation images."
    return plots.bars(found, title=title, caption=caption, xlabel="right of 6", chance=1.2)


def kinds(data: Any) -> plots.Picture:
    """Three images of each kind, below its name."""
    kinds = range(len(data.classes))
    rows = torch.stack([(data.train.y == k).nonzero().flatten()[:3] for k in kinds], dim=1).flatten()
    title = f"{data.name}: three images of each kind; training never sees the kinds"
    caption = f"{len(data.train):,} training images of {len(data.classes)} kinds."
    named = dict(columns=len(kinds), column_names=data.classes)
    return plots.grid(data.train.x[rows], title=title, caption=caption, side=64, **named)


def hour(data: Dataset, images: int = 2000) -> plots.Picture:
    """Where a network puts new images before any training, and after the hour on the shelf; a note for other data than its own."""
    title = "An hour of such puzzles: like joins like, and nobody named the kinds"
    if data.name != "scenes":
        return plots.note(title, f"The network that ships learned from scenes; train one on {data.name} below.")
    after = runs.shelf("barlow_twins")
    networks = {"before: random numbers": probes.reinitialised(after), "after an hour": after}
    some = data.val[:images]
    maps = [
        (name, plots.tsne(normalize(probes.features(network, some.x), dim=1))) for name, network in networks.items()
    ]
    caption = (
        f"t-SNE of {len(some):,} validation images. In colour, and counted: those of whose 25 nearest on the map at least 60 % are of "
        "their own kind. All others are grey dots."
    )
    return plots.islands(maps, (data.classes, some.y), some.x, title, caption)


def question(method: Any, images: Tensor) -> plots.Picture:
    """Each image and two random views of it."""
    view1, view2 = method.pretext(images, torch.Generator().manual_seed(1))
    title = "The question: which two views belong together?"
    caption = "Each column is one image and two random views of it. The network sees only views."
    return plots.rows({"image": images, "view 1": view1, "view 2": view2}, title=title, caption=caption, side=64)


def all_labels(data: Any, per_class: int) -> plots.Picture:
    """The labelled images of stage two, kind by kind."""
    rows = probes.label_subset(data.train.y, per_class, seed=0)
    named = {name: data.train.x[rows[data.train.y[rows] == k]] for k, name in enumerate(data.classes)}
    title = f"All the labels there are: {per_class} images of each kind"
    caption = f"{len(rows)} images out of {len(data.train):,}; the label is the name of the row."
    return plots.rows(named, title=title, caption=caption, side=40)
