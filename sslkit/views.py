"""Random views of image batches: what a view throws away is what the features will not depend on.

A view is called as `view(x, generator)` with x [N, C, H, W], uint8 or float in [0, 1], and returns float32 in [0, 1]
on x's device. Every sample draws its own random numbers, from `generator` alone, so that one seed gives one result.
Under each class stands a pure function that takes the drawn numbers as tensors: the place to look up what exactly is
done.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = (0.299, 0.587, 0.114)  # luma weights of ITU-R BT.601, as in PIL and torchvision
TO_YIQ = torch.tensor([GREY, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)])  # grey and two colour axes (NTSC)
FROM_YIQ = torch.linalg.inv(TO_YIQ)


def to_float(x: Tensor) -> Tensor:
    """uint8 [N, C, H, W] to float32 in [0, 1]; what is decimal already becomes float32. ValueError for anything else."""
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(
            f"views need images [N, 1 or 3, H, W], got a tensor of shape {list(x.shape)}; one image is x[None]"
        )
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise ValueError(f"views need images as uint8, or as decimal numbers in 0 .. 1, got {x.dtype}")
    return x.float().div_(255) if x.dtype == torch.uint8 else x.float()


def uniform(n: int, low: float, high: float, x: Tensor, generator: torch.Generator | None) -> Tensor:
    """n numbers, uniform in [low, high), on x's device."""
    return torch.rand(n, device=x.device, generator=generator) * (high - low) + low


# --- geometry ---------------------------------------------------------------------------------------------------------------


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
        at = (
            start[:, None] + step * (length / count)[:, None]
        )  # [N, count] pixel coordinates; the first pixel spans 0 to 1
        at = torch.minimum(torch.maximum(at, start[:, None] + 0.5), (start + length)[:, None] - 0.5)
        if mirrored is not None:
            at = torch.where(mirrored[:, None], at.flip(1), at)
        return at * (2 / extent) - 1  # grid_sample's -1 to 1

    across = coordinates(left, width, columns, W, flip)[:, None, :].expand(N, rows, columns)
    down = coordinates(top, height, rows, H, None)[:, :, None].expand(N, rows, columns)
    grid = torch.stack([across, down], dim=-1).to(x.dtype)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


class Side:
    """The pixels a side that crops without a size of their own have, None for the input's, and whether there were any."""

    def __init__(self, pixels: int | None):
        self.pixels, self.used = pixels, False


SIDE: ContextVar[Side | None] = ContextVar("SIDE", default=None)


@contextmanager
def crops_of(pixels: int | None) -> Iterator[None]:
    """Within, a RandomResizedCrop without a size of its own gives `pixels` x `pixels`; None: the input's size.
    ValueError where there was no such crop, so that nobody believes in small views that are none."""
    side = Side(pixels)
    before = SIDE.set(side)
    try:
        yield
    finally:
        SIDE.reset(before)
    if pixels and not side.used:
        raise ValueError(
            f"views of {pixels} pixels were asked for, but nothing here is cropped to the size of its input"
        )


@dataclass
class RandomResizedCrop:
    """A random box of `scale` times the image's area and of `ratio` width to height, resized to the full size
    (Szegedy et al. 2015; torchvision's parameters); mirrored with probability `flip`, which costs nothing here since
    the crop resamples anyway.

    A box that would stick out is shortened to fit, where torchvision draws again; `size` None keeps the input's size, or takes
    that of `crops_of`.
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


# --- colour -----------------------------------------------------------------------------------------------------------------


def colour_matrices(
    brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor, mean: Tensor
) -> tuple[Tensor, Tensor]:
    """The four colour changes, in this order, as one affine map of RGB per image: out = M rgb + b.

    brightness, contrast, saturation [N] are factors (1 changes nothing) and mean as torchvision's: b rgb; blend with
    the image's mean grey; blend with each pixel's grey. hue [N] in turns is a rotation of the colour plane about the
    grey axis in YIQ, the linear form that NVIDIA DALI uses; torchvision turns HSV's hue, which also keeps max and min
    of RGB, at ten times the cost. mean [N, 3] is each image's mean colour. Returns M [N, 3, 3], b [N, 3, 1]. Linear
    maps compose, so values are clamped once, at the end, where torchvision clamps after each change.
    """
    to_yiq, from_yiq = TO_YIQ.to(mean), FROM_YIQ.to(mean)
    grey, eye = to_yiq[0], torch.eye(3).to(mean)
    angle = -math.tau * hue  # red turns to yellow for hue > 0, as in HSV
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).view(-1, 3, 3)
    hue_map = from_yiq @ turn @ to_yiq
    saturate = saturation[:, None, None] * eye + (1 - saturation)[:, None, None] * grey.expand(3, 3)
    linear = hue_map @ saturate
    scale = (brightness * contrast)[:, None, None]
    mean_grey = brightness * (1 - contrast) * (mean @ grey)
    return scale * linear, linear @ mean_grey[:, None, None].expand(-1, 3, 1)


def apply_colour(x: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """x [N, 3, H, W] through M [N, 3, 3], b [N, 3, 1], clamped to [0, 1]."""
    return torch.baddbmm(offset, matrix, x.flatten(2)).clamp_(0, 1).view_as(x)


@dataclass
class ColorJitter:
    """Brightness, contrast, saturation and hue, each changed at random, with probability p per image.

    Factors are uniform in [1 - 0.8 s, 1 + 0.8 s], hue in [-0.2 s, 0.2 s] turns, s = strength (SimCLR, Chen et al.
    2020, appendix A; s = 1 on ImageNet, 0.5 on CIFAR-10), in SimCLR's order. Grey images get brightness and contrast.
    """

    strength: float = 0.5
    p: float = 0.8

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        N, reach = len(x), min(0.8 * self.strength, 1.0)
        factors = [uniform(N, 1 - reach, 1 + reach, x, generator) for _ in range(3)]
        hue = uniform(N, -0.2 * self.strength, 0.2 * self.strength, x, generator)
        keep = uniform(N, 0, 1, x, generator) >= self.p
        brightness, contrast, saturation = (torch.where(keep, 1.0, factor) for factor in factors)
        if x.shape[1] == 1:
            mean = brightness * x.mean((1, 2, 3))
            scale, shift = (brightness * contrast)[:, None, None, None], (mean * (1 - contrast))[:, None, None, None]
            return (x * scale + shift).clamp_(0, 1)
        return apply_colour(
            x, *colour_matrices(brightness, contrast, saturation, torch.where(keep, 0.0, hue), x.mean((2, 3)))
        )


@dataclass
class Grayscale:
    """All colour taken away with probability p per image; the three channels stay, equal."""

    p: float = 0.2

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        if x.shape[1] == 1:
            return x
        grey = (x * x.new_tensor(GREY)[:, None, None]).sum(1, keepdim=True)
        chosen = uniform(len(x), 0, 1, x, generator) < self.p
        return torch.where(chosen[:, None, None, None], grey, x)


# --- the rest ---------------------------------------------------------------------------------------------------------------


def gaussian_blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Blur image n with a Gaussian of sigma[n] pixels, cut off at the largest odd kernel within a tenth of the image
    (at least 3, SimCLR's appendix A); borders are reflected."""
    N, C, H, W = x.shape
    radius = max(1, round(0.1 * min(H, W)) // 2)
    at = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (at / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(C, 0)  # [N C, taps]: one group a channel
    planes = F.pad(x.reshape(1, N * C, H, W), (radius,) * 4, mode="reflect")
    planes = F.conv2d(F.conv2d(planes, kernel[:, None, None, :], groups=N * C), kernel[:, None, :, None], groups=N * C)
    return planes.view(N, C, H, W)


@dataclass
class GaussianBlur:
    """A blur of `sigma` pixels, uniform in the range, with probability p per image."""

    sigma: tuple[float, float] = (0.1, 2.0)
    p: float = 0.5

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        blurred = gaussian_blur(x, uniform(len(x), *self.sigma, x, generator))
        chosen = uniform(len(x), 0, 1, x, generator) < self.p
        return torch.where(chosen[:, None, None, None], blurred, x)


@dataclass
class Compose:
    """Views one after another."""

    views: list = field(default_factory=list)

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        for view in self.views:
            x = view(x, generator)
        return x
