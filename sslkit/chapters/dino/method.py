# Generated from notebooks/16_dino.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 16 · DINO: a student, its own slow copy, and two ways to agree on nothing ---
import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.chapters.moco.method import momentum_update
from sslkit.chapters.simclr.method import simclr_views
from sslkit.chapters.swav.method import small_views, swapped_loss
from sslkit.dist import gather
from sslkit.nets import at_least_float32, full_precision
from sslkit.train import Recipe


# --- Exercise: The centre moves ---
def moved_centre(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    """The running mean of the teacher's scores after one more batch.

    centre [K]; teacher [A, N, K]: scores of A views of N images; momentum 0 .. 1: what stays of the
    old centre. Returns [K]. Source: Caron et al. 2021, eq. 4.
    """
    return momentum * centre + (1 - momentum) * teacher.mean(dim=(0, 1))


# --- Exercise: The teacher's answers as labels ---
def dino_loss(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    student_temperature: float,
    teacher_temperature: float,
) -> Tensor:
    """Each of the student's views predicts what the teacher says of the other views of its image.

    student [V, N, K], teacher [A, N, K]: scores of all V views and of the first A; centre [K]. The
    teacher's scores are centred and sharpened, and get no gradient. Returns a scalar in float32
    (float64 stays float64). Source: Caron et al. 2021, eqs. 1 to 3 and algorithm 1.
    """
    with full_precision(student):
        centred = at_least_float32(teacher) - centre
        targets = (centred / teacher_temperature).softmax(dim=2)
        return swapped_loss(student, targets, student_temperature)  # which detaches targets


# --- Exercise: Entropy and divergence ---
def entropy_and_kl(target: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
    """The entropy of the targets, and KL(target || guess): means over the rows, in nats.

    target [N, K] >= 0, guess [N, K] > 0: rows sum to 1. Their sum is the cross-entropy.
    """
    entropy = torch.special.entr(target).sum(dim=1).mean()
    cross = -(target * guess.log()).sum(dim=1).mean()
    return entropy, cross - entropy


# --- Exercise: A momentum that grows ---
def teacher_momentum(progress: float, start: float) -> float:
    """The teacher's momentum at a share `progress` of the run, 0 .. 1: from `start` to 1.

    Source: Caron et al. 2021, section 3.1, implementation details.
    """
    return 1 - (1 - start) * (1 + math.cos(math.pi * progress)) / 2


# --- Head, method ---
class Head(nn.Module):
    """Features h [N, dim] to scores [N, K]: cosines of a narrow z with K prototypes, -1 .. 1.

    Source: Caron et al. 2021, appendix C (three layers, GELU, no batch norm, weight-normalised
    prototypes; there hidden 2048, narrow 256, K 65,536).
    """

    def __init__(self, dim: int, hidden: int, narrow: int, prototypes: int):
        super().__init__()
        inner = [nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()]
        self.net = nn.Sequential(*inner, nn.Linear(hidden, narrow))
        self.prototypes = nn.Linear(narrow, prototypes, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        z = at_least_float32(self.net(h))
        with full_precision(z):
            return F.normalize(z, dim=1) @ F.normalize(self.prototypes.weight, dim=1).T


# --- Head, method ---
class DINO(nn.Module):
    """A student predicts what its own slow copy, centred and sharpened, says of other views.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the head is
    for the loss alone. momentum: the teacher's at the start. crops: small views of each image, of
    `size` pixels a side, beside the two large ones. prototypes, hidden, narrow: see Head.
    Source: Caron et al. 2021, algorithm 1; unlike there, the student's encoder is kept.
    """

    def __init__(
        self,
        encoder: nn.Module,
        prototypes: int = 256,
        momentum: float = 0.99,
        student_temperature: float = 0.1,
        teacher_temperature: float = 0.04,
        centre_momentum: float = 0.9,
        crops: int = 0,
        size: int = 16,
        hidden: int = 256,
        narrow: int = 64,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        self.encoder = encoder
        self.head = Head(encoder.dim, hidden, narrow, prototypes)
        self.teacher = copy.deepcopy(nn.Sequential(encoder, self.head)).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(prototypes))
        self.momentum, self.centre_momentum = momentum, centre_momentum
        self.temperatures = student_temperature, teacher_temperature
        self.view, self.crops = simclr_views(crop, jitter), crops
        self.small_view = small_views(crop, jitter, size)
        self.fresh = None  # the teacher's scores, between forward and after_step

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Images [N, C, H, W] to two large views of each, then the small ones."""
        views = self.view(torch.cat([x, x]), generator).chunk(2)
        if self.crops:
            views += self.small_view(torch.cat([x] * self.crops), generator).chunk(self.crops)
        return views

    def forward(self, views: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Views to (loss, extras): features h [2N, D] and scores z [2N, K] of the large views by
        the student, entropy of the teacher's answers and kl of the student's from them."""
        h = self.encoder(torch.cat(views[:2]))
        small = [self.encoder(torch.cat(views[2:]))] if self.crops else []
        student = self.head(torch.cat([h, *small])).unflatten(0, (len(views), -1))  # [V, N, K]
        with torch.no_grad():
            teacher = self.teacher(torch.cat(views[:2])).unflatten(0, (2, -1))  # [2, N, K]
        loss = dino_loss(student, teacher, self.centre, *self.temperatures)
        self.fresh = gather(teacher.transpose(0, 1)) if self.training else None  # [all N, 2, K]
        extras = {"h": h, "z": student[:2].flatten(0, 1), **self.watched(student, teacher)}
        return loss, {name: value.detach() for name, value in extras.items()}

    @torch.no_grad()
    def watched(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """entropy and kl of a step, over the large views: they tell the two collapses apart."""
        target = ((teacher - self.centre) / self.temperatures[1]).softmax(2)
        guess = (student[:2] / self.temperatures[0]).softmax(2).flip(0)  # of the other view
        found = entropy_and_kl(target.flatten(0, 1), guess.flatten(0, 1))
        return dict(zip(("entropy", "kl"), found))

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The teacher follows the student, and the centre follows the teacher's scores."""
        student = nn.Sequential(self.encoder, self.head)
        momentum_update(student, self.teacher, teacher_momentum(progress, self.momentum))
        if self.fresh is not None:
            self.centre.copy_(moved_centre(self.centre, self.fresh, self.centre_momentum))
        self.fresh = None

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to the student's features h [N, D]."""
        return self.encoder(x)


# --- Head, method ---
METHOD = DINO
PASSES = 4  # two views, each through student and teacher
LAPTOP = Recipe(
    steps=3000,
    lr=0.05,
    batch=64,
    encoder="small7",
    optimizer="muon",
    weight_decay=0.0,
    small_views=20,
    options={"momentum": 0.95},
)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=36_000),  # twelve times as many steps
    # 200 epochs of CIFAR-10, 97 steps each
    "gpu": Recipe(
        steps=19_500,
        lr=0.12,
        batch=512,
        encoder="resnet18",
        options={"prototypes": 1024, "momentum": 0.996, "crops": 4, "hidden": 1024, "narrow": 128},
    ),
}
