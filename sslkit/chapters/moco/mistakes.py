"""Exercises of chapter 11: the momentum teacher, its half-life, the queue, the loss."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_rows, mistake


def teacher_weights_loop(student: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    pairs = zip(student.double().flatten().tolist(), teacher.double().flatten().tolist())
    moved = [t + (s - t) * (1 - momentum) for s, t in pairs]
    return torch.tensor(moved, dtype=torch.float64).view(teacher.shape)


UPDATE = Exercise(
    "teacher_weights", teacher_weights_loop,
    trials=lambda: [
        (draw(s, *shape), draw(s + 50, *shape), m)
        for s, (shape, m) in enumerate([((3,), 0.9), ((2, 3), 0.5), ((4,), 0.0), ((4,), 1.0), ((5, 2), 0.99)])
    ],
    mistakes=(
        mistake("roles exchanged", "You keep most of the student. Momentum is what stays of the teacher.",
                lambda s, t, m: m * s + (1 - m) * t),
        mistake("the student added whole", "The two weights must add up to 1: the student counts 1 - momentum. Yours lets the "
                "teacher grow.",
                ("(1 - momentum) * student", "student")),
        mistake("a momentum optimiser", "You add the student on top of the whole teacher, as an optimiser adds a velocity. Take "
                "a weighted mean.",
                ("momentum * teacher", "teacher"), lambda s, t, m: t + m * s),
        mistake("a copy of the student", "You return the student, whatever the momentum: that is momentum 0.",
                ("teacher +", "student +")),
        mistake("the teacher never moves", "You return the teacher, whatever the momentum: that is momentum 1.",
                ("* student", "* teacher")),
        mistake("half and half", "You take the plain mean. Weigh by the momentum.", lambda s, t, m: (s + t) / 2),
        mistake("a minus", "You move the teacher away from the student: add the student's part.",
                ("teacher +", "teacher -"), lambda s, t, m: t - (1 - m) * (s - t), lambda s, t, m: t - m * (s - t)),
        mistake("roots as weights", "Your two weights do not add up to 1. Take momentum and 1 - momentum as they are.",
                ("momentum * teacher + (1 - momentum) *", "momentum**0.5 * teacher + (1 - momentum) ** 0.5 *")),
        mistake("brackets", "You take 1 - momentum * student. The student's share is (1 - momentum), in brackets.",
                ("+ (1 - momentum) * student", "+ 1 - momentum * student")),
        mistake("momentum twice", "You weigh both by the momentum. The two weights must add up to 1: the student counts 1 - momentum.",
                ("(1 - momentum)", "momentum")),
    ),
)  # fmt: skip


def half_life_loop(momentum: float) -> float:
    """Bisection for momentum ** steps = 1/2."""
    low, high = 0.0, 1.0
    while momentum**high > 0.5:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if momentum**middle > 0.5 else (low, middle)
    return high


HALF_LIFE = Exercise(
    "half_life", half_life_loop, trials=lambda: [(0.5,), (0.9,), (0.99,), (0.25,), (0.996,)],
    mistakes=(
        mistake("the mean age", "1 / (1 - m) is how old the student weights in the teacher are on average, about 1.4 half-lives.",
                lambda m: 1 / (1 - m), lambda m: m / (1 - m)),
        mistake("to 1/e", "You ask for the fall to 1/e. Ask for one half: log 1/2 above the line.", ("math.log(0.5)", "-1.0")),
        mistake("upside down", "You divide the wrong way round: a momentum near 1 must give many steps.",
                ("0.5) / math.log(momentum", "momentum) / math.log(0.5")),
        mistake("the sign", "Steps are positive: log m and log 1/2 are both negative, so their ratio is not.",
                ("return math", "return -math")),
        mistake("rounded", "You round to whole steps. Return the fraction too.",
                lambda m: math.ceil(math.log(0.5) / math.log(m)), lambda m: round(math.log(0.5) / math.log(m))),
        mistake("a straight line", "You let the weight fall by the same amount each step. It falls by the same factor.",
                lambda m: 0.5 / (1 - m)),
        mistake("log m taken for m - 1", "log m is nearly m - 1 for a momentum near 1, no more. Divide by log m itself.",
                lambda m: math.log(2) / (1 - m)),
        mistake("1 - m for m", "1 - momentum is the student's share of a step. What stays of today's weights is momentum: take its log.",
                ("(momentum)", "(1 - momentum)")),
        mistake("no logarithms", "n log m = log 1/2: you leave out both logs. Divide one log by the other.",
                ("math.log(0.5) / math.log(momentum)", "0.5 / momentum")),
        mistake("no log of the momentum", "n log m = log 1/2: divide by the log of the momentum.", ("math.log(momentum)", "momentum")),
        mistake("a share", "You give a share of weights. Asked for is the number of steps: solve m ** n = 1/2 for n.",
                lambda m: m**0.5, lambda m: m / 2),
        mistake("log of the quotient", "log(1/2) / log(m) is not log(1/2 / m), which is a difference of logs. Divide one log by the other.",
                ("math.log(0.5) / math.log(momentum)", "math.log(0.5 / momentum)")),
    ),
)  # fmt: skip


def write_keys_loop(queue: Tensor, pointer: int, keys: Tensor) -> tuple[Tensor, int]:
    rows, at = list(queue.double()), pointer
    for key in keys.double():
        rows[at] = key
        at += 1
        if at == len(rows):
            at = 0
    return torch.stack(rows), at


def written(queue: Tensor, rows: Tensor, keys: Tensor) -> Tensor:
    """The queue with keys in these rows; rows outside it are left out."""
    inside = (rows >= 0) & (rows < len(queue))
    queue = queue.clone()
    queue[rows[inside]] = keys[inside]
    return queue


def ring(queue: Tensor, pointer: int, keys: Tensor, *, first: int = 0, step: int = 1, wrap: bool = True) -> Tensor:
    """The solution's queue with the first row moved, the direction turned, or no wrap-around."""
    rows = pointer + first + step * torch.arange(len(keys))
    return written(queue, rows % len(queue) if wrap else rows, keys)


def after(queue: Tensor, pointer: int, keys: Tensor) -> int:
    return (pointer + len(keys)) % len(queue)


def slice_alone(queue: Tensor, pointer: int, keys: Tensor) -> tuple[Tensor, int]:
    """A slice, which fails where the keys go past the end."""
    new = queue.clone()
    new[pointer : pointer + len(keys)] = keys
    return new, after(queue, pointer, keys)


def fits(queue: Tensor, pointer: int, keys: Tensor) -> bool:
    return pointer + len(keys) <= len(queue)


WRITE = Exercise(
    "write_keys", write_keys_loop, returns=("queue", "pointer"),
    trials=lambda: [
        (draw(s, q, 2), at, draw(s + 50, n, 2))
        for s, (q, at, n) in enumerate([(4, 1, 2), (3, 2, 2), (5, 3, 4), (4, 0, 4), (6, 4, 2)])
    ],
    mistakes=(
        mistake("no wrap-around", "Keys past the last row get lost. After row Q - 1 comes row 0: take the row number modulo Q.",
                lambda q, p, k: (ring(q, p, k, wrap=False), after(q, p, k)),
                lambda q, p, k: (ring(q, p, k, wrap=False), min(p + len(k), len(q))),
                lambda q, p, k: (ring(q, p, k, wrap=False), min(p + len(k), len(q)) % len(q)),
                lambda q, p, k: (ring(q, p, k, wrap=False), p + len(k)), slice_alone),
        mistake("the pointer stays", "The queue is right, but the pointer must move on by the number of keys, or the next keys "
                "overwrite these.",
                ("pointer + len(keys)", "pointer")),
        mistake("the pointer leaves the queue", "The queue is right, but the pointer must come back to 0 after the last row: modulo Q.",
                ("(pointer + len(keys)) % len(queue)", "pointer + len(keys)")),
        mistake("the pointer moves by one", "The pointer must move on by the number of keys, not by one step.",
                lambda q, p, k: (ring(q, p, k), (p + 1) % len(q))),
        mistake("always at the start", "You write from row 0 on. The oldest rows begin at the pointer.",
                lambda q, p, k: (ring(q, 0, k), len(k) % len(q)), ("pointer + torch", "torch")),
        mistake("rows moved", "You move all rows and put the new ones at an end. The queue is a ring: rows stay, the pointer moves.",
                lambda q, p, k: (torch.cat([q[len(k) :], k]), after(q, p, k)),
                lambda q, p, k: (torch.cat([k, q])[: len(q)], after(q, p, k)), lambda q, p, k: (torch.cat([q, k])[-len(q) :], p),
                lambda q, p, k: (torch.cat([k, q])[: len(q)], p)),
        mistake("one row late", "You begin one row below the pointer. Row `pointer` itself is the oldest.",
                ("pointer + torch", "pointer + 1 + torch")),
        mistake("backwards", "You write upwards from the pointer: those are the newest rows.",
                lambda q, p, k: (ring(q, p, k, step=-1), (p - len(k)) % len(q)),
                lambda q, p, k: (ring(q, p, k, first=-1, step=-1), (p - len(k)) % len(q))),
        mistake("last key first", "You write the last key first. The first key goes to row `pointer`, the next below it.",
                (", keys)", ", keys.flip(0))")),
        mistake("keys scaled", "You change the keys' lengths. Write them as they are: the loss scales them.",
                (", keys)", ", F.normalize(keys, dim=1))")),
        mistake("rows modulo the keys", "You count the rows round the number of keys. The ring has len(queue) rows.",
                lambda q, p, k: (written(q, (p + torch.arange(len(k))) % len(k), k), after(q, p, k)),
                lambda q, p, k: (written(q, (p + torch.arange(len(k))) % len(k), k), (p + len(k)) % len(k))),
        mistake("modulo Q - 1", "The last row is Q - 1, but the ring has Q rows: modulo Q.",
                lambda q, p, k: (written(q, (p + torch.arange(len(k))) % (len(q) - 1), k), (p + len(k)) % (len(q) - 1)),
                lambda q, p, k: (written(q, (p + torch.arange(len(k))) % (len(q) - 1), k), after(q, p, k)),
                ("len(keys)) % len(queue)", "len(keys)) % (len(queue) - 1)")),
        mistake("modulo the keys", "The queue is right, but the pointer goes round the rows of the queue: modulo len(queue).",
                ("len(keys)) % len(queue)", "len(keys)) % len(keys)")),
        mistake("added to the old", "You add the keys to the old rows. They replace them.",
                lambda q, p, k: (q + ring(torch.zeros_like(q), p, k), after(q, p, k))),
        mistake("begins again at row 0", "Where the keys do not fit below the pointer, you put them all at the start. Fill the last "
                "rows first, then go on at row 0.",
                lambda q, p, k: (ring(q, p * fits(q, p, k), k), (p * fits(q, p, k) + len(k)) % len(q))),
        mistake("the first keys twice", "Past the end you write the first keys once more. Go on with those that did not fit.",
                lambda q, p, k: (ring(q, p, torch.cat([k[: len(q) - p], k[: max(p + len(k) - len(q), 0)]])), after(q, p, k))),
    ),
)  # fmt: skip


def moco_loss_loop(q: Tensor, k: Tensor, queue: Tensor, temperature: float) -> Tensor:
    def cosine(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()

    total = 0.0
    for query, key in zip(q.double(), k.detach().double()):
        right = torch.exp(cosine(query, key) / temperature)
        wrong = sum(torch.exp(cosine(query, other) / temperature) for other in queue.detach().double())
        total = total - torch.log(right / (right + wrong))
    return total / len(q)


def logits_of(q: Tensor, k: Tensor, queue: Tensor, t: float, dim: int | None = 1, power: int = -1) -> Tensor:
    """The solution's logits [N, 1 + Q], positive first, with dim normalised (None: nothing)."""
    k, queue = k.detach(), queue.detach()
    if dim is not None:
        q, k, queue = (F.normalize(z, dim=dim) for z in (q, k, queue))
    return torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], dim=1) * t**power


def picks(logits: Tensor, column: int = 0, reduction: str = "mean") -> Tensor:
    return F.cross_entropy(logits, torch.full((len(logits),), column), reduction=reduction)


def with_gradient(q: Tensor, k: Tensor, queue: Tensor, t: float) -> Tensor:
    q, k, queue = (F.normalize(z, dim=1) for z in (q, k, queue))
    return picks(torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], dim=1) / t)


def in_batch(q: Tensor, k: Tensor, queue: Tensor, t: float, also_queue: bool, first: int = 1) -> Tensor:
    """The other keys of the batch as negatives, with or without the queue's. first: 0 where column 0 is taken for the positive."""
    q, k, queue = F.normalize(q), F.normalize(k.detach()), F.normalize(queue.detach())
    keys = torch.cat([k, queue]) if also_queue else k
    return F.cross_entropy(q @ keys.T / t, first * torch.arange(len(q)))


def without_positive(q: Tensor, k: Tensor, queue: Tensor, t: float) -> Tensor:
    logits = logits_of(q, k, queue, t)
    return (logits[:, 1:].logsumexp(1) - logits[:, 0]).mean()


LOSS = Exercise(
    "moco_loss", moco_loss_loop, grad=True,
    trials=lambda: [
        (draw_rows(s, n, d), draw_rows(s + 30, n, d), draw_rows(s + 60, m, d), t)
        for s, (n, m, d, t) in enumerate([(2, 3, 2, 0.5), (3, 2, 4, 1.0), (4, 6, 8, 0.2), (3, 9, 3, 2.0)])
    ],
    mistakes=(
        mistake("no normalisation", "The similarity is a cosine: scale each row of q, k and queue to length 1 first.",
                lambda q, k, queue, t: picks(logits_of(q, k, queue, t, dim=None))),
        mistake("normalised along the batch", "You scale each column to length 1. Scale each row: dim=1.",
                lambda q, k, queue, t: picks(logits_of(q, k, queue, t, dim=0))),
        mistake("one length for the whole table", "You divide each whole table by one length. Each row has its own: unit(...) knows it.",
                lambda q, k, queue, t: picks(logits_of(q / q.norm(), k / k.norm(), queue / queue.norm(), t, dim=None))),
        mistake("temperature multiplied", "Divide the similarities by the temperature: a small one must sharpen the softmax.",
                (") /", ") *")),
        mistake("temperature ignored", "The temperature is not used. Divide the similarities by it.", (") / temperature", ")")),
        mistake("the queue ignored", "You compare with the keys of the batch. The negatives are the rows of the queue.",
                lambda q, k, queue, t: in_batch(q, k, queue, t, also_queue=False)),
        mistake("the batch's keys among the negatives", "The other keys of the batch are among your negatives. Here the queue "
                "alone has them.",
                lambda q, k, queue, t: in_batch(q, k, queue, t, also_queue=True),
                lambda q, k, queue, t: in_batch(q, k, queue, t, also_queue=True, first=0)),
        mistake("the wrong column", "Your label points at a negative. The label is the column in which the positive stands.",
                ("zeros", "ones"), lambda q, k, queue, t: picks(logits_of(q, k, queue, t), -1 + 1 + len(queue))),
        mistake("positive left out of the denominator", "The positive is one of the choices: it stands in the denominator too.",
                without_positive),
        mistake("labels as in SimCLR", "Your labels count 0, 1, 2, ..., as for a square table of the batch. Here the positive "
                "stands in column 0 for every query.",
                lambda q, k, queue, t: F.cross_entropy(logits_of(q, k, queue, t), torch.arange(len(q)))),
        mistake("sum instead of mean", "You add up the queries. Take their mean.", (", first", ', first, reduction="sum"')),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("return F", "return -F")),
        mistake("no log", "You use the probability itself. Take its log.",
                lambda q, k, queue, t: -logits_of(q, k, queue, t).softmax(1)[:, 0].mean(),
                lambda q, k, queue, t: 1 - logits_of(q, k, queue, t).softmax(1)[:, 0].mean()),
        mistake("gradient into keys and queue", "k and queue are trained too. The keys come from the teacher, which only "
                "follows: detach both.",
                with_gradient),
        mistake("gradient into the keys", "The gradient reaches k. The keys come from the teacher, which only follows: k.detach().",
                ("k.detach()", "k")),
        mistake("gradient into the queue", "The gradient reaches the queue, which is only a memory: queue.detach().",
                ("queue.detach()", "queue")),
        mistake("the queries detached", "Your gradient reaches the keys in place of the queries. The student makes q, and only "
                "the student learns.",
                lambda q, k, queue, t: with_gradient(q.detach(), k, queue.detach(), t)),
        mistake("one of the three not normalised", "A cosine needs all three at length 1: the rows of q, of k and of queue.",
                ("unit(queue.detach())", "queue.detach()"), ("unit(k.detach())", "k.detach()"), ("unit(q)", "q")),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("F.cross_entropy(logits,", "F.cross_entropy(logits.softmax(1),")),
        mistake("temperature on one side", "Only some logits are divided by the temperature. Divide the positive and the negatives.",
                ("[positive, q @ queue.T], dim=1) / temperature", "[positive, q @ queue.T / temperature], dim=1)"),
                ("[positive, q @ queue.T], dim=1) / temperature", "[positive / temperature, q @ queue.T], dim=1)")),
    ),
)  # fmt: skip

EXERCISES = [UPDATE, HALF_LIFE, WRITE, LOSS]
