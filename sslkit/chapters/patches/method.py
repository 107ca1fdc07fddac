# Generated from notebooks/04_patches.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 04 · Patches: two pieces of one picture ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.nets import at_least_float32
from sslkit.train import Recipe
from sslkit.views import GREY, to_float


# --- Exercise: Where does neighbour k lie? ---
def neighbour_offset(k: Tensor, size: int, gap: int) -> Tensor:
    """How far the corner of neighbour k lies from the corner of the first patch, in pixels.

    k: int64 [N] in 0 .. 7, the neighbours in reading order: 0 is upper left, 1 above, 2 upper
    right, 3 left, 4 right, ... 7 lower right. size: pixels of a patch's side; gap: pixels between
    two neighbours. Returns int64 [N, 2]: (down, across); up and left are negative.
    """
    place = k + (k >= 4)  # of a 3 x 3 grid; its middle, 4, is the first patch itself
    return torch.stack([place // 3 - 1, place % 3 - 1], dim=1) * (size + gap)


# --- Exercise: Where does neighbour k lie? ---
def whole_numbers(
    low: int,
    high: int,
    shape: tuple,
    like: Tensor,
    generator: torch.Generator | None,
) -> Tensor:
    """int64, uniform in low .. high, both included, on the device of `like`."""
    return torch.randint(low, high + 1, shape, device=like.device, generator=generator)


def pair_corners(
    number: Tensor,
    height: int,
    width: int,
    size: int,
    gap: int,
    jitter: int,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor]:
    """Corners of two patches, int64 [M, 2] each (row, column): the second is neighbour number[m].

    The first lies anywhere where all eight neighbours fit; the second is moved by up to `jitter`
    pixels in both directions. number: int64 [M], 0 .. 7; the other lengths in pixels. ValueError
    where the image is too small. Source: Doersch et al. 2015, section 3.
    """
    reach = size + gap + jitter
    if min(size, gap + 1, jitter + 1) < 1 or min(height, width) < size + 2 * reach:
        wanted = f"patches of {size} pixels, gap {gap}, jitter {jitter}"
        needed = f"need images of {size + 2 * reach} pixels, got {height} x {width}"
        raise ValueError(f"{wanted} {needed}")
    shape, first = (len(number),), []
    for side in (height, width):
        first.append(whole_numbers(reach, side - size - reach, shape, number, generator))
    first = torch.stack(first, dim=1)
    moved = whole_numbers(-jitter, jitter, (len(number), 2), number, generator)
    return first, first + neighbour_offset(number, size, gap) + moved


def check_corners(x: Tensor, corner: Tensor, size: int) -> None:
    """ValueError unless corner is int64 [M, 2] and patches of `size` fit into x [M, C, H, W]."""
    M, _, H, W = x.shape
    if corner.shape != (M, 2) or corner.is_floating_point() or not 0 < size <= min(H, W):
        wanted = f"corners int64 [{M}, 2] and a size up to {min(H, W)}"
        got = f"{corner.dtype} {list(corner.shape)} and {size}"
        raise ValueError(f"cut_patches needs {wanted}, got {got}")


# --- Exercise: Cut a patch out of each image ---
def cut_patches(x: Tensor, corner: Tensor, size: int) -> Tensor:
    """One square out of each image, each from its own place.

    x: images [M, C, H, W] of any type; corner: int64 [M, 2], row and column of the upper left
    pixel; all patches lie inside. Returns [M, C, size, size] like x.
    """
    check_corners(x, corner, size)
    M, C, H, W = x.shape
    along = torch.arange(size, device=x.device)
    row, column = corner[:, :1] + along, corner[:, 1:] + along  # [M, size]
    pixel = (row[:, :, None] * W + column[:, None, :]).flatten(1)  # [M, size * size]
    cut = x.flatten(2).gather(2, pixel[:, None].expand(-1, C, -1))
    return cut.unflatten(2, (size, size))


# --- Colour ---
def drop_colour(patches: Tensor, generator: torch.Generator | None) -> Tensor:
    """One random channel of each patch is kept; the others become noise about 1/2.

    patches: float [M, 3, S, S] in [0, 1], or grey ones [M, 1, S, S], which stay. The noise has a
    hundredth of the kept channel's spread. Source: Doersch et al. 2015, section 3.1.
    """
    if patches.shape[1] == 1:
        return patches
    kept = whole_numbers(0, 2, (len(patches), 1, 1, 1), patches, generator)
    channel = torch.arange(3, device=patches.device)[:, None, None]
    spread = (patches * (channel == kept)).sum(1, keepdim=True).std((1, 2, 3), keepdim=True)
    noise = torch.randn(patches.shape, device=patches.device, generator=generator)
    return torch.where(channel == kept, patches, 0.5 + noise * spread / 100)


def grey(patches: Tensor, generator: torch.Generator | None) -> Tensor:
    """All three channels show the brightness. patches: float [M, 3, S, S]; [M, 1, S, S] stay."""
    if patches.shape[1] == 1:
        return patches
    weights = patches.new_tensor(GREY)[:, None, None]
    return (patches * weights).sum(1, keepdim=True).expand_as(patches)


def keep(patches: Tensor, generator: torch.Generator | None) -> Tensor:
    """Patches as they are."""
    return patches


COLOURS = {"keep": keep, "grey": grey, "drop": drop_colour}


# --- Two questions, two losses ---
def relative_position_loss(logits: Tensor, number: Tensor) -> Tensor:
    """Minus the log-probability of the true place, mean over all pairs.

    logits [M, 8]; number int64 [M], 0 .. 7. In float32 (float64 stays).
    Source: Doersch et al. 2015, section 3.
    """
    return F.cross_entropy(at_least_float32(logits), number)


# --- Exercise: One logit, two answers ---
def same_image_loss(logits: Tensor, same: Tensor) -> Tensor:
    """Minus the log-probability of the truth, mean over all pairs.

    logits [M]: their sigmoid is the probability of "the same image"; same int64 [M], 1 for one
    image and 0 for two. In float32 (float64 stays).
    """
    logits = at_least_float32(logits)
    return F.binary_cross_entropy_with_logits(logits, same.to(logits.dtype))


# --- The network ---
class Patches(nn.Module):
    """Where does the second patch lie? Or: are both of one image? A head on both features answers.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept. task:
    "where" or "same". size, gap, jitter: see pair_corners, in pixels. colour: "keep", "grey" or
    "drop", for each patch alone. pairs: of each image in a batch. enlarge: pixels of a patch's side
    for the encoder; None: as it was cut. Source: Doersch et al. 2015 for "where".
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
        enlarge: int | None = None,
        hidden: int = 256,
    ):
        super().__init__()
        if task not in ("where", "same") or colour not in COLOURS or pairs < 1:
            wanted = "task (where, same), colour (keep, grey, drop), 1 or more pairs"
            raise ValueError(f"Patches knows {wanted}; got {task!r}, {colour!r}, {pairs}")
        self.encoder = encoder
        self.head = nn.Sequential(
            nn.Linear(2 * encoder.dim, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 8 if task == "where" else 1),
        )
        self.task, self.size, self.gap, self.jitter = task, size, gap, jitter
        self.colour, self.pairs, self.enlarge = colour, pairs, enlarge

    def patches(self, x: Tensor, corner: Tensor) -> Tensor:
        """Cut out of images [M, C, H, W] at corners [M, 2], as the encoder sees them: float."""
        cut = to_float(cut_patches(x, corner, self.size))
        cut = cut.contiguous(memory_format=torch.channels_last)
        if self.enlarge is None:
            return cut
        return F.interpolate(cut, size=self.enlarge, mode="bilinear", align_corners=False)

    def pretext(
        self,
        x: Tensor,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Images [N, C, H, W] to M = pairs * N first patches, second patches, labels int64 [M]."""
        N = len(x)
        image = torch.arange(N, device=x.device).repeat(self.pairs)
        number = whole_numbers(0, 7, image.shape, x, generator)
        lengths = self.size, self.gap, self.jitter
        first, second = pair_corners(number, *x.shape[2:], *lengths, generator)
        if self.task == "where":
            other, label = image, number
        else:  # pairs of one image and of two take turns, over the batch and over an image's pairs
            label = (image + torch.arange(len(image), device=x.device) // N) % 2
            other = (image + 1 - label) % N
        both = torch.cat([self.patches(x[image], first), self.patches(x[other], second)])
        return *COLOURS[self.colour](both, generator).chunk(2), label

    def logits(self, first: Tensor, second: Tensor) -> Tensor:
        """What the head says to pairs of patches: [M, 8] for "where", [M] for "same"."""
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


# --- The network ---
METHOD = Patches
PASSES = 4  # two pairs of patches, each a quarter of an image once enlarged
LAPTOP = Recipe(
    steps=400,
    lr=0.02,
    batch=128,
    encoder="fine7",
    optimizer="muon",
    weight_decay=0.0,
    options={"enlarge": 16},
)
RECIPES = {
    "laptop": LAPTOP,
    # SGD; 200 epochs of CIFAR-10, 195 steps each
    "gpu": Recipe(steps=39_000, lr=0.1, batch=256, encoder="resnet18", options=LAPTOP.options),
}


# --- Colours that give the place away ---
def colour_cast(x: Tensor, strength: float = 0.3) -> Tensor:
    """A copy of x uint8 [N, 3, H, W], redder to the right and bluer to the bottom.

    Red is multiplied by 1 - strength (left) to 1 + strength (right), blue alike from top to bottom.
    """
    sides = (torch.linspace(1 - strength, 1 + strength, n, device=x.device) for n in x.shape[2:])
    down, across = sides
    red, green, blue = x.float().unbind(1)
    cast = torch.stack([red * across, green, blue * down[:, None]], dim=1)
    return cast.round().clamp(0, 255).to(torch.uint8)
