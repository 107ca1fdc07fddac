# Generated from notebooks/17_mae.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 2 Look at the data and the pretext ---
import math

import torch
from torch import Tensor, nn

from sslkit.nets import at_least_float32
from sslkit.train import Recipe
from sslkit.transformer import Block, ViT, sincos, start_linear
from sslkit.views import RandomResizedCrop


# --- Exercise: From an image to a sequence ---
def patchify(x: Tensor, size: int) -> Tensor:
    """Images [N, C, H, W] cut into squares: [N, L, C * size * size] with L = (H / size)(W / size), row by row.

    The numbers of one square are ordered as in an image: channel, row, column (MAE's own code puts channels
    last). ValueError unless size divides H and W.
    """
    if x.ndim != 4 or size < 1 or x.shape[2] % size or x.shape[3] % size:
        raise ValueError(f"squares of {size} x {size} do not fill images of shape {list(x.shape)} ([N, C, H, W])")
    N, C, H, W = x.shape
    x = x.reshape(N, C, H // size, size, W // size, size)  # [N, C, rows, size, columns, size]
    return x.permute(0, 2, 4, 1, 3, 5).reshape(N, -1, C * size * size)


# --- Exercise: From an image to a sequence ---
def unpatchify(patches: Tensor, size: int, grid: tuple[int, int] | None = None) -> Tensor:
    """The inverse of patchify: [N, L, C * size * size] to [N, C, H, W].

    grid: rows and columns of patches; None for a square image. ValueError where the numbers do not fit.
    """
    if patches.ndim != 3 or size < 1 or patches.shape[2] % size**2:
        raise ValueError(f"patches must be [N, L, C * {size} * {size}], got {list(patches.shape)}")
    N, L, width = patches.shape
    rows, columns = grid or (math.isqrt(L), math.isqrt(L))
    if rows * columns != L:
        raise ValueError(f"{L} patches do not fill a grid of {rows} x {columns}: give grid=(rows, columns)")
    x = patches.reshape(N, rows, columns, width // size**2, size, size)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(N, -1, rows * size, columns * size)


# --- Exercise: From an image to a sequence ---
def random_masking(
    N: int, L: int, ratio: float, generator: torch.Generator | None = None, device: torch.device | None = None
) -> Tensor:
    """For each of N images the numbers of the patches that stay visible, in random order: int64 [N, K].

    K = round(L (1 - ratio)). One generator state draws the same order for every ratio, so a higher ratio hides
    more of the same. ValueError unless at least one patch stays. Source: He et al. 2022, section 3.
    """
    keep = round(L * (1 - ratio))
    if not 1 <= keep <= L:
        raise ValueError(f"a mask ratio of {ratio} leaves {keep} of {L} patches visible; at least one, at most all")
    return torch.rand(N, L, generator=generator, device=device).argsort(dim=1)[:, :keep]


def hidden_patches(visible: Tensor, L: int) -> Tensor:
    """The mask that belongs to the visible patches [N, K]: bool [N, L], True = hidden."""
    return torch.ones(len(visible), L, dtype=torch.bool, device=visible.device).scatter(1, visible, False)


# --- A light decoder ---
class Decoder(nn.Module):
    """From the encoder's tokens of the visible patches to the numbers of all patches.

    width: of the encoder's tokens; numbers: in a patch; dim and depth: its own width and blocks, kept small
    since it sees all places and is thrown away. Source: He et al. 2022, section 3.
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
        nn.init.normal_(self.leave.weight, std=0.02)  # the first guesses are small: errors start near chance level
        nn.init.normal_(self.mask_token, std=0.02)

    def positions(self, grid: tuple[int, int], like: Tensor) -> Tensor:
        """[L, dim] for rows and columns of patches."""
        return sincos(grid, like.shape[-1], like.device)

    def forward(self, tokens: Tensor, visible: Tensor, grid: tuple[int, int]) -> Tensor:
        """tokens [N, K, width] of the patches visible [N, K] to all patches [N, rows * columns, numbers]."""
        tokens = self.enter(tokens)
        everywhere = self.mask_token.to(tokens.dtype).expand(len(tokens), grid[0] * grid[1], -1)
        tokens = everywhere.scatter(1, visible[:, :, None].expand_as(tokens), tokens)
        return self.leave(self.norm(self.blocks(tokens + self.positions(grid, tokens))))


# --- The loss ---
def normalise(patches: Tensor) -> Tensor:
    """Each patch [..., D] by its own mean and standard deviation; a patch of one colour value becomes zeros."""
    patches = patches - patches.mean(dim=-1, keepdim=True)
    return patches * (patches.square().mean(dim=-1, keepdim=True) + 1e-6).rsqrt()


def mae_loss(prediction: Tensor, target: Tensor, mask: Tensor, normalised: bool) -> Tensor:
    """Mean squared error over the numbers of the hidden patches.

    prediction, target: patches [N, L, D]; mask: bool [N, L], True = hidden; normalised: compare with `normalise` of the
    target. Returns a scalar, computed in float32 (float64 stays float64); 0 if nothing is hidden.
    Source: He et al. 2022, section 3. Its code divides by the sample variance (D - 1), the text only says standard
    deviation; here it is that of all D numbers, so that a patch's squares have mean 1.
    """
    if prediction.shape != target.shape or mask.shape != target.shape[:2] or mask.dtype != torch.bool:
        shapes = f"{list(prediction.shape)}, {list(target.shape)} and {mask.dtype} {list(mask.shape)}"
        raise ValueError(f"mae_loss needs two tensors [N, L, D] and a bool mask [N, L]; got {shapes}")
    prediction, target = (at_least_float32(t) for t in (prediction, target))
    error = (prediction - (normalise(target) if normalised else target)).square().mean(dim=-1)  # [N, L]
    return (error * mask).sum() / mask.sum().clamp(min=1)


# --- What would an ignorant network score? ---
class MAE(nn.Module):
    """Paint the hidden patches of an image from the visible ones.

    encoder: a ViT (sslkit.transformer), which is what is kept; all patches [N, L] go in when it is used, those that
    stay visible when it trains. ratio: the share hidden; 0 hides nothing and takes the loss over all patches, for
    comparison. normalised: see mae_loss. crop: the least share of an image's area in its random crop.
    Source: He et al. 2022; mean over the patches as the feature, where the paper keeps a class token as well.
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
            raise ValueError(f"MAE leaves patches out, which takes a ViT (encoder 'vit' or 'vit_tiny'), not a {kind}")
        self.encoder, self.ratio, self.normalised = encoder, ratio, normalised
        numbers = encoder.embed.weight[0].numel()
        self.decoder = Decoder(encoder.dim, numbers, decoder_dim, decoder_depth)
        self.view = RandomResizedCrop((crop, 1.0))

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W], uint8 or float, to crops of them and the patches that stay visible [N, K]."""
        x = self.view(x, generator)
        L = math.prod(self.grid(x))
        return x, random_masking(len(x), L, self.ratio, generator, x.device)

    def grid(self, x: Tensor) -> tuple[int, int]:
        """Rows and columns of patches."""
        return x.shape[2] // self.encoder.patch, x.shape[3] // self.encoder.patch

    def paint(self, x: Tensor, visible: Tensor) -> Tensor:
        """All patches [N, L, D] of images x [N, C, H, W] in [0, 1], from the visible [N, K] alone."""
        tokens = self.encoder.mix(self.encoder.tokens(x, visible))[:, -visible.shape[1] :]  # without a class token
        return self.decoder(tokens, visible, self.grid(x))

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Crops and visible patches to (loss, extras): prediction [N, L, D], mask [N, L]."""
        x, visible = batch
        prediction = self.paint(x, visible)
        N, L, _ = prediction.shape
        nothing_hidden = visible.shape[1] == L
        mask = visible.new_ones(N, L, dtype=torch.bool) if nothing_hidden else hidden_patches(visible, L)
        loss = mae_loss(prediction, patchify(x, self.encoder.patch), mask, self.normalised)
        return loss, {"prediction": prediction.detach(), "mask": mask}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D], nothing hidden."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of answering 0, a patch's mean: 1 unless patches are flat. Raw: of mid-grey, every brightness
        equally likely: 1/12."""
        return 1.0 if self.normalised else 1 / 12


# --- What would an ignorant network score? ---
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
    # the paper's learning rate (1.5e-4 for each 256 images of a batch, times 4 for a network this small), 400 epochs
    # of CIFAR-10
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


# --- Better than a cheap trick? ---
def mean_colour(patches: Tensor, visible: Tensor, channels: int = 3) -> Tensor:
    """A painter without learning: every patch in the mean colour of the visible ones. [N, L, D], D = C * size * size."""
    seen = patches.gather(1, visible[:, :, None].expand(-1, -1, patches.shape[2]))
    colour = seen.unflatten(2, (channels, -1)).mean(dim=(1, 3))  # [N, C]
    return colour.repeat_interleave(patches.shape[2] // channels, dim=1)[:, None].expand_as(patches)


def copy_nearest(patches: Tensor, visible: Tensor, grid: tuple[int, int]) -> Tensor:
    """A painter without learning: every patch is a copy of the nearest visible one (the first of equals)."""
    at = torch.cartesian_prod(torch.arange(grid[0]), torch.arange(grid[1])).double().to(patches.device)  # [L, 2]
    distance = torch.cdist(at[None], at[visible])  # [N, L, K]
    nearest = visible.gather(1, distance.argmin(dim=2))  # [N, L]
    return patches.gather(1, nearest[:, :, None].expand_as(patches))
