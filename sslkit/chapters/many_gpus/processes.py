"""What each of the processes runs that `started.gradients` starts: a half of the views, four ways to a loss, DDP's mean gradient.

torchrun ... -m sslkit.chapters.many_gpus.processes FOLDER
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from sslkit import checkpoint, dist
from sslkit.chapters.many_gpus.method import Gather, my_anchors, plain_gather
from sslkit.chapters.simclr.method import info_nce


def all_anchors(gather: Callable[[Tensor], Tensor], z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """InfoNCE of all rows that a gather gives."""
    return info_nce(gather(z1), gather(z2), temperature)


def own_anchors(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """InfoNCE of this process's rows as anchors, against those of all, which arrive as bare numbers."""
    return my_anchors(plain_gather(z1), plain_gather(z2), dist.rank(), dist.world(), temperature)


LOSSES: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "local negatives": info_nce,
    "plain, own anchors": own_anchors,
    "plain, all anchors": partial(all_anchors, plain_gather),
    "differentiable gather": partial(all_anchors, Gather.apply),
}


def main(folder: Path) -> None:
    """Read views and weights, write the gradient that each way leaves in process 0."""
    dist.init()
    given = checkpoint.load(folder / "given.pt")
    view1, view2 = (view.chunk(dist.world())[dist.rank()] for view in given["views"])
    hidden, inputs = given["net"]["0.weight"].shape
    outputs = len(given["net"]["2.weight"])
    torch.manual_seed(dist.rank())  # DDP sends the weights of process 0 to all
    net = nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, outputs)).double()
    if dist.is_main():
        net.load_state_dict(given["net"])
    wrapped, found = dist.wrap(net), {}
    for way, loss in LOSSES.items():
        z1, z2 = wrapped(torch.cat([view1, view2])).chunk(2)
        net.zero_grad()
        loss(z1, z2, given["temperature"]).backward()  # DDP takes the mean in here
        found[way] = torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
    if dist.is_main():
        checkpoint.save(folder / "found.pt", {"gradients": found})
    del wrapped  # before the group is left
    dist.finish()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
