"""The mask slider: how much of an image is hidden, and what can be made of the rest."""

import torch

from sslkit import plots
from sslkit.widgets import Panel, slider

RATIOS = (0.25, 0.5, 0.75, 0.9)  # of the picture without a kernel


def mask_slider(images, fill, ratio: float = 0.75, seed: int = 0, ratios: tuple[float, ...] = RATIOS) -> Panel:
    """A panel with sliders for the mask ratio, the image and the seed of the mask.

    images: uint8 or float in [0, 1], [N, C, H, W]. fill(x, ratio, seed) -> {name: images [1, C, H, W]} is called with
    one image x [1, C, H, W] in [0, 1] and returns what to show of it side by side: the original, what is left, what a
    network paints. Without a kernel: image 0 at each of `ratios`.
    """
    images = torch.as_tensor(plots.array(images))
    if images.ndim != 4 or not len(images):
        raise ValueError(f"the mask slider needs images [N, C, H, W], got shape {list(images.shape)}")
    x = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    shares = slider("share hidden", float(ratio), 0.0, 0.95)
    shares.step = 0.05
    controls = {
        "ratio": shares,
        "image": slider("image", 0, 0, len(x) - 1),
        "seed": slider("seed of the mask", seed, 0, max(20, seed)),
    }

    def draw(ratio, image, seed):
        named = fill(x[image : image + 1], ratio, seed)
        caption = f"Image {image}, mask of seed {seed}."
        return plots.grid(
            torch.cat([plain(shown) for shown in named.values()]),
            list(named),
            title=f"{ratio:.0%} hidden",
            caption=caption,
            side=192,
        )

    def fallback():
        columns = [fill(x[:1], ratio, seed) for ratio in ratios]
        named = {name: torch.cat([plain(column[name]) for column in columns]) for name in columns[0]}
        caption = f"Image 0, mask of seed {seed}. Run the notebook to move the sliders."
        title = "More and more hidden" if ratios[0] < ratios[-1] else "Less and less hidden"
        return plots.rows(named, [f"{ratio:.0%}" for ratio in ratios], title=title, caption=caption, side=128)

    return Panel(controls, draw, fallback)


def plain(image) -> torch.Tensor:
    """An image batch as float on the CPU, clipped to [0, 1]: a network may paint outside."""
    return torch.as_tensor(plots.array(image)).float().clamp(0, 1)
