"""An image file of any kind as uint8 pixels of one square size."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from sslkit.progress import progress

SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .gif .bmp .dib .webp .tif .tiff .ppm .pgm .pbm .pnm .tga .ico .jp2 .avif"
    " .heic .heif".split()
)
# Only what Pillow decodes by itself: EPS would start Ghostscript. HEIF comes with the package pillow-heif.
FORMATS = "JPEG MPO PNG GIF BMP DIB WEBP TIFF PPM TGA ICO JPEG2000 AVIF HEIF".split()
BACKDROP = (128, 128, 128)  # behind transparent pixels: black drawings and white ones both stay visible


class UnreadableImage(ValueError):
    """A file that cannot be decoded; the text says why."""


def read_image(path: str | Path, size: int, channels: int = 3) -> np.ndarray:
    """uint8 [channels, size, size]: upright, shorter side resized to `size` (antialiased), centre cropped.

    Transparency is laid on mid grey, 16-bit values are scaled to 8 bits, an animation gives its first frame.
    `channels` is 3 (RGB) or 1 (grey). Raises UnreadableImage, or FileNotFoundError.
    """
    try:
        with Image.open(path, formats=formats()) as image:
            # JPEG only: decodes at 1/2, 1/4 or 1/8 of the size, never below twice what is asked for. 2 to 6
            # times faster on photographs, at most 2.3 grey levels (rms) from the full decode.
            image.draft(None, (2 * size, 2 * size))
            image.load()
            image = _flatten(_to_8_bit(_upright(image))).convert("RGB" if channels == 3 else "L")
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's readers raise nearly any exception on a broken file
        raise UnreadableImage(_reason(path, error)) from error
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    square = image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    return np.asarray(square).reshape(size, size, channels).transpose(2, 0, 1)


def check_image(path: Path) -> None:
    """Raise UnreadableImage where `path` is not an image or is cut short. Cheap: decodes only when in doubt, as when a file does not
    end where its format ends (a JPEG holds a thumbnail with an end of its own), or has few bytes for its pixels."""
    with open(path, "rb") as file:
        head = file.read(12)
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - 12))
        tail = file.read()
    try:
        with Image.open(path, formats=formats()) as image:
            kind, pixels = image.format, image.width * image.height
    except Exception as error:  # as in read_image
        raise UnreadableImage(_reason(path, error)) from error
    complete = {
        "JPEG": tail.endswith(b"\xff\xd9"),
        "MPO": tail.endswith(b"\xff\xd9"),
        "PNG": tail[4:8] == b"IEND" and length > pixels / 8,
        "WEBP": int.from_bytes(head[4:8], "little") + 8 <= length,
    }
    if not complete.get(kind, False):
        read_image(path, 8)


def decode_all(
    paths: list[Path], size: int, channels: int = 3, workers: int | None = None
) -> tuple[Tensor, dict[int, str]]:
    """All images as uint8 [N, channels, size, size], and {index: reason} for those that failed (left black).

    Memory is taken once, for the result; `workers` threads decode (see `pool`).
    """
    x = torch.zeros(len(paths), channels, size, size, dtype=torch.uint8)
    out, failed, show = x.numpy(), {}, progress("reading images", len(paths), "images")

    def read(start: int) -> int:
        stop = min(start + 64, len(paths))
        for i in range(start, stop):
            try:
                out[i] = read_image(paths[i], size, channels)
            except (UnreadableImage, OSError) as error:
                failed[i] = str(error)
        return stop

    for done in pool(workers).map(read, range(0, len(paths), 64)):
        show(done)
    return x, failed


def pool(workers: int | None = None) -> ThreadPoolExecutor:
    """The threads that decode, shared by all sets: by default one per core, at most 8.

    Threads, since Pillow lets go of the GIL while it decodes and resizes: measured as fast as processes, with
    nothing to pickle, nothing to start, and no worker that can freeze a notebook.
    """
    return _pool(workers or min(8, os.cpu_count() or 1), os.getpid())


@lru_cache(maxsize=4)
def _pool(workers: int, process: int) -> ThreadPoolExecutor:
    # `process` is part of the key because threads do not survive a fork: waiting for them would hang.
    return ThreadPoolExecutor(workers, thread_name_prefix="decode")


@lru_cache(maxsize=1)
def formats() -> list[str]:
    """Pillow's names of what can be read here."""
    Image.init()
    if find_spec("pillow_heif"):  # photographs of phones, for those who have it
        import pillow_heif

        pillow_heif.register_heif_opener()
    return [name for name in FORMATS if name in Image.OPEN]


def _reason(path: str | Path, error: Exception) -> str:
    if not isinstance(error, UnidentifiedImageError):
        return f"{type(error).__name__}: {error}"
    heif = str(path).lower().endswith((".heic", ".heif")) and "HEIF" not in formats()
    return "HEIF: to read it, pip install pillow-heif" if heif else "not an image of a known format"


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says."""
    if image.format == "TIFF":  # its reader has turned the image, though some versions keep the tag
        return image
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block raises nearly any exception, and leaves the pixels intact
        return image


def _to_8_bit(image: Image.Image) -> Image.Image:
    """16-bit and 32-bit (0..65535) and float (0..1 or 0..255) grey as mode L; other modes as they are."""
    if not image.mode.startswith("I") and image.mode != "F":
        return image
    values = np.asarray(image, dtype=np.float64)
    low, high = values.min(), values.max()
    limit = 255.0 if image.mode == "F" else 65535.0
    if not (low >= 0 and high <= limit):
        raise ValueError(f"pixel values from {low:g} to {high:g}, known are 0..{limit:g}")
    scale = 1.0 if image.mode == "F" and high > 1 else 255.0 if image.mode == "F" else 1 / 257
    return Image.fromarray(np.round(values * scale).astype(np.uint8))


def _flatten(image: Image.Image) -> Image.Image:
    """Transparent images laid on BACKDROP; others as they are."""
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (*BACKDROP, 255)), image)
