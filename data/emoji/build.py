"""Make emoji.npz from the npm packages emoji-datasource-google and emoji-datasource-twitter, version 16.0.0.

    npm pack emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0
    python data/emoji/build.py emoji-datasource-google-16.0.0.tgz emoji-datasource-twitter-16.0.0.tgz

Writes, beside this file, arrays of one row per emoji: `google` and `twitter` (uint8 [N, 32, 32, 4], straight RGBA),
`code` (Unicode code points), `name`, `group` (9 of them), `subgroup` (98) and `row`, the emoji's number in the whole list, by which
it is put into train, val or test. Skin-tone variants, the five bare skin-tone swatches and the middle finger are left out. Needs
numpy and Pillow.
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
RUDE = ("1F595",)  # not in class


def read(archive: str, artist: str) -> tuple[list[dict], dict[str, bytes]]:
    """The list of emoji and the 64-px PNG files (by file name) in one npm package."""
    with tarfile.open(archive) as tar:
        listing = json.load(tar.extractfile("package/emoji.json"))
        folder = f"package/img/{artist}/64/"
        images = {
            m.name.removeprefix(folder): tar.extractfile(m).read()
            for m in tar
            if m.name.startswith(folder) and m.isfile()
        }
    return listing, images


def shrink(png: bytes) -> np.ndarray:
    """One PNG to uint8 [32, 32, 4]. Averaging is done on premultiplied colour, or dark rims appear; clear pixels
    become 0."""
    image = Image.open(io.BytesIO(png)).convert("RGBA").convert("RGBa")
    small = np.array(image.resize((SIDE, SIDE), Image.Resampling.BOX).convert("RGBA"))
    small[small[..., 3] == 0] = 0
    return small


def main(google: str, twitter: str) -> None:
    listing, google_images = read(google, "google")
    _, twitter_images = read(twitter, "twitter")
    kept = [e for e in listing if e["has_img_google"] and e["has_img_twitter"] and e["category"] != "Component"]
    kept.sort(key=lambda e: e["sort_order"])
    rows, kept = zip(*((row, e) for row, e in enumerate(kept) if e["unified"] not in RUDE))
    target = Path(__file__).with_name("emoji.npz")
    np.savez_compressed(
        target,
        google=np.stack([shrink(google_images[e["image"]]) for e in kept]),
        twitter=np.stack([shrink(twitter_images[e["image"]]) for e in kept]),
        code=np.array([e["unified"] for e in kept]),
        name=np.array([(e["name"] or e["short_name"].replace("-", " ")).lower() for e in kept]),
        group=np.array([e["category"] for e in kept]),
        subgroup=np.array([e["subcategory"] for e in kept]),
        row=np.array(rows, dtype=np.int16),
    )
    print(len(kept), "emoji,", target.stat().st_size, "bytes, sha256", hashlib.sha256(target.read_bytes()).hexdigest())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
