"""More questions to the features of chapter 03: which layer knows most, what of drawings without labels, and of another artist's?"""

from typing import Any

import torch
from torch import Tensor, nn

from sslkit import plots, probes
from sslkit.chapters.rotation.pictures import turn_accuracy
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import generate
from sslkit.nets import evaluating, to_input


def probed(h: Tensor, y: Tensor) -> probes.LinearProbe:
    """A linear probe on features h [N, D]; the last fifth of the labels y [N] chooses how strongly it is regularised."""
    last = len(h) // 5
    return probes.linear_probe(h[:-last], y[:-last], h[-last:], y[-last:], steps=60, tolerance=1e-4)


def by_layer(networks: dict[str, nn.Module], data: Any, bank: int = 3000, queries: int = 1000) -> plots.Picture:
    """Linear probe for the kinds after each layer of plain encoders, {name: encoder}."""
    train, val = data.train[:bank], data.val[:queries]
    table: dict[str, dict[str, float]] = {}
    for name, encoder in networks.items():
        for k, (h, h_val) in enumerate(zip(layer_features(encoder, train.x), layer_features(encoder, val.x))):
            table.setdefault(f"layer {k + 1}", {})[name] = probed(h, train.y).score(h_val, val.y)
    title = "Which layer knows the kinds best?"
    caption = (
        f"Linear probe on each layer's map, averaged over the image; {len(train):,} training scenes, judged on "
        f"{len(val):,} validation scenes."
    )
    return plots.scoreboard(table, title=title, caption=caption)


@torch.no_grad()
def layer_features(encoder: Any, x: Tensor) -> list[Tensor]:
    """What each layer of a plain encoder makes of images x, averaged over places: [N, width] each."""
    parts: list[list[Tensor]] = []
    with evaluating(encoder):
        for rows in torch.arange(len(x)).split(500):
            h, found = 2 * to_input(x[rows], probes.device_of(encoder)) - 1, []
            for layer in encoder.layers:
                h = layer(h)
                found.append(h.mean((2, 3)).cpu())
            parts.append(found)
    return [torch.cat(each) for each in zip(*parts)]


def without_labels(networks: dict[str, Any], data: Any, bank: int = 10_000) -> plots.Picture:
    """Both judges on validation scenes of three tenths of the drawings: when scenes of these are among the labelled ones, and
    when none is. networks: methods or encoders, by the name they are shown by."""
    kept_back = pack().part > 0  # emoji that share a drawing are in one part
    train, val = data.train[:bank], data.val
    asked = val[kept_back[val.factors["emoji"]]]
    others = (~kept_back[train.factors["emoji"]]).nonzero()[:, 0]
    table = {}
    for network, method in networks.items():
        h, h_asked = probes.features(method, train.x), probes.features(method, asked.x)
        for name, rows in {"with labels": torch.arange(len(others)), "without labels": others}.items():
            table[f"{network}, drawings {name}"] = {
                "kNN": probes.knn_accuracy(h[rows], train.y[rows], h_asked, asked.y),
                "linear probe": probed(h[rows], train.y[rows]).score(h_asked, asked.y),
            }
    title = "The same scenes: once their drawings have had labels, once none of them has"
    drawings = len(asked.factors["emoji"].unique())
    caption = f"{len(asked):,} validation scenes of {drawings} drawings; the judges see the labels of {len(others):,} training scenes."
    return plots.scoreboard(table, title=title, caption=caption, highlight="")


def other_hand(networks: dict[str, Any], data: Any, n: int = 2000) -> plots.Picture:
    """The same judges on scenes by the artist whose drawings were trained on, and by another; networks: methods."""
    hands = {"Google": data.val[:n], "Twitter": generate(n, 11, "twitter")}
    bank, table = data.train[:5000], {}
    for name, method in networks.items():
        h = probes.features(method, bank.x)
        row = {f"turn, {hand}": turn_accuracy(method, split.x) for hand, split in hands.items()}
        row |= {
            f"kind, {hand}": probes.knn_accuracy(h, bank.y, probes.features(method, split.x), split.y)
            for hand, split in hands.items()
        }
        table[name] = row
    title = "Another artist's drawings: turns and kinds both lose fifteen points or more"
    caption = f"{n:,} scenes each. Turn: share predicted right, chance 25 %. Kind: kNN among {len(bank):,} training scenes, all Google's."
    return plots.scoreboard(table, title=title, caption=caption, highlight=list(networks)[-1])
