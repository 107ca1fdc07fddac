# Generated from notebooks/17_mae.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 17 · MAE: hide most of it, fill it in ---
import math

import torch
from torch import Tensor, nn

from sslkit.nets import at_least_float32
from sslkit.train import Recipe
from sslkit.transformer import Block, ViT, sincos, start_linear
from sslkit.views import RandomResizedCrop


# --- Exercise: From an image to a sequence ---
def patchify(x: Tensor, size: int) -> Tensor:
    """Images [N, C, H, W] cut into squares: [N, L, C * size * size], L = (H / size)(W / size).

    Squares go row by row; the numbers of one are ordered as in an image: channel, row, column
    (MAE's own code puts channels last). size must divide H and W.
    """
    N, C, H, W = x.shape
    x = x.reshape(N, C, H // size, size, W // size, size)  # [N, C, rows, size, columns, size]
    return x.permute(0, 2, 4, 1, 3, 5).reshape(N, -1, C * size * size)


# --- And back ---
def unpatchify(patches: Tensor, size: int, grid: tuple[int, int] | None = None) -> Tensor:
    """The inverse of patchify: [N, L, C * size * size] to [N, C, H, W].

    grid: rows and columns of patches; None for a square image.
    """
    rows, columns = grid or (math.isqrt(patches.shape[1]),) * 2
    x = patches.reshape(len(patches), rows, columns, -1, size, size)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), -1, rows * size, columns * size)


# --- Exercise: Random masking ---
def visible_patches(noise: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """Which patches stay visible, and the mask that says so.

    noise: [N, L], a random number for each patch; ratio: the share to hide. Returns visible,
    int64 [N, K], the numbers of the K = round(L * (1 - ratio)) patches of least noise, least
    first; mask, bool [N, L], True = hidden. Source: He et al. 2022, section 3.
    """
    visible = noise.argsort(dim=1)[:, : round(noise.shape[1] * (1 - ratio))]
    return visible, torch.ones_like(noise, dtype=torch.bool).scatter(1, visible, False)


# --- Exercise: Put the tokens back ---
def put_back(tokens: Tensor, visible: Tensor, mask_token: Tensor, L: int) -> Tensor:
    """A token for every place: the visible ones where they belong, else the mask token.

    tokens: [N, K, D]; visible: int64 [N, K], tokens[n, k] belongs to place visible[n, k] of
    0 .. L - 1; mask_token: [D]. Returns [N, L, D] with a gradient.
    """
    everywhere = mask_token.to(tokens.dtype).expand(len(tokens), L, -1)
    return everywhere.scatter(1, visible[:, :, None].expand_as(tokens), tokens)


# --- Exercise: Put the tokens back ---
class Decoder(nn.Module):
    """From the encoder's tokens of the visible patches to the numbers of all patches.

    width: of the encoder's tokens; numbers: in a patch; dim and depth: its own width and blocks,
    kept small since it sees all places and is thrown away. Source: He et al. 2022, section 3.
    """

    def __init__(self, width: int, numbers: int, dim: int, depth: int, heads: int = 2):
        super().__init__()
        self.enter = nn.Linear(width, dim)
        self.mask_token = nn.Parameter(torch.empty(1, 1, dim))
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.leave = nn.Linear(dim, numbers)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fresh weights, like those of the ViT."""
        start_linear(self)
        nn.init.normal_(self.leave.weight, std=0.02)  # small first guesses: errors near chance
        nn.init.normal_(self.mask_token, std=0.02)

    def positions(self, grid: tuple[int, int], like: Tensor) -> Tensor:
        """[L, dim] for rows and columns of patches."""
        return sincos(grid, like.shape[-1], like.device)

    def forward(self, tokens: Tensor, visible: Tensor, grid: tuple[int, int]) -> Tensor:
        """tokens [N, K, width] of the visible patches [N, K] to all patches [N, L, numbers]."""
        tokens = put_back(self.enter(tokens), visible, self.mask_token[0, 0], grid[0] * grid[1])
        tokens = self.blocks(tokens + self.positions(grid, tokens))
        return self.leave(self.norm(tokens))


# --- Exercise: The loss ---
def hidden_mse(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error over the numbers of the hidden patches.

    prediction, target: [N, L, D]; mask: bool [N, L], True = hidden, at least one. Returns one
    number with a gradient. Source: He et al. 2022, section 3.
    """
    error = (prediction - target).square().mean(dim=2)
    return (error * mask).sum() / mask.sum()


# --- Exercise: The loss ---
def normalise(patches: Tensor) -> Tensor:
    """Each patch [..., D] with mean 0 and mean square 1 of its own; a flat one becomes zeros."""
    patches = patches - patches.mean(dim=-1, keepdim=True)
    return patches * (patches.square().mean(dim=-1, keepdim=True) + 1e-6).rsqrt()


def mae_loss(prediction: Tensor, target: Tensor, mask: Tensor, normalised: bool) -> Tensor:
    """hidden_mse, in float32 (float64 stays), of patches as they are or of normalised ones.

    The paper's code divides by the sample variance (D - 1), its text only says standard
    deviation; here it is that of all D numbers, so that a patch's squares have mean 1.
    """
    prediction, target = at_least_float32(prediction), at_least_float32(target)
    return hidden_mse(prediction, normalise(target) if normalised else target, mask)


# --- Encoder, decoder, method ---
class MAE(nn.Module):
    """Paint the hidden patches of an image from the visible ones.

    encoder: a ViT, which is what is kept; ratio: the share hidden, between 0 and 1; normalised:
    see mae_loss; crop: the least share of an image's area in its random crop.
    Source: He et al. 2022; here the feature is the mean over patches, not a class token.
    """

    def __init__(
        self,
        encoder: ViT,
        ratio: float = 0.75,
        decoder_dim: int = 64,
        decoder_depth: int = 1,
        normalised: bool = True,
        crop: float = 0.5,
    ):
        super().__init__()
        if not isinstance(encoder, ViT):
            kind = type(encoder).__name__
            raise ValueError(f"MAE leaves patches out, which takes a ViT ('vit'), not a {kind}")
        self.encoder, self.ratio, self.normalised = encoder, ratio, normalised
        numbers = encoder.embed.weight[0].numel()
        self.decoder = Decoder(encoder.dim, numbers, decoder_dim, decoder_depth)
        self.view = RandomResizedCrop((crop, 1.0))

    def grid(self, x: Tensor) -> tuple[int, int]:
        """Rows and columns of patches."""
        return x.shape[2] // self.encoder.patch, x.shape[3] // self.encoder.patch

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Images, uint8 or float, to crops, visible patches [N, K] and the mask [N, L]."""
        x = self.view(x, generator)
        L = math.prod(self.grid(x))
        if not 1 <= round(L * (1 - self.ratio)) < L:
            raise ValueError(f"to hide {self.ratio} of {L} patches leaves none, or all, visible")
        noise = torch.rand(len(x), L, generator=generator, device=x.device)
        return x, *visible_patches(noise, self.ratio)

    def paint(self, x: Tensor, visible: Tensor) -> Tensor:
        """All patches [N, L, D] of images x in [0, 1], from the visible [N, K] alone."""
        tokens = self.encoder.mix(self.encoder.tokens(x, visible))
        tokens = tokens[:, -visible.shape[1] :]  # without a class token
        return self.decoder(tokens, visible, self.grid(x))

    def forward(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """A task to (loss, extras): prediction [N, L, D], mask [N, L]."""
        x, visible, mask = batch
        prediction = self.paint(x, visible)
        loss = mae_loss(prediction, patchify(x, self.encoder.patch), mask, self.normalised)
        return loss, {"prediction": prediction.detach(), "mask": mask}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D], nothing hidden."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of answering 0, a patch's mean: 1. Raw: of mid-grey, 1/12."""
        return 1.0 if self.normalised else 1 / 12


# --- Encoder, decoder, method ---
METHOD = MAE
RECIPES = {
    "laptop": Recipe(
        steps=1500,
        lr=2e-3,
        batch=64,
        encoder="vit",
        optimizer="adamw",
        weight_decay=0.05,
        options={"crop": 0.3},
    ),
    # the paper's learning rate (1.5e-4 for each 256 images of a batch, times 4 for a network
    # this small), 400 epochs of CIFAR-10
    "gpu": Recipe(
        steps=39_000,
        lr=1.2e-3,
        batch=512,
        encoder="vit_tiny",
        optimizer="adamw",
        weight_decay=0.05,
        options={"decoder_dim": 96, "decoder_depth": 2, "crop": 0.2},
    ),
}


# --- Three tricks to beat ---
def mean_colour(patches: Tensor, visible: Tensor, channels: int = 3) -> Tensor:
    """Every patch [N, L, C * size * size] in the mean colour of the image's visible ones."""
    seen = patches.gather(1, visible[:, :, None].expand(-1, -1, patches.shape[2]))
    colour = seen.unflatten(2, (channels, -1)).mean(dim=(1, 3))  # [N, C]
    colour = colour.repeat_interleave(patches.shape[2] // channels, dim=1)
    return colour[:, None].expand_as(patches)


def copy_nearest(patches: Tensor, visible: Tensor, grid: tuple[int, int]) -> Tensor:
    """Every patch is a copy of the nearest visible one (of the first, if several are)."""
    rows, columns = (torch.arange(n, device=patches.device).double() for n in grid)
    places = torch.cartesian_prod(rows, columns)  # [L, 2]
    distance = torch.cdist(places[None], places[visible])  # [N, L, K]
    nearest = visible.gather(1, distance.argmin(dim=2))  # [N, L]
    return patches.gather(1, nearest[:, :, None].expand_as(patches))
