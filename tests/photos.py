"""Photos of one's own, as a user has them on disk."""

from pathlib import Path

import torch
from PIL import Image


def two_colours(folder: Path, n: int) -> None:
    """Class subfolders: n noisy images of each of two colours."""
    for label, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (folder / label).mkdir()
        for i in range(n):
            noise = torch.randint(-50, 50, (40, 50, 3), generator=torch.Generator().manual_seed(i))
            image = (torch.tensor(colour) + noise).clamp(0, 255).to(torch.uint8).numpy()
            Image.fromarray(image).save(folder / label / f"{i}.png")
