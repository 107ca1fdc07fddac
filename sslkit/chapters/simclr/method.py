# Generated from notebooks/10_simclr.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 10 · SimCLR: learning by comparing ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.dist import gather
from sslkit.nets import at_least_float32, check_views, full_precision, mlp
from sslkit.train import Recipe
from sslkit.views import ColorJitter, Compose, Grayscale, RandomResizedCrop


# --- 2 Look at the data and at the views ---
def simclr_views(crop: float = 0.2, jitter: float = 0.5) -> Compose:
    """SimCLR's random view for small images: a crop of `crop` to all of the area, mirrored half of
    the time, colours changed with strength `jitter` in 80 % of the views, grey in 20 %.

    Source: Chen et al. 2020, appendix B.9 (CIFAR-10: strength 0.5, no blur). The paper crops from
    0.08 of the area; of 32 x 32 pixels that leaves too little to see.
    """
    return Compose([RandomResizedCrop(scale=(crop, 1.0)), ColorJitter(jitter), Grayscale()])


# --- Exercise: InfoNCE ---
def info_nce(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """Which of the other 2N - 1 views shows the same image? Cross-entropy, mean over 2N anchors.

    z1, z2: projections [N, K] of two views, row i of both from image i; temperature > 0.
    Returns a scalar, computed in float32 (float64 stays float64). ValueError for other shapes.
    Source: Chen et al. 2020, eq. 1, there called NT-Xent.
    """
    check_views(z1, z2)
    N = len(z1)
    z = torch.cat([z1, z2])  # [2N, K]
    with full_precision(z):
        z = F.normalize(at_least_float32(z), dim=1)
        similarity = z @ z.T / temperature  # [2N, 2N]
        itself = torch.eye(2 * N, dtype=torch.bool, device=z.device)
        # row i belongs to row i + N, and back
        positive = torch.arange(2 * N, device=z.device).roll(N)
        return F.cross_entropy(similarity.masked_fill(itself, -math.inf), positive)


# --- Encoder, projector, method ---
class SimCLR(nn.Module):
    """Two views of each image: those of one image are pulled together, others pushed apart.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the
    projector's z [N, projection], over a hidden layer of `hidden`, is for the loss alone.
    crop, jitter: see simclr_views.
    Source: Chen et al. 2020, algorithm 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        temperature: float = 0.2,
        projection: int = 128,
        hidden: int = 256,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, got {temperature}")
        self.encoder = encoder
        self.projector = mlp([encoder.dim, hidden, projection])
        self.temperature = temperature
        self.view = simclr_views(crop, jitter)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W], uint8 or float, to two views of each, float [N, C, H, W]."""
        # One batch of 2N takes less time than two of N.
        view1, view2 = self.view(torch.cat([x, x]), generator).chunk(2)
        return view1, view2

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Two views to (loss, extras): features h [2N, D], projections z1, z2 [N, K]."""
        h = self.encoder(torch.cat(batch))
        z1, z2 = self.projector(h).chunk(2)
        loss = info_nce(gather(z1), gather(z2), self.temperature)
        return loss, {"h": h.detach(), "z1": z1.detach(), "z2": z2.detach()}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that finds all views equally alike: ln(2N - 1), N = batch_size."""
        return math.log(2 * batch_size - 1)


# --- Encoder, projector, method ---
METHOD = SimCLR
PASSES = 2  # two views of each image
LAPTOP = Recipe(
    steps=1000,
    lr=0.02,
    encoder="small7",
    optimizer="muon",
    weight_decay=0.0,
    small_views=20,
    options={"temperature": 0.1},
)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=10_000),  # ten times as many steps: 41 minutes of one core
    # 200 epochs of CIFAR-10, 97 steps each; learning rate 0.06 for each 128 images of a batch
    "gpu": Recipe(
        steps=19_500,
        lr=0.24,
        batch=512,
        encoder="resnet18",
        options={"temperature": 0.5, "hidden": 512},
    ),
}
