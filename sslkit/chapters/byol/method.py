# Generated from notebooks/12_byol.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 12 · BYOL: nobody is pushed away ---
import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.chapters.moco.method import momentum_update
from sslkit.chapters.simclr.method import simclr_views
from sslkit.nets import at_least_float32, full_precision, mlp
from sslkit.train import Recipe


# --- Exercise: The pull ---
def negative_cosine(p: Tensor, t: Tensor) -> Tensor:
    """How far predictions are from their targets: -cosine of each row of p with its row of t, mean.

    p: predictions [N, K]; t: targets [N, K], without gradient. Returns a scalar from -1 (all right)
    to 1, computed in float32 (float64 stays float64).
    Source: Chen & He 2021, eq. 1; 2 + 2 times it is Grill et al. 2020, eq. 2.
    """
    with full_precision(p):
        p, t = at_least_float32(p), at_least_float32(t.detach())
        return -(F.normalize(p, dim=1) * F.normalize(t, dim=1)).sum(dim=1).mean()


# --- Exercise: A teacher that slows down ---
def momentum_at(progress: float, first: float, last: float = 1.0) -> float:
    """The teacher's momentum after a share `progress` (0 .. 1) of the run: half a cosine.

    Source: Grill et al. 2020, section 3.3, where last is 1.
    """
    return last - (last - first) * (math.cos(math.pi * progress) + 1) / 2


# --- The method ---
class BYOL(nn.Module):
    """A student predicts what a slow teacher makes of the other view; nothing is pushed apart.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the
    projector's z [N, projection] and the predictor's p [N, projection] are for the loss alone.
    momentum, last: of the teacher, at the beginning and at the end of the run; 0 and 0 make it
    SimSiam. linear: a predictor of one matrix in place of two layers. predictor_lr: the
    predictor's share of the learning rate. last_norm: whether z goes through a batch norm, as in
    SimSiam; BYOL's does not. crop, jitter: see simclr_views.
    Source: Grill et al. 2020, algorithm 1; Chen & He 2021, algorithm 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        momentum: float = 0.996,
        last: float = 1.0,
        projection: int = 128,
        hidden: int = 256,
        linear: bool = False,
        predictor_lr: float = 1.0,
        last_norm: bool = False,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        if not 0 <= momentum <= last <= 1:
            raise ValueError(f"0 <= momentum <= last <= 1 is needed, got {momentum} and {last}")
        self.encoder = encoder
        self.projector = mlp([encoder.dim, hidden, projection])
        if last_norm:
            self.projector.append(nn.BatchNorm1d(projection, affine=False))
        self.predictor = mlp([projection, *([] if linear else [hidden]), projection])
        self.teacher = copy.deepcopy(nn.Sequential(encoder, self.projector)).requires_grad_(False)
        self.momentum, self.last, self.predictor_lr = momentum, last, predictor_lr
        self.view = simclr_views(crop, jitter)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W], uint8 or float, to two views of each, float [N, C, H, W]."""
        view1, view2 = self.view(torch.cat([x, x]), generator).chunk(2)
        return view1, view2

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Two views to (loss, extras): h [2N, D] and z, p [2N, K], first views first."""
        views = torch.cat(batch)
        h = self.encoder(views)
        z = self.projector(h)
        p1, p2 = self.predictor(z).chunk(2)
        with torch.no_grad():
            t1, t2 = self.teacher(views).chunk(2)
        loss = 2 + negative_cosine(p1, t2) + negative_cosine(p2, t1)  # equation 2, both ways, mean
        p = torch.cat([p1, p2])
        return loss, {"h": h.detach(), "z": z.detach(), "p": p.detach()}

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The teacher follows the student, more slowly as the run goes on."""
        momentum = momentum_at(progress, self.momentum, self.last)
        momentum_update(nn.Sequential(self.encoder, self.projector), self.teacher, momentum)

    def parameter_groups(self) -> list[dict]:
        """The predictor's learning rate, as a share of the recipe's."""
        return [{"params": self.predictor.parameters(), "lr": self.predictor_lr}]

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to the student's features h [N, D]."""
        return self.encoder(x)


# --- The method ---
METHOD = BYOL
PASSES = 4  # two views, each by student and teacher; the teacher has no backward pass
LAPTOP = Recipe(
    steps=750,
    lr=0.02,
    encoder="small7",
    optimizer="muon",
    weight_decay=0.0,
    small_views=20,
    options={"momentum": 0.95, "last_norm": True, "predictor_lr": 4.0},
)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=10_000),  # thirteen times as many steps: 51 minutes of one core
    # 200 epochs of CIFAR-10, 97 steps each; the paper's momentum
    "gpu": Recipe(
        steps=19_500,
        lr=0.24,
        batch=512,
        encoder="resnet18",
        options={"momentum": 0.996, "projection": 256, "hidden": 1024},
    ),
}
