"""Answers to the exercises of moco: known numbers, right ones written differently, wrong ones."""

import math

import torch
import torch.nn.functional as F
from answers import unit, unit_numpy


def by_lists(queue, pointer, keys):
    rows = queue.tolist()
    for key in keys.tolist():
        rows[pointer] = key
        pointer = pointer + 1 if pointer + 1 < len(rows) else 0
    return torch.tensor(rows), pointer


def in_two_pieces(queue, pointer, keys):
    queue, room = queue.clone(), len(queue) - pointer
    queue[pointer : pointer + len(keys)] = keys[:room]
    queue[: max(0, len(keys) - room)] = keys[room:]
    return queue, (pointer + len(keys)) % len(queue)


def by_rolling(queue, pointer, keys):
    rolled = queue.roll(-pointer, 0)  # the oldest row on top
    rolled = torch.cat([keys, rolled[len(keys) :]])
    return rolled.roll(pointer, 0), torch.tensor((pointer + len(keys)) % len(queue))


def loss_by_logsumexp(q, k, queue, temperature):
    q, k, queue = unit(q), unit(k).detach(), unit(queue).detach()
    positive = torch.einsum("nk,nk->n", q, k) / temperature
    negative = torch.einsum("nk,qk->nq", q, queue) / temperature
    return (torch.cat([negative, positive[:, None]], 1).logsumexp(1) - positive).mean()


def loss_by_cosines(q, k, queue, temperature):
    everything = torch.cat([k[:, None], queue.expand(len(k), *queue.shape)], dim=1).detach()
    logits = F.cosine_similarity(q[:, None], everything, dim=2) / temperature
    return -logits.log_softmax(1)[:, 0].mean()


def loss_by_rows(q, k, queue, temperature):
    with torch.no_grad():
        k, queue = unit(k), unit(queue)
    losses = []
    for query, key in zip(unit(q), k):
        weights = ((torch.cat([queue, key[None]]) @ query) / temperature).exp()
        losses.append(-(weights[-1] / weights.sum()).log())
    return sum(losses) / len(losses)


def loss_with_warm_positive(q, k, queue, temperature):
    positive, negative = (unit(q) * unit(k.detach())).sum(1), unit(q) @ unit(queue.detach()).T
    return F.softplus((negative / temperature).logsumexp(1) - positive).mean()


EYE = [[1.0, 0.0], [0.0, 1.0]]

KNOWN = [
    ("moco.teacher_weights", ([1.0, 0.0], [0.0, 2.0], 0.75), [0.25, 1.5]),
    ("moco.half_life", (0.5,), 1.0),
    ("moco.half_life", (0.5**0.1,), 10.0),
    ("moco.write_keys", ([[0.0], [1.0], [2.0]], 2, [[7.0], [8.0]]), ([[8.0], [1.0], [7.0]], 1)),
    ("moco.write_keys", ([[0.0], [1.0]], 0, [[7.0], [8.0]]), ([[7.0], [8.0]], 0)),
    ("moco.moco_loss", ([[3.0, 0.0]], [[2.0, 0.0]], [[0.0, 5.0]], 1.0), math.log(1 + 1 / math.e)),
    ("moco.moco_loss", (EYE, EYE, [[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0], [0.0, -1.0]], 1.0),
     math.log(2 + 2 / math.e + math.exp(-2))),
]  # fmt: skip

RIGHT = {
    "moco.teacher_weights": [
        lambda student, teacher, momentum: torch.lerp(student, teacher, momentum),
        lambda student, teacher, momentum: teacher + (1 - momentum) * (student - teacher),
        lambda student, teacher, momentum: student.numpy() * (1 - momentum) + teacher.numpy() * momentum,
        lambda student, teacher, momentum: teacher.clone().mul_(momentum).add_(student, alpha=1 - momentum),
    ],
    "moco.half_life": [
        lambda momentum: math.log(0.5, momentum),
        lambda momentum: -1 / math.log2(momentum),
        lambda momentum: torch.tensor(2.0).log() / -torch.tensor(momentum).log(),
    ],
    "moco.write_keys": [by_lists, in_two_pieces, by_rolling],
    "moco.moco_loss": [loss_by_logsumexp, loss_by_cosines, loss_by_rows],
}

NAMED = [
    ("moco.teacher_weights", lambda s, t, m: torch.lerp(t, s, m), "roles exchanged"),
    ("moco.teacher_weights", lambda s, t, m: t.mul_(m).add_(s, alpha=1 - m), "changes its input"),
    ("moco.half_life", lambda m: sum(m**n for n in range(2000)), "the mean age"),
    ("moco.write_keys", lambda q, p, k: (in_two_pieces(q, p, k)[0], p), "the pointer stays"),
    ("moco.write_keys", lambda q, p, k: (q.copy_(by_lists(q, p, k)[0]), by_lists(q, p, k)[1]), "changes its input"),
    ("moco.moco_loss", lambda q, k, m, t: loss_by_logsumexp(q, k, m, 1 / t), "temperature multiplied"),
    ("moco.moco_loss", lambda q, k, m, t: loss_by_logsumexp(q, k, m, t) * len(q), "sum instead of mean"),
    ("moco.moco_loss", lambda q, k, m, t: loss_by_logsumexp(q, k, m, t).item(), "no gradient"),
    (
        "moco.moco_loss",
        lambda q, k, m, t: (torch.cat([(unit(q) * unit(k)).sum(1)[:, None], unit(q) @ unit(m).detach().T], 1) / t)
        .log_softmax(1)[:, 0].mean().neg(),
        "gradient into the keys",
    ),
    (
        "moco.moco_loss",
        lambda q, k, m, t: F.cross_entropy(unit(q) @ torch.as_tensor(unit_numpy(k.detach())).T / t, torch.arange(len(q))),
        "the queue ignored",
    ),
    ("moco.teacher_weights", lambda s, t, m: m * (s + t), "momentum twice"),
    ("moco.half_life", lambda m: math.log(0.5, 1 - m), "1 - m for m"),
    ("moco.half_life", lambda m: -math.log(2) / m, "no log of the momentum"),
    ("moco.half_life", lambda m: -math.log(2 * m), "log of the quotient"),
    ("moco.write_keys", lambda q, p, k: by_lists(q, p if p + len(k) <= len(q) else 0, k), "begins again at row 0"),
    ("moco.write_keys", lambda q, p, k: in_two_pieces(q, p, k[torch.arange(len(k)) % (len(q) - p)]), "the first keys twice"),
    ("moco.moco_loss", loss_with_warm_positive, "temperature on one side"),
    (
        "moco.write_keys",
        lambda q, p, k: (torch.cat([q[:p], k, q[p + len(k) :]])[: len(q)], min(p + len(k), len(q)) % len(q)),
        "no wrap-around",
    ),
    ("moco.teacher_weights", lambda s, t, m: t + m * (t - s), "a minus"),
]  # fmt: skip

UNNAMED = [
    ("moco.moco_loss", lambda q, k, m, t: (q - k.detach()).square().mean()),
    ("moco.write_keys", lambda q, p, k: (q.flip(0), p)),
    ("moco.half_life", lambda m: 7.0),
]
