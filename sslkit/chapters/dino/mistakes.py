"""Exercises of chapter 16: the centre, the loss, two collapses told apart, the teacher's momentum."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sslkit.chapters.swav.mistakes import exchanged
from sslkit.checks.exercise import Exercise, draw, mistake


def moved_centre_loop(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    moved = []
    for k, old in enumerate(centre.double().tolist()):
        every = [image[k] for view in teacher.double().tolist() for image in view]
        moved.append(old * momentum + math.fsum(every) / len(every) * (1 - momentum))
    return torch.tensor(moved, dtype=torch.float64)


def step_for_each_view(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    for view in teacher:
        centre = momentum * centre + (1 - momentum) * view.mean(0)
    return centre


CENTRE = Exercise(
    "moved_centre", moved_centre_loop,
    trials=lambda: [
        (draw(s, k), draw(s + 50, a, n, k), m)
        for s, (a, n, k, m) in enumerate([(2, 2, 3, 0.9), (2, 3, 2, 0.5), (2, 5, 4, 0.0), (1, 4, 3, 0.75), (3, 2, 5, 1.0)])
    ],
    mistakes=(
        mistake("roles exchanged", "You keep most of the batch. momentum is what stays of the old centre.",
                ("momentum * centre + (1 - momentum) *", "(1 - momentum) * centre + momentum *")),
        mistake("sum instead of mean", "You add up the images. Take their mean.", (".mean(", ".sum(")),
        mistake("views added up", "You add up the views. The mean is over views and images alike.",
                lambda c, t, m: m * c + (1 - m) * t.mean(1).sum(0)),
        mistake("one view", "Only the first view counts. Take the mean over all of them.", ("teacher.mean(dim=(0, 1))",
                "teacher[0].mean(dim=0)")),
        mistake("a step for each view", "You move the centre once for each view. Take the mean over all views first, and move once.",
                step_for_each_view),
        mistake("mean along the prototypes", "You average over the prototypes too: the centre has one number for each of them.",
                ("dim=(0, 1)", "dim=(0, 1, 2)"), lambda c, t, m: m * c + (1 - m) * t.mean()),
        mistake("mean of the probabilities", "You average the teacher's softmax. The centre is a mean of scores.",
                ("teacher.mean", "teacher.softmax(2).mean")),
        mistake("scores less the centre", "You take the centre off the scores first. The running mean is one of the scores as they are.",
                ("teacher.mean", "(teacher - centre).mean")),
        mistake("the new one added whole", "The weights must add up to 1: the batch counts 1 - momentum.", ("(1 - momentum) * ", "")),
        mistake("a minus", "You move the centre away from the batch. Add the batch's part.", ("centre + ", "centre - ")),
        mistake("the centre never moves", "You return the old centre, whatever the momentum.", lambda c, t, m: c.clone()),
        mistake("the batch's mean alone", "You forget the past. The old centre counts `momentum`.", lambda c, t, m: t.mean((0, 1))),
    ),
)  # fmt: skip


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


def changed(
    student, teacher, centre, ts, tt, keep=lambda a, v: a != v, told=None, reduce=lambda each: each.mean()
) -> Tensor:
    """The loss with other pairs, other targets or another reduction. told: from the teacher's scores to targets."""
    targets = (((teacher - centre) / tt).softmax(2) if told is None else told(teacher)).detach()
    log_p = (student / ts).log_softmax(2)
    pairs = [(a, v) for a in range(len(targets)) for v in range(len(student)) if keep(a, v)]
    return reduce(torch.stack([-(targets[a] * log_p[v]).sum(1) for a, v in pairs]))


def through_the_centre(student, teacher, centre, ts, tt) -> Tensor:
    """The loss with the teacher's scores detached, but not the centre."""
    targets, log_p = ((teacher.detach() - centre) / tt).softmax(2), (student / ts).log_softmax(2)
    pairs = [(a, v) for a in range(len(targets)) for v in range(len(student)) if a != v]
    return torch.stack([-(targets[a] * log_p[v]).sum(1) for a, v in pairs]).mean()


def dino_trials() -> list[tuple]:
    shapes = [(2, 2, 2, 3, 0.5, 0.25), (4, 2, 3, 4, 0.2, 0.1), (3, 2, 5, 2, 1.0, 0.4), (2, 2, 4, 6, 0.3, 0.5)]
    return [
        (draw(s, v, n, k, spread=0.5), draw(s + 50, a, n, k, spread=0.5), draw(s + 90, k, spread=0.3), ts, tt)
        for s, (v, a, n, k, ts, tt) in enumerate(shapes)
    ]


LOSS = Exercise(
    "dino_loss", dino_loss_loop, grad=True, trials=dino_trials,
    mistakes=(
        mistake("no centre", "The centre is not used. Subtract it from the teacher's scores.", (" - centre", "")),
        mistake("gradient through the centre", "A gradient reaches the centre. The teacher's answers are labels: detach them whole.",
                lambda s, t, c, ts, tt: through_the_centre(s, t, c, ts, tt)),
        mistake("centre added", "You add the centre. Subtract it: what all images prefer must be taken away.", (" - centre", " + centre")),
        mistake("student centred too", "You centre the student's scores. Only the teacher's are centred.",
                ("swapped_loss(student,", "swapped_loss(student - centre,")),
        mistake("student centred in place of the teacher", "You centre the student. The centre belongs to the teacher's scores.",
                ((" - centre", ""), ("swapped_loss(student,", "swapped_loss(student - centre,"))),
        mistake("centred after sharpening", "You divide by the temperature first and subtract the centre then. The centre is one of "
                "scores: subtract it first.",
                lambda s, t, c, ts, tt: changed(s, t, c, ts, tt, told=lambda t: (t / tt - c).softmax(2))),
        mistake("temperatures exchanged", "You divide the teacher's scores by the student's temperature, and the other way round.",
                (("/ teacher_temperature", "/ student_temperature"), ("targets, student_temperature", "targets, teacher_temperature"))),
        mistake("one temperature", "You use the student's temperature for both. The teacher has its own.", ("/ teacher_temperature", "/ "
                "student_temperature")),
        mistake("not sharpened", "The teacher's temperature is not used. Divide by it before the softmax.", (" / teacher_temperature", "")),
        mistake("softmax over the images", "Your softmax runs over the images. Each image has a distribution over the prototypes: dim=2.",
                (".softmax(dim=2)", ".softmax(dim=1)")),
        mistake("no softmax", "The codes are scores still. Make distributions of them: softmax.", (".softmax(dim=2)", "")),
        mistake("own view too", "The teacher's answer for a view is compared with the student's for the same view too. Leave those "
                "pairs out.",
                lambda *given: changed(*given, keep=lambda a, v: True)),
        mistake("not swapped", "You compare the two networks on the same view alone. Only pairs of different views count.",
                lambda *given: changed(*given, keep=lambda a, v: a == v)),
        mistake("small views left out", "Only views that the teacher has seen are predicted from. All V views of the student count.",
                lambda s, t, c, ts, tt: changed(s[: len(t)], t, c, ts, tt)),
        mistake("sum over pairs", "You add up the pairs. Take their mean.",
                lambda *given: changed(*given, reduce=lambda each: each.mean(1).sum())),
        mistake("divergence", "You take the entropy of the targets off, which leaves KL. The loss is the cross-entropy.",
                lambda s, t, c, ts, tt: changed(s, t, c, ts, tt) - torch.special.entr(((t - c) / tt).softmax(2)).sum(2).mean()),
        mistake("sign", "Cross-entropy is minus the sum of p log q. Yours pushes the student away.", ("return swapped_loss", "return "
                "-swapped_loss")),
        mistake("roles exchanged", "You predict the student's distributions from the teacher's. The teacher's are the labels: the log is "
                "the student's.",
                lambda s, t, c, ts, tt: exchanged(s, ((t - c) / tt).softmax(2).detach(), ts)),
        mistake("student's temperature twice", "swapped_loss divides by the student's temperature itself. Give it the scores as they are.",
                ("swapped_loss(student,", "swapped_loss(student / student_temperature,")),
        mistake("brackets", "Only the centre is divided by the temperature. Subtract first: put the difference in brackets.",
                (("- centre", "- centre / teacher_temperature"), ("(centred / teacher_temperature)", "centred"))),
        mistake("mean over the prototypes", "You average over the K prototypes too. Cross-entropy adds them up.",
                lambda *given: changed(*given) / given[0].shape[2]),
        mistake("the student softened first", "You put a softmax on the student's scores. swapped_loss takes scores and applies it itself.",
                ("swapped_loss(student,", "swapped_loss(student.softmax(dim=2),")),
        mistake("centred after the softmax", "You take the centre off the probabilities. It is the mean of scores: subtract it before "
                "you sharpen.",
                (("at_least_float32(teacher) - centre", "at_least_float32(teacher)"), (".softmax(dim=2)", ".softmax(dim=2) - centre"))),
    ),
)  # fmt: skip


def entropy_and_kl_loop(target: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
    entropy = kl = 0.0
    for row, other in zip(target.double().tolist(), guess.double().tolist()):
        for p, q in zip(row, other):
            if p > 0:
                entropy -= p * math.log(p) / len(target)
                kl += p * (math.log(p) - math.log(q)) / len(target)
    return torch.tensor(entropy, dtype=torch.float64), torch.tensor(kl, dtype=torch.float64)


def distributions() -> list[tuple]:
    found = [
        (draw(s, n, k, spread=1.5).softmax(1), draw(s + 50, n, k, spread=1.5).softmax(1))
        for s, (n, k) in enumerate([(2, 2), (3, 4), (5, 3), (4, 8)])
    ]
    sure = torch.eye(3)[[0, 2]]
    return [*found, (sure, draw(70, 2, 3).softmax(1))]


def both(target: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
    """As it should be."""
    entropy = torch.special.entr(target).sum(1)
    return entropy.mean(), (-(target * guess.log()).sum(1) - entropy).mean()


ENTROPY = Exercise(
    "entropy_and_kl", entropy_and_kl_loop, returns=("entropy", "KL"), trials=distributions,
    mistakes=(
        mistake("cross-entropy", "Your second value is the cross-entropy. Take the entropy off it.", ("entropy, cross - entropy",
                "entropy, cross")),
        mistake("KL the other way round", "You compute KL(guess || target). The target's probabilities weigh the terms.",
                lambda t, g: (both(t, g)[0], (g * (g.log() - t.clamp(min=1e-30).log())).sum(1).mean())),
        mistake("entropy of the guess", "The entropy is that of the guesses. Take the targets'.",
                lambda t, g: (both(g, t.clamp(min=1e-30))[0], both(t, g)[1]), ("entr(target)", "entr(guess)")),
        mistake("entropy of the mean", "You average the targets first: this is the entropy of their mean, large even if each image is "
                "sure. Take each row's entropy, then the mean.",
                lambda t, g: (torch.special.entr(t.mean(0)).sum(), both(t, g)[1]),
                ("entr(target).sum(dim=1).mean()", "entr(target.mean(dim=0)).sum()")),
        mistake("the guess's entropy taken off", "You take the entropy of the guess off the cross-entropy. Take that of the target.",
                ("cross - entropy", "cross - torch.special.entr(guess).sum(dim=1).mean()")),
        mistake("no logarithm of the guess", "The logarithm of the guess is missing. (F.kl_div wants it too: guess.log() comes first.)",
                ("guess.log()", "guess")),
        mistake("softmax of the guess", "F.cross_entropy takes logits and applies a softmax. The guess is a distribution already: take its "
                "logarithm.", ("guess.log()", "guess.log_softmax(dim=1)")),
        mistake("sign of KL", "KL is never negative: cross-entropy minus entropy, not the other way round.", ("entropy, cross - entropy",
                "entropy, entropy - cross")),
        mistake("sign of the entropy", "The entropy is minus the sum of p ln p: never negative.",
                lambda t, g: (-both(t, g)[0], both(t, g)[1])),
        mistake("sum over the rows", "You add up the rows. Take their mean.",
                (("entr(target).sum(dim=1).mean()", "entr(target).sum()"), (".log()).sum(dim=1).mean()", ".log()).sum()"))),
        mistake("sum over the rows, mean over the entries", "You add up the rows and average over the K entries. It is the other way "
                "round: sum over dim=1, then the mean.",
                lambda t, g: tuple(v * len(t) / t.shape[1] for v in both(t, g))),
        mistake("mean over the entries", "You average over the K entries too. Sum over them, then average over the rows.",
                lambda t, g: tuple(v / t.shape[1] for v in both(t, g))),
        mistake("KL averaged over the entries", "Your divergence is averaged over the K entries too, as F.kl_div does by default: "
                'reduction="batchmean" adds them up.',
                lambda t, g: (both(t, g)[0], both(t, g)[1] / t.shape[1])),
        mistake("bits", "These are bits. Take the natural logarithm.", lambda t, g: tuple(v / math.log(2) for v in both(t, g))),
        mistake("0 ln 0", "0 times ln 0 is not a number in floating point; here it counts as 0.",
                lambda t, g: (-(t * t.log()).sum(1).mean(), (t * (t.log() - g.log())).sum(1).mean())),
    ),
)  # fmt: skip


def teacher_momentum_loop(progress: float, start: float) -> float:
    """A point that goes round half a circle: its height, between start and 1."""
    angle, x, steps = math.pi * progress, 1.0, 20_000
    y = 0.0
    for _ in range(steps):  # turn by a little, many times
        a = angle / steps
        x, y = x * math.cos(a) - y * math.sin(a), y * math.cos(a) + x * math.sin(a)
    return 1 - (1 - start) * (1 + x) / 2


MOMENTUM = Exercise(
    "teacher_momentum", teacher_momentum_loop,
    trials=lambda: [(0.0, 0.9), (1.0, 0.9), (0.5, 0.8), (0.25, 0.5), (0.75, 0.6), (0.1, 0.0)],
    mistakes=(
        mistake("the wrong way round", "It falls from 1 to `start`. It must begin at `start` and end at 1.", ("1 + math.cos", "1 - "
                "math.cos")),
        mistake("straight", "This grows in a straight line. A half cosine is level at both ends.", lambda p, s: s + (1 - s) * p),
        mistake("start for its distance from 1", "Yours begins at 1 - start. What shrinks is the distance from 1: 1 - start.",
                ("(1 - start)", "start")),
        mistake("constant", "The momentum does not change. It must grow to 1.", lambda p, s: s),
        mistake("ends at 0", "It ends at 0. The end is 1: a teacher that stands still.", lambda p, s: s * (1 + math.cos(math.pi * p)) / 2),
        mistake("a whole wave", "That is a whole wave: it is back at `start` in the end. Half of one: pi times the progress.",
                ("math.pi * progress", "2 * math.pi * progress"),
                lambda p, s: s + (1 - s) * math.sin(math.pi * p)),
        mistake("a quarter of a wave", "Yours is not level at both ends: half a wave is pi times the progress.",
                lambda p, s: 1 - (1 - s) * math.cos(math.pi * p / 2),
                lambda p, s: s + (1 - s) * math.sin(math.pi * p / 2)),
        mistake("begins at 0", "It begins at 0. The first value is `start`.", lambda p, s: (1 - math.cos(math.pi * p)) / 2,
                ("1 - (1 - start) * (1 +", "start * (1 -")),
        mistake("cosine not shifted", "The cosine runs from 1 to -1. What you need runs from 1 to 0: (1 + cos) / 2.",
                ("(1 + math.cos(math.pi * progress)) / 2", "math.cos(math.pi * progress)"), ("(1 + math.cos", "(math.cos")),
        mistake("not halved", "1 + cos runs from 2 to 0: halve it.", (" / 2", "")),
        mistake("degrees", "math.cos takes radians.", lambda p, s: 1 - (1 - s) * (1 + math.cos(180 * p)) / 2),
        mistake("pi forgotten", "math.cos takes radians: half a turn is pi.", ("math.pi * progress", "progress")),
    ),
)  # fmt: skip

EXERCISES = [CENTRE, LOSS, ENTROPY, MOMENTUM]
