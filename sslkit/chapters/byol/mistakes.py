"""Exercises of chapter 12: the pull, the teacher's schedule, the pull on one number, the spectrum, a computed predictor."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def negative_cosine_loop(p: Tensor, t: Tensor) -> Tensor:
    total = 0.0
    for prediction, target in zip(p.double(), t.detach().double()):
        dot = sum(a * b for a, b in zip(prediction, target))
        lengths = sum(a * a for a in prediction).sqrt() * sum(b * b for b in target).sqrt()
        total = total - dot / lengths
    return total / len(p)


NEGATIVE_COSINE = Exercise(
    "negative_cosine", negative_cosine_loop, grad=True,
    trials=lambda: [
        (draw_rows(s, n, k), draw_rows(s + 50, n, k)) for s, (n, k) in enumerate([(2, 2), (3, 4), (4, 3), (6, 16)])
    ],
    mistakes=(
        mistake("no normalisation", "These are dot products: long vectors count more. Scale each row of both to length 1.",
                ("F.normalize(p, dim=1) * F.normalize(t, dim=1)", "p * t")),
        mistake("divided by the squared lengths", "You divide by the squares of the lengths. Divide by the lengths themselves: norm, or "
                "the root of the sum of squares.",
                ("F.normalize(p, dim=1) * F.normalize(t, dim=1)",
                 "p / p.square().sum(1, keepdim=True) * t / t.square().sum(1, keepdim=True)")),
        mistake("one length for the whole table", "You divide the whole table by one length. Each row has its own: .norm(dim=1, "
                "keepdim=True).",
                ("F.normalize(p, dim=1) * F.normalize(t, dim=1)", "p / p.norm() * t / t.norm()")),
        mistake("one side normalised", "Only one of the two is scaled to length 1. A cosine needs both.",
                ("F.normalize(p, dim=1)", "p"), ("F.normalize(t, dim=1)", "t")),
        mistake("no stop-gradient", "The number is right, but the gradient reaches the targets too. Detach them: it is what keeps "
                "the target from giving way.",
                ("t.detach()", "t")),
        mistake("stop-gradient on the wrong side", "You detach the predictions, so nothing can learn. The targets are to be constant.",
                (("at_least_float32(p)", "at_least_float32(p.detach())"), ("t.detach()", "t"))),
        mistake("sign", "The cosine itself would be made small: that pushes prediction and target apart. The loss is minus it.",
                ("return -(", "return (")),
        mistake("sum instead of mean", "You add the rows up. Take their mean.", (".mean()", ".sum()")),
        mistake("mean over the numbers", "You average over all N times K products. Add up along each row, then average the rows.",
                (".sum(dim=1).mean()", ".mean()")),
        mistake("all pairs", "You compare every prediction with every target. Row i belongs to row i alone; nobody else takes part.",
                lambda p, t: -(F.normalize(p, dim=1) @ F.normalize(t.detach(), dim=1).T).mean()),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.",
                lambda p, t: -(F.normalize(p, dim=0) * F.normalize(t.detach(), dim=0)).sum(1).mean(),
                lambda p, t: -F.cosine_similarity(p, t.detach(), dim=0).mean()),
        mistake("one minus the cosine", "That is off by one. Here the best value is -1.", ("return -(", "return 1 - (")),
        mistake("squared distance", "That is the paper's equation 2, 2 - 2 cos. Here minus the cosine is asked for.",
                ("return -(", "return 2 - 2 * (")),
        mistake("summed down the columns", "You add up each column. Add up along each row, dim=1: that is a row's cosine.",
                ("sum(dim=1)", "sum(dim=0)")),
        mistake("one cosine of all", "You take all rows together for one long vector. Each row has its own cosine; then average.",
                lambda p, t: -F.cosine_similarity(p.flatten(), t.detach().flatten(), dim=0)),
    ),
)  # fmt: skip


def momentum_at_loop(progress: float, first: float, last: float) -> float:
    """The half cosine added up from its slope, in many small steps."""
    n, to_go = 20_000, 1.0
    for i in range(n):
        to_go -= math.sin(math.pi * progress * (i + 0.5) / n) * math.pi * progress / n / 2
    return last + (first - last) * to_go


MOMENTUM = Exercise(
    "momentum_at", momentum_at_loop,
    trials=lambda: [(0.0, 0.9, 1.0), (1.0, 0.9, 1.0), (0.5, 0.9, 1.0), (0.25, 0.5, 1.0), (0.7, 0.2, 0.8), (0.3, 0.0, 0.0)],
    tolerance=1e-4,
    mistakes=(
        mistake("from last to first", "You begin where it should end. At progress 0 the momentum is `first`.",
                ("last - (last - first)", "first - (first - last)")),
        mistake("a straight line", "That is a straight line. The half cosine is slow at both ends.",
                lambda progress, first, last: first + (last - first) * progress),
        mistake("a whole cosine", "At the end you are back at the beginning. Half a cosine: the angle goes from 0 to pi.",
                ("math.pi * progress", "2 * math.pi * progress")),
        mistake("a quarter of a cosine", "The angle goes to pi / 2 only, so the end is not slow. Let it go to pi, then add 1 and halve.",
                ("(math.cos(math.pi * progress) + 1) / 2", "math.cos(math.pi * progress / 2)")),
        mistake("brackets", "`/` comes before `+`, so yours adds one half to the cosine. Add 1 first, then halve: brackets.",
                ("+ 1) / 2", "+ 1 / 2)")),
        mistake("a quarter of a sine", "That is fast at the beginning and slow at the end only. The half cosine is slow at both ends: its "
                "angle goes to pi.",
                lambda progress, first, last: first + (last - first) * math.sin(math.pi * progress / 2)),
        mistake("pi forgotten", "`math.cos` takes radians: half a turn is pi.", ("math.pi * progress", "progress")),
        mistake("not halved", "cos + 1 falls from 2 to 0. Halve it, so that it falls from 1 to 0.", (" / 2", "")),
        mistake("1 not added", "The cosine falls from 1 to -1. Add 1 and halve it.",
                ("(math.cos(math.pi * progress) + 1) / 2", "math.cos(math.pi * progress)"),
                lambda progress, first, last=1.0: last - (last - first) * math.cos(math.pi * progress) / 2),
        mistake("last ignored", "You end at 1. The momentum ends at `last`.",
                lambda progress, first, last: 1 - (1 - first) * (math.cos(math.pi * progress) + 1) / 2),
        mistake("degrees", "`math.cos` takes radians: half a turn is pi, not 180.", ("math.pi", "180")),
        mistake("added to last", "You add the way that is still to go. Take it off `last`.", ("last - (last", "last + (last")),
    ),
)  # fmt: skip


def pull_on_loop(w: float, p: float, noise: float) -> float:
    """The mean over all cases: x is -1 or 1, the noise of each view -noise or noise."""
    total, v = 0.0, w  # v is a constant for the gradient
    for x in (-1, 1):
        for n1 in (-noise, noise):
            for n2 in (-noise, noise):
                x1, x2 = x + n1, x + n2
                total += (p * w * x1 - v * x2) * p * x1
    return total / 8


PULL = Exercise(
    "pull_on", pull_on_loop,
    trials=lambda: [(2.0, 1.0, 0.5), (1.0, 0.8, 0.5), (1.5, 0.5, 0.3), (0.7, 1.2, 0.9), (2.0, 0.9, 0.0)],
    mistakes=(
        mistake("no stop-gradient", "You have differentiated through the target too. First hold v constant, then set it to w.",
                ("p * w * (p * (1 + noise**2) - 1)", "w * (p**2 * (1 + noise**2) - 2 * p + 1 + noise**2)"),
                lambda w, p, noise: w * (p**2 * (1 + noise**2) - 2 * p + 1)),
        mistake("noise forgotten", "Without noise, x1 = x2. A view's square is 1 + noise**2 on average.", (" * (1 + noise**2)", "")),
        mistake("noise not squared", "`noise` is a standard deviation; what adds to the mean square is the variance.",
                ("noise**2", "noise")),
        mistake("noise shared by the views", "The noise of two views has nothing in common: the mean of x1 x2 is 1, not 1 + noise**2.",
                ("(p * (1 + noise**2) - 1)", "(p - 1) * (1 + noise**2)")),
        mistake("gradient of the predictor", "That is the gradient by p: the inner derivative by w is p x1, not w x1.",
                ("p * w * (", "w * w * (")),
        mistake("inner derivative forgotten", "The chain rule gives another factor p: the prediction is p w x1.", ("p * w * (", "w * (")),
        mistake("sign", "That is the step, not the gradient: the gradient points uphill.", ("return p", "return -p")),
        mistake("factor 2", "The half in front of the square takes the 2 away.", ("return p", "return 2 * p")),
        mistake("divided by w", "A factor w is missing: the pull is in proportion to w.", ("p * w * (", "p * (")),
        mistake("1 forgotten", "noise**2 is what the noise adds. x1^2 without it is 1, so its mean is 1 + noise**2.",
                ("(1 + noise**2)", "noise**2")),
        mistake("added before squaring", "x and noise have nothing in common, so the mixed term of (1 + noise)^2 is 0 on average: "
                "1 + noise**2.",
                ("(1 + noise**2)", "(1 + noise) ** 2")),
        mistake("v = 1", "The target is v x2 with v = w. You have set v to 1.",
                ("w * (p * (1 + noise**2) - 1)", "(p * w * (1 + noise**2) - 1)")),
        mistake("v = p w", "The target is v x2 with v = w: only the prediction goes through the predictor p.",
                ("(p * (1 + noise**2) - 1)", "(p * (1 + noise**2) - p)")),
        mistake("brackets", "Your 1 stands outside the brackets, so p w does not multiply it: the target's part is p w.",
                ("(p * (1 + noise**2) - 1)", "p * (1 + noise**2) - 1")),
        mistake("the loss itself", "That is the mean of the loss. Its gradient by w is asked for, with v constant.",
                lambda w, p, noise: w * w * ((p * p + 1) * (1 + noise**2) - 2 * p) / 2),
        mistake("p squared too often", "You have a p too many in the first part: it is p w x1 times p x1.",
                ("(p * (1", "(p * p * (1")),
        mistake("the target added", "You add the target's part. The error is prediction minus target.", (") - 1)", ") + 1)")),
    ),
)  # fmt: skip


def gains_loop(z: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvectors one after the other, by power iteration on what is left of the correlation."""
    z, p, strengths, slopes = z.double(), p.double(), [], []
    left = sum(torch.outer(row, row) for row in z) / len(z)
    for _ in range(z.shape[1]):
        u = left.sum(0) + left[0]
        for _ in range(3000):
            u = left @ u
            u = u / u.norm()
        strength = u @ left @ u
        left = left - strength * torch.outer(u, u)
        on_z, on_p = [row @ u for row in z], [row @ u for row in p]
        strengths.append(strength)
        slopes.append(sum(a * b for a, b in zip(on_z, on_p)) / sum(a * a for a in on_z))
    return torch.stack(strengths), torch.stack(slopes)


def stretched(seed: int, n: int, k: int) -> Tensor:
    """Rows whose directions differ clearly in strength, and do not lie along the axes."""
    turn = torch.linalg.qr(draw(seed + 90, k, k)).Q
    return (draw(seed, n, k) * 2.0 ** torch.arange(k - 1, -1, -1) @ turn).round(decimals=2)


def gains_along(z: Tensor, p: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The right strengths, beside the slopes along the columns of u."""
    a, b = z @ u, p @ u
    return torch.linalg.eigvalsh(z.T @ z / len(z)).flip(0), (a * b).sum(0) / (a * a).sum(0)


GAINS = Exercise(
    "gains", gains_loop, returns=("strengths", "gains"),
    trials=lambda: [(stretched(s, n, k), draw(s + 50, n, k, spread=2.0)) for s, (n, k) in enumerate([(6, 2), (12, 3), (30, 4)])],
    mistakes=(
        mistake("rising order", "`eigh` gives the weakest direction first. Turn both round.",
                ((".flip(0), ((", ", (("), (").sum(0)).flip(0)", ").sum(0))"))),
        mistake("only one turned round", "Strengths and gains are in opposite orders now. Turn both round, or the eigenvectors with them.",
                ("strength.flip(0)", "strength"), (").sum(0)).flip(0)", ").sum(0))")),
        mistake("rows for eigenvectors", "The eigenvectors are the columns of u: `z @ u`, not `z @ u.T`.",
                ("z @ u, p @ u", "z @ u.T, p @ u.T"),
                lambda z, p: gains_along(z, p, torch.linalg.eigh(z.T @ z / len(z)).eigenvectors.flip(1).T)),
        mistake("centred", "You take the mean off first. The correlation here is the mean of z z' as it is.",
                ("z.T @ z / len(z)", "(z - z.mean(0)).T @ (z - z.mean(0)) / len(z)"), ("z.T @ z / len(z)", "z.T.cov(correction=0)"),
                ("z.T @ z / len(z)", "z.T.cov()")),
        mistake("not divided by N", "You add up z z'. Take the mean over the rows.", (" / len(z)", "")),
        mistake("z predicted from p", "You predict z from p. The gain is the slope of p on z: divide by the squares of z.",
                ("(a * a)", "(b * b)")),
        mistake("not divided", "That is how much z and p go together. A slope is that over the sum of squares of z.",
                (" / (a * a).sum(0)", " / len(z)"), (" / (a * a).sum(0)", "")),
        mistake("correlation instead of slope", "You divide by both lengths, so the size of p is lost. Divide by the squares of z.",
                ("(a * a).sum(0)", "(a.norm(dim=0) * b.norm(dim=0))")),
        mistake("sizes compared", "You divide the size of p by that of z, whether they go together or not. The slope needs their product, "
                "a * b.",
                ("(a * b).sum(0) / (a * a).sum(0)", "b.norm(dim=0) / a.norm(dim=0)"), ("(a * b).sum(0)", "(b * b).sum(0)")),
        mistake("directions of p", "The directions are those of z, not of p.", ("z.T @ z / len(z)", "p.T @ p / len(z)")),
        mistake("rows turned round", "The eigenvectors are the columns of u: turn the columns round, u.flip(1), not the rows.",
                lambda z, p: gains_along(z, p, torch.linalg.eigh(z.T @ z / len(z)).eigenvectors.flip(0))),
        mistake("summed along the rows", "You add up along each row. The slope of a direction takes all rows: sum(0).",
                (("(a * b).sum(0)", "(a * b).sum(1)"), ("(a * a).sum(0)", "(a * a).sum(1)"))),
        mistake("mean of ratios", "You divide row by row and average the ratios, in which those near 0 decide. Sum a b, sum a a, then "
                "divide.",
                ("(a * b).sum(0) / (a * a).sum(0)", "(b / a).mean(0)")),
        mistake("divided by N - 1", "You divide by N - 1. Nothing is centred here: take the mean over the N rows.",
                ("/ len(z)", "/ (len(z) - 1)")),
        mistake("a line with an intercept", "You take the means off before you fit the line. It goes through the origin.",
                ("z @ u, p @ u", "(z - z.mean(0)) @ u, (p - p.mean(0)) @ u")),
        mistake("singular values", "You give the singular values of z. The strengths are their squares over N.",
                ("strength.flip(0)", "torch.linalg.svdvals(z)")),
    ),
)  # fmt: skip


def direct_predictor_loop(z: Tensor, floor: float) -> Tensor:
    strengths, columns = [], []
    left = sum(torch.outer(row, row) for row in z.double()) / len(z)
    for _ in range(z.shape[1]):
        if left.trace() < 1e-9:  # z has no further direction
            break
        u = left.sum(0) + left[0]
        for _ in range(3000):
            u = left @ u
            u = u / u.norm()
        strengths.append((u @ left @ u).item())
        columns.append(u)
        left = left - strengths[-1] * torch.outer(u, u)
    gained = sum(math.sqrt(s / strengths[0]) * torch.outer(u, u) for s, u in zip(strengths, columns))
    return gained + floor * torch.eye(z.shape[1], dtype=torch.float64)


DIRECT = Exercise(
    "direct_predictor", direct_predictor_loop,
    trials=lambda: [(stretched(s + 10, n, k), floor) for s, (n, k, floor) in enumerate([(6, 2, 0.1), (12, 3, 0.0), (30, 4, 0.3)])]
    + [(draw(20, 20, 2) @ draw(21, 2, 8), 0.2)],  # two directions of eight
    mistakes=(
        mistake("no square root", "You take the strengths themselves. The gain is their square root.", (".sqrt()", "")),
        mistake("not over the largest", "Divide each strength by the largest, so that the strongest direction has gain 1 + floor.",
                ("strength / strength.max()", "strength")),
        mistake("over the sum", "Divide by the largest strength, not by the sum of all.", ("strength.max()", "strength.sum()")),
        mistake("floor forgotten", "The floor is missing: the weakest directions would get no prediction at all.", (" + floor", "")),
        mistake("floor everywhere", "You add the floor to all entries of the matrix. Add it to the gains, along the eigenvectors.",
                ((" + floor", ""), ("@ u.T", "@ u.T + floor"))),
        mistake("floor under the root", "Add the floor after the square root.", (").sqrt() + floor", " + floor).sqrt()")),
        mistake("rows for eigenvectors", "The eigenvectors are the columns of u: the matrix is u diag(g) u', not u' diag(g) u.",
                ("(u * gain) @ u.T", "(u.T * gain) @ u")),
        mistake("not turned back", "You scale along the eigenvectors and do not turn back: multiply by u' at the end.",
                ("@ u.T", "@ torch.eye(len(u))")),
        mistake("only the gains", "You give the gains along the axes of z. They belong along the eigenvectors.",
                ("(u * gain) @ u.T", "torch.diag(gain)")),
        mistake("the inverse", "You give weak directions the larger gain; that would whiten. Strong ones are passed on more.",
                (".sqrt() + floor", ".rsqrt() + floor")),
        mistake("centred", "You take the mean off first. The correlation here is the mean of z z' as it is.",
                ("z.T @ z / len(z)", "(z - z.mean(0)).T @ (z - z.mean(0)) / len(z)"), ("z.T @ z / len(z)", "z.T.cov(correction=0)")),
        mistake("over the weakest", "You divide by the weakest strength. eigh gives the weakest first, so the largest is the last.",
                ("strength.max()", "strength[0].clamp_min(1e-9)")),
        mistake("root of a negative number", "Rounding makes strengths of 0 slightly negative, and their root is NaN: clamp_min(0) first.",
                ("strength = strength.clamp_min(0)", "strength = strength * 1")),
        mistake("floor as a minimum", "You raise what is small to the floor. Add it to all gains.",
                (".sqrt() + floor", ".sqrt().clamp_min(floor)"), (("clamp_min(0)", "clamp_min(floor)"), (" + floor", ""))),
        mistake("applied to z", "You return what the predictor makes of z. Return its matrix alone, [K, K].",
                ("(u * gain) @ u.T", "z @ ((u * gain) @ u.T)")),
        mistake("only one turned round", "You turn the strengths round and leave the eigenvectors in rising order. Turn both or neither.",
                ("strength.max())", "strength.max()).flip(0)")),
    ),
)  # fmt: skip

EXERCISES = [NEGATIVE_COSINE, MOMENTUM, PULL, GAINS, DIRECT]
