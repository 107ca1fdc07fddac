# Generated from notebooks/14_vicreg.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 14 · VICReg: three rules, three ways to fail ---
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.chapters.simclr.method import simclr_views
from sslkit.dist import gather
from sslkit.nets import at_least_float32, check_views, full_precision, mlp
from sslkit.train import Recipe


# --- Exercise: The variance term ---
def variance_loss(z: Tensor, eps: float = 1e-4) -> Tensor:
    """How far the deviation of each number of z [N, K] over the batch falls short of 1, on average.

    Source: Bardes et al. 2022, eq. 1 and 2.
    """
    return F.relu(1 - (z.var(0) + eps).sqrt()).mean()


# --- Exercise: The covariance term ---
def covariance_loss(z: Tensor) -> Tensor:
    """The squared covariances of different numbers of z [N, K] over the batch, their sum over K.

    Source: Bardes et al. 2022, eq. 3 and 4.
    """
    z = z - z.mean(0)
    c = z.T @ z / (len(z) - 1)
    return (c - torch.diag(c.diagonal())).square().sum() / z.shape[1]


# --- Exercise: The three terms of VICReg ---
def vicreg_terms(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Do the views agree, do the numbers vary, do they repeat one another? Three losses, 0 at best.

    z1, z2: projections [N, K] of two views, row n of both from image n, N at least 2.
    Returns invariance, variance, covariance, computed in float32 (float64 stays float64).
    ValueError for other shapes.
    Source: Bardes et al. 2022, eq. 1 to 6. Eq. 6 adds the two variances up; the authors' code,
    which is followed here, takes their mean.
    """
    check_views(z1, z2, least=2)
    with full_precision(z1):
        z1, z2 = at_least_float32(z1), at_least_float32(z2)
        invariance = F.mse_loss(z1, z2)
        variance = (variance_loss(z1) + variance_loss(z2)) / 2
        covariance = covariance_loss(z1) + covariance_loss(z2)
        return invariance, variance, covariance


# --- The method ---
class VICReg(nn.Module):
    """Two views of each image: their numbers agree, vary over the batch, do not repeat one another.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the
    projector's z [N, projection], after `layers` layers of width `hidden`, is for the loss alone.
    invariance, variance, covariance: weights, the paper's over 25; crop, jitter: see simclr_views.
    Source: Bardes et al. 2022, algorithm 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        invariance: float = 1.0,
        variance: float = 1.0,
        covariance: float = 0.04,
        projection: int = 256,
        hidden: int = 256,
        layers: int = 2,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        self.encoder = encoder
        # No bias at the end: the loss cannot see a mean, so nothing would ever train it.
        wide = [hidden] * (layers - 1)
        self.projector = mlp([encoder.dim, *wide, projection], bias=False)
        self.weights = {"invariance": invariance, "variance": variance, "covariance": covariance}
        self.view = simclr_views(crop, jitter)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W], uint8 or float, to two views of each, float [N, C, H, W]."""
        view1, view2 = self.view(torch.cat([x, x]), generator).chunk(2)
        return view1, view2

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Two views to (loss, extras): features h [2N, D], projections z [2N, K], three terms."""
        h = self.encoder(torch.cat(batch))
        z = self.projector(h)
        z1, z2 = z.chunk(2)
        terms = dict(zip(self.weights, vicreg_terms(gather(z1), gather(z2))))
        loss = sum(weight * terms[name] for name, weight in self.weights.items())
        return loss, {name: value.detach() for name, value in {"h": h, "z": z, **terms}.items()}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)


# --- The method ---
METHOD = VICReg
PASSES = 2  # two views of each image
LAPTOP = Recipe(
    steps=3600,
    lr=0.02,
    batch=64,
    encoder="small7",
    optimizer="muon",
    weight_decay=0.0,
    small_views=20,
    options={"covariance": 0.04},
)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=36_000),  # ten times as many steps: 69 minutes of one core
    # 200 epochs of CIFAR-10, 97 steps each; the paper's weights, an expander for a small network
    "gpu": Recipe(
        steps=19_500,
        lr=0.24,
        batch=512,
        encoder="resnet18",
        options={"covariance": 0.04, "projection": 2048, "hidden": 2048, "layers": 3},
    ),
}
