"""How fast keys go stale under teachers of different slowness, measured in short trainings."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslkit.datasets import Dataset
from sslkit.train import Recipe, build, device, train

BATCH, QUEUE = 64, 1024


def agreement(keys: Tensor, ages: int) -> Tensor:
    """Mean cosine of the keys of the last steps with those made 0 .. ages steps before: [2, ages + 1], first of the same
    views, then of different ones, the floor.

    keys [S, M, K]: rows of length 1, of the same M views after each of S steps; M at least 2.
    """
    last, different = range(max(ages, len(keys) - 16), len(keys)), ~torch.eye(len(keys[0]), dtype=torch.bool)
    means = []
    for a in range(ages + 1):
        cosines = torch.stack([keys[t] @ keys[t - a].T for t in last])
        means.append(torch.stack([cosines.diagonal(dim1=1, dim2=2).mean(), cosines[:, different].mean()]))
    return torch.stack(means, dim=1)


def measure(
    make: Callable[..., nn.Module],
    recipe: Recipe,
    data: Dataset,
    momenta: Sequence[float],
    steps: int = 200,
    ages: int = 128,
    seed: int = 0,
) -> dict[float, Tensor]:
    """{momentum: agreement by age, [2, ages + 1]} of the keys of 64 validation views that are set aside: the teacher of every step makes
    keys of the same views. Runs of `steps` batches of 64 with 1,024 keys, all alike but for the momentum.

    The learning rate falls as if the run were twice as long, so that the student still moves when it stops.
    """
    rate = recipe.lr * math.sqrt(BATCH / recipe.batch)
    curves = {}
    for momentum in momenta:
        options = recipe.options | {"momentum": momentum, "queue": QUEUE}
        short = recipe.but(steps=2 * steps, batch=BATCH, lr=rate, options=options)
        model: Any = build(make, short, data.channels, seed)
        views = model.pretext(data.val.x[:64].to(device()), torch.Generator(device()).manual_seed(2))[1]
        keys = []
        for record in train(model, data.pretrain, short, seed=seed):
            with torch.no_grad():
                keys.append(normalize(model.teacher(views).float(), dim=1).cpu())
            if record.step == steps:
                break
        curves[momentum] = agreement(torch.stack(keys), ages)
    return curves
