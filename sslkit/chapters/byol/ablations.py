"""What chapter 12 takes away, one part at a time and together; `python tests/benchmarks/ablate.py byol` trains each at full length."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.chapters.byol.method import negative_cosine
from sslkit.chapters.simclr.ablations import same_view_twice
from sslkit.train import Ablation

SIMSIAM = {"momentum": 0.0, "last": 0.0}  # the teacher is the student


def without_predictor(method: Any) -> None:
    """z itself has to match the target."""
    method.predictor = nn.Identity()


def without_stop(method: Any) -> None:
    """The target is the student's own z, and gives way: its gradient flows too. There is no teacher then."""

    def forward(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        h = method.encoder(torch.cat(batch))
        z = method.projector(h)
        p = method.predictor(z)
        loss = 2 - 2 * F.cosine_similarity(p.float(), torch.cat(z.float().chunk(2)[::-1])).mean()
        return loss, {"h": h.detach(), "z": z.detach(), "p": p.detach()}

    method.forward = forward


def teacher_learns(method: Any) -> None:
    """The gradient goes into the teacher as well, which follows the student all the same."""
    method.teacher.requires_grad_(True)

    def forward(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        views = torch.cat(batch)
        h = method.encoder(views)
        z = method.projector(h)
        p, t = method.predictor(z), method.teacher(views)
        loss = 2 - 2 * F.cosine_similarity(p.float(), torch.cat(t.float().chunk(2)[::-1])).mean()
        return loss, {"h": h.detach(), "z": z.detach(), "p": p.detach()}

    method.forward = forward


def nothing(method: Any) -> None:
    """Neither predictor nor stop-gradient nor teacher: the pull alone."""
    without_predictor(method)
    without_stop(method)


def four_teachers(method: Any) -> None:
    """A teacher that stands still, and is replaced by its student after each quarter of the run."""
    done = [0]

    @torch.no_grad()
    def after_step(progress: float) -> None:
        if int(4 * progress) > done[0]:
            done[0] = int(4 * progress)
            method.teacher.load_state_dict(nn.Sequential(method.encoder, method.projector).state_dict())

    method.after_step = after_step


def direct(method: Any, floor: float = 0.1, keep: float = 0.9) -> None:
    """The linear predictor is not trained but computed from a running mean of z z' (Tian et al. 2021)."""
    weight = method.predictor[0].weight.requires_grad_(False)
    mean: list[Tensor] = []
    method.predictor[0].bias.requires_grad_(False).zero_()
    forward, after_step = method.forward, method.after_step

    def seen(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        loss, extras = forward(batch)
        z = extras["z"].float()
        now = z.T @ z / len(z)
        mean[:] = [keep * mean[0] + (1 - keep) * now if mean else now]
        return loss, extras

    @torch.no_grad()
    def after(progress: float) -> None:
        after_step(progress)
        strength, u = torch.linalg.eigh(mean[0])
        strength = strength.clamp_min(0)
        weight.copy_((u * ((strength / strength.max()).sqrt() + floor)) @ u.T)

    method.forward, method.after_step = seen, after


class Standardised(nn.Conv2d):
    """A convolution whose filters have mean 0 and variance 1 (Qiao et al. 2019), scaled to keep the input's size."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.flatten(1)
        weight = (weight - weight.mean(1, keepdim=True)) / (weight.std(1, keepdim=True) + 1e-5)
        return self._conv_forward(x, weight.view_as(self.weight) / weight.shape[1] ** 0.5, self.bias)


def group_norm(method: Any, groups: int = 8) -> None:
    """Group norm for batch norm, and standardised filters (Richemond et al. 2020). The teacher is copied anew."""
    for part in (method.encoder, method.projector, method.predictor):
        exchange(part, groups)
    method.teacher = copy.deepcopy(nn.Sequential(method.encoder, method.projector)).requires_grad_(False)


def no_norm(method: Any) -> None:
    """Standardised filters, and nothing for batch norm."""
    group_norm(method, groups=0)


def group_norm_no_predictor(method: Any) -> None:
    """Neither batch norm nor predictor."""
    group_norm(method)
    without_predictor(method)


def exchange(module: nn.Module, groups: int) -> None:
    """In all layers below: what looks at the batch for what looks at one image."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            setattr(module, name, nn.GroupNorm(groups, child.num_features) if groups else nn.Identity())
        elif isinstance(child, nn.Conv2d):
            child.__class__ = Standardised
        else:
            exchange(child, groups)


def teacher_forgotten(method: Any) -> None:
    """A bug: the teacher's update is never called."""
    method.after_step = lambda progress: None


def target_has_the_predictor(method: Any) -> None:
    """A bug: the target goes through the predictor as well."""

    def forward(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        views = torch.cat(batch)
        h = method.encoder(views)
        z = method.projector(h)
        p = method.predictor(z)
        with torch.no_grad():
            t = method.predictor(method.teacher(views))
        loss = 2 + 2 * negative_cosine(p, torch.cat(t.chunk(2)[::-1]))
        return loss, {"h": h.detach(), "z": z.detach(), "p": p.detach()}

    method.forward = forward


ABLATIONS = {  # what the core path shows stands first
    "as it is": Ablation(),
    "SimSiam": Ablation(options=SIMSIAM),
    "no predictor": Ablation(change=without_predictor),
    "no stop-gradient": Ablation(change=without_stop),
    "nothing of the three": Ablation(change=nothing),
    "frozen teacher": Ablation(options={"momentum": 1.0}),
    "batches of 64": Ablation(settings={"batch": 64}),  # as many images, four times the steps
    "four times as long": Ablation(length=4.0, once=True),
    "predictor rate 0": Ablation(options={"predictor_lr": 0.0}),
    "same view twice": Ablation(change=same_view_twice, once=True),
    "teacher forgotten": Ablation(change=teacher_forgotten, once=True),
    "target has the predictor": Ablation(change=target_has_the_predictor, once=True),
    "four teachers": Ablation(change=four_teachers),
    "teacher learns": Ablation(change=teacher_learns),
    "predictor rate 1": Ablation(options={"predictor_lr": 1.0}),
    "predictor rate 10": Ablation(options={"predictor_lr": 10.0}),
    "SimSiam, predictor rate 1": Ablation(options=SIMSIAM | {"predictor_lr": 1.0}),
    "SimSiam, predictor rate 0.3": Ablation(options=SIMSIAM | {"predictor_lr": 0.3}),
    "group norm": Ablation(change=group_norm),
    "group norm, no predictor": Ablation(change=group_norm_no_predictor),
    "no last norm": Ablation(options={"last_norm": False}),
    "no last norm, no predictor": Ablation(options={"last_norm": False}, change=without_predictor),
    "no norm": Ablation(change=no_norm),
    "linear predictor": Ablation(options={"linear": True}),
    "direct predictor": Ablation(options={"linear": True}, change=direct),
}
