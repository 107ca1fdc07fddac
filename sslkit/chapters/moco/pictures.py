"""The pictures of chapter 11 that stand still: queries and keys, who sits in the queue."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslkit import looks, plots
from sslkit.datasets import Split
from sslkit.looks import first_of
from sslkit.plots.picture import NEUTRAL
from sslkit.plots.table import draw_table, to_pixels
from sslkit.train import Recipe, batch_indices


def question(split: Split, view: Any) -> plots.Picture:
    """Three queries, each with its own key and older keys of other images."""
    five = first_of(split, [7, 4, 0, 8, 5])
    generator = torch.Generator().manual_seed(3)
    asks, answers, older = (view(five.x, generator) for _ in range(3))
    table, frames = [], []
    for i in range(3):
        others = [k for k in range(5) if k != i]
        table.append(to_pixels(torch.cat([asks[i : i + 1], answers[i : i + 1], older[others]])))
        frames.append([None, plots.COLOURS[1], *[NEUTRAL] * 4])
    title = "Each query must find its own key (orange) among older keys"
    caption = "Three validation scenes. Keys in the queue are of other views, seen in earlier steps; only their vectors are kept."
    heads = ["query", "its key", *["in the queue"] * 4]
    what = "3 queries, each with its key and 4 others"
    return draw_table(table, title, caption, what, column_names=heads, frames=frames, split=1)


def found(q: Tensor, k: Tensor, queue: Tensor) -> Tensor:
    """Whether each query is more similar to its own key than to all keys of the queue: bool [N].

    q, k [N, K], queue [Q, K], rows of any length.
    """
    q, k, queue = (normalize(z.float(), dim=1) for z in (q, k, queue))
    return (q * k).sum(dim=1) > (q @ queue.T).amax(dim=1)


def writers(n: int, recipe: Recipe, queue: int, seed: int = 0) -> Tensor:
    """The training image behind each row of the queue after a run on n images, int64 [queue]; -1 for a random row of the
    start. The order of the images is known, so it can be told."""
    rows, size = torch.full((queue,), -1), min(recipe.batch, n)
    for step in range(max(0, recipe.steps - -(-queue // size)), recipe.steps):
        rows[(step * size + torch.arange(size)) % queue] = batch_indices(n, size, step, seed)
    return rows


def hardest_keys(method: Any, q: Tensor, batch: Any, recipe: Recipe, data: Any) -> plots.Picture:
    """For a few queries the images behind the seven keys that push hardest. q: the queries of the batch."""
    owner = writers(len(data.pretrain), recipe, len(method.queue))
    filled = owner >= 0
    owner, keys = owner[filled], method.queue.cpu()[filled]
    similarity = normalize(q.float().cpu(), dim=1) @ keys.T
    near = owner[similarity.topk(7).indices]
    some = torch.stack([(batch.y == kind).nonzero()[0, 0] for kind in (0, 4, 7, 9)])
    false = data.train.y[owner][None, :] == batch.y[:, None]
    push = (similarity / method.temperature).softmax(dim=1)
    hardest = (data.train.y[near] == batch.y[:, None]).float().mean()
    caption = (
        f"Validation scenes, and the images behind their most similar keys. Of {len(keys):,} keys {false.float().mean():.0%} "
        f"are of the query's kind, and {(push * false).sum(1).mean():.0%} of the push falls on them. Of the seven most similar to each of "
        f"{len(batch)} queries {hardest:.0%} are."
    )
    return looks.pushed(
        torch.cat([batch.x[some, None], data.train.x[near[some]]], dim=1),
        torch.cat([batch.y[some, None], data.train.y[near[some]]], dim=1),
        data.classes,
        "The keys that push the query hardest: those framed red are false negatives",
        caption,
        "query",
    )


def kept_for_backward(model: nn.Module, views: Tensor) -> int:
    """How many numbers the student keeps from its forward pass of these views until the gradient has passed."""
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        sizes[tensor.data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        queries: Any = model.queries
        kept = queries(views)  # alive until here, so that no address is used twice
    del kept
    return sum(sizes.values())
