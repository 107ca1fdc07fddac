"""`moving`: generated clips of one emoji that travels before a still background and bounces off the borders.

Where it is and how fast it moves is known in every frame, so one can ask a network whether it noticed.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.datasets.contract import Dataset, Info, Split
from sslkit.datasets.emoji import LICENCE, pack
from sslkit.datasets.factors import SIDE, artwork, balanced, between, check_artist, emoji_of, laid_on, names_of
from sslkit.datasets.scenes import BACKGROUNDS, KINDS, backgrounds, members

FRAMES = 8
SIZES = (12.0, 18.0)  # pixels: at 18 the emoji still has as many to travel
SPEEDS = (1.0, 3.5)  # pixels per frame
KEEP = 0.5  # of the speed, in a bounce under gravity
CHUNK = 250  # clips rendered at once
ABOUT = f"generated: clips of one emoji that travels and bounces, position and velocity known, 32 x 32 · {LICENCE}"
INFO = Info("moving", ABOUT, LICENCE, "generated", 0.0, len(KINDS))


def borders(size: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the greatest coordinate [N] of the centre of an emoji of `size` [N] pixels: nearly all of it stays
    inside."""
    room = 0.45 * size
    return room, SIDE - room


def reflect(place: Tensor, velocity: Tensor, low: Tensor, high: Tensor, keep: float = 1.0) -> tuple[Tensor, Tensor]:
    """Places that overshot a border, mirrored back inside, and their velocity turned round, the share `keep` of it
    kept. Valid for steps shorter than high - low."""
    over, under = place > high, place < low
    place = torch.where(over, 2 * high - place, torch.where(under, 2 * low - place, place))
    return place, torch.where(over | under, -keep * velocity, velocity)


def travel(
    place: Tensor,
    velocity: Tensor,
    low: Tensor,
    high: Tensor,
    frames: int,
    turns: float = 0.0,
    gravity: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Where the emoji is in each frame and with which velocity it arrived there, both [N, frames, 2] as (x, y).

    place, velocity [N, 2] in pixels and pixels per frame are those of the first frame; low, high [N] border the centre.
    Before each step, with probability `turns`, it heads in a random new direction at the same speed. `gravity` is added
    to its velocity downwards in each step, in pixels per frame; a bounce then costs half of the speed across the border.
    With neither, a clip run backwards is as likely as the clip: uniform places and even directions stay so under
    reflection.
    """
    low, high, places, velocities = low[:, None], high[:, None], [place], [velocity]
    for _ in range(frames - 1):
        if turns:
            angle = torch.rand(len(place), generator=generator) * math.tau
            new = velocity.norm(dim=1, keepdim=True) * torch.stack([angle.cos(), angle.sin()], 1)
            velocity = torch.where((torch.rand(len(place), generator=generator) < turns)[:, None], new, velocity)
        velocity = velocity + velocity.new_tensor([0.0, gravity])
        place, velocity = reflect(place + velocity, velocity, low, high, KEEP if gravity else 1.0)
        places.append(place)
        velocities.append(velocity)
    return torch.stack(places, 1), torch.stack(velocities, 1)


def render(emoji: Tensor, ground: Tensor, places: Tensor, size: Tensor, hue: Tensor, artist: str = "google") -> Tensor:
    """Clips uint8 [N, T, 3, 32, 32] of rows `emoji` [N] of the pack on ground [N, 3, 32, 32] with their centres at
    places [N, T, 2]; size [N] in pixels, hue [N] in turns.

    As scenes.draw, at a fifth of its cost: the colour is changed once a clip, and one bilinear sample a pixel is enough
    since the emoji is halved first, to about the size that it is shown at.
    """
    N, T, _ = places.shape
    image = F.avg_pool2d(artwork(pack().rgba[artist][emoji], hue), 2).repeat_interleave(T, 0)
    zoom, centre = (SIDE / size).repeat_interleave(T), 2 * places.reshape(N * T, 2) / SIDE - 1
    theta = torch.diag_embed(zoom[:, None].expand(-1, 2))
    theta = torch.cat([theta, (-zoom[:, None] * centre)[..., None]], 2)
    grid = F.affine_grid(theta, [N * T, 4, SIDE, SIDE], align_corners=False)
    layer = F.grid_sample(image, grid, align_corners=False).view(N, T, 4, SIDE, SIDE)
    return laid_on(ground[:, None], layer)


def generate(
    n: int, seed: int, artist: str = "google", frames: int = FRAMES, turns: float = 0.0, gravity: float = 0.0
) -> Split:
    """n clips; the same arguments give the same clips. Kinds are equally frequent, and so are the emoji of a kind."""
    check_artist(artist)
    if frames < 2 or not 0 <= turns <= 1 or not 0 <= gravity <= 1:
        raise ValueError(
            f"a clip has at least 2 frames, turns is a probability, gravity lies in [0, 1]; got frames={frames}, "
            f"turns={turns}, gravity={gravity}"
        )
    generator, rows = torch.Generator().manual_seed(seed), list(members().values())
    kind = balanced(n, len(rows), generator)
    emoji = emoji_of(kind, rows, generator)
    size, hue, speed, angle = (between(n, generator, *reach) for reach in (SIZES, (0, 1), SPEEDS, (0, math.tau)))
    low, high = borders(size)
    place = low[:, None] + (high - low)[:, None] * torch.rand(n, 2, generator=generator)
    velocity = speed[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    places, velocities = travel(place, velocity, low, high, frames, turns, gravity, generator)
    ground, ground_hue = torch.randint(len(BACKGROUNDS), (n,), generator=generator), between(n, generator)
    clips = [torch.empty(0, frames, 3, SIDE, SIDE, dtype=torch.uint8)]
    for c in torch.arange(n).split(CHUNK):
        scenery = backgrounds(ground[c], ground_hue[c], generator)
        clips.append(render(emoji[c], scenery, places[c], size[c], hue[c], artist))
    factors = {"kind": kind, "emoji": emoji, "x": places[..., 0], "y": places[..., 1], "vx": velocities[..., 0]}
    factors |= {"vy": velocities[..., 1], "size": size, "hue": hue, "background": ground}
    return Split(torch.cat(clips), kind, factors, names_of(emoji))


def load(
    train: int = 5_000,
    val: int = 500,
    test: int = 1_000,
    frames: int = FRAMES,
    turns: float = 0.0,
    gravity: float = 0.0,
    artist: str = "google",
    test_artist: str | None = None,
    seed: int = 0,
) -> Dataset:
    """Clips uint8 [N, frames, 3, 32, 32] in three splits from three random streams; the label is the emoji's kind.

    factors x, y, vx, vy [N, frames]: the centre in pixels and the velocity, in pixels per frame, with which it arrived
    there; size, hue, background, emoji [N]. turns and gravity: see `travel`. val and test show `test_artist`'s
    drawings (by default the same artist's).
    """
    hand = test_artist or artist
    sizes = [(train, artist), (val, hand), (test, hand)]
    parts = [generate(n, 3 * seed + part, who, frames, turns, gravity) for part, (n, who) in enumerate(sizes)]
    return Dataset("moving", parts[0], parts[1], parts[2], list(KINDS), about=ABOUT)
