"""Clips that move: an animated PNG, which browsers, JupyterLab and GitHub play, and which is a PNG to all others."""

import io

import numpy as np
from PIL import Image

from sslkit.plots.picture import DPI, INK, TEXT_SIZE, WIDTH, Picture, array, drawing, drawn, frame
from sslkit.plots.table import GAP, LINE, resize, to_pixels
from sslkit.plots.text import describe, text_width


def as_clips(named: dict) -> dict[str, np.ndarray]:
    """{name: clips [N, T, C, H, W]} as uint8 [N, T, H, W, 3]; a ValueError unless all have one N and one T."""
    if not named:
        raise ValueError("no clip to show")
    found = {}
    for name, clips in named.items():
        x = array(clips)
        if x.ndim != 5 or not len(x) or x.shape[1] < 1:
            raise ValueError(f"clips must be [N, T, C, H, W], got shape {list(x.shape)}; one clip is x[None]")
        flat = to_pixels(x.reshape(-1, *x.shape[2:]))
        found[str(name)] = flat.reshape(*x.shape[:2], *flat.shape[1:])
    if len({clips.shape[:2] for clips in found.values()}) > 1:
        shapes = ", ".join(f"{name} {list(clips.shape[:2])}" for name, clips in found.items())
        raise ValueError(f"all rows need the same number of clips and of frames [N, T], got {shapes}")
    return found


@drawing
def motion(
    clips,
    times=None,
    title: str = "",
    caption: str = "",
    side: int = 64,
    milliseconds: int = 350,
    first: int = 0,
    colours: int = 64,
) -> Picture:
    """Clips side by side that play for ever, as an animated PNG.

    clips: [N, T, C, H, W], or {name: such}, one named row each; times: T texts, what is shown at each frame. `first`
    is the frame that stands where only a still picture is shown, and with which the loop starts; the last frame stays
    twice as long. All frames share one palette of `colours`. The same clips give the same bytes.
    """
    named = as_clips(clips if isinstance(clips, dict) else {"": clips})
    count, frames = next(iter(named.values())).shape[:2]
    times = [f"frame {t + 1}" for t in range(frames)] if times is None else [str(text) for text in times]
    if len(times) != frames or not 0 <= first < frames:
        raise ValueError(f"{len(times)} times and first={first} for {frames} frames: give one text each")
    margin = round(DPI * (max(text_width(name, TEXT_SIZE) for name in named) + 0.1)) if any(named) else 0
    side = max(8, min(side, (int(WIDTH * DPI) - margin) // count - GAP))
    tiles = {name: resize(x.reshape(-1, *x.shape[2:]), side) for name, x in named.items()}
    tiles = {name: x.reshape(count, frames, *x.shape[1:]) for name, x in tiles.items()}
    tile_h, tile_w = max(x.shape[2] for x in tiles.values()), max(x.shape[3] for x in tiles.values())
    height, width = LINE + len(tiles) * (tile_h + GAP), max(margin + count * (tile_w + GAP), round(5 * DPI))
    fig, body = frame(width / DPI, height / DPI, title, caption)
    ax = fig.add_axes(body)
    ax.axis("off")
    canvas = np.full((height, width, 3), 255, np.uint8)
    shown = ax.imshow(canvas, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    for r, name in enumerate(tiles):
        ax.text(0, LINE + r * (tile_h + GAP) + tile_h / 2, name, size=TEXT_SIZE, color=INK, va="center")
    label = ax.text(margin, LINE - 4, "", size=TEXT_SIZE, color=INK, va="bottom")
    pictures = []
    for t in range(frames):
        for r, x in enumerate(tiles.values()):
            for k in range(count):
                top, left = LINE + r * (tile_h + GAP), margin + k * (tile_w + GAP)
                canvas[top : top + x.shape[2], left : left + x.shape[3]] = x[k, t]
        shown.set_data(canvas)
        label.set_text(times[t])
        pictures.append(drawn(fig))
    order = [(first + t) % frames for t in range(frames)]
    durations = [milliseconds * (2 if t == frames - 1 else 1) for t in order]
    what = f"Animation of {count} clips, {frames} frames" + (f", rows: {', '.join(named)}" if any(named) else "")
    return Picture(animated_png([pictures[t] for t in order], durations, colours), describe(what, title, caption))


def animated_png(frames: list[np.ndarray], durations: list[int], colours: int) -> bytes:
    """uint8 frames [H, W, 3] of one size as an animated PNG that loops for ever, all with one palette."""
    stacked = Image.fromarray(np.concatenate(frames))
    stacked = stacked.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    height = frames[0].shape[0]
    parts = [stacked.crop((0, t * height, stacked.width, (t + 1) * height)) for t in range(len(frames))]
    buffer = io.BytesIO()
    rest = dict(append_images=parts[1:], duration=durations, loop=0) if len(parts) > 1 else {}
    parts[0].save(buffer, "png", save_all=len(parts) > 1, **rest)
    return buffer.getvalue()
