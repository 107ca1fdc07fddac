"""Files of one's own that are broken, odd or hostile: each is read as it should be, or left out and named; nothing is executed."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
import torch
from photos import two_colours
from PIL import Image

from sslkit.__main__ import main
from sslkit.datasets import load
from sslkit.datasets.streamed import StreamedImages

SIDE = 24
NOISE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims to be so large, and holds a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0" * 99)) + chunk(b"IEND", b"")


def odd_images(folder) -> None:
    """Images of kinds that cameras and programs write, and names that nobody expects."""
    image = Image.fromarray(NOISE)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257).save(folder / "sixteen.png")
    image.convert("P").save(folder / "palette.png")
    image.convert("P").save(folder / "transparent.gif", transparency=3)
    image.convert("1").save(folder / "bilevel.png")
    image.convert("LA").save(folder / "grey_alpha.png")
    image.save(folder / "broken_exif.jpg", exif=b"Exif\0\0MM\0*\0\0\0\xff" + bytes(7))
    image.save(folder / "odd_exif.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0abc\0\0\0\0\0")
    image.save(folder / "animated.gif", save_all=True, append_images=[image.rotate(90), image.rotate(180)])
    image.save(folder / "animated.webp", save_all=True, append_images=[image.rotate(90)])
    image.save(folder / "really_a_png.jpg", format="PNG")
    image.save(folder / "UPPER.JPG")
    image.save(folder / "line.tiff", compression="tiff_lzw")
    image.resize((1, 1)).save(folder / "one_pixel.png")
    image.resize((3000, 1)).save(folder / "thin.png")
    image.save(folder / "<img src=x onerror=alert(1)>.png")
    image.save(folder / "a\nnew line.png")
    image.save(folder / "snow ☃ ' \" & %s {0}.png")


def bad_images(folder) -> None:
    """Files that no one can read as an image."""
    for suffix in ("jpg", "png", "webp", "gif", "bmp", "tiff"):
        Image.fromarray(NOISE).save(folder / f"whole.{suffix}")
        whole = (folder / f"whole.{suffix}").read_bytes()
        (folder / f"whole.{suffix}").unlink()
        (folder / f"cut.{suffix}").write_bytes(whole[: len(whole) // 3])
    thumbnail = io.BytesIO()
    Image.fromarray(NOISE).resize((9, 9)).save(thumbnail, "JPEG")
    Image.fromarray(NOISE).save(folder / "ends_twice.jpg", exif=b"Exif\0\0" + thumbnail.getvalue())
    whole = (folder / "ends_twice.jpg").read_bytes()  # cut after the end of its thumbnail
    (folder / "ends_twice.jpg").write_bytes(whole[:-200])
    (folder / "empty.png").write_bytes(b"")
    (folder / "zeros.jpg").write_bytes(bytes(5000))
    (folder / "random.png").write_bytes(np.random.default_rng(1).bytes(5000))
    (folder / "text.jpg").write_text("not an image")
    (folder / "page.png").write_text("<html><script>alert(1)</script></html>")
    (folder / "drawing.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    (folder / "script.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file\n")
    (folder / "bomb.png").write_bytes(png_of(60_000, 60_000))
    (folder / "short.png").write_bytes(png_of(50, 50))
    (folder / "no_side.png").write_bytes(png_of(0, 9))
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "round.png").symlink_to(folder / "round.png")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with fifos and any name")
@pytest.mark.parametrize("memory_gb", [2.0, 0.0], ids=["in memory", "streamed"])
def test_odd_images_are_read_and_bad_ones_named(tmp_path, memory_gb):
    two_colours(tmp_path, 20)
    odd_images(tmp_path / "red")
    odd = {path.name for path in (tmp_path / "red").iterdir()}
    bad_images(tmp_path / "blue")
    bad = {path.name for path in (tmp_path / "blue").iterdir()} - {f"{i}.png" for i in range(20)}
    (tmp_path / "red" / "again").symlink_to(tmp_path)  # round and round
    with pytest.warns(UserWarning, match="are left out"):
        data = load(f"folder:{tmp_path}", memory_gb=memory_gb)
    read = {name.partition("/")[2] for split in data.splits.values() for name in split.names}
    copies = {line.partition("/")[2].partition(":")[0] for line in data.skipped if ": a copy of " in line}
    assert odd <= read | copies, odd - read - copies
    assert not bad & read, bad & read
    for split in data.splits.values():
        assert split.x[list(range(len(split)))].shape == (len(split), 3, 32, 32)
    said = "\n".join(data.skipped)
    ours = bad - {"folder.png", "pipe.png", "nowhere.png", "round.png"}  # these are no files
    assert not [name for name in ours if name not in said]


def test_an_unreadable_image_is_named(tmp_path):
    two_colours(tmp_path, 20)
    (tmp_path / "red" / "3.png").chmod(0)
    if os.access(tmp_path / "red" / "3.png", os.R_OK):
        pytest.skip("this user reads everything")
    with pytest.warns(UserWarning, match="red/3.png.*ermission"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize("attack", ["gone", "cut"])
def test_files_that_vanish_or_break_in_mid_training(tmp_path, monkeypatch, capsys, attack):
    """What was learned is kept, the file is named, and the run goes on when it is back."""
    photos, run = tmp_path / "photos", tmp_path / "run"
    photos.mkdir()
    two_colours(photos, 20)
    data = load(f"folder:{photos}", memory_gb=0)
    files, steps = data.pretrain.files, []
    content = [path.read_bytes() for path in files]
    read = StreamedImages.__getitem__

    def attacked(self, index):
        steps.append(index)
        if len(steps) == 4:
            self._ahead.clear()
            for path in files:
                path.unlink() if attack == "gone" else path.write_bytes(path.read_bytes()[:99])
        return read(self, index)

    monkeypatch.setattr(StreamedImages, "__getitem__", attacked)
    monkeypatch.setattr("sslkit.datasets.load", lambda *_, **__: data)
    command = ["pretrain", "simclr", "--data", f"folder:{photos}", "--scale", "smoke", "--out", str(run)]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert (
        "Traceback" not in error and error.count("\n") == 1 and str(photos) in error and "load the set again" in error
    )
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 3
    for path, whole in zip(files, content):
        path.write_bytes(whole)
    assert main([*command, "--resume"]) == 0


@pytest.mark.parametrize("name", ["~nobody_of_this_name/x", "/nowhere/at all", "a\0b", "x" * 5000, "<b>x</b>"])
@pytest.mark.parametrize("kind, method", [("folder", "simclr"), ("text", "gpt"), ("video", "next_frame")])
def test_places_that_are_none(kind, method, name, tmp_path, capsys):
    assert main(["pretrain", method, "--data", f"{kind}:{name}", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


TEXTS = {
    "empty": b"",
    "blank": b" \n\n\n " * 100,
    "zeros": bytes(5000),
    "latin": "gr\u00fc\u00df dich ".encode("latin-1") * 500,
    "utf16": ("words " * 500).encode("utf-16"),
    "cut": ("\u2603 snow " * 500).encode()[:-8] + b"\xe2\x98",
    "binary": np.random.default_rng(2).bytes(5000),
    "image": png_of(50, 50),
    "one_line": b"x" * 200_000,
    "script": b"<script>alert(1)</script>\n" * 300,
}


@pytest.mark.parametrize("name", TEXTS)
def test_bad_texts_are_read_or_refused_in_words(tmp_path, name):
    (tmp_path / "x.txt").write_bytes(TEXTS[name])
    try:
        data = load(f"text:{tmp_path}", context=32, vocabulary=300)
    except ValueError as error:
        assert str(tmp_path) in str(error) and len(str(error)) < 500
    else:
        assert len(data.train) and name in ("latin", "utf16", "cut", "one_line", "script")


def films(folder):
    """Files that are no films."""
    frames = [Image.fromarray(np.roll(NOISE, i, 1)) for i in range(60)]
    frames[0].save(folder / "film.gif", save_all=True, append_images=frames[1:])
    whole = (folder / "film.gif").read_bytes()
    (folder / "film.gif").unlink()
    broken = {"cut.gif": whole[:200], "empty.gif": b"", "zeros.mp4": bytes(5000), "text.webm": b"no film"}
    broken |= {"page.mp4": b"<html></html>", "still.gif": b"", "list.avi": b"ffconcat version 1.0\nfile /etc/passwd\n"}
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    frames[0].save(folder / "still.gif")
    return list(broken)


def test_bad_films_are_refused_in_words(tmp_path):
    for name in films(tmp_path):
        with pytest.raises((ValueError, OSError)) as caught:
            load(f"video:{tmp_path / name}", frames=4)
        assert name in str(caught.value) and len(str(caught.value)) < 500, name
