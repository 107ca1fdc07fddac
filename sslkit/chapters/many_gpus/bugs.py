"""Three programs of two processes, each with one bug, simulated in one process: what their logs would show."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit import plots
from sslkit.plots.axes import name_lines, panels
from sslkit.plots.picture import COLOURS, drawing, render

STEPS, PART, EPOCH = 100, 32, 60  # EPOCH: batches of one process, of which the other has one more


def two_processes(x: Tensor, y: Tensor, same: bool = False, alone: int = 4) -> tuple[Tensor, Tensor]:
    """Train two copies of a classifier with the mean of their gradients: losses [STEPS, 2], and how far apart the weights are [STEPS].

    x [N, D]; same: both take the same images; of its four parameters those from number `alone` on keep the process's own gradient.
    """
    torch.manual_seed(0)
    first = nn.Sequential(nn.Linear(x.shape[1], 64), nn.Tanh(), nn.Linear(64, 10))
    nets = [first, copy.deepcopy(first)]
    weights = [list(net.parameters()) for net in nets]
    losses, apart = [], []
    for _ in range(STEPS):
        rows = torch.randint(len(x), (2, PART))
        each = [F.cross_entropy(net(x[part]), y[part]) for net, part in zip(nets, rows[[0, 0]] if same else rows)]
        own = [torch.autograd.grad(loss, w) for loss, w in zip(each, weights)]
        with torch.no_grad():
            for k, (w0, w1) in enumerate(zip(*weights)):
                g0, g1 = (own[0][k], own[1][k]) if k >= alone else [(own[0][k] + own[1][k]) / 2] * 2
                w0 -= 0.1 * g0
                w1 -= 0.1 * g1
            apart.append(sum((w0 - w1).square().sum() for w0, w1 in zip(*weights)).sqrt())
        losses.append(torch.stack(each).detach())
    return torch.stack(losses), torch.stack(apart)


@drawing
def three_bugs(images: Tensor, labels: Tensor) -> plots.Picture:
    """The losses of two processes that take the same images; weights that drift apart; a step that never ends."""
    x = 4 * (F.avg_pool2d(images / 255, 4).flatten(1) - 0.5)
    losses, _ = two_processes(x, labels, same=True)
    _, apart = two_processes(x, labels, alone=2)
    title = "Three programs, two processes each: what went wrong?"
    caption = f"Simulated in one process. 1 and 2: a classifier of 8 x 8 pixels, SGD, {PART} scenes a process and step. 3: a sketch."
    heads = ("1: the two losses", "2: distance between the weights", "3: steps done")
    fig, (first, second, third) = panels(title, caption, 2.4, "step", grid="y", heads=heads, w_pad=0.08)
    steps = range(1, STEPS + 1)
    first.plot(steps, losses[:, 0], color=COLOURS[0], linewidth=4, alpha=0.4, label="process 0")
    first.plot(steps, losses[:, 1], color=COLOURS[1], linewidth=1.2, label="process 1")
    name_lines(first)
    second.plot(steps, apart, color=COLOURS[0], linewidth=1.8)
    second.set_ylim(bottom=0)
    third.plot([0, EPOCH, STEPS], [0, EPOCH, EPOCH], color=COLOURS[0], linewidth=1.8)
    third.set_xlabel("time")
    third.set(xticks=[], ylim=(0, STEPS))
    return render(fig, title, caption, f"Curves: {'; '.join(heads)}", colours=64)
