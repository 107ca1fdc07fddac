"""`emoji`: two artists' drawings of the same 1,905 emoji, 32 x 32, with names, 9 groups and 98 subgroups. See
data/emoji/README.md."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from sslkit.datasets.contract import Dataset, Info, Split
from sslkit.datasets.root import bundled
from sslkit.datasets.splits import split_by_key

ARTISTS = ("google", "twitter")
LICENCE = "artwork: Noto Emoji, Apache 2.0; Twemoji, CC-BY 4.0"
ABOUT = f"1,905 emoji by two artists (Google's Noto Emoji, Twitter's Twemoji), 32 x 32 · {LICENCE}"
INFO = Info("emoji", ABOUT, LICENCE, "bundled", 3.9, 9)


@dataclass(frozen=True)
class Pack:
    """The shipped arrays: `rgba` {artist: uint8 [N, 4, 32, 32]}, and lists of N strings."""

    rgba: dict[str, Tensor]
    name: list[str]
    group: list[str]
    subgroup: list[str]
    part: Tensor  # int64 [N]: 0 train, 1 val, 2 test


@lru_cache(maxsize=1)
def pack() -> Pack:
    """The shipped pack, read once."""
    with np.load(bundled("emoji/emoji.npz"), allow_pickle=False) as arrays:
        rgba = {artist: torch.from_numpy(arrays[artist]).permute(0, 3, 1, 2).contiguous() for artist in ARTISTS}
        words = {key: arrays[key].tolist() for key in ("name", "group", "subgroup")}
        row = arrays["row"].tolist()
    return Pack(rgba, **words, part=_parts(rgba, row))


def _parts(rgba: dict[str, Tensor], row: list[int]) -> Tensor:
    """Train, val or test for each emoji, always the same: 70, 10 and 20 of 100.

    Some emoji share a drawing (the flags of Norway and of Bouvet Island), so all that share one go where the first of
    them goes. row: each emoji's number in the whole list, which stays when one is left out, and its part with it.
    """
    first: dict[bytes, int] = {}
    owners = []
    for i, number in enumerate(row):
        drawings = [rgba[artist][i].numpy().tobytes() for artist in ARTISTS]
        owners.append(min(first.get(d, number) for d in drawings))
        for d in drawings:
            first.setdefault(d, owners[i])
    parts = torch.empty(len(owners), dtype=torch.int64)
    for part, index in enumerate(split_by_key(owners, val=0.1, test=0.2)):
        parts[index] = part
    return parts


def over(rgba: Tensor, background: tuple[int, int, int]) -> Tensor:
    """uint8 [N, 4, H, W] drawn over one colour: uint8 [N, 3, H, W]."""
    alpha = rgba[:, 3:].float() / 255
    ground = torch.tensor(background, dtype=torch.float32)[:, None, None]
    return (rgba[:, :3].float() * alpha + ground * (1 - alpha)).round().to(torch.uint8)


def load(
    artist: str = "google", test_artist: str | None = None, background: tuple[int, int, int] = (255, 255, 255)
) -> Dataset:
    """The emoji themselves, labelled with their group.

    artist: "google", "twitter" or "both" (then each emoji appears twice, first all of Google's, then all of Twitter's,
    with the artist a factor: real positive pairs). test_artist: whose drawings val and test show, by default the
    same. Splits are by emoji: an emoji of the test split is in training in neither artist's drawing.
    """
    for choice in (artist, test_artist or artist):
        if choice not in (*ARTISTS, "both"):
            raise ValueError(f"no emoji artist {choice!r}; there are {', '.join(ARTISTS)} and both")
    p = pack()
    groups, subgroups = (list(dict.fromkeys(words)) for words in (p.group, p.subgroup))
    y = torch.tensor([groups.index(g) for g in p.group])
    sub = torch.tensor([subgroups.index(s) for s in p.subgroup])

    def split(part: int, who: str) -> Split:
        artists = ARTISTS if who == "both" else (who,)
        index = (p.part == part).nonzero().flatten()
        x = torch.cat([over(p.rgba[a][index], background) for a in artists])
        hands = torch.tensor([ARTISTS.index(a) for a in artists]).repeat_interleave(len(index))
        index = index.repeat(len(artists))
        factors = {"emoji": index, "subgroup": sub[index], "artist": hands}
        return Split(x, y[index], factors, [p.name[i] for i in index.tolist()])

    hand = test_artist or artist
    return Dataset("emoji", split(0, artist), split(1, hand), split(2, hand), groups, about=ABOUT)
