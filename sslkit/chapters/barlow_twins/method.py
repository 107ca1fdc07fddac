# Generated from notebooks/13_barlow_twins.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 13 · Barlow Twins: no two numbers say the same ---
import torch
from torch import Tensor, nn

from sslkit.chapters.simclr.method import simclr_views
from sslkit.dist import gather
from sslkit.nets import at_least_float32, check_views, full_precision, mlp
from sslkit.train import Recipe


# --- Exercise: The same scale for all numbers ---
def standardise(z: Tensor, eps: float = 1e-5) -> Tensor:
    """Each column of z [N, K] with mean 0 and variance 1 over the batch; a constant one becomes 0.

    Source: Zbontar et al. 2021, algorithm 1, which divides by the deviation over N - 1; here, as in
    the authors' code, variance over N and eps are those of a batch norm without weights.
    """
    return (z - z.mean(0)) / (z.var(0, correction=0) + eps).sqrt()


# --- Exercise: The cross-correlation matrix ---
def cross_correlation(z1: Tensor, z2: Tensor) -> Tensor:
    """How each number of one view correlates with each number of the other, over the batch.

    z1, z2: projections [N, K] of two views, row n of both from image n. Returns [K, K] in -1 .. 1.
    Source: Zbontar et al. 2021, eq. 2.
    """
    return standardise(z1).T @ standardise(z2) / len(z1)


# --- Exercise: The loss of Barlow Twins ---
def barlow_loss(z1: Tensor, z2: Tensor, weight: float) -> Tensor:
    """Is the cross-correlation the identity? Squared errors, off the diagonal times `weight`.

    z1, z2: projections [N, K] of two views, row n of both from image n, N at least 2.
    Returns a scalar, computed in float32 (float64 stays float64). ValueError for other shapes.
    Source: Zbontar et al. 2021, eq. 1.
    """
    check_views(z1, z2, least=2)
    with full_precision(z1):
        c = cross_correlation(at_least_float32(z1), at_least_float32(z2))
        invariance = (1 - c.diagonal()).square().sum()
        redundancy = (c - torch.diag(c.diagonal())).square().sum()
        return invariance + weight * redundancy


# --- The method ---
class BarlowTwins(nn.Module):
    """Two views of each image: each number agrees with itself across them, and with no other.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the
    projector's z [N, projection], after `layers` layers of width `hidden`, is for the loss alone.
    weight: of what stands off the diagonal; crop, jitter: see simclr_views.
    Source: Zbontar et al. 2021, algorithm 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        weight: float = 0.005,
        projection: int = 256,
        hidden: int = 256,
        layers: int = 2,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        self.encoder = encoder
        # No bias at the end: the loss takes the mean off, so nothing would ever train it.
        wide = [hidden] * (layers - 1)
        self.projector = mlp([encoder.dim, *wide, projection], bias=False)
        self.weight = weight
        self.view = simclr_views(crop, jitter)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W], uint8 or float, to two views of each, float [N, C, H, W]."""
        view1, view2 = self.view(torch.cat([x, x]), generator).chunk(2)
        return view1, view2

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Two views to (loss, extras): features h [2N, D], projections z [2N, K]."""
        h = self.encoder(torch.cat(batch))
        z = self.projector(h)
        z1, z2 = z.chunk(2)
        # Divided by K, the learning rate need not know K: one that says the same of all pays 1.
        loss = barlow_loss(gather(z1), gather(z2), self.weight) / z.shape[1]
        return loss, {"h": h.detach(), "z": z.detach()}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)


# --- The method ---
METHOD = BarlowTwins
TITLE = "Barlow Twins"  # as the paper writes it
PASSES = 2  # two views of each image
LAPTOP = Recipe(
    steps=3600,
    lr=0.02,
    batch=64,
    encoder="small7",
    optimizer="muon",
    weight_decay=0.0,
    small_views=20,
    options={"weight": 0.02},
)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=36_000),  # ten times as many steps: 63 minutes of one core
    # 200 epochs of CIFAR-10, 97 steps each; the paper's weight, a projector for a small network
    "gpu": Recipe(
        steps=19_500,
        lr=0.24,
        batch=512,
        encoder="resnet18",
        options={"weight": 0.005, "projection": 2048, "hidden": 2048, "layers": 3},
    ),
}
