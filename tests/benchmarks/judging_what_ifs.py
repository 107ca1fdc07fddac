"""What the what-ifs at the ends of 00 and 02 give, kept in results/judging_what_ifs.json. Nothing is trained.

python tests/benchmarks/judging_what_ifs.py
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit import measures, plots, probes, runs
from sslkit.chapters.judging.maps import kept
from sslkit.datasets import load, scenes
from sslkit.nets import build_encoder

OUT = Path(__file__).resolve().parents[2] / "results" / "judging_what_ifs.json"
CHOICES = {"3": (1, 20, 500), "14": (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500), "100": range(1, 501, 5)}


def flattery(right: Tensor, size: int = 50, people: int = 2000) -> float:
    """Points by which peekers flatter themselves, as `optimism` of the chapter; right [choices, images]."""
    generator, gifts = torch.Generator().manual_seed(size), []
    for _ in range(people):
        rows = torch.randint(right.shape[1], (2, size), generator=generator)[0]
        seen = right[:, rows].mean(1)
        gifts.append(seen.max() - right[seen.argmax()].mean())
    return 100 * torch.stack(gifts).mean().item()


def right_by_k(bank_h: Tensor, bank_y: Tensor, h: Tensor, y: Tensor) -> Tensor:
    """Which images kNN gets right for k = 1 .. 500: [500, images]."""
    found = []
    for rows in torch.arange(len(h)).split(500):
        best, index = probes.neighbours(bank_h, h[rows], k=500)
        weight = ((best - best[:, :1]) / 0.07).exp()
        votes = torch.zeros(*index.shape, 10).scatter_(2, bank_y[index][..., None], weight[..., None])
        found.append(votes.cumsum(dim=1).argmax(dim=2) == y[rows, None])
    return torch.cat(found).T.float()


def by_distance(bank_h: Tensor, bank_y: Tensor, h: Tensor, y: Tensor, k: int = 20) -> float:
    """Accuracy of a plain vote of the k nearest by Euclidean distance."""
    votes = bank_y[torch.cdist(h, bank_h).topk(k, largest=False).indices]
    most = (votes[:, :, None] == votes[:, None]).sum(dim=2).argmax(dim=1, keepdim=True)  # in a tie, the nearest's
    return probes.accuracy(votes.gather(1, most)[:, 0], y)


def across_the_mean(h: Tensor, mean: Tensor) -> Tensor:
    """What of h - mean is at right angles to the mean."""
    way = mean / mean.norm()
    return (h - mean) - ((h - mean) @ way)[:, None] * way


def steady(h: Tensor) -> float:
    """Share of a point's ten nearest that another random start leaves among its ten nearest."""
    xy = [plots.tsne(h, seed=seed, init="random") for seed in range(3)]
    return float(np.mean([kept(xy[a], xy[b]) for a, b in ((0, 1), (0, 2), (1, 2))]))


def main() -> None:
    data = load("scenes")
    bank, val, exam = data.train[:4000], data.val, scenes.generate(6000, seed=99)
    simclr = runs.shelf("simclr")
    torch.manual_seed(0)
    untrained = build_encoder("small7", data.channels).eval()
    h = probes.features(simclr, val.x)
    clocks = F.normalize(h, dim=1)[val.y == data.classes.index("clock")]
    bank_h, val_h = probes.features(simclr, bank.x).double(), h.double()
    across = [across_the_mean(part, bank_h.mean(0)) for part in (bank_h, val_h)]
    right = right_by_k(bank_h.float(), bank.y, probes.features(simclr, exam.x), exam.y)
    pick = torch.from_numpy(plots.subsample(len(val), 400))
    clothes = load("fashion")
    pixels = [probes.pixels(split.x) for split in (clothes.train[:4000], clothes.val)]
    found = {
        "command": "python tests/benchmarks/judging_what_ifs.py",
        "cosine to clocks": {
            name: (clocks @ F.normalize(h[val.y == kind], dim=1).T).mean().item()
            for kind, name in enumerate(data.classes)
        },
        "effective rank": {n: float(measures.effective_rank(h[:n])) for n in (20, 100, 500, 2000)},
        "flattery of 50 images": {n: flattery(right[[k - 1 for k in ks]]) for n, ks in CHOICES.items()},
        "plain vote by distance": {
            "SimCLR": by_distance(bank_h, bank.y, val_h, val.y),
            "SimCLR, across the mean": by_distance(across[0], bank.y, across[1], val.y),
        },
        "neighbours kept": {
            "SimCLR": steady(h[pick]),
            "untrained": steady(probes.features(untrained, val.x[pick])),
        },
        "kNN of pixels on fashion": probes.knn_accuracy(pixels[0], clothes.train.y[:4000], pixels[1], clothes.val.y),
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
