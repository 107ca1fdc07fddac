"""Exercises of chapter 25: a process's share of a batch, gather's gradient, joint batch norm statistics, learning rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, generator, mistake


def my_share_loop(order: Tensor, step: int, batch: int, rank: int, world: int) -> Tensor:
    mine = []
    for place in range(len(order)):
        of_step, within = divmod(place, batch)
        if of_step == step and within // (batch // world) == rank:
            mine.append(int(order[place]))
    return torch.tensor(mine)


def shuffled(seed: int, n: int) -> Tensor:
    return torch.randperm(n, generator=generator(seed))


MY_SHARE = Exercise(
    "my_share", my_share_loop,
    trials=lambda: [
        (torch.tensor([3, 1, 0, 2, 7, 5, 4, 6]), 1, 4, 1, 2),
        (shuffled(1, 24), 2, 6, 1, 3),
        (shuffled(2, 50), 1, 16, 3, 4),
        (shuffled(3, 50), 0, 16, 2, 4),
    ],
    mistakes=(
        mistake("the same images in every process", "You do not use the rank: every process takes the same images, and all but "
                "one work for nothing.",
                lambda o, s, b, r, w: o[s * b :][: b // w]),
        mistake("parts that overlap", "Your part begins `rank` images on, so that parts overlap. Each has batch / world images: begin at "
                "rank * (batch // world).",
                lambda o, s, b, r, w: o[s * b + r :][: b // w]),
        mistake("the step as a place", "You begin at order[step]. A step takes `batch` images: step number `step` begins at step * batch.",
                ("step * batch : (step + 1) * batch", "step : step + batch")),
        mistake("ranks backwards", "You give the last part to rank 0. Rank 0 takes the first.", ("[rank]", "[world - 1 - rank]")),
        mistake("the step not used", "Every step takes the same images. Step number `step` begins at order[step * batch].",
                ("step * batch : (step + 1) * batch", ": batch")),
        mistake("a step too short", "Your step moves on by one process's share. It takes `batch` images, all processes together.",
                lambda o, s, b, r, w: o[(s + r) * (b // w) :][: b // w]),
        mistake("parts of `world` images", "split(world) cuts parts of `world` images. chunk(world) cuts `world` parts.",
                ("chunk", "split")),
        mistake("a whole batch each", "Each of your processes takes `batch` images, so a step uses world times as many as asked "
                "for. `batch` counts all processes together.",
                lambda o, s, b, r, w: o[s * b : (s + 1) * b], lambda o, s, b, r, w: o[(s * w + r) * b :][:b]),
        mistake("the end without the start", "Your slice ends too early: its end, too, is counted from the start of `order`. Add batch "
                "// world to where it begins.", lambda o, s, b, r, w: o[s * b + r * (b // w) : b // w],
                lambda o, s, b, r, w: o[s * b + r * (b // w) : (r + 1) * (b // w)]),
        mistake("parts a whole batch apart", "Your part begins `rank` whole batches on, in another step's images. Within the batch it "
                "begins at rank * (batch // world).", lambda o, s, b, r, w: o[(s + r) * b :][: b // w]),
        mistake("every world-th image", "You deal the images out like cards, every world-th one. That is fair too, but here the "
                "parts are consecutive, so that the gathered rows stand in the order of the batch.",
                lambda o, s, b, r, w: o[s * b : (s + 1) * b][r::w]),
        mistake("each process its own part of the epoch", "You cut the whole epoch among the processes and then take a step's "
                "images from each part. Here the batch is cut, so that one process and many take the same images at the same step.",
                lambda o, s, b, r, w: o.chunk(w)[r][s * (b // w) :][: b // w],
                lambda o, s, b, r, w: o[r * (len(o) // w) + s * (b // w) :][: b // w]),
        mistake("the rank counts from 1", "Your parts are shifted by one: ranks go from 0 to world - 1.",
                lambda o, s, b, r, w: o[s * b + (r + 1) * (b // w) :][: b // w], ("[rank]", "[rank - 1]")),
        mistake("places in place of images", "You return places in `order`. The images are order[place].",
                lambda order, step, batch, rank, world: step * batch + rank * (batch // world) + torch.arange(batch // world)),
        mistake("the step counts from 1", "Step 0 is the first: it begins at order[0].",
                lambda order, step, batch, rank, world: order[max(step - 1, 0) * batch : step * batch].chunk(world)[rank] if step
                else order[:0]),
    ),
)  # fmt: skip


def gather_gradient_loop(gradients: Tensor, rank: int) -> Tensor:
    W = len(gradients)
    N = gradients.shape[1] // W
    result = torch.zeros(N, gradients.shape[2], dtype=torch.float64)
    for process in range(W):
        for row in range(N):
            for k in range(gradients.shape[2]):
                result[row, k] += float(gradients[process, rank * N + row, k])
    return result


GATHER_GRADIENT = Exercise(
    "gather_gradient", gather_gradient_loop,
    trials=lambda: [
        (torch.tensor([[[1.0], [2.0]], [[10.0], [20.0]]]), 1),
        (draw(1, 2, 6, 3), 0),
        (draw(2, 3, 6, 2), 2),
        (draw(3, 4, 8, 5), 1),
    ],
    mistakes=(
        mistake("only its own copy", "You take only what your own copy of the loss says. Your rows were used by all the others "
                "too: add up what they say. (This is a plain all_gather: after DDP's mean, 1/W of the gradient is left.)",
                lambda g, r: g[r].chunk(len(g))[r]),
        mistake("without its own copy", "You leave out your own copy of the loss. It counts as much as the others.",
                ("gradients.sum(dim=0)", "(gradients.sum(dim=0) - gradients[rank])")),
        mistake("the mean over the processes", "You take the mean over the processes. gather sums; DDP takes the mean of the "
                "*weights'* gradients later. With both, the factor 1/W counts twice.",
                ("gradients.sum(dim=0).chunk(len(gradients))[rank]",
                    "(gradients.sum(dim=0).chunk(len(gradients))[rank]) / len(gradients)")),
        mistake("the rank counts from 1", "Your rows are those of the rank before: ranks go from 0 to W - 1.", ("[rank]", "[rank - 1]")),
        mistake("averaged over the rows", "You divide by the number of rows. The gradients are only added up.",
                ("[rank]", "[rank] / (gradients.shape[1] // len(gradients))")),
        mistake("rows that overlap", "Your rows begin at `rank`, so that processes overlap. Those of process `rank` start at rank * N.",
                lambda g, r: g.sum(0)[r :][: g.shape[1] // len(g)]),
        mistake("the rows of rank 0", "You always return the first rows. Those of process `rank` start at rank * N.",
                lambda g, r: g.sum(0)[: g.shape[1] // len(g)]),
        mistake("one row alone", "You return a single row. Each process put in N of them: yours start at rank * N.",
                lambda g, r: g.sum(0)[r], lambda g, r: g.sum(0)[r : r + 1]),
        mistake("all rows", "You return the gradient of all gathered rows. This process put in N of them, and gets N back.",
                lambda g, r: g.sum(0), lambda g, r: g[r]),
        mistake("summed over the wrong axis", "You take your own copy of the loss and add up the rows that stand at the same "
                "place in all processes. Add up the *copies* (the first axis) for your own rows.",
                lambda g, r: g[r].unflatten(0, (len(g), -1)).sum(0)),
        mistake("every W-th row", "You take every W-th row. The rows of one process stand together.",
                lambda g, r: g.sum(0)[r :: len(g)]),
    ),
)  # fmt: skip


def joint_statistics_loop(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """From sums and sums of squares, as if each process held one value for each, E[x^2] - E[x]^2."""
    W, C = means.shape
    mean, variance = torch.zeros(C, dtype=torch.float64), torch.zeros(C, dtype=torch.float64)
    for c in range(C):
        total, squares = 0.0, 0.0
        for w in range(W):
            total += float(means[w, c])
            squares += float(variances[w, c]) + float(means[w, c]) ** 2
        mean[c] = total / W
        variance[c] = squares / W - (total / W) ** 2
    return mean, variance


JOINT_STATISTICS = Exercise(
    "joint_statistics", joint_statistics_loop, returns=("mean", "variance"),
    trials=lambda: [
        (torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])),
        (draw(1, 2, 3), draw(2, 2, 3).abs() + 0.1),
        (draw(3, 4, 2), draw(4, 4, 2).abs() + 0.1),
        (draw(5, 3, 5, spread=2.0), draw(6, 3, 5).abs() + 0.1),
    ],
    mistakes=(
        mistake("the mean of the variances", "You average the variances. That forgets how far the processes' means lie apart.",
                (") + (means - mean).square().mean(dim=0)", ")")),
        mistake("only between the processes", "You take the variance of the means. Add the mean variance within the processes.",
                ("variances.mean(dim=0) + (", "(")),
        mistake("corrected variance of the means", "You divide by W - 1 (torch's default for var). These are all processes there "
                "are: divide by W.",
                lambda m, v: (m.mean(0), v.mean(0) + m.var(0))),
        mistake("squares of the means", "You add the mean square of the means, but not less the square of the joint mean.",
                ("means - mean", "means")),
        mistake("sign of the squares", "The mean square is the variance *plus* the square of the mean. Put together, the squares of the "
                "means come on top, and the square of the joint mean is taken off.",
                lambda m, v: (m.mean(0), (v - m.square()).mean(0) - m.mean(0).square()),
                lambda m, v: (m.mean(0), (v + m.square()).mean(0) + m.mean(0).square())),
        mistake("sums instead of means", "You add up over the processes without dividing by how many there are.",
                lambda m, v: (m.sum(0), v.sum(0) + (m - m.mean(0)).square().sum(0)),
                lambda m, v: (m.mean(0), v.sum(0) + (m - m.mean(0)).square().sum(0)), lambda m, v: (m.mean(0), v.sum(0)),
                ("means.mean(dim=0)", "means.sum(dim=0)"), lambda m, v: (m.sum(0), v.mean(0) + m.var(0, correction=0)),
                ("variances.mean", "variances.sum"), ("square().mean", "square().sum"),
                (("means.mean", "means.sum"), ("variances.mean", "variances.sum"), ("square().mean", "square().sum"))),
        mistake("two processes", "You count on two processes. Divide by how many there are, or take mean(dim=0).",
                (("means.mean(dim=0)", "means.sum(dim=0) / 2"), ("variances.mean(dim=0)", "variances.sum(dim=0) / 2"),
                    ("square().mean(dim=0)", "square().sum(dim=0) / 2"))),
        mistake("one process alone", "You return what one process knows. Put all of them together.", lambda m, v: (m[0], v[0])),
        mistake("mean of the deviations", "You average the standard deviations. Average the variances.",
                ("variances.mean(dim=0)", "variances.sqrt().mean(dim=0).square()")),
        mistake("taken off", "You take the variance of the means off. It comes on top.", ("mean(dim=0) + (", "mean(dim=0) - (")),
        mistake("deviation of the means", "You add the standard deviation of the means. Add their variance.",
                ("square().mean(dim=0)", "square().mean(dim=0).sqrt()")),
        mistake("one mean for all channels", "You take the distance to one mean of all the numbers. Each channel has its own: dim=0.",
                ("means - mean", "means - means.mean()")),
        mistake("over the channels", "You take the means over the channels. Take them over the processes: dim=0.",
                lambda m, v: (m.mean(1), v.mean(1) + m.var(1, correction=0))),
        mistake("standard deviation", "You return the standard deviation. The variance is its square.",
                ("variances.mean(dim=0) + (means - mean).square().mean(dim=0)",
                    "(variances.mean(dim=0) + (means - mean).square().mean(dim=0)).sqrt()")),
    ),
)  # fmt: skip


def scaled_rate_loop(rate: float, batch: int, world: int, step: int, warmup: int) -> float:
    """By adding up what each step of the warm-up adds."""
    now = rate
    for _ in range(min(step, warmup)):
        now += rate * (batch * world / batch - 1) / warmup
    return now if warmup else rate * world


SCALED_RATE = Exercise(
    "scaled_rate", scaled_rate_loop,
    trials=lambda: [
        (0.1, 32, 4, 2, 4),
        (0.1, 32, 4, 0, 4),
        (0.05, 256, 8, 10, 5),
        (0.3, 64, 2, 3, 10),
        (0.2, 128, 16, 5, 5),
        (0.1, 64, 4, 0, 0),  # no warm-up at all
    ],
    mistakes=(
        mistake("not scaled", "Your rate does not grow with the number of processes.",
                ("rate * world", "rate"), lambda rate, b, w, s, warm: rate * min(1.0, s / warm)),
        mistake("a jump", "Your rate stays where it is through the warm-up and jumps at its end. It rises in equal steps: is there a `//`?",
                ("rate + (scaled - rate) * step / warmup", "rate")),
        mistake("a curve", "Your rate rises along a curve, by more at one step than at another. It rises by equal amounts, in a straight "
                "line.", ("rate + (scaled - rate) * step / warmup", "rate * world ** (step / warmup)"),
                lambda rate, b, w, s, warm: rate + (rate * w - rate) * (math.sin(math.pi / 2 * min(1.0, s / warm)) ** 2 if warm else 1.0)),
        mistake("the whole scaled rate added", "You add the scaled rate to the old one. Add what lies between the two.",
                ("(scaled - rate)", "scaled"),
                lambda rate, b, w, s, warm: rate + rate * w * (min(1.0, s / warm) if warm else 1.0)),
        mistake("a step too short", "You reach the scaled rate one step early. It is reached at step `warmup`.",
                lambda rate, b, w, s, warm: rate + (rate * w - rate) * (min(1.0, s / (warm - 1)) if warm > 1 else 1.0)),
        mistake("no warm-up", "You start with the scaled rate at once. The first steps are the ones that it breaks.",
                lambda rate, b, w, s, warm: rate * w),
        mistake("warm-up from zero", "You start at 0. Goyal et al. start at the rate that was good for one process (many recipes "
                "do start at 0).",
                ("rate + (scaled - rate) * step", "scaled * step"),
                lambda rate, b, w, s, warm: rate * w * min(1.0, (s + 1) / warm)),
        mistake("square root", "You scale with the square root of the batch. That is a rule as well (for Adam, often), but here "
                "it is the linear one.",
                ("rate * world", "rate * world**0.5")),
        mistake("falls", "Your rate falls during the warm-up. It rises from `rate` to the scaled one.",
                ("rate + (scaled - rate)", "scaled - (scaled - rate)")),
        mistake("one step early", "Your warm-up is one step ahead: at step 0 the rate is still `rate`.",
                lambda rate, b, w, s, warm: rate + (rate * w - rate) * min(1.0, (s + 1) / warm)),
        mistake("scaled by the batch", "You multiply by the number of images. The rate grows by how many *times* larger the batch is.",
                lambda rate, b, w, s, warm: rate + (rate * b * w - rate) * min(1.0, s / warm)),
        mistake("goes on rising", "After the warm-up the rate stays where it is: at most rate * world.",
                lambda rate, b, w, s, warm: rate + (rate * w - rate) * (s / warm if warm else 1.0)),
        mistake("divided by the processes", "You make the rate smaller. Larger batches have less noise and take larger steps: "
                "multiply by world.",
                lambda rate, b, w, s, warm: rate + (rate / w - rate) * (min(1.0, s / warm) if warm else 1.0)),
        mistake("divided by the batch", "You divide by the number of images of a process. `rate` is one for that number already: "
                "multiply by world.",
                lambda rate, b, w, s, warm: rate + (rate * w / b - rate) * (min(1.0, s / warm) if warm else 1.0)),
        mistake("without warm-up not scaled", "Where there is no warm-up, the rate is the scaled one from the start.",
                lambda rate, b, w, s, warm: rate + (rate * w - rate) * min(1.0, s / warm) if warm else rate),
        mistake("back to the old rate", "After the warm-up you go back to `rate`. It stays at rate * world.",
                ("else scaled", "else rate")),
        mistake("in batches of 256", "You take `rate` for one of 256 images. It is one for `batch` images: multiply by world alone.",
                lambda rate, b, w, s, warm: rate + (rate * w * b / 256 - rate) * (min(1.0, s / warm) if warm else 1.0)),
    ),
)  # fmt: skip

EXERCISES = [MY_SHARE, GATHER_GRADIENT, JOINT_STATISTICS, SCALED_RATE]
