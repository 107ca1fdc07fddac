"""Random views of image batches: what a view throws away is what the features will not depend on.

A view is called as `view(x, generator)` with x [N, C, H, W], uint8 or float in [0, 1], and returns float32 in [0, 1]
on x's device. Every sample draws its own random numbers, from `generator` alone, so that one seed gives one result.
Under each class stands a pure function that takes the drawn numbers as tensors: the place to look up what exactly is
done.
"""

from sslkit.views.batch import Compose, to_float, uniform
from sslkit.views.colour import (
    GREY,
    ColorJitter,
    GaussianBlur,
    Grayscale,
    apply_colour,
    colour_matrices,
    gaussian_blur,
)
from sslkit.views.geometry import RandomResizedCrop, Rotation, resized_crop, rotate
from sslkit.views.size import small_crops

__all__ = [
    "GREY",
    "ColorJitter",
    "Compose",
    "GaussianBlur",
    "Grayscale",
    "RandomResizedCrop",
    "Rotation",
    "apply_colour",
    "colour_matrices",
    "gaussian_blur",
    "resized_crop",
    "rotate",
    "small_crops",
    "to_float",
    "uniform",
]
