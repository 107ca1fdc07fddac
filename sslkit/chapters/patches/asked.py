"""What the two questions teach: pairs of one image and of two, scenes drawn for it, three judges, scenes at another scale."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit import plots, probes
from sslkit.chapters.patches.pictures import answers, puzzles
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import backgrounds, draw


def compared(method: Any, split: Any) -> plots.Picture:
    """How often the place is found, with both patches of one image, and with the second cut at its place out of another."""
    pairs = puzzles(split.x, seed=4)
    said = {
        "both of one image": answers(method, pairs),
        "second of another image": answers(method, pairs, split.x.roll(1, 0)),
    }
    return plots.bars(
        {name: probes.accuracy(p.argmax(dim=1), pairs.number) for name, p in said.items()},
        title="Does it compare the two, or does one patch tell already?",
        caption=f"{len(split):,} validation scenes, one pair each. The second patch is always cut at the place that is asked for.",
        xlabel="places found",
        chance=1 / 8,
        highlight="both of one image",
    )


def drawn(split: Any, thing: int, ground: int, n: int) -> Tensor:
    """n scenes uint8 [n, 3, 32, 32]; equal seeds give equal things (emoji, hue) and equal backgrounds, image by image."""
    a, b = torch.Generator().manual_seed(thing), torch.Generator().manual_seed(ground)
    emoji = split.factors["emoji"][torch.randint(len(split), (n,), generator=a)]
    middle, size, none = torch.full((n,), 16.0), torch.full((n,), 22.0), torch.zeros(n)
    behind = backgrounds(torch.randint(6, (n,), generator=b), torch.rand(n, generator=b), b)
    return draw(pack().rgba["google"][emoji], behind, middle, middle, size, none, torch.rand(n, generator=a))


def says_same(method: Any, split: Any, n: int = 400) -> list[plots.Picture]:
    """How often the network calls two patches those of one image, where the thing, the background or both were changed."""
    here = drawn(split, 0, 0, n)
    others = {
        "the same image": here,
        "another thing, same background": drawn(split, 1, 0, n),
        "same thing, another background": drawn(split, 0, 1, n),
        "two images": drawn(split, 1, 1, n),
    }
    pairs = puzzles(here, seed=2)
    share = {name: (answers(method, pairs, x)[:, 1] > 0.5).float().mean().item() for name, x in others.items()}
    return [
        plots.rows(
            {"first patch": here[:8], **{name: x[:8] for name, x in others.items()}},
            title="The first patch is cut from the top row, the second from one of the others",
            caption="Scenes drawn for this question.",
            side=64,
        ),
        plots.bars(
            share,
            title="How often the network says: the same image",
            caption=f"{n} pairs of patches each; the network is right to say so in the first row alone.",
            xlabel="share of pairs that are called the same image",
        ),
    ]


def border_colour(x: Tensor) -> Tensor:
    """One of six classes [N] for images [N, 3, S, S]: the strongest and the weakest channel in the border's mean."""
    mean = torch.cat([x[:, :, :2].flatten(2), x[:, :, -2:].flatten(2)], dim=2).float().mean(2)
    return 3 * mean.argmax(dim=1) + mean.argmin(dim=1)


def three_answers(network: nn.Module, train: Any, val: Any) -> dict[str, float]:
    """Accuracy of kNN, among the scenes `train`, for the kind of thing, the pattern behind it and the colour of the border."""
    asked = {
        "kind": (train.y, val.y),
        "pattern": (train.factors["background"], val.factors["background"]),
        "border's colour": (border_colour(train.x), border_colour(val.x)),
    }
    h, h_val = probes.features(network, train.x), probes.features(network, val.x)
    return {what: probes.knn_accuracy(h, y, h_val, y_val) for what, (y, y_val) in asked.items()}


def three_judges(networks: dict[str, nn.Module], data: Any, bank: int = 2000, queries: int = 1000) -> plots.Picture:
    """kNN for the kind of thing, the pattern behind it and the colour of the border, {name: network}."""
    train, val = data.train[:bank], data.val[:queries]
    table = {name: three_answers(network, train, val) for name, network in networks.items()}
    title = "What is asked decides what the features know"
    caption = f"kNN among {len(train):,} training scenes, {len(val):,} validation scenes. Ten kinds, six patterns, six colours."
    return plots.scoreboard(table, title=title, caption=caption, highlight="")


class AtScale(nn.Module):
    """An encoder that sees its images enlarged (or made smaller) by a factor."""

    def __init__(self, encoder: nn.Module, factor: float):
        super().__init__()
        self.encoder, self.factor = encoder, factor

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(F.interpolate(x, scale_factor=self.factor, mode="bilinear", antialias=self.factor < 1))
