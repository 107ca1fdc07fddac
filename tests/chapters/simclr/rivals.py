"""What others train of this method, for tests/benchmarks/speed.py: {name: function(images, recipe, steps) -> images a second}."""

import time

import torch

from sslkit.chapters.simclr.method import METHOD
from sslkit.train import build, make_optimizer

WARM_UP = 5  # steps that do not count


def lightly_images_per_second(images, recipe, steps: int) -> float:
    """lightly's documented SimCLR, after the warm-up: its SimCLRTransform on PIL images, a DataLoader with two workers, its NTXentLoss,
    float32."""
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


RIVALS = {"lightly": lightly_images_per_second}
