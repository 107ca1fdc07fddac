"""A shortcut that nobody planned: the gleam on the rim of every clock."""

import torch
from torch import Tensor

from sslkit import evidence, plots
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import members

NAMES = {
    "clocks": "as drawn",
    "gleam painted over": "gleam painted over",
    "gleam moved to the lower right": "gleam moved to the lower right",
    "clocks of the other artist": "the other artist's, without a gleam",
}


def without_gleam(clock: Tensor, moved: bool = False) -> Tensor:
    """A clock [4, S, S] whose rim has its own lower right on the upper left; moved: and its upper left on the lower right."""
    across = torch.arange(clock.shape[-1]) - (clock.shape[-1] - 1) / 2
    down = across[:, None]
    rim = (down**2 + across**2).sqrt() > 11.6
    upper_left = rim & (down < 2) & (across < 2) & ~((down > 0) & (across > 0))
    turned, found = clock.rot90(2, (1, 2)), clock.clone()
    found[:, upper_left] = turned[:, upper_left]
    if moved:
        lower_right = upper_left.rot90(2, (0, 1))
        found[:, lower_right] = turned[:, lower_right]
    return found


def on_grey(clocks: Tensor) -> Tensor:
    """Clocks uint8 [N, 4, S, S] before grey, [N, 3, S, S]."""
    colour, cover = clocks[:, :3].float(), clocks[:, 3:].float() / 255
    return (colour * cover + 160 * (1 - cover)).round().to(torch.uint8)


def clocks() -> plots.Picture:
    """Clocks with their gleam, without it, with it on the other side, and those of an artist who painted none."""
    drawn, others = (pack().rgba[artist][members()["clock"][:8]] for artist in ("google", "twitter"))
    changed = drawn, *(torch.stack([without_gleam(clock, moved) for clock in drawn]) for moved in (False, True)), others
    shown = {name: on_grey(x) for name, x in zip(NAMES.values(), changed)}
    return plots.rows(shown, title="The artist's clocks shine on the upper left")


@evidence.or_a_note
def answers(title: str) -> plots.Picture:
    """What becomes of the answers about these clocks (tests/chapters/rotation/benchmark.py)."""
    found = evidence.results("rotation_clocks")
    off = found["off by quarter turns"]
    table = {name: {"right": off[row][0], "upside down": off[row][2]} for row, name in NAMES.items()}
    caption = f"The longer run's features, asked for the turn by a linear layer. {found['command']}."
    return plots.scoreboard(table, title=title, caption=caption, highlight="")
