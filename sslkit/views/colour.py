"""Views that change colours: jitter, grey, blur."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.views.batch import to_float, uniform

GREY = (0.299, 0.587, 0.114)  # luma weights of ITU-R BT.601, as in PIL and torchvision
TO_YIQ = torch.tensor([GREY, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)])  # grey and two colour axes (NTSC)
FROM_YIQ = torch.linalg.inv(TO_YIQ)


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
