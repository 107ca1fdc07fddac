"""Answers to the exercises of dino: known numbers, right ones written differently, wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from sslkit.chapters.swav.method import swapped_loss


def centre_lerp(centre, teacher, momentum):
    return torch.lerp(teacher.flatten(0, 1).mean(0), centre, momentum)


def centre_numpy(centre, teacher, momentum):
    rows = teacher.numpy().reshape(-1, len(centre))
    return centre.numpy() + (1 - momentum) * (rows.mean(0) - centre.numpy())


def loss_of_the_authors(student, teacher, centre, student_temperature, teacher_temperature):
    """As in Caron et al. 2021: chunks of the outputs, the same view left out."""
    total, terms = 0, 0
    for a, q in enumerate(F.softmax((teacher - centre) / teacher_temperature, dim=-1).detach()):
        for v, s in enumerate(student / student_temperature):
            if v != a:
                total = total + torch.sum(-q * F.log_softmax(s, dim=-1), dim=-1).mean()
                terms += 1
    return total / terms


def loss_in_one_go(student, teacher, centre, student_temperature, teacher_temperature):
    p = ((teacher - centre) / teacher_temperature).softmax(2).detach()
    each = -torch.einsum("ank,vnk->av", p, (student / student_temperature).log_softmax(2)) / p.shape[1]
    return each[torch.arange(len(p))[:, None] != torch.arange(len(student))].mean()


def teacher_predicts(student, teacher, centre, student_temperature, teacher_temperature):
    """The cross-entropy with the student's distributions for labels."""
    log_q = ((teacher - centre) / teacher_temperature).log_softmax(2).detach()
    each = -torch.einsum("vnk,ank->av", (student / student_temperature).softmax(2), log_q) / log_q.shape[1]
    return each[torch.arange(len(log_q))[:, None] != torch.arange(len(student))].mean()


def entropy_by_distributions(target, guess):
    p, q = torch.distributions.Categorical(probs=target), torch.distributions.Categorical(probs=guess)
    return p.entropy().mean(), torch.distributions.kl_divergence(p, q).mean()


def entropy_by_functions(target, guess):
    return torch.special.entr(target).sum(1).mean(), F.kl_div(guess.log(), target, reduction="batchmean")


def averaged_kl(target, guess):
    entropy, kl = entropy_by_functions(target, guess)
    return entropy, kl / target.shape[1]


TWO = [[[0.0, 1.0]], [[1.0, 0.0]]]
ALIKE = math.log(1 + math.e)
KNOWN = [
    ("dino.moved_centre", ([1.0, 0.0], [[[3.0, 2.0]], [[1.0, 0.0]]], 0.5), [1.5, 0.5]),
    ("dino.dino_loss", (TWO, [[[0.3, 0.3]], [[0.5, 0.5]]], [0.0, 0.0], 1.0, 0.1), ALIKE - 0.5),
    ("dino.entropy_and_kl", ([[0.5, 0.5]], [[0.25, 0.75]]), (math.log(2), 0.5 * math.log(4 / 3))),
    ("dino.teacher_momentum", (0.5, 0.9), 0.95),
]

RIGHT = {
    "dino.moved_centre": [centre_lerp, centre_numpy],
    "dino.dino_loss": [loss_of_the_authors, loss_in_one_go],
    "dino.entropy_and_kl": [entropy_by_distributions, entropy_by_functions],
    "dino.teacher_momentum": [
        lambda progress, start: start + (1 - start) * math.sin(math.pi * progress / 2) ** 2,
        lambda progress, start: 0.5 * ((1 + start) - (1 - start) * np.cos(np.pi * progress)),
    ],
}

NAMED = [
    ("dino.moved_centre", lambda c, t, m: centre_lerp(c, t, 1 - m), "roles exchanged"),
    ("dino.moved_centre", lambda c, t, m: centre_lerp(c, t[:1], m), "one view"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: loss_in_one_go(s, t, 0 * c, ts, tt), "no centre"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: loss_in_one_go(s, t, -c, ts, tt), "centre added"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: loss_in_one_go(s, t, c, ts, ts), "one temperature"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: loss_of_the_authors(s, t, c, tt, ts), "temperatures exchanged"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: -loss_of_the_authors(s, t, c, ts, tt), "sign"),
    ("dino.dino_loss", lambda *given: loss_in_one_go(*given).detach(), "no gradient"),
    ("dino.entropy_and_kl", lambda t, g: (entropy_by_functions(t, g)[0], sum(entropy_by_functions(t, g))), "cross-entropy"),
    ("dino.teacher_momentum", lambda p, s: 1 - (1 - s) * (1 - p), "straight"),
    ("dino.moved_centre", lambda c, t, m: centre_lerp(c, t.softmax(2), m), "mean of the probabilities"),
    ("dino.moved_centre", lambda c, t, m: centre_lerp(c, t[:1], 1 - m), "roles exchanged and one view"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: swapped_loss(s, ((t - c) / tt).softmax(1), ts), "softmax over the images"),
    ("dino.dino_loss", lambda s, t, c, ts, tt: swapped_loss(s, (t - c) / tt, ts), "no softmax"),
    ("dino.entropy_and_kl", averaged_kl, "KL averaged over the entries"),
    ("dino.teacher_momentum", lambda p, s: 1 - s / 2 - s / 2 * math.cos(math.pi * p), "start for its distance from 1"),
    ("dino.dino_loss", teacher_predicts, "roles exchanged"),
]  # fmt: skip

UNNAMED = [
    ("dino.moved_centre", lambda c, t, m: centre_lerp(c, t, m**2)),
    ("dino.dino_loss", lambda s, t, c, ts, tt: loss_in_one_go(s, t, c, ts, tt**2)),
    ("dino.entropy_and_kl", lambda t, g: tuple(v**2 for v in entropy_by_functions(t, g))),
    ("dino.teacher_momentum", lambda p, s: s ** (1 - p) if s else p**2),
]
