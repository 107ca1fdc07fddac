"""Exercises of chapter 15: seats shared out evenly, swapped prediction, prototypes in use, a turn of k-means."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def sinkhorn_loop(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    rows = [[math.exp(s / epsilon) for s in row] for row in scores.double().tolist()]
    n, k = len(rows), len(rows[0])
    for _ in range(iterations):
        for column in range(k):
            taken = math.fsum(row[column] for row in rows)
            for row in rows:
                row[column] = row[column] / taken * n / k
        rows = [[share / math.fsum(row) for share in row] for row in rows]
    return torch.tensor(rows, dtype=torch.float64)


def turns(scores: Tensor, epsilon: float, iterations: int, order: str) -> Tensor:
    """Columns ("c") and rows ("r") scaled in the order given, each turn."""
    Q, (N, K) = (scores / epsilon).exp(), scores.shape
    for _ in range(iterations):
        for axis in order:
            Q = Q / Q.sum(0, keepdim=True) * (N / K) if axis == "c" else Q / Q.sum(1, keepdim=True)
    return Q


def softmaxes(Q: Tensor, iterations: int, dims: tuple[int, ...]) -> Tensor:
    """A softmax along each of dims, each turn."""
    for _ in range(iterations):
        for dim in dims:
            Q = Q.softmax(dim)
    return Q


AT_ONCE = (
    ("Q = Q / Q.sum(dim=0", "rows = Q.sum(dim=1, keepdim=True); Q = Q / Q.sum(dim=0"),
    ("Q = Q / Q.sum(dim=1, keepdim=True)", "Q = Q / rows"),
)
SINKHORN = Exercise(
    "sinkhorn", sinkhorn_loop,
    trials=lambda: [
        (draw(s, n, k, spread=0.4), e, t)
        for s, (n, k, e, t) in enumerate([(3, 2, 0.5, 1), (4, 3, 0.2, 3), (6, 4, 0.1, 2), (3, 6, 0.3, 5), (8, 8, 1.0, 3)])
    ],
    mistakes=(
        mistake("rows first", "You scale the rows first and the columns last, so an image may sit more or less than once. Columns "
                "first: the rows "
                "must be exact in the end.",
                lambda s, e, t: turns(s, e, t, "rc")),
        mistake("both at once", "You divide by the rows' sums from before the columns were scaled. Scale the columns, then add up "
                "the rows.",
                AT_ONCE, (*AT_ONCE, ("(scores - scores.max())", "scores"))),
        mistake("columns only", "You never scale the rows: each image must sit once in all.", lambda s, e, t: turns(s, e, t, "c"),
                ("Q = Q / Q.sum(dim=1, keepdim=True)", "pass")),
        mistake("rows only", "You never scale the columns, so nothing is shared: this is a softmax. Each prototype must hold N / K images.",
                lambda s, e, t: turns(s, e, t, "r"), ("Q = Q / Q.sum(dim=0, keepdim=True) * (N / K)", "pass")),
        mistake("one turn", "You scale columns and rows once. Take `iterations` turns.", lambda s, e, t: turns(s, e, 1, "cr")),
        mistake("epsilon multiplied", "Divide the scores by epsilon: a small one must make the codes sharp.", (") / epsilon", ") * "
                "epsilon")),
        mistake("epsilon ignored", "epsilon is not used. Divide the scores by it before exp.", (") / epsilon)", "))")),
        mistake("no exp", "You share out the scores themselves, which may be negative. Start from exp(scores / epsilon).",
                lambda s, e, t: turns((s - s.min() + 1e-9).log() * e, e, t, "cr"), (".exp()", ""),
                (("(scores - scores.max())", "scores"), (".exp()", ""))),
        mistake("rows do not sum to 1", "Your rows do not sum to 1. The last step divides each row by its own sum.",
                lambda s, e, t: turns(s, e, t, "cr") / s.shape[1],
                lambda s, e, t: turns(s, e, t, "cr") * len(s) / s.shape[1], lambda s, e, t: turns(s, e, t, "cr") * s.shape[1] / len(s)),
        mistake("rows scaled at the start", "You take each row's own largest score off, or begin with a softmax: both scale the "
                "rows before the "
                "first turn. Take one number off all scores, scores.max().", ("scores.max()", "scores.amax(1, keepdim=True)"),
                (".exp()", ".softmax(1)")),
        mistake("softmax in each turn", "You take a softmax in each turn. exp comes once, at the start; after that only divide by sums.",
                lambda s, e, t: softmaxes(s / e, t, (0, 1)), lambda s, e, t: softmaxes((s / e).exp(), t, (0, 1))),
        mistake("another number of turns", "You take one turn too many, or one too few. Take `iterations` turns.",
                ("range(iterations)", "range(iterations + 1)"), ("range(iterations)", "range(iterations - 1)")),
        mistake("hard codes", "You seat each image at one table. Codes are soft: return the shares as they are.",
                ("return Q", "return F.one_hot(Q.argmax(1), K).to(Q)")),
        mistake("all sums to 1", "The whole table adds up to 1, as in the middle of the paper's code. Multiply by N in the end: each "
                "image's code must sum to 1.",
                lambda s, e, t: turns(s, e, t, "cr") / len(s)),
        mistake("axes exchanged", "You took columns for images. Images are rows: dim=1 runs along one image's shares.",
                lambda s, e, t: turns(s.T, e, t, "cr").T),
    ),
)  # fmt: skip


def swapped_loss_loop(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    total, pairs = 0.0, 0
    for a, code in enumerate(codes.detach().double()):
        for v, view in enumerate(scores.double()):
            if v == a:
                continue
            pairs += 1
            for wanted, given in zip(code, view):
                weights = torch.stack([torch.exp(s / temperature) for s in given])
                for q, weight in zip(wanted, weights):
                    total = total - q * torch.log(weight / weights.sum()) / len(view)
    return total / pairs


def terms(scores: Tensor, codes: Tensor, temperature: float, keep=lambda a, v: a != v) -> Tensor:
    """The cross-entropy of each image for the pairs (a, v) that are kept, [pairs, N]."""
    log_p = (scores / temperature).log_softmax(2)
    pairs = [(a, v) for a in range(len(codes)) for v in range(len(scores)) if keep(a, v)]
    return torch.stack([-(codes[a].detach() * log_p[v]).sum(1) for a, v in pairs])


def exchanged(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """The cross-entropy with p for the label and q for the prediction."""
    p, log_q = (scores / temperature).softmax(2), codes.log()
    pairs = [(a, v) for a in range(len(codes)) for v in range(len(scores)) if a != v]
    return torch.stack([-(p[v] * log_q[a]).sum(1).mean() for a, v in pairs]).mean()


def swapped_trials() -> list[tuple]:
    shapes = [(2, 2, 2, 3, 0.5), (3, 2, 4, 3, 0.2), (4, 2, 3, 5, 1.0), (4, 3, 5, 2, 0.1)]
    return [(draw(s, v, n, k), draw(s + 50, a, n, k).softmax(2), t) for s, (v, a, n, k, t) in enumerate(shapes)]


CROSS = "F.cross_entropy(logits[v], codes[a])"
SWAPPED = Exercise(
    "swapped_loss", swapped_loss_loop, grad=True, trials=swapped_trials,
    mistakes=(
        mistake("not swapped", "Each view predicts its own code, which it knows already. Only pairs of different views count: v != a.",
                lambda s, c, t: terms(s, c, t, lambda a, v: a == v).mean()),
        mistake("own code too", "Pairs of a view and its own code are still among them. Leave out v == a.",
                lambda s, c, t: terms(s, c, t, lambda a, v: True).mean(), (" if a != v", "")),
        mistake("small views left out", "Only the views that have codes predict. The small ones predict too: v runs over all V views.",
                lambda s, c, t: terms(s[: len(c)], c, t).mean(), ("len(scores)", "len(codes)")),
        mistake("temperature multiplied", "Divide the scores by the temperature: a small one must sharpen the softmax.", (") / "
                "temperature", ") * temperature")),
        mistake("temperature ignored", "The temperature is not used. Divide the scores by it.", (") / temperature", ")")),
        mistake("each pair of views once", "You pair a code with the views after it alone. Those before it predict it too: v != a.",
                (" if a != v", " if a < v")),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("at_least_float32(scores) / temperature", "(at_least_float32(scores) / temperature).softmax(2)")),
        mistake("mean over the prototypes", "You average over the K prototypes too. Cross-entropy adds them up.",
                lambda s, c, t: terms(s, c, t).mean() / s.shape[2]),
        mistake("sum over pairs", "You add up the pairs. Take their mean.", (".mean()", ".sum()")),
        mistake("divided by A V", "You divide by A times V. Divide by the pairs that count: a code and its own view are none.",
                (".mean()", ".sum() / (len(codes) * len(scores))")),
        mistake("divided by A or V", "You add up over all pairs, but divide by the number of codes or of views alone. Divide by the "
                "number of pairs.", (".mean()", ".sum() / len(codes)"), (".mean()", ".sum() / len(scores)")),
        mistake("divergence", "You take the entropy of the codes off, which leaves KL. The loss is the cross-entropy.",
                (CROSS, "F.kl_div(logits[v].log_softmax(1), codes[a], reduction='batchmean')")),
        mistake("squared differences", "You compare the probabilities by their squared differences. Take the cross-entropy.",
                (CROSS, "F.mse_loss(logits[v].softmax(1), codes[a])"),
                (CROSS, "(logits[v].softmax(1) - codes[a]).square().sum(1).mean()")),
        mistake("temperature on the codes", "You divide the codes by the temperature. They are distributions already; only the scores are "
                "divided.", ("codes.detach()", "codes.detach() / temperature")),
        mistake("temperature after the softmax", "You divide by the temperature after the softmax, where it is a mere factor. Divide the "
                "scores.", lambda s, c, t: terms(s, c, 1).mean() / t),
        mistake("the first pair alone", "Only the first pair counts: is there a return inside the loop?",
                ("torch.stack(losses).mean()", "losses[0]")),
        mistake("two codes", "You count on two codes. Take all that there are: len(codes).", ("range(len(codes))", "range(2)")),
        mistake("no logarithm", "You add up q times p. Cross-entropy is minus the sum of q log p.",
                (CROSS, "-(codes[a] * logits[v].softmax(1)).sum(1).mean()")),
        mistake("softmax over the images", "Your softmax runs over the images. Each image has a distribution over the prototypes.",
                (CROSS, "-(codes[a] * logits[v].log_softmax(0)).sum(1).mean()")),
        mistake("sum over images", "You add up the images. Take their mean.", lambda s, c, t: terms(s, c, t).sum(1).mean()),
        mistake("sign", "Cross-entropy is minus the sum of q log p. Yours pushes the views apart.", ("return torch", "return -torch")),
        mistake("hard labels", "You keep each code's largest entry alone. Codes are soft: all entries count.",
                ("codes.detach()", "F.one_hot(codes.argmax(2), codes.shape[2]).to(scores)")),
        mistake("codes as logits", "You put a softmax on the codes. They are distributions already.",
                ("codes.detach()", "codes.detach().softmax(2)"),
                ("codes.detach()", "(codes.detach() / temperature).softmax(2)")),
        mistake("roles exchanged", "You predict the scores from the codes. The codes are the labels q, the scores give log p.",
                exchanged, (CROSS, "F.cross_entropy(codes[a], logits[v].softmax(1))")),
        mistake("gradient through the codes", "Codes are labels: detach them.", ("codes.detach()", "codes")),
    ),
)  # fmt: skip


def prototypes_in_use_loop(codes: Tensor) -> Tensor:
    entropy = 0.0
    for k in range(codes.shape[1]):
        share = math.fsum(codes[:, k].double().tolist()) / len(codes)
        entropy -= share * math.log(share) if share > 0 else 0.0
    return torch.tensor(math.exp(entropy), dtype=torch.float64)


def use_trials() -> list[tuple]:
    shapes = [(3, 2), (4, 3), (6, 5), (12, 8)]
    soft = [(draw(s, n, k, spread=2.0).softmax(1),) for s, (n, k) in enumerate(shapes)]
    return [*soft, (F.one_hot(torch.tensor([0, 0, 2]), 4).float(),)]


USE = Exercise(
    "prototypes_in_use", prototypes_in_use_loop, trials=use_trials,
    mistakes=(
        mistake("mean of entropies", "You take each image's entropy and then the mean. That says how split an image is; take the mean "
                "code first.",
                lambda c: torch.special.entr(c).sum(1).mean().exp(), lambda c: torch.special.entr(c).sum(1).exp().mean()),
        mistake("no exponential", "This is the entropy. exp makes a number of prototypes of it.", (".sum().exp()", ".sum()")),
        mistake("sign", "The entropy is minus the sum of p ln p; yours gives 1 over the number.", ("entr(mean).sum()",
                "entr(mean).sum().neg()")),
        mistake("mean along the prototypes", "You average over the prototypes. Average over the images: dim=0.", ("dim=0", "dim=1")),
        mistake("sum of codes", "You add up the codes. Take their mean, so that it sums to 1.",
                ("mean(dim=0)", "sum(dim=0)")),
        mistake("mean of the terms", "You average -p ln p over the prototypes. The entropy adds them up.",
                (".sum().exp()", ".mean().exp()")),
        mistake("base 2", "The entropy is in bits, but exp undoes the natural logarithm.", ("entr(mean).sum()",
                "entr(mean).sum().div(math.log(2))"),
                lambda c: (torch.special.entr(c.mean(0)).sum() / math.log(2)).exp()),
        mistake("squares instead of entropy", "You take 1 over the sum of the squared shares, another such count. Take exp of the entropy.",
                ("torch.special.entr(mean).sum().exp()", "1 / mean.square().sum()")),
        mistake("favourites counted", "You look at each image's favourite prototype alone. Use the whole codes: exp of their mean's "
                "entropy.",
                lambda c: torch.tensor(float(len(c.argmax(1).unique()))),
                ("codes.mean(", "F.one_hot(codes.argmax(1), codes.shape[1]).to(codes).mean(")),
        mistake("every share counted", "You count each prototype that has any share, however small. Take exp of the entropy.",
                lambda c: (c.mean(0) > 0).sum()),
        mistake("nan at 0", "0 times ln 0 is not a number in floating point; here it counts as 0.",
                lambda c: (-(c.mean(0) * c.mean(0).log()).sum()).exp()),
    ),
)  # fmt: skip


def kmeans_turn_loop(h: Tensor, centres: Tensor) -> Tensor:
    groups: list[list[Tensor]] = [[] for _ in centres]
    for point in h.double():
        distances = [((point - centre) ** 2).sum().item() for centre in centres.double()]
        groups[distances.index(min(distances))].append(point)
    return torch.stack([sum(g) / len(g) if g else centre for g, centre in zip(groups, centres.double())])


def members(h: Tensor, centres: Tensor) -> Tensor:
    """Who belongs to whom, [N, K] of 0 and 1."""
    return F.one_hot(torch.cdist(h, centres).argmin(1), len(centres)).to(h)


def kmeans_trials() -> list[tuple]:
    found = []
    for s, (n, k, d) in enumerate([(4, 2, 1), (6, 3, 2), (12, 4, 3)]):
        centres = draw_rows(s + 9, k, d)
        centres[-1] += 30.0  # nobody's nearest
        found.append((draw_rows(s, n, d), centres))
    return [*found, (draw_rows(7, 20, 2), draw_rows(8, 3, 2))]


KMEANS = Exercise(
    "kmeans_turn", kmeans_turn_loop, trials=kmeans_trials,
    mistakes=(
        mistake("empty centre to 0", "A centre without rows goes to the origin. It must stay where it is.",
                ("torch.where(count > 0, member.T @ h / count.clamp(min=1), centres)", "member.T @ h / count.clamp(min=1)")),
        mistake("empty centre not a number", "A centre without rows divides 0 by 0. It must stay where it is.",
                lambda h, c: members(h, c).T @ h / members(h, c).sum(0)[:, None]),
        mistake("empty centre dropped", "You leave out a centre without rows, so that there are fewer. It stays where it is.",
                lambda h, c: torch.stack([h[near == k].mean(0) for near in [torch.cdist(h, c).argmin(1)] for k in near.unique()])),
        mistake("one number for a centre", "mean() without dim makes one number of all the rows' numbers. Take the mean over the rows: "
                "dim=0.",
                ("member.T @ h / count.clamp(min=1)", "(member.T @ h / count.clamp(min=1)).mean(1, keepdim=True)")),
        mistake("empty centre elsewhere", "A centre without rows goes to the mean of all. It must stay where it is.",
                ("clamp(min=1), centres)", "clamp(min=1), h.mean(0))")),
        mistake("the number of centres guessed", "F.one_hot makes as many columns as the largest number needs. Tell it how many there "
                "are: F.one_hot(nearest, K).", ("nearest, len(centres)", "nearest")),
        mistake("the old centre counted", "You count the old centre as one of the rows. The new one is the mean of the rows alone.",
                lambda h, c: (members(h, c).T @ h + c) / (members(h, c).sum(0)[:, None] + 1)),
        mistake("shared by all centres", "Each of your rows belongs to all centres, more to the near ones. In k-means it belongs to the "
                "nearest alone.",
                lambda h, c: (w := (-torch.cdist(h, c)).softmax(1).T) @ h / w.sum(1, keepdim=True),
                lambda h, c: (w := (-torch.cdist(h, c).square()).softmax(1).T) @ h / w.sum(1, keepdim=True)),
        mistake("sum instead of mean", "You add up the rows of a centre. Divide by how many there are.", (" / count.clamp(min=1)", "")),
        mistake("divided by N", "You divide by all N rows. Divide by the rows of the centre.", ("count.clamp(min=1)", "len(h)"),
                ("torch.where(count > 0, member.T @ h / count.clamp(min=1), centres)", "member.T @ h / len(h)")),
        mistake("farthest", "You assign each row to the farthest centre.", ("argmin", "argmax")),
        mistake("dot product", "You take the largest dot product. k-means takes the smallest Euclidean distance.",
                ("torch.cdist(h, centres).argmin(dim=1)", "(h @ centres.T).argmax(dim=1)")),
        mistake("cosine", "You compare directions. k-means takes the smallest Euclidean distance.",
                ("torch.cdist(h, centres).argmin(dim=1)", "F.cosine_similarity(h[:, None], centres, dim=2).argmax(dim=1)")),
        mistake("absolute differences", "You add up absolute differences. The Euclidean distance adds up squares.",
                ("torch.cdist(h, centres)", "torch.cdist(h, centres, p=1)")),
        mistake("nearest row of each centre", "You look for the nearest row of each centre. Each row looks for its nearest centre: dim=1.",
                lambda h, c: h[torch.cdist(h, c).argmin(0)]),
        mistake("assignments returned", "You return who belongs to whom. Return the new centres.",
                lambda h, c: torch.cdist(h, c).argmin(1)),
        mistake("centres not moved", "The centres are where they were. Move each to the mean of its rows.", lambda h, c: c),
    ),
)  # fmt: skip

EXERCISES = [SINKHORN, SWAPPED, USE, KMEANS]
