"""One file of each kind, read and held against what the picture must look like."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sslkit.datasets import images
from sslkit.datasets.images import BACKDROP, UnreadableImage, check_image, read_image

RED, GREEN, BLUE, WHITE = (250, 20, 10), (10, 200, 30), (20, 30, 240), (255, 255, 255)


def quarters():
    """32 x 32: red, green / blue, white. No turn or mirror image of it looks the same."""
    image = np.empty((32, 32, 3), np.uint8)
    image[:16, :16], image[:16, 16:], image[16:, :16], image[16:, 16:] = RED, GREEN, BLUE, WHITE
    return image


def close(path, expected, within, **options):
    got = read_image(path, 32, **options)
    assert got.dtype == np.uint8 and got.shape[1:] == (32, 32)
    wanted = np.asarray(expected, dtype=float)
    assert np.abs(got.astype(float).transpose(1, 2, 0) - wanted).max() <= within
    return got


@pytest.mark.parametrize(
    "suffix, within",
    [
        (".png", 0),
        (".bmp", 0),
        (".tiff", 0),
        (".ppm", 0),
        (".tga", 0),
        (".webp", 0),
        (".jpg", 12),
    ],
)
def test_colour_files(tmp_path, suffix, within):
    path = tmp_path / ("picture" + suffix)
    options = {".jpg": dict(quality=95, subsampling=0), ".webp": dict(lossless=True)}.get(suffix, {})
    Image.fromarray(quarters()).save(path, **options)
    assert close(path, quarters(), within).shape == (3, 32, 32)


def test_grey_bilevel_and_palette(tmp_path):
    grey = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    Image.fromarray(grey).save(tmp_path / "grey.png")
    close(tmp_path / "grey.png", np.repeat(grey[..., None], 3, axis=2), 0)
    assert close(tmp_path / "grey.png", grey[..., None], 0, channels=1).shape == (1, 32, 32)
    Image.fromarray(grey > 99).save(tmp_path / "bits.png")
    close(tmp_path / "bits.png", np.repeat((grey > 99)[..., None] * 255, 3, axis=2), 0)
    Image.fromarray(quarters()).quantize(4).save(tmp_path / "palette.png")
    close(tmp_path / "palette.png", quarters(), 4)
    first, second = Image.fromarray(quarters()), Image.new("RGB", (32, 32))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    close(tmp_path / "moving.gif", quarters(), 4)


def test_colour_to_one_channel(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "colour.png")
    luma = quarters() @ np.array([0.299, 0.587, 0.114])  # ITU-R 601
    close(tmp_path / "colour.png", luma[..., None], 1, channels=1)


def test_cmyk(tmp_path):
    red, key = np.zeros((32, 32, 4), np.uint8), np.zeros((32, 32, 4), np.uint8)
    red[..., 1:3], key[..., 3] = 255, 255
    for name, ink, colour in (("red", red, (255, 0, 0)), ("black", key, (0, 0, 0))):
        Image.fromarray(ink, "CMYK").save(tmp_path / f"{name}.jpg", quality=95)
        close(tmp_path / f"{name}.jpg", np.broadcast_to(colour, (32, 32, 3)), 6)


def test_transparency_is_laid_on_grey(tmp_path):
    alpha = np.repeat(np.array([0, 255, 51, 204], np.uint8), 8)[None].repeat(32, 0)
    expected = quarters() * (alpha[..., None] / 255) + np.array(BACKDROP) * (1 - alpha[..., None] / 255)
    Image.fromarray(np.dstack([quarters(), alpha])).save(tmp_path / "rgba.png")
    close(tmp_path / "rgba.png", expected, 1)
    Image.fromarray(np.dstack([quarters()[..., 0], alpha])).save(tmp_path / "la.png")
    close(tmp_path / "la.png", np.repeat(expected[..., :1], 3, axis=2), 1)
    palette = Image.fromarray(quarters()).quantize(4)
    palette.save(tmp_path / "hole.png", transparency=palette.getpixel((0, 0)))
    holed = quarters().astype(float)
    holed[:16, :16] = BACKDROP
    close(tmp_path / "hole.png", holed, 4)
    Image.fromarray(quarters()).save(tmp_path / "key.png", transparency=RED)
    close(tmp_path / "key.png", holed, 0)


def test_16_bit_grey_is_scaled_not_clipped(tmp_path):
    ramp = np.linspace(0, 65535, 1024).reshape(32, 32).astype(np.uint16)
    expected = np.repeat(np.round(ramp / 257.0)[..., None], 3, axis=2)
    assert expected.max() == 255
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(ramp).save(tmp_path / name)
        close(tmp_path / name, expected, 0)
    (tmp_path / "deep.pgm").write_bytes(b"P5 32 32 65535\n" + ramp.astype(">u2").tobytes())
    close(tmp_path / "deep.pgm", expected, 1)
    Image.fromarray((ramp / 65535.0).astype(np.float32)).save(tmp_path / "float.tif")
    close(tmp_path / "float.tif", expected, 1)
    Image.fromarray((ramp / 257.0).astype(np.float32)).save(tmp_path / "float255.tif")
    close(tmp_path / "float255.tif", expected, 1)
    Image.fromarray(ramp.astype(np.int32) * 100).save(tmp_path / "huge.tif")
    with pytest.raises(UnreadableImage, match="0..65535"):
        read_image(tmp_path / "huge.tif", 32)


def test_16_bit_colour_is_scaled_not_clipped(tmp_path):
    deep = quarters().astype(np.uint16) * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 16, 2, 0, 0, 0))
    body = header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    close(tmp_path / "deep.png", quarters(), 1)


STORED = {  # orientation -> how a camera stores the upright array (EXIF's table of rows and columns)
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_rotation(tmp_path, orientation, suffix):
    path = tmp_path / ("turned" + suffix)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {".jpg": dict(quality=95, subsampling=0), ".webp": dict(lossless=True)}.get(suffix, {})
    Image.fromarray(np.ascontiguousarray(STORED[orientation](quarters()))).save(path, exif=exif, **options)
    close(path, quarters(), 12 if suffix == ".jpg" else 0)


def test_a_broken_exif_block_does_not_matter(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "x.jpg", quality=95, subsampling=0, exif=b"Exif\0\0nonsense")
    close(tmp_path / "x.jpg", quarters(), 12)


@pytest.mark.parametrize("wide", [True, False])
def test_the_middle_square_is_kept(tmp_path, wide):
    pixels = np.full((64, 192, 3), RED, np.uint8)
    pixels[:, 64:128] = np.kron(quarters(), np.ones((2, 2, 1), np.uint8))
    expected = quarters() if wide else quarters().swapaxes(0, 1)
    Image.fromarray(pixels if wide else pixels.swapaxes(0, 1)).save(tmp_path / "x.png")
    got = read_image(tmp_path / "x.png", 32).transpose(1, 2, 0)
    inner = np.abs(got.astype(int) - expected)[2:14, 2:14], np.abs(got.astype(int) - expected)[18:30, 18:30]
    assert max(part.max() for part in inner) == 0


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_small_images_are_antialiased(tmp_path, suffix):
    """A chessboard of single pixels is grey from afar."""
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / ("board" + suffix), quality=95)
    assert np.abs(read_image(tmp_path / ("board" + suffix), 32).astype(int) - 128).max() <= 4


def test_a_large_jpeg_is_close_to_its_full_decode(tmp_path):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    picture.resize((1200, 800), Image.BICUBIC).save(tmp_path / "x.jpg", quality=90)
    with Image.open(tmp_path / "x.jpg") as image:
        full = image.convert("RGB").crop((200, 0, 1000, 800)).resize((32, 32), Image.BILINEAR)
    error = read_image(tmp_path / "x.jpg", 32).transpose(1, 2, 0).astype(float) - np.asarray(full)
    assert np.sqrt((error**2).mean()) < 3


def broken_files(folder):
    """{name: what is wrong} of files that no one can decode."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8))
    noise.save(folder / "whole.jpg")
    noise.save(folder / "whole.png")
    noise.save(folder / "whole.webp", lossless=True)
    for suffix in ("jpg", "png", "webp"):
        whole = (folder / f"whole.{suffix}").read_bytes()
        (folder / f"cut.{suffix}").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not an image")
    (folder / "script.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    return ["cut.jpg", "cut.png", "cut.webp", "empty.png", "text.jpg", "script.png"]


def test_broken_files_are_refused_and_whole_ones_pass(tmp_path):
    for name in broken_files(tmp_path):
        for reader in (lambda path: read_image(path, 32), check_image):
            # The script must not even be recognised as PostScript, which another program would have to run.
            with pytest.raises(UnreadableImage, match="known format" if name == "script.png" else None):
                reader(tmp_path / name)
    for name in ("whole.jpg", "whole.png", "whole.webp"):
        check_image(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "nothing.png", 32)


def test_photographs_of_phones_get_a_hint(tmp_path, monkeypatch):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    monkeypatch.setattr(images, "formats", lambda: ["JPEG", "PNG"])
    with pytest.raises(UnreadableImage, match="pip install pillow-heif"):
        read_image(tmp_path / "IMG_1.HEIC", 32)


def test_an_image_too_large_to_be_honest_is_refused(tmp_path, monkeypatch):
    Image.fromarray(quarters()).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnreadableImage, match="Bomb"):
        read_image(tmp_path / "bomb.png", 32)
