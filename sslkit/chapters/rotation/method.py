# Generated from notebooks/03_rotation.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 03 · Rotation: which way is up? ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.train import Recipe
from sslkit.views import RandomResizedCrop, to_float


# --- The turn ---
def check_turns(x: Tensor, k: Tensor) -> None:
    """ValueError unless x is square images [N, C, S, S] and k one whole number for each."""
    if x.ndim != 4 or x.shape[2] != x.shape[3]:
        raise ValueError(f"a quarter turn needs square images [N, C, S, S], got {list(x.shape)}")
    if k.shape != x.shape[:1] or k.is_floating_point():
        got = f"{k.dtype} {list(k.shape)}"
        raise ValueError(f"k must be one whole number for each of the {len(x)} images, got {got}")


# --- Exercise: Turn each image by its own angle ---
def rotate_batch(x: Tensor, k: Tensor) -> Tensor:
    """Image i turned counter-clockwise by k[i] quarter turns.

    x: square images [N, C, S, S] of any type; k: int64 [N], any whole numbers, since four turns
    are none. Returns a new tensor like x.
    """
    check_turns(x, k)
    k = k[:, None, None, None] % 4
    x = torch.where(k >= 2, x.flip(2, 3), x)  # the high bit: a half turn
    return torch.where(k % 2 == 1, x.rot90(1, (2, 3)), x)  # the low bit: a quarter turn


# --- Exercise: The loss ---
def rotation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Minus the log-probability of the true turn, mean over all views.

    logits [M, turns]; labels int64 [M]. Source: Gidaris et al. 2018, equations 2 and 3.
    """
    return F.cross_entropy(logits, labels)


# --- The method ---
class Rotation(nn.Module):
    """By how many quarter turns was this image turned? One linear layer on the features answers.

    encoder: images [N, C, S, S] to features h [N, encoder.dim], which are what is kept. turns: the
    quarter turns to tell apart; each image is shown in all of them. crop: the least share of an
    image's area that its random crop keeps; 1 shows it whole and never mirrored.
    Source: Gidaris et al. 2018, section 2.
    """

    def __init__(
        self,
        encoder: nn.Module,
        turns: tuple[int, ...] = (0, 1, 2, 3),
        crop: float = 0.8,
    ):
        super().__init__()
        if len(turns) < 2 or len({turn % 4 for turn in turns}) < len(turns):
            raise ValueError(f"turns must be different quarter turns of 0, 1, 2, 3, not {turns}")
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, len(turns))
        self.turns = tuple(turns)
        self.view = RandomResizedCrop((crop, 1.0), ratio=(0.9, 1 / 0.9)) if crop < 1 else as_it_is

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images [N, C, S, S] to float views in all turns [turns * N, ...], labels [turns * N]."""
        x = self.view(x, generator)
        turns = torch.tensor(self.turns, device=x.device)
        labels = torch.arange(len(turns), device=x.device).repeat_interleave(len(x))
        return rotate_batch(x.repeat(len(turns), 1, 1, 1), turns[labels]), labels

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Views and labels to (loss, extras): logits [turns * N, turns], labels."""
        views, labels = batch
        logits = self.head(self.encoder(views))
        return rotation_loss(logits, labels), {"logits": logits.detach(), "labels": labels}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, S, S] in [0, 1] to features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that finds all turns equally likely, whatever the batch."""
        return math.log(len(self.turns))


def as_it_is(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """No random view."""
    return to_float(x)


# --- The method ---
METHOD = Rotation
PASSES = 4  # each image in four turns
LAPTOP = Recipe(steps=900, lr=0.02, batch=64, encoder="small7", optimizer="muon", weight_decay=0.0)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=4500),  # five times as long: 22 minutes on one core
    # the paper's optimiser and batch; 100 epochs of CIFAR-10, 351 steps each, with a cosine
    "gpu": Recipe(steps=35_100, lr=0.1, batch=128, encoder="resnet18", optimizer="sgd"),
}


# --- A shortcut ---
def scan(x: Tensor) -> Tensor:
    """A copy of x uint8 [N, C, S, S] with a dotted line along the lower edge."""
    x = x.clone()
    x[:, :, -1, 0::4] = 255
    x[:, :, -1, 2::4] = 0
    return x
