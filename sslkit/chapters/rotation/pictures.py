"""The pictures of chapter 03: turned images, what has an up and a down, which layer knows most, and a cheat."""

from typing import Any

import torch
from torch import Tensor

from sslkit import plots, probes
from sslkit.chapters.rotation.method import rotate_batch
from sslkit.chapters.rotation.widget import TURNS
from sslkit.datasets import Split
from sslkit.looks import first_of

# Rows of results/ablations/rotation_scenes.json, as the chapter's figures show them.
SHORTCUT = {
    "untrained": "untrained",
    "whole images": "no line, whole images",
    "whole images, mirrored": "no line, whole, mirrored",
    "line, whole images": "line, whole images",
    "crops of 0.6 at least": "no line, crops of 0.6",
    "line, crops of 0.6": "line, crops of 0.6",
}
PARTS = {
    name: name
    for name in (
        "untrained",
        "as it is",
        "0 and 180 degrees",
        "0 and 90 degrees",
        "crops of 0.2 at least",
        "new colours",
        "grey",
    )
}


def turned(x: Tensor, turn: int) -> Tensor:
    """All images of x [N, C, S, S] by the same number of quarter turns."""
    return rotate_batch(x, torch.full((len(x),), turn))


@torch.no_grad()
def answers(method: Any, x: Tensor) -> Tensor:
    """Probabilities [N, turns] for images x [N, C, S, S] as they are."""
    h = probes.features(method, x)
    return method.head(h.to(probes.device_of(method))).softmax(dim=1).cpu()


def in_all_turns(method: Any, x: Tensor) -> Tensor:
    """Probabilities [4, N, 4]; entry t is for the images in turn t."""
    return torch.stack([answers(method, turned(x, turn)) for turn in range(4)])


def right(p: Tensor) -> Tensor:
    """Where the likeliest turn is the true one: bool [4, N] of probabilities [4, N, 4]."""
    return p.argmax(dim=-1) == torch.arange(4)[:, None]


def off_by(p: Tensor) -> list[float]:
    """The share of answers that are right, a quarter, a half and three quarters of a turn off, of probabilities [4, N, 4]."""
    off = (p.argmax(dim=-1) - torch.arange(4)[:, None]) % 4
    return [(off == k).float().mean().item() for k in range(4)]


def turn_accuracy(method: Any, x: Tensor) -> float:
    """How often the network names the turn of images x, each shown in all four."""
    return right(in_all_turns(method, x)).float().mean().item()


# --- the question -----------------------------------------------------------------------------------------------------------


def four_classes(split: Split, classes: list[str]) -> plots.Picture:
    """Four scenes in all four turns."""
    four = first_of(split, [6, 0, 9, 7])
    shown = {classes[y]: torch.cat([turned(x[None], turn) for turn in range(4)]) for x, y in zip(four.x, four.y)}
    title = "One image, four classes. The clock makes you think"
    caption = "Validation scenes in all four turns, counted counter-clockwise; the arrow shows where the top points."
    return plots.rows(shown, TURNS, title=title, caption=caption, side=110)


def puzzles(split: Split, n: int = 24, seed: int = 5) -> tuple[Tensor, Tensor]:
    """n images of a split, each turned at random: images, and by how many quarter turns."""
    generator = torch.Generator().manual_seed(seed)
    x = split.x[torch.randperm(len(split), generator=generator)[:n]]
    turns = torch.randint(4, (n,), generator=generator)
    return rotate_batch(x, turns), turns


def played(method: Any, x: Tensor, turns: Tensor, guesses: dict[int, int]) -> plots.Picture:
    """The network's answers to the game, beside the reader's score."""
    said = answers(method, x).argmax(dim=1)
    you = sum(guess == turns[i] for i, guess in guesses.items())
    yours = f"You: {you} of {len(guesses)}." if guesses else "You: play in section 2, then run this again."
    arrows = ", ".join(TURNS[turn].split()[0] for turn in turns[:12])
    return plots.grid(
        x[:12],
        [f"{TURNS[a]}, {'right' if a == t else 'wrong'}" for a, t in zip(said, turns[:12])],
        columns=6,
        title="The network plays the game",
        caption=f"Its answers to the first twelve; the truth, in order: {arrows}. "
        f"Of all {len(x)} it has {(said == turns).sum()} right. {yours}",
        side=110,
    )


# --- what it learned --------------------------------------------------------------------------------------------------------


def by_kind(p: Tensor, split: Split, classes: list[str]) -> list[plots.Picture]:
    """How often the turn is right, kind by kind; and what the easiest and the hardest kind look like."""
    ok = right(p).float().mean(dim=0)
    share = {name: ok[split.y == kind].mean().item() for kind, name in enumerate(classes)}
    share = dict(sorted(share.items(), key=lambda item: -item[1]))
    ends = [classes.index(name) for name in (list(share)[0], list(share)[-1])]
    return [
        plots.bars(
            share,
            title="How often the network finds the turn, kind by kind",
            caption=f"{len(ok):,} validation scenes in four turns each; all kinds together: {ok.mean():.1%}.",
            xlabel="share of turns predicted right",
            chance=0.25,
        ),
        plots.rows(
            {f"{classes[kind]}, {share[classes[kind]]:.0%}": split.x[split.y == kind][:9] for kind in ends},
            title="The easiest kind, and the hardest",
            caption="The first nine validation scenes of each, upright.",
            side=72,
        ),
    ]


def confused(p: Tensor, split: Split, kind: int) -> plots.Picture:
    """Which turn is taken for which, for one kind."""
    p = p[:, split.y == kind]
    said, away = p.argmax(dim=-1), off_by(p)
    true = torch.arange(4)[:, None].expand(said.shape)
    return plots.confusion(
        said.flatten(),
        true.flatten(),
        TURNS,
        title="Where the turn of a flag is mistaken, it is mostly by a half turn",
        caption=f"Validation scenes of flags. Opposite turn: {away[2]:.0%}; the two others together: {away[1] + away[3]:.0%}.",
    )


def sure_and_wrong(p: Tensor, split: Any) -> plots.Picture:
    """The mistakes that the network is surest of, at most two of a kind."""
    sure, said = p.max(dim=-1)
    order = sure.masked_fill(right(p), 0).flatten().argsort(descending=True)[:200]
    kinds = split.y[order % len(split)]
    some = torch.cat([order[kinds == kind][:2] for kind in kinds.unique()])[:18]
    turn, row = some // len(split), some % len(split)
    arrows = [TURNS[k].split()[0] for k in range(4)]
    return plots.grid(
        rotate_batch(split.x[row], turn),
        [f"said {arrows[a]}, is {arrows[t]}" for a, t in zip(said.flatten()[some], turn)],
        columns=6,
        title="The mistakes that it is surest of",
        caption="Validation scenes as they were shown, at most two of a kind, each answer with a probability of "
        f"{sure.flatten()[some].min():.0%} or more. Arrows: where the top points.",
        side=104,
    )


# --- the cheat --------------------------------------------------------------------------------------------------------------


def with_line(x: Tensor, mark: Any) -> plots.Picture:
    """Images above the same images with a mark."""
    return plots.pairs(
        x,
        mark(x),
        ("picture", "scanned"),
        title="A mark that says nothing about the picture, and everything about its turn",
        caption="Every second pixel of the lowest row is black or white.",
    )


def follows(cheat: Any, split: Split, mark: Any, n: int = 500) -> plots.Picture:
    """Upright images with the mark at each of the four edges, and the answers of a network that learned with it below."""
    x = split.x[:n]
    marked = [turned(mark(turned(x, -edge)), edge) for edge in range(4)]  # turned, marked, turned back
    said = torch.stack([answers(cheat, views).argmax(dim=1) for views in marked])
    share = (said == torch.arange(4)[:, None]).float().mean()
    return plots.rows(
        {f"line {where}": views[:8] for where, views in zip(("below", "right", "above", "left"), marked)},
        title="All of these are upright. The cheat's answer follows the line",
        caption=f"Answers to the first column: {', '.join(TURNS[a] for a in said[:, 0])}. Over {len(x)} validation scenes "
        f"its answer agrees with the line in {share:.0%}.",
        side=80,
    )


def round_things(x: Tensor, change: Any) -> plots.Picture:
    """Images, and what `change` makes of them in all four turns."""
    return plots.strip(
        x,
        [turned(change(x), turn) for turn in range(4)],
        TURNS,
        title="Made round: four turns, one picture",
        caption="Training scenes, and kaleidoscopes of their upper left quarters in all four turns.",
    )
