"""A shortcut that nobody planned: the gleam on the rim of every clock."""

from typing import Any

import torch
from torch import Tensor

from sslkit import evidence, plots
from sslkit.chapters.rotation.pictures import in_all_turns, off_by
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import generate, members

NAMES = {
    "clocks": "as drawn",
    "gleam painted over": "gleam painted over",
    "gleam moved to the lower right": "gleam moved to the lower right",
    "clocks of the other artist": "the other artist's (no gleam)",
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


def in_scenes(n: int = 1200) -> dict[str, Tensor]:
    """The clocks among n scenes, uint8 [M, 3, 32, 32] for each of NAMES: the same scenes, other clocks in them."""
    kind, drawn, rows = list(members()).index("clock"), pack().rgba["google"], members()["clock"]
    original = drawn[rows]

    def scenes(artist: str = "google") -> Tensor:
        found = generate(n, seed=11, artist=artist)
        return found.x[found.y == kind]

    found = {"clocks": scenes(), "clocks of the other artist": scenes("twitter")}
    try:
        for name, moved in {"gleam painted over": False, "gleam moved to the lower right": True}.items():
            drawn[rows] = torch.stack([without_gleam(clock, moved) for clock in original])
            found[name] = scenes()
    finally:
        drawn[rows] = original
    return found


@evidence.or_a_note
def answers(method: Any, title: str, n: int = 1200) -> plots.Picture:
    """What becomes of a method's answers about the clocks among n scenes, and of the longer run's
    (tests/chapters/rotation/benchmark.py)."""
    found = evidence.results("rotation_clocks")
    ours = {row: off_by(in_all_turns(method, x)) for row, x in in_scenes(n).items()}
    table: dict[str, dict[str, float]] = {}
    for who, off in {"ours": ours, "longer": found["off by quarter turns"]}.items():
        for row, name in NAMES.items():
            table.setdefault(name, {})[f"{who}, right"] = off[row][0]
            table[name][f"{who}, upside down"] = off[row][2]
    caption = (
        f"Our network answers by itself; the longer run's features are asked by a linear layer: {found['command']}."
    )
    return plots.scoreboard(table, title=title, caption=caption, highlight="")
