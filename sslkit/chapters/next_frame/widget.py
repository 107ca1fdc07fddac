"""A player for clips and what was predicted of them; a panel to push an emoji."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.next_frame.figures import as_clips
from sslkit.datasets import Split
from sslkit.datasets.moving import borders, render, travel
from sslkit.datasets.scenes import backgrounds
from sslkit.widgets import Panel, slider


def clip_player(clips: dict, times=None, title: str = "Drag through time", start: int = 0) -> Panel:
    """A panel that shows frame t of clip n of each row, and below it how far each is from the first row.

    clips {name: [N, T, C, H, W]}: the truth first, then what to compare with it, all with one N and one T; times: T
    texts; start: the frame that is shown first. Errors are absolute differences, so black is right. Without a kernel a
    reader sees all frames of clip 0.
    """
    named = as_clips(clips)
    if len(named) < 2:
        raise ValueError(f"the player compares with the first row: it needs two rows or more, got {', '.join(named)}")
    truth = next(iter(named.values()))
    count, frames = truth.shape[:2]
    times = [f"frame {t + 1}" for t in range(frames)] if times is None else [str(text) for text in times]
    if len(times) != frames:
        raise ValueError(f"{len(times)} times for {frames} frames: give one text each")

    def pixels(x, clip: int, t: int):
        return x[clip, t].transpose(2, 0, 1)

    def error(x, clip: int, t: int):
        return np.abs(pixels(x, clip, t).astype(np.int16) - pixels(truth, clip, t)).astype(np.uint8)

    def draw(clip, frame):
        shown = np.stack([pixels(x, clip, frame) for x in named.values()])
        wrong = np.stack([error(x, clip, frame) for x in named.values()])
        rms = [np.sqrt(np.mean((error(x, clip, frame) / 255.0) ** 2)) for x in named.values()]
        errors = ", ".join(f"{name} {value:.3f}" for name, value in list(zip(named, rms))[1:])
        caption = f"Clip {clip}, {times[frame]}. Root mean squared error: {errors}."
        return plots.rows({"frame": shown, "error": wrong}, list(named), title=title, caption=caption, side=160)

    def fallback():
        rows = {name: np.stack([pixels(x, 0, t) for t in range(frames)]) for name, x in named.items()}
        last = list(named)[-1]
        rows[f"error of {last}"] = np.stack([error(named[last], 0, t) for t in range(frames)])
        caption = "Clip 0, all frames. Black: no error. Run the notebook to choose a clip and drag through time."
        return plots.rows(rows, times, title=title, caption=caption, side=72)

    controls = {"clip": slider("clip", 0, 0, count - 1), "frame": slider("frame", start, 0, frames - 1)}
    return Panel(controls, draw, fallback)


def push_panel(roll: Callable[[Tensor, int], Tensor], split: Split, past: int, ahead: int = 5) -> Panel:
    """A panel with sliders for the velocity of a clip's emoji; it shows what comes and what the network predicts.

    roll: from clips [N, past, C, H, W] and a number of steps to the frames predicted, in [0, 1]; split: clips to start from."""
    generator = torch.Generator().manual_seed(1)
    ground = backgrounds(split.factors["background"], torch.linspace(0, 1, len(split)), generator)
    names = [*(str(t - past) for t in range(past)), *(f"+{t + 1}" for t in range(ahead))]

    def show(clip: int, vx: float, vy: float, title: str = "You push, it predicts"):
        f = {name: values[clip : clip + 1] for name, values in split.factors.items()}
        place, velocity = torch.full((1, 2), 16.0), torch.tensor([[vx, vy]])
        places, _ = travel(place, velocity, *borders(f["size"]), past + ahead)
        film = render(f["emoji"], ground[clip : clip + 1], places, f["size"], f["hue"])
        rolled = (roll(film[:, :past], ahead)[0] * 255).round().to(torch.uint8)
        caption = f"Velocity {vx:+.1f}, {vy:+.1f} pixels per frame."
        rows = {"truth": film[0], "predicted": torch.cat([film[0, :past], rolled])}
        return plots.rows(rows, names, title=title, caption=caption, side=88)

    controls = {
        "clip": slider("clip", 3, 0, len(split) - 1),
        "vx": slider("vx, to the right", 2.5, -5.0, 5.0),
        "vy": slider("vy, down", -1.0, -5.0, 5.0),
    }
    pushed = "Pushed by 2.5 to the right and 1 up. Run the notebook to push"
    return Panel(controls, show, lambda: show(3, 2.5, -1.0, pushed))
