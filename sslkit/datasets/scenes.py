"""`scenes`: generated images of one emoji each, of ten kinds, at a random place, size, tilt and hue, before a random
background.

Every factor behind an image is known, so one can ask a network which of them it kept. The kind is the label.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.datasets.contract import Dataset, Info, Split
from sslkit.datasets.emoji import LICENCE, pack
from sslkit.datasets.factors import (
    SIDE,
    SIZE,
    TILT,
    artwork,
    balanced,
    between,
    check_artist,
    emoji_of,
    laid_on,
    names_of,
    place,
)

KINDS: dict[str, tuple[str, ...]] = {  # kind: subgroups of emoji
    "face": ("face-smiling", "face-affection", "face-tongue", "face-neutral-skeptical", "face-concerned",
             "face-negative", "face-sleepy", "face-unwell", "face-glasses"),
    "hand": ("hand-fingers-open", "hand-fingers-partial", "hand-single-finger", "hand-fingers-closed", "hands"),
    "heart": ("heart",),
    "animal": ("animal-mammal",),
    "fruit": ("food-fruit", "food-vegetable"),
    "vehicle": ("transport-ground",),
    "building": ("place-building", "place-religious"),
    "clock": ("time",),
    "clothing": ("clothing",),
    "flag": ("country-flag",),
}  # fmt: skip
BACKGROUNDS = ("plain", "slope", "glow", "stripes", "checks", "clouds")
ABOUT = f"generated: one emoji of ten kinds on a random background, all factors known, 32 x 32 · {LICENCE}"
CHUNK, AT_ONCE = 1000, 200  # scenes whose backgrounds are drawn together; that are composed together, for memory's sake
INFO = Info("scenes", ABOUT, LICENCE, "generated", 0.0, len(KINDS))


@lru_cache(maxsize=1)
def members() -> dict[str, Tensor]:
    """{kind: rows of the emoji pack}. Of `time` only the clock faces; of `transport-ground` only what drives."""
    p = pack()
    left_out = """bus stop, motorway, railway track, oil drum, fuel pump, wheel,
        police cars revolving light, horizontal traffic light, vertical traffic light, octagonal sign, construction sign"""
    unwanted = {" ".join(name.split()) for name in left_out.split(",")}
    rows: dict[str, Tensor] = {}
    for kind, subgroups in KINDS.items():
        chosen = [i for i, s in enumerate(p.subgroup) if s in subgroups and p.name[i] not in unwanted]
        if kind == "clock":
            chosen = [i for i in chosen if p.name[i].startswith("clock face")]
        rows[kind] = torch.tensor(chosen)
    return rows


def backgrounds(kind: Tensor, hue: Tensor, generator: torch.Generator) -> Tensor:
    """Backgrounds [N, 3, 32, 32] in [0, 1] of kind [N] (an index into BACKGROUNDS) and main hue [N] in turns: a
    pattern in [0, 1] blends between two random colours."""
    n = len(kind)
    draw = torch.rand(n, 8, generator=generator)  # angle, frequency, phase, centre x and y, two lightnesses, hue step
    coarse = torch.rand(n, 1, 5, 5, generator=generator)
    parts = zip(*(part.split(AT_ONCE) for part in (kind, hue, draw, coarse)))
    return torch.cat([paint(*part) for part in parts])


def paint(kind: Tensor, hue: Tensor, draw: Tensor, coarse: Tensor) -> Tensor:
    """Backgrounds from the random numbers that backgrounds drew: draw [N, 8], coarse [N, 1, 5, 5]."""
    draw = draw[..., None, None]
    at = (torch.arange(SIDE) + 0.5) / SIDE
    down, across = torch.meshgrid(at, at, indexing="ij")
    angle = draw[:, 0] * math.tau
    along = (across - 0.5) * angle.cos() + (down - 0.5) * angle.sin()
    crossways = (down - 0.5) * angle.cos() - (across - 0.5) * angle.sin()
    waves = 2 + 3 * draw[:, 1]
    phase = draw[:, 2] * math.tau
    stripes = (along * waves * math.tau + phase).sin()
    distance = ((across - draw[:, 3]) ** 2 + (down - draw[:, 4]) ** 2).sqrt()
    clouds = F.interpolate(coarse, size=SIDE, mode="bicubic", align_corners=False)[:, 0]
    patterns = torch.stack([
        torch.zeros_like(along),
        along + 0.5,
        1 - distance,
        (4 * stripes).clamp(-1, 1) / 2 + 0.5,
        (8 * stripes * (crossways * waves * math.tau).sin()).clamp(-1, 1) / 2 + 0.5,
        clouds,
    ])  # fmt: skip
    mix = patterns[kind, torch.arange(len(kind))].clamp(0, 1)[:, None]
    lightness, step = 0.3 + 0.6 * draw[:, 5, 0, 0], 0.4 * (draw[:, 6, 0, 0] - 0.5)
    low = colour(hue, lightness - step / 2)
    high = colour(hue + 0.35 * (draw[:, 7, 0, 0] - 0.5), lightness + step / 2)
    return low * (1 - mix) + high * mix


def colour(hue: Tensor, lightness: Tensor) -> Tensor:
    """Soft colours [N, 3, 1, 1]: a cosine a third of a turn apart for each of R, G, B, around the lightness."""
    thirds = torch.tensor([0, 1 / 3, 2 / 3])
    reach = 0.35 * torch.minimum(lightness, 1 - lightness) / 0.5 + 0.1
    waves = ((hue[:, None] - thirds) * math.tau).cos()
    return (lightness[:, None] + reach[:, None] * waves).clamp(0, 1)[..., None, None]


def draw(rgba: Tensor, ground: Tensor, x: Tensor, y: Tensor, size: Tensor, tilt: Tensor, hue: Tensor) -> Tensor:
    """Lay emoji rgba uint8 [N, 4, 32, 32] on ground [N, 3, 32, 32]: centre x, y and size [N] in pixels, tilt in
    degrees counter-clockwise, hue in turns. Sampled at four points a pixel and averaged, so that small ones do not
    shimmer. Returns uint8 [N, 3, 32, 32]."""
    angle, zoom = tilt * (math.pi / 180), SIDE / size
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    cx, cy = 2 * x / SIDE - 1, 2 * y / SIDE - 1
    theta = torch.stack([cos, -sin, -cos * cx + sin * cy, sin, cos, -sin * cx - cos * cy], 1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(x), 4, 2 * SIDE, 2 * SIDE], align_corners=False)
    layer = F.avg_pool2d(F.grid_sample(artwork(rgba, hue), grid, align_corners=False), 2)
    return laid_on(ground, layer)


def generate(n: int, seed: int, artist: str = "google") -> Split:
    """n scenes; the same n, seed and artist give the same images. Kinds are equally frequent, and so are the emoji of
    a kind."""
    check_artist(artist)
    generator = torch.Generator().manual_seed(seed)
    rgba, rows = pack().rgba[artist], list(members().values())
    kind = balanced(n, len(rows), generator)
    emoji = emoji_of(kind, rows, generator)
    size, tilt, hue = between(n, generator, *SIZE), between(n, generator, *TILT), between(n, generator)
    x, y = place(size, generator), place(size, generator)
    ground = torch.randint(len(BACKGROUNDS), (n,), generator=generator)
    ground_hue = between(n, generator)
    images = torch.empty(n, 3, SIDE, SIDE, dtype=torch.uint8)
    for c in torch.arange(n).split(CHUNK):  # the draws of the backgrounds depend on it
        grounds = backgrounds(ground[c], ground_hue[c], generator)
        for p, scenery in zip(c.split(AT_ONCE), grounds.split(AT_ONCE)):
            images[p] = draw(rgba[emoji[p]], scenery, x[p], y[p], size[p], tilt[p], hue[p])
    factors = {"kind": kind, "emoji": emoji, "x": x, "y": y}
    factors |= {"size": size, "tilt": tilt, "hue": hue, "background": ground}
    return Split(images, kind, factors, names_of(emoji))


def load(
    train: int = 20_000,
    val: int = 2_000,
    test: int = 4_000,
    artist: str = "google",
    test_artist: str | None = None,
    seed: int = 0,
) -> Dataset:
    """Scenes in three splits from three random streams; val and test show `test_artist`'s drawings (by default the
    same artist's)."""
    hand = test_artist or artist
    sizes = [(train, artist), (val, hand), (test, hand)]
    parts = [generate(n, 3 * seed + part, who) for part, (n, who) in enumerate(sizes)]
    return Dataset("scenes", parts[0], parts[1], parts[2], list(KINDS), about=ABOUT)
