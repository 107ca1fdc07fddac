"""`scenes` under control: draw the factors of scenes, change one and leave the others as they are, and render both."""

import torch
from torch import Tensor

from sslkit.datasets.emoji import pack
from sslkit.datasets.factors import SIDE, SIZE, TILT, between, emoji_of, place
from sslkit.datasets.scenes import BACKGROUNDS, CHUNK, backgrounds, draw, members

FACTORS = ("kind", "emoji", "place", "size", "tilt", "hue", "background", "background hue")
PARTS = {"kind": ("kind", "emoji"), "place": ("x", "y")}  # of any other factor: itself
SLIDES = ("place", "size", "tilt", "hue", "background hue")


def sample(n: int, generator: torch.Generator) -> dict[str, Tensor]:
    """The factors of n scenes, each a tensor [n], drawn as `scenes` draws them: kind and emoji (rows of the pack), x, y
    and size in pixels, tilt in degrees, hue and background hue in turns, background (an index into BACKGROUNDS)."""
    kind = torch.randint(len(members()), (n,), generator=generator)
    size = between(n, generator, *SIZE)
    return {
        "kind": kind,
        "emoji": emoji_of(kind, list(members().values()), generator),
        "x": place(size, generator),
        "y": place(size, generator),
        "size": size,
        "tilt": between(n, generator, *TILT),
        "hue": between(n, generator),
        "background": torch.randint(len(BACKGROUNDS), (n,), generator=generator),
        "background hue": between(n, generator),
    }


def redraw(scenes: dict[str, Tensor], factor: str, generator: torch.Generator) -> dict[str, Tensor]:
    """The same scenes with one of FACTORS drawn anew, independently of what it was, the others as they were.

    A new kind brings a new emoji; emoji: another of the kind. A new place lies where the size leaves room, and a new
    size is one that has room at the place.
    """
    check_factor(factor, FACTORS)
    n = len(scenes["kind"])
    if factor == "emoji":
        return scenes | {"emoji": emoji_of(scenes["kind"], list(members().values()), generator)}
    if factor == "place":
        return scenes | {axis: place(scenes["size"], generator) for axis in "xy"}
    if factor == "size":
        off = torch.maximum((scenes["x"] - SIDE / 2).abs(), (scenes["y"] - SIDE / 2).abs())
        most = ((SIDE - 2 * off) / 0.9).clamp(*SIZE)
        return scenes | {"size": SIZE[0] + torch.rand(n, generator=generator) * (most - SIZE[0])}
    fresh = sample(n, generator)
    return scenes | {part: fresh[part] for part in PARTS.get(factor, (factor,))}


def slide(scenes: dict[str, Tensor], factor: str, at: float) -> dict[str, Tensor]:
    """The same scenes with one of SLIDES set for all: at = 0 is the start of its range, 1 the end.

    place: from the left edge to the right; size: from the smallest to the largest, in the middle; tilt: from clockwise
    to counter-clockwise; hue and background hue: from what they are to half a turn further.
    """
    check_factor(factor, SLIDES)
    middle = torch.full_like(scenes["size"], SIDE / 2)
    if factor == "place":
        return scenes | {"x": middle + (SIDE - 0.9 * scenes["size"]) / 2 * (2 * at - 1), "y": middle}
    if factor in ("size", "tilt"):
        low, high = SIZE if factor == "size" else TILT
        moved = {factor: torch.full_like(middle, low + at * (high - low))}
        return scenes | moved | ({"x": middle, "y": middle} if factor == "size" else {})
    return scenes | {factor: (scenes[factor] + at / 2) % 1}


def render(scenes: dict[str, Tensor], seed: int = 0, artist: str = "google") -> Tensor:
    """Images uint8 [n, 3, 32, 32]. seed draws what the factors leave open, the pattern of each background: the same for
    the same seed and n."""
    generator = torch.Generator().manual_seed(seed)
    ground = backgrounds(scenes["background"], scenes["background hue"], generator)
    rgba = pack().rgba[artist]
    chunks = torch.arange(len(ground)).split(CHUNK)
    named = [scenes[key] for key in ("x", "y", "size", "tilt", "hue")]
    return torch.cat([draw(rgba[scenes["emoji"][c]], ground[c], *(values[c] for values in named)) for c in chunks])


def scene_pairs(n: int, seed: int = 0, factors: tuple[str, ...] = FACTORS) -> tuple[Tensor, dict[str, Tensor]]:
    """n scenes uint8 [n, 3, 32, 32], and {factor: the same scenes with this factor alone drawn anew}. Rows belong
    together. The same n and seed give the same images."""
    generator = torch.Generator().manual_seed(seed)
    scenes = sample(n, generator)
    return render(scenes, seed), {factor: render(redraw(scenes, factor, generator), seed) for factor in factors}


def check_factor(factor: str, known: tuple[str, ...]) -> None:
    """ValueError, with the known ones, for any other."""
    if factor not in known:
        raise ValueError(f"no factor {factor!r}; there are {', '.join(known)}")
