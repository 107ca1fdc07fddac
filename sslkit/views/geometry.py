"""Views that move pixels: crops, mirror images, turns."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.views.batch import to_float, uniform
from sslkit.views.size import SIDE


def resized_crop(x: Tensor, boxes: Tensor, flip: Tensor | None = None, size: int | None = None) -> Tensor:
    """Cut one box out of each image and scale it to `size` x `size` pixels (by default: the input's height and width).

    x [N, C, H, W] float; boxes [N, 4] as left, top, width, height in pixels, fractions allowed; flip [N] bool mirrors
    left to right. Bilinear without antialiasing, as torchvision's resized_crop(antialias=False): the box's border is
    repeated, so nothing from outside the box leaks in.
    """
    (N, _, H, W), (left, top, width, height) = x.shape, boxes.unbind(1)
    rows, columns = size or H, size or W

    def coordinates(start: Tensor, length: Tensor, count: int, extent: int, mirrored: Tensor | None) -> Tensor:
        step = torch.arange(count, device=x.device) + 0.5
        at = start[:, None] + step * (length / count)[:, None]  # [N, count] in pixels; the first one spans 0 to 1
        at = torch.minimum(torch.maximum(at, start[:, None] + 0.5), (start + length)[:, None] - 0.5)
        if mirrored is not None:
            at = torch.where(mirrored[:, None], at.flip(1), at)
        return at * (2 / extent) - 1  # grid_sample's -1 to 1

    across = coordinates(left, width, columns, W, flip)[:, None, :].expand(N, rows, columns)
    down = coordinates(top, height, rows, H, None)[:, :, None].expand(N, rows, columns)
    grid = torch.stack([across, down], dim=-1).to(x.dtype)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


@dataclass
class RandomResizedCrop:
    """A random box of `scale` times the image's area and of `ratio` width to height, resized to the full size
    (Szegedy et al. 2015; torchvision's parameters); mirrored with probability `flip`, which costs nothing here since
    the crop resamples anyway.

    A box that would stick out is shortened to fit, where torchvision draws again; `size` None keeps the input's size, or takes
    that of `small_crops`.
    """

    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    size: int | None = None

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        N, _, H, W = x.shape
        area = uniform(N, *self.scale, x, generator) * H * W
        ratio = uniform(N, math.log(self.ratio[0]), math.log(self.ratio[1]), x, generator).exp()
        width, height = (area * ratio).sqrt().clamp(1, W), (area / ratio).sqrt().clamp(1, H)
        left, top = uniform(N, 0, 1, x, generator) * (W - width), uniform(N, 0, 1, x, generator) * (H - height)
        flip = uniform(N, 0, 1, x, generator) < self.flip
        size, side = self.size, SIDE.get()
        if size is None and side:
            size, side.used = side.pixels, True
        return resized_crop(x, torch.stack([left, top, width, height], dim=1), flip, size)


def rotate(x: Tensor, degrees: Tensor) -> Tensor:
    """Turn image n counter-clockwise by degrees[n] about its centre; bilinear, corners filled with the nearest border
    pixel."""
    angle = degrees * (math.pi / 180)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    aspect = x.shape[-1] / x.shape[-2]
    theta = torch.stack([torch.stack([cos, -sin / aspect, zero], 1), torch.stack([sin * aspect, cos, zero], 1)], 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


@dataclass
class Rotation:
    """A turn by an angle uniform in [-degrees, degrees]."""

    degrees: float = 15.0

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        return rotate(x, uniform(len(x), -self.degrees, self.degrees, x, generator))
