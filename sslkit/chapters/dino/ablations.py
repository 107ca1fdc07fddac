"""What chapter 16 changes, one thing at a time; `python tests/benchmarks/ablate.py dino` trains each at full length."""

from typing import Any

from sslkit.train import Ablation

THIRD = {"steps": 250}
NO_CENTRE = {"centre_momentum": 1.0}  # it stays where it starts, at 0
NOT_SHARP = {"teacher_temperature": 0.1}  # the student's


def teacher_forgotten(method: Any) -> None:
    """A bug, or the frozen teacher of chapter 11: only the centre moves after a step."""
    method.momentum = 1.0


def teacher_is_student(method: Any) -> None:
    """No averaging: the teacher is the student of the step before."""
    from sslkit.chapters.dino import method as room

    after = method.after_step

    def copied(progress: float) -> None:
        after(progress)
        room.momentum_update(room.nn.Sequential(method.encoder, method.head), method.teacher, 0.0)

    method.after_step = copied


ABLATIONS = {
    "as it is": Ablation(),
    "no centring": Ablation(options=NO_CENTRE),
    "no sharpening": Ablation(options=NOT_SHARP),
    "frozen teacher": Ablation(change=teacher_forgotten),
    "teacher is student": Ablation(change=teacher_is_student),
    "two small crops": Ablation(options={"crops": 2}, settings={"steps": 580}),
    "a third": Ablation(settings=THIRD, once=True),
    "temperatures exchanged": Ablation(
        settings=THIRD, options={"student_temperature": 0.04, "teacher_temperature": 0.1}, once=True
    ),
    "teacher forgotten": Ablation(settings=THIRD, change=teacher_forgotten, once=True),
    "centre forgotten": Ablation(settings=THIRD, options=NO_CENTRE, once=True),
}
