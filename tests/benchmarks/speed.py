"""How fast SimCLR trains at laptop scale: against the same step fed with ready views, and against lightly's
documented pipeline.

    pip install -e ".[benchmark]"
    python tests/benchmarks/speed.py [--steps 60] [--out results/speed.json]

All three train the same encoder and projector on the same images with the same batch size, in turns, in one process:
- `sslkit`: `sslkit.train.train`, two new views each step;
- `ready`: the same step on two views that were made before: the limit of this encoder on this machine;
- `lightly`: its SimCLRTransform on PIL images, a DataLoader with two workers, its NTXentLoss, float32. Without
lightly it is left out. Nothing else may run on the machine meanwhile.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import nn

from sslkit.datasets import load
from sslkit.methods.simclr import METHOD, RECIPES
from sslkit.train import build, make_optimizer, precision, train

WARM_UP = 5  # steps that do not count


class Ready(nn.Module):
    """A method whose pretext task is always the same pair of ready views."""

    def __init__(self, method: nn.Module, views: tuple):
        super().__init__()
        self.method, self.views = method, views

    def pretext(self, x, generator):
        return self.views

    def forward(self, batch):
        return self.method(batch)


def images_per_second(records, batch: int) -> float:
    """Over all records after the warm-up, by the training loop's own clock."""
    records = list(records)
    first, last = records[WARM_UP - 1], records[-1]
    return (last.step - first.step) * batch / (last.seconds - first.seconds)


def lightly_images_per_second(images, recipe, steps: int) -> float:
    """Training images per second of lightly's documented SimCLR loop, after the warm-up."""
    from lightly.loss import NTXentLoss
    from lightly.transforms import SimCLRTransform
    from torch.utils.data import DataLoader, Dataset
    from torchvision.transforms.functional import to_pil_image

    class Pictures(Dataset):
        transform = SimCLRTransform(input_size=images.shape[-1], gaussian_blur=0.0)

        def __len__(self):
            return len(images)

        def __getitem__(self, i):
            return self.transform(to_pil_image(images[i])), 0

    method = build(METHOD, recipe).to(memory_format=torch.contiguous_format).train()
    criterion, optimizer = NTXentLoss(temperature=method.temperature), make_optimizer(method, recipe)
    loader = DataLoader(
        Pictures(), batch_size=recipe.batch, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True
    )
    done, start = 0, 0.0
    while True:
        for (view1, view2), _ in loader:
            z1, z2 = method.projector(method.encoder(view1)), method.projector(method.encoder(view2))
            loss = criterion(z1, z2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            if done == WARM_UP:
                start = time.perf_counter()
            if done == WARM_UP + steps:
                return steps * recipe.batch / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="timed steps in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    recipe = RECIPES["laptop"].but(steps=args.steps + WARM_UP)
    images = load("scenes", train=8000, val=10, test=10).train.x
    method = build(METHOD, recipe)
    with torch.no_grad():
        views = method.pretext(images[: recipe.batch], torch.Generator().manual_seed(0))
    speeds: dict[str, list[float]] = {"sslkit": [], "ready": []}
    for _ in range(args.rounds):  # in turns, so that a slow minute hits all alike
        speeds["sslkit"].append(images_per_second(train(method, images, recipe), recipe.batch))
        speeds["ready"].append(images_per_second(train(Ready(method, views), images, recipe), recipe.batch))
    try:
        speeds["lightly"] = [lightly_images_per_second(images, recipe, max(10, args.steps // 3)) for _ in range(2)]
    except ImportError:
        print('lightly is not installed: pip install -e ".[benchmark]"')
    mean = {name: statistics.mean(values) for name, values in speeds.items()}
    for name, values in speeds.items():
        print(f"{name:8} {mean[name]:8,.0f} images/s   ({', '.join(f'{v:,.0f}' for v in values)})")
    ratios = {f"sslkit / {other}": mean["sslkit"] / mean[other] for other in mean if other != "sslkit"}
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}")
    if args.out:
        result = {
            "command": "python tests/benchmarks/speed.py",
            "threads": torch.get_num_threads(),
            "batch": recipe.batch,
            "precision": str(precision("cpu")),
            "torch": torch.__version__,
            "images_per_second": speeds,
            "ratios": ratios,
        }
        args.out.parent.mkdir(exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
