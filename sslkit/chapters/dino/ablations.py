"""What chapter 16 changes, one thing at a time; `python tests/benchmarks/ablate.py dino` trains each at full length."""

from typing import Any

import torch
from torch import Tensor, nn

from sslkit.chapters.moco.method import momentum_update
from sslkit.chapters.simclr.ablations import same_view_twice
from sslkit.chapters.swav.method import sinkhorn, swapped_loss
from sslkit.train import Ablation

NO_CENTRE = {"centre_momentum": 1.0}  # it stays where it starts, at 0
NOT_SHARP = {"teacher_temperature": 0.1}  # the student's


def frozen_teacher(method: Any) -> None:
    """The frozen teacher of chapter 11, or a bug: only the centre moves after a step."""
    method.momentum = 1.0


def teacher_is_student(method: Any) -> None:
    """No averaging: the teacher is the student of the step before."""
    after = method.after_step

    def copied(progress: float) -> None:
        after(progress)
        momentum_update(nn.Sequential(method.encoder, method.head), method.teacher, 0.0)

    method.after_step = copied


def seats(method: Any) -> None:
    """Sinkhorn-Knopp shares out the prototypes; no centre, no softmax of the teacher (DINOv2, Oquab et al. 2023)."""

    def forward(views: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        both = torch.cat(views[:2])
        h = method.encoder(both)
        z = method.head(h)
        with torch.no_grad():
            codes = sinkhorn(method.teacher(both), method.temperatures[1])
        loss = swapped_loss(z.unflatten(0, (2, -1)), codes.unflatten(0, (2, -1)), method.temperatures[0])
        return loss, {"h": h.detach(), "z": z.detach()}

    method.forward = forward


def seats_teacher_is_student(method: Any) -> None:
    """Seats, and no averaging either: what is left is chapter 15 with this chapter's head."""
    seats(method)
    teacher_is_student(method)


def batch_centre(method: Any) -> None:
    """The centre is the mean of the scores it is taken from, and never late."""
    forward = method.forward

    def centred(views: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.no_grad():
            method.centre.copy_(method.teacher(torch.cat(views[:2])).mean(0))
        return forward(views)

    method.forward = centred


def batch_centre_teacher_is_student(method: Any) -> None:
    """A centre that is never late, and no averaging."""
    batch_centre(method)
    teacher_is_student(method)


def centre_added(method: Any) -> None:
    """A bug: the centre has the wrong sign, so that what all images have in common is added once more."""
    after = method.after_step

    def negated(progress: float) -> None:
        method.centre.neg_()
        after(progress)
        method.centre.neg_()

    method.after_step = negated


ABLATIONS = {
    "as it is": Ablation(),
    "no centring": Ablation(options=NO_CENTRE),
    "no sharpening": Ablation(options=NOT_SHARP),
    "frozen teacher": Ablation(change=frozen_teacher),
    "teacher is student": Ablation(change=teacher_is_student),
    "seats": Ablation(change=seats),
    "seats, teacher is student": Ablation(change=seats_teacher_is_student),
    "centre of the batch": Ablation(change=batch_centre),
    "centre of the batch, teacher is student": Ablation(change=batch_centre_teacher_is_student),
    "batches of 256": Ablation(settings={"batch": 256}),  # as many images, a quarter of the steps
    "two small crops": Ablation(options={"crops": 2}, length=0.75),  # a step costs about a third more
    "temperatures exchanged": Ablation(options={"student_temperature": 0.04, "teacher_temperature": 0.1}, once=True),
    "centre added": Ablation(change=centre_added, once=True),
    "same view twice": Ablation(change=same_view_twice, once=True),
}
BUGS = {"A": "temperatures exchanged", "B": "same view twice", "C": "centre added"}  # of "diagnose"
