"""What the what-ifs at the ends of 00 and 02 give, kept in results/judging_what_ifs.json. Nothing is pretrained; the fine-tuning of 02 is
done once more, with a lower and a higher learning rate.

python tests/benchmarks/judging_what_ifs.py ["fine-tuned, by rate" ...], all of them or those named
"""

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit import measures, plots, probes, runs
from sslkit.chapters.judging.maps import kept
from sslkit.datasets import Dataset, load, scenes
from sslkit.nets import build_encoder
from sslkit.probes import label_subset
from sslkit.probes.finetuning import VIEW, measure_batch_norm

OUT = Path(__file__).resolve().parents[2] / "results" / "judging_what_ifs.json"
CHOICES = {"3": (1, 20, 500), "14": (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500), "100": range(1, 501, 5)}
RATES = (3e-4, 1e-3, 3e-3, 1e-2)  # the chapter takes the two in the middle


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


def fine_tuned(encoder: nn.Module, data: Dataset, lr: float, seed: int, steps: int = 100) -> list[float]:
    """Accuracy on both halves of val, the one that chooses and the one that is reported, as `finetune` and `best_of` of the chapter."""
    rows = label_subset(data.train.y[:4000], 10, seed)
    x, y = data.train.x[rows], data.train.y[rows]
    torch.manual_seed(0)
    network = nn.Sequential(copy.deepcopy(encoder), nn.Linear(encoder.dim, len(data.classes))).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    for _ in range(steps):
        loss = F.cross_entropy(network(VIEW(x, None)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    measure_batch_norm(network, data.train.x)
    right = probes.features(network, data.val.x).argmax(1) == data.val.y
    return [round(right[half::2].float().mean().item(), 4) for half in (0, 1)]


def of_its_kind(h: Tensor, y: Tensor, bank_h: Tensor, bank_y: Tensor, k: int = 8) -> float:
    """The share of an image's k nearest in a bank that are of its kind; itself, where it is there too, left out."""
    index = probes.neighbours(bank_h, h, k=k + (h is bank_h))[1][:, -k:]
    return (bank_y[index] == y[:, None]).float().mean().item()


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
    pick = torch.from_numpy(plots.subsample(len(val), 400))

    def flattered() -> dict[str, float]:
        right = right_by_k(bank_h.float(), bank.y, probes.features(simclr, exam.x), exam.y)
        return {n: flattery(right[[k - 1 for k in ks]]) for n, ks in CHOICES.items()}

    def on_fashion() -> float:
        clothes = load("fashion")
        pixels = [probes.pixels(split.x) for split in (clothes.train[:4000], clothes.val)]
        return probes.knn_accuracy(pixels[0], clothes.train.y[:4000], pixels[1], clothes.val.y)

    measures_of: dict[str, Callable[[], Any]] = {
        "cosine to clocks": lambda: {
            name: (clocks @ F.normalize(h[val.y == kind], dim=1).T).mean().item()
            for kind, name in enumerate(data.classes)
        },
        "effective rank": lambda: {n: float(measures.effective_rank(h[:n])) for n in (20, 100, 500, 2000)},
        "flattery of 50 images": flattered,
        "plain vote by distance": lambda: {
            "SimCLR": by_distance(bank_h, bank.y, val_h, val.y),
            "SimCLR, across the mean": by_distance(across[0], bank.y, across[1], val.y),
        },
        "neighbours kept": lambda: {
            "SimCLR": steady(h[pick]),
            "untrained": steady(probes.features(untrained, val.x[pick])),
        },
        "kNN of pixels on fashion": on_fashion,
        "8 nearest of its kind": lambda: {
            "among 400": of_its_kind(few := h[pick], val.y[pick], few, val.y[pick]),
            "among 4,000": of_its_kind(h[pick], val.y[pick], bank_h.float(), bank.y),
        },
        "fine-tuned, by rate": lambda: {
            f"{lr:g}": [fine_tuned(simclr, data, lr, seed) for seed in range(3)] for lr in RATES
        },
    }
    found = json.loads(OUT.read_text()) if OUT.exists() else {}
    found["command"] = "python tests/benchmarks/judging_what_ifs.py"
    for name in sys.argv[1:] or measures_of:
        found[name] = measures_of[name]()
        print(name, found[name], flush=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
