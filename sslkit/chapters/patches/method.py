# Generated from notebooks/04_patches.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 3 Build it ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.nets import at_least_float32
from sslkit.train import Recipe
from sslkit.views import GREY, to_float


def cut_patches(x: Tensor, corner: Tensor, size: int) -> Tensor:
    """One square out of each image, each from its own place.

    x: images [M, C, H, W] of any type; corner: int64 [M, 2], row and column of the upper left pixel; all patches lie
    inside. Returns [M, C, size, size] like x.
    """
    M, C, H, W = x.shape
    if corner.shape != (M, 2) or corner.is_floating_point() or not 0 < size <= min(H, W):
        got = f"{corner.dtype} {list(corner.shape)} and {size}"
        raise ValueError(f"cut_patches needs corners int64 [{M}, 2] and a size up to {min(H, W)}, got {got}")
    along = torch.arange(size, device=x.device)
    row, column = corner[:, :1] + along, corner[:, 1:] + along  # [M, size]
    pixel = (row[:, :, None] * W + column[:, None, :]).flatten(1)  # [M, size * size]
    return x.flatten(2).gather(2, pixel[:, None].expand(-1, C, -1)).unflatten(2, (size, size))


# --- 3 Build it ---
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))  # down, across; reading order


def whole_numbers(low: int, high: int, shape: tuple, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """int64, uniform in low .. high, both included, on the device of `like`."""
    return torch.randint(low, high + 1, shape, device=like.device, generator=generator)


def pair_corners(
    number: Tensor, height: int, width: int, size: int, gap: int, jitter: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Corners of two patches, int64 [M, 2] each (row, column): the second is neighbour number[m] of the first.

    The first lies anywhere where all eight neighbours fit; the second is moved by up to `jitter` pixels in both directions. number:
    int64 [M], 0 .. 7; the other lengths in pixels. ValueError where the image is too small. Source: Doersch et al. 2015, section 3.
    """
    reach = size + gap + jitter
    if min(size, gap + 1, jitter + 1) < 1 or min(height, width) < size + 2 * reach:
        raise ValueError(
            f"patches of {size} pixels, gap {gap}, jitter {jitter} need images of {size + 2 * reach} pixels, got {height} x {width}"
        )
    M = len(number)
    first = [whole_numbers(reach, side - size - reach, (M,), number, generator) for side in (height, width)]
    first = torch.stack(first, dim=1)
    away = torch.tensor(NEIGHBOURS, device=number.device)[number] * (size + gap)
    return first, first + away + whole_numbers(-jitter, jitter, (M, 2), number, generator)


# --- 3 Build it ---
def drop_colour(patches: Tensor, generator: torch.Generator | None) -> Tensor:
    """One random channel of each patch is kept; the others become noise about 1/2, of a hundredth of its spread.

    patches: float [M, 3, S, S] in [0, 1], or grey ones [M, 1, S, S], which stay. Source: Doersch et al. 2015, section 3.1.
    """
    if patches.shape[1] == 1:
        return patches
    kept = whole_numbers(0, 2, (len(patches), 1, 1, 1), patches, generator)
    channel = torch.arange(3, device=patches.device)[:, None, None]
    spread = (patches * (channel == kept)).sum(1, keepdim=True).std((1, 2, 3), keepdim=True)
    noise = torch.randn(patches.shape, device=patches.device, generator=generator)
    return torch.where(channel == kept, patches, 0.5 + noise * spread / 100)


def grey(patches: Tensor, generator: torch.Generator | None) -> Tensor:
    """All three channels show the brightness. patches: float [M, 3, S, S], or grey ones [M, 1, S, S], which stay."""
    if patches.shape[1] == 1:
        return patches
    return (patches * patches.new_tensor(GREY)[:, None, None]).sum(1, keepdim=True).expand_as(patches)


def keep(patches: Tensor, generator: torch.Generator | None) -> Tensor:
    """Patches as they are."""
    return patches


COLOURS = {"keep": keep, "grey": grey, "drop": drop_colour}


# --- 3 Build it ---
def relative_position_loss(logits: Tensor, number: Tensor) -> Tensor:
    """Minus the log-probability of the true place, mean over all pairs.

    logits [M, 8]; number int64 [M], 0 .. 7. In float32 (float64 stays). Source: Doersch et al. 2015, section 3.
    """
    return F.cross_entropy(at_least_float32(logits), number)


# --- Exercise: One logit, two answers ---
def same_image_loss(logits: Tensor, same: Tensor) -> Tensor:
    """Minus the log-probability of the truth, mean over all pairs; sigmoid(logit) is that of "the same image".

    logits [M]; same int64 [M], 1 for one image and 0 for two. In float32 (float64 stays).
    """
    logits = at_least_float32(logits)
    return F.binary_cross_entropy_with_logits(logits, same.to(logits.dtype))


# --- Exercise: One logit, two answers ---
class Patches(nn.Module):
    """Two patches through one encoder; a small head on both features says where the second lies, or whether both are of one image.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept. task: "where" or "same". size, gap, jitter:
    see pair_corners, in pixels. colour: "keep", "grey" or "drop", for each patch alone. pairs: of each image in a batch; enlarge:
    pixels of a patch's side for the encoder. Source: Doersch et al. 2015 for "where".
    """

    def __init__(
        self,
        encoder: nn.Module,
        task: str = "where",
        size: int = 8,
        gap: int = 2,
        jitter: int = 1,
        colour: str = "keep",
        pairs: int = 2,
        enlarge: int = 16,
        hidden: int = 256,
    ):
        super().__init__()
        if task not in ("where", "same") or colour not in COLOURS or pairs < 1:
            raise ValueError(
                f"no task {task!r} (where, same), colour {colour!r} (keep, grey, drop) or {pairs} pairs an image"
            )
        self.encoder = encoder
        self.head = nn.Sequential(
            nn.Linear(2 * encoder.dim, hidden), nn.ReLU(), nn.Linear(hidden, 8 if task == "where" else 1)
        )
        self.task, self.size, self.gap, self.jitter, self.pairs, self.enlarge = task, size, gap, jitter, pairs, enlarge
        self.colour = colour

    def patches(self, x: Tensor, corner: Tensor) -> Tensor:
        """Cut out of images [M, C, H, W] at corners [M, 2], as the encoder eats them: float [M, C, enlarge, enlarge]."""
        cut = to_float(cut_patches(x, corner, self.size)).contiguous(memory_format=torch.channels_last)  # half the time
        return F.interpolate(cut, size=self.enlarge, mode="bilinear", align_corners=False)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Images [N, C, H, W], uint8 or float, to M = pairs * N first patches, second patches and labels int64 [M]."""
        N = len(x)
        image = torch.arange(N, device=x.device).repeat(self.pairs)
        number = whole_numbers(0, 7, image.shape, x, generator)
        first, second = pair_corners(number, *x.shape[2:], self.size, self.gap, self.jitter, generator)
        if self.task == "where":
            other, label = image, number
        else:  # of neighbouring images in the batch one has a pair of its own, and the next a pair of two images
            label = (image + torch.arange(len(image), device=x.device) // N) % 2
            other = (image + 1 - label) % N
        both = torch.cat([self.patches(x[image], first), self.patches(x[other], second)])
        return *COLOURS[self.colour](both, generator).chunk(2), label

    def logits(self, first: Tensor, second: Tensor) -> Tensor:
        """What the head says to pairs of patches [M, C, S, S]: [M, 8] for "where", [M] for "same"."""
        h1, h2 = self.encoder(torch.cat([first, second])).chunk(2)
        return self.head(torch.cat([h1, h2], dim=1)).squeeze(1)

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """First and second patches and labels to (loss, extras): logits, labels."""
        first, second, label = batch
        logits = self.logits(first, second)
        loss = relative_position_loss if self.task == "where" else same_image_loss
        return loss(logits, label), {"logits": logits.detach(), "labels": label}

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that finds all answers equally likely, whatever the batch."""
        return math.log(8 if self.task == "where" else 2)


# --- Exercise: One logit, two answers ---
METHOD = Patches
PASSES = 4  # two pairs of patches, each enlarged to a quarter of an image
RECIPES = {
    "laptop": Recipe(steps=800, lr=2e-3, batch=128, encoder="small", optimizer="adamw", weight_decay=0.01),
    # 200 epochs of CIFAR-10, 195 steps each; patches of 16 pixels are a quarter of a 32-pixel image's work
    "gpu": Recipe(steps=39_000, lr=0.1, batch=256, encoder="resnet18", optimizer="sgd"),
}


# --- Colours that give the place away ---
def colour_cast(x: Tensor, strength: float = 0.3) -> Tensor:
    """A copy of x uint8 [N, 3, H, W] with red times 1 - strength (left) to 1 + strength (right), blue alike from top to bottom."""
    down, across = (torch.linspace(1 - strength, 1 + strength, side, device=x.device) for side in x.shape[2:])
    red, green, blue = x.float().unbind(1)
    return torch.stack([red * across, green, blue * down[:, None]], dim=1).round().clamp(0, 255).to(torch.uint8)
