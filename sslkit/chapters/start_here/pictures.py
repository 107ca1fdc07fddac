"""The pictures of the first page."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslkit import plots, probes

SEED, ORDER = 7, [0, 1, 2, 3, 5, 4]  # pieces k and k + 3 are of one picture


def pieces(images: Tensor, view: Any) -> Tensor:
    """Two random pieces of each of three pictures, mixed: [6, C, H, W]."""
    return view(images.repeat(2, 1, 1, 1), torch.Generator().manual_seed(SEED))[ORDER]


def puzzle(images: Tensor, view: Any) -> plots.Picture:
    """The six pieces, numbered."""
    title = "Six pieces of three pictures: which belong together?"
    return plots.grid(pieces(images, view), list("123456"), columns=6, side=96, title=title)


def solved(method: Any, images: Tensor, view: Any) -> plots.Picture:
    """Which piece the network takes for each one's partner, before the names of the pictures are known to it."""
    six = pieces(images, view)
    z = normalize(probes.features(nn.Sequential(method.encoder, method.projector), six), dim=1)
    alike = (z @ z.T).fill_diagonal_(-2)
    titles = [f"{k + 1}: with {int(best) + 1}" for k, best in enumerate(alike.argmax(1))]
    right = sum(ORDER[int(best)] % 3 == ORDER[k] % 3 for k, best in enumerate(alike.argmax(1)))
    caption = f"Its guess is the piece whose output is most similar. Right for {right} of 6; blind guessing gets 1.2."
    return plots.grid(six, titles, columns=6, side=96, title="The network's answer to your puzzle", caption=caption)


def kinds(data: Any) -> plots.Picture:
    """Three images of each kind."""
    rows = torch.cat([(data.train.y == k).nonzero().flatten()[:3] for k in range(len(data.classes))])
    title = f"{data.name}: three images of each kind; training never sees the kinds"
    caption = f"{len(data.train):,} training images. Kinds, in order: {', '.join(data.classes)}."
    return plots.grid(data.train.x[rows], columns=15, side=48, title=title, caption=caption)


def question(method: Any, images: Tensor) -> plots.Picture:
    """Each image and two random views of it."""
    view1, view2 = method.pretext(images, torch.Generator().manual_seed(1))
    title = "The question: which two views belong together?"
    caption = "Each column is one image and two random views of it. The network sees only views."
    return plots.rows({"image": images, "view 1": view1, "view 2": view2}, title=title, caption=caption, side=64)


def all_labels(data: Any, per_class: int) -> plots.Picture:
    """The labelled images of stage two, kind by kind."""
    rows = probes.label_subset(data.train.y, per_class, seed=0)
    rows = rows[data.train.y[rows].argsort(stable=True)]
    title = f"All the labels there are: {per_class} images of each kind"
    caption = f"{len(rows)} images out of {len(data.train):,}."
    return plots.grid(data.train.x[rows], columns=20, side=26, title=title, caption=caption)
