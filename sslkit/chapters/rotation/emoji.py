"""Single emoji, asked one by one: the easiest and the hardest of each kind, and those of no kind."""

from typing import Any

import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.rotation.pictures import in_all_turns, right
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import backgrounds, draw, members


def scenes_of(emoji: Tensor, seed: int = 0) -> Tensor:
    """uint8 [N, 3, 32, 32]: one scene of each row of the emoji pack, in the middle, of middling size, without a tilt."""
    generator = torch.Generator().manual_seed(seed)
    n = len(emoji)
    kind, hue = torch.randint(6, (n,), generator=generator), torch.rand(n, generator=generator)
    middle, size, none = torch.full((n,), 16.0), torch.full((n,), 24.0), torch.zeros(n)
    ground = backgrounds(kind, hue, generator)
    return draw(pack().rgba["google"][emoji], ground, middle, middle, size, none, none)


def share_right(method: Any, emoji: Tensor, draws: int) -> Tensor:
    """The share of turns predicted right of each emoji [N], over `draws` scenes of it in four turns each."""
    found = [right(in_all_turns(method, scenes_of(emoji, seed))) for seed in range(draws)]
    return torch.cat(found).float().mean(dim=0)


def ends(method: Any, draws: int = 4) -> plots.Picture:
    """Of each kind the emoji whose turns are predicted best and worst."""
    best, worst = [], []
    for emoji in members().values():
        order = emoji[share_right(method, emoji, draws).argsort(descending=True, stable=True)]
        best.append(order[0])
        worst.append(order[-1])
    names = ", ".join(pack().name[int(emoji)] for emoji in worst)
    return plots.rows(
        {"best": scenes_of(torch.stack(best)), "worst": scenes_of(torch.stack(worst))},
        list(members()),
        title="The easiest and the hardest of each kind",
        caption=f"{draws} scenes of each emoji in four turns. The worst: {names}.",
        side=78,
    )


def strangers(method: Any, draws: int = 2, least: int = 10) -> plots.Picture:
    """How often the turn is right for emoji of none of the ten kinds: the best and the worst groups."""
    known = set(torch.cat(list(members().values())).tolist())
    others = torch.tensor([row for row in range(len(pack().name)) if row not in known])
    ok = share_right(method, others, draws)
    groups: dict[str, list[int]] = {}
    for row, emoji in enumerate(others.tolist()):
        groups.setdefault(pack().subgroup[emoji], []).append(row)
    share = {group: ok[rows].mean().item() for group, rows in groups.items() if len(rows) >= least}
    ordered = sorted(share.items(), key=lambda item: -item[1])
    return plots.bars(
        dict(ordered[:7] + ordered[-7:]),
        title="Things it has never seen: from far above chance to far below",
        caption=f"The seven best and seven worst of {len(share)} groups of {least} emoji or more outside the ten kinds; below chance: "
        f"{sum(value < 0.25 for value in share.values())}. All {len(others):,} emoji: {ok.mean():.1%}.",
        xlabel="share of turns predicted right",
        chance=0.25,
    )
