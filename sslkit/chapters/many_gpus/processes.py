"""What each of the processes runs that `started.gradients` starts: a half of the views, three gathers, DDP's mean gradient.

torchrun ... -m sslkit.chapters.many_gpus.processes FOLDER
"""

import sys
from pathlib import Path

import torch
from torch import nn

from sslkit import checkpoint, dist
from sslkit.chapters.many_gpus.method import Gather, plain_gather
from sslkit.chapters.simclr.method import info_nce

GATHERS = {
    "local negatives": lambda z: z,
    "plain, all anchors": plain_gather,
    "differentiable gather": Gather.apply,
}


def main(folder: Path) -> None:
    """Read views and weights, write the gradient that each gather leaves in process 0."""
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
    for way, gather in GATHERS.items():
        z1, z2 = wrapped(torch.cat([view1, view2])).chunk(2)
        net.zero_grad()
        info_nce(gather(z1), gather(z2), given["temperature"]).backward()  # DDP takes the mean in here
        found[way] = torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
    if dist.is_main():
        checkpoint.save(folder / "found.pt", {"gradients": found})
    del wrapped  # before the group is left
    dist.finish()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
