"""Exercise of chapter 16: the student repeats the teacher."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.swav.mistakes.pairs_of_views import exchanged, terms
from sslkit.checks.exercise import Exercise, draw, mistake


def dino_loss_loop(student, teacher, centre, student_temperature, teacher_temperature) -> Tensor:
    total, count = 0.0, 0
    centre = centre.detach().double()
    for a, told_view in enumerate(teacher.detach().double()):
        for v, given_view in enumerate(student.double()):
            if a == v:
                continue
            for told, given in zip(told_view, given_view):
                wanted = torch.stack([torch.exp((t - c) / teacher_temperature) for t, c in zip(told, centre)])
                guess = torch.stack([torch.exp(s / student_temperature) for s in given])
                for w, g in zip(wanted / wanted.sum(), guess / guess.sum()):
                    total = total - w * torch.log(g)
                count += 1
    return total / count


def targets(teacher: Tensor, centre: Tensor, temperature: float) -> Tensor:
    return ((teacher - centre) / temperature).softmax(2)


def through_the_centre(student, teacher, centre, ts, tt) -> Tensor:
    """The loss with the teacher's scores detached, but not the centre."""
    told, log_p = targets(teacher.detach(), centre, tt), (student / ts).log_softmax(2)
    pairs = [(a, v) for a in range(len(told)) for v in range(len(student)) if a != v]
    return torch.stack([-(told[a] * log_p[v]).sum(1) for a, v in pairs]).mean()


def dino_trials() -> list[tuple]:
    shapes = [(2, 2, 2, 3, 0.5, 0.25), (4, 2, 3, 4, 0.2, 0.1), (3, 2, 5, 2, 1.0, 0.4), (2, 2, 4, 6, 0.3, 0.5)]
    return [
        (draw(s, v, n, k, spread=0.5), draw(s + 50, a, n, k, spread=0.5), draw(s + 90, k, spread=0.3), ts, tt)
        for s, (v, a, n, k, ts, tt) in enumerate(shapes)
    ]


LOSS = Exercise(
    "dino_loss",
    dino_loss_loop,
    grad=True,
    trials=dino_trials,
    mistakes=(
        mistake("no centre", "The centre is not used. Subtract it from the teacher's scores.", (" - centre", "")),
        mistake(
            "gradient through the centre",
            "A gradient reaches the centre. The teacher's answers are labels: detach them whole.",
            through_the_centre,
        ),
        mistake(
            "centre added",
            "You add the centre. Subtract it: what all images prefer must be taken away.",
            (" - centre", " + centre"),
        ),
        mistake(
            "student centred too",
            "You centre the student's scores. Only the teacher's are centred.",
            ("swapped_loss(student,", "swapped_loss(student - centre,"),
        ),
        mistake(
            "student centred in place of the teacher",
            "You centre the student. The centre belongs to the teacher's scores.",
            ((" - centre", ""), ("swapped_loss(student,", "swapped_loss(student - centre,")),
        ),
        mistake(
            "centred after sharpening",
            "You divide by the temperature first and subtract the centre then. The centre is one of scores: subtract it first.",
            lambda s, t, c, ts, tt: terms(s, (t / tt - c).softmax(2), ts).mean(),
        ),
        mistake(
            "temperatures exchanged",
            "You divide the teacher's scores by the student's temperature, and the other way round.",
            (
                ("/ teacher_temperature", "/ student_temperature"),
                ("targets, student_temperature", "targets, teacher_temperature"),
            ),
        ),
        mistake(
            "one temperature",
            "You use the student's temperature for both. The teacher has its own.",
            ("/ teacher_temperature", "/ student_temperature"),
        ),
        mistake(
            "not sharpened",
            "The teacher's temperature is not used. Divide by it before the softmax.",
            (" / teacher_temperature", ""),
        ),
        mistake(
            "softmax over the images",
            "Your softmax runs over the images. Each image has a distribution over the prototypes: dim=2.",
            (".softmax(dim=2)", ".softmax(dim=1)"),
        ),
        mistake(
            "no softmax", "The codes are scores still. Make distributions of them: softmax.", (".softmax(dim=2)", "")
        ),
        mistake(
            "own view too",
            "The teacher's answer for a view is compared with the student's for the same view too. Leave those pairs out.",
            lambda s, t, c, ts, tt: terms(s, targets(t, c, tt), ts, lambda a, v: True).mean(),
        ),
        mistake(
            "not swapped",
            "You compare the two networks on the same view alone. Only pairs of different views count.",
            lambda s, t, c, ts, tt: terms(s, targets(t, c, tt), ts, lambda a, v: a == v).mean(),
        ),
        mistake(
            "small views left out",
            "Only views that the teacher has seen are predicted from. All V views of the student count.",
            lambda s, t, c, ts, tt: terms(s[: len(t)], targets(t, c, tt), ts).mean(),
        ),
        mistake(
            "sum over pairs",
            "You add up the pairs. Take their mean.",
            lambda s, t, c, ts, tt: terms(s, targets(t, c, tt), ts).mean(1).sum(),
        ),
        mistake(
            "divergence",
            "You take the entropy of the targets off, which leaves KL. The loss is the cross-entropy.",
            lambda s, t, c, ts, tt: terms(s, q := targets(t, c, tt), ts).mean() - torch.special.entr(q).sum(2).mean(),
        ),
        mistake(
            "sign",
            "Cross-entropy is minus the sum of p log q. Yours pushes the student away.",
            ("return swapped_loss", "return -swapped_loss"),
        ),
        mistake(
            "roles exchanged",
            "You predict the student's distributions from the teacher's. The teacher's are the labels: the log is the student's.",
            lambda s, t, c, ts, tt: exchanged(s, targets(t, c, tt).detach(), ts),
        ),
        mistake(
            "student's temperature twice",
            "swapped_loss divides by the student's temperature itself. Give it the scores as they are.",
            ("swapped_loss(student,", "swapped_loss(student / student_temperature,"),
        ),
        mistake(
            "brackets",
            "Only the centre is divided by the temperature. Subtract first: put the difference in brackets.",
            (("- centre", "- centre / teacher_temperature"), ("(centred / teacher_temperature)", "centred")),
        ),
        mistake(
            "mean over the prototypes",
            "You average over the K prototypes too. Cross-entropy adds them up.",
            lambda s, t, c, ts, tt: terms(s, targets(t, c, tt), ts).mean() / s.shape[2],
        ),
        mistake(
            "the student softened first",
            "You put a softmax on the student's scores. swapped_loss takes scores and applies it itself.",
            ("swapped_loss(student,", "swapped_loss(student.softmax(dim=2),"),
        ),
        mistake(
            "centred after the softmax",
            "You take the centre off the probabilities. It is the mean of scores: subtract it before you sharpen.",
            (
                ("at_least_float32(teacher) - centre", "at_least_float32(teacher)"),
                (".softmax(dim=2)", ".softmax(dim=2) - centre"),
            ),
        ),
    ),
)
