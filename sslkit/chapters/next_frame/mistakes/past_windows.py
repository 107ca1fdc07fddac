"""Exercise of chapter 08: a window that slides over the past."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.next_frame.method import past_windows
from sslkit.checks.exercise import Exercise, draw, mistake


def past_windows_loop(h: Tensor, past: int) -> Tensor:
    N, T, D = h.shape
    result = torch.zeros(N, T - past + 1, past * D, dtype=h.dtype)
    for n in range(N):
        for t in range(T - past + 1):
            for p in range(past):
                for d in range(D):
                    result[n, t, p * D + d] = h[n, t + p, d]
    return result


def windows(h: Tensor, past: int, starts) -> Tensor:
    return torch.stack([h[:, t : t + past].flatten(1) for t in starts], dim=1)


def filled_up(h: Tensor, past: int) -> Tensor:
    """A window for each frame, with zeros before the clip."""
    padded = F.pad(h, (0, 0, past - 1, 0))
    return torch.cat([padded[:, p : p + h.shape[1]] for p in range(past)], dim=2)


PAST_WINDOWS = Exercise(
    "past_windows",
    past_windows_loop,
    grad=True,
    trials=lambda: [
        (torch.arange(8.0).view(1, 4, 2), 2),
        (draw(1, 2, 5, 3), 3),
        (draw(2, 3, 6, 2), 2),
        (draw(3, 2, 7, 4), 4),
    ],
    mistakes=(
        mistake(
            "features before frames",
            "Frames and features are interleaved: unfold puts the frames last. Transpose the last two dimensions, then flatten.",
            ("transpose(2, 3).", ""),
        ),
        mistake(
            "one window too few",
            "The last window is missing: there are T - past + 1.",
            lambda h, past: windows(h, past, range(h.shape[1] - past)),
        ),
        mistake(
            "first window missing",
            "The first window is missing: it starts at frame 0.",
            lambda h, past: windows(h, past, range(1, h.shape[1] - past + 1)),
        ),
        mistake(
            "windows beyond the clip",
            "You have a window for each of the T frames, so some hold frames that the clip does not have: zeros, or frames of its other end. There are T - past + 1 whole ones.",
            filled_up,
            lambda h, past: torch.cat([h.roll(-p, 1) for p in range(past)], 2),
            lambda h, past: torch.cat([h.roll(p, 1) for p in reversed(range(past))], 2),
        ),
        mistake(
            "mean of the window",
            "You take the mean over the frames of a window, which forgets their order. Put them side by side: past * D numbers.",
            lambda h, past: h.unfold(1, past, 1).mean(-1),
            lambda h, past: h.unfold(1, past, 1).sum(-1),
        ),
        mistake(
            "no overlap",
            "Your windows do not overlap: every frame starts one, up to frame T - past, a step of 1.",
            lambda h, past: h.unfold(1, past, past).transpose(2, 3).flatten(2),
        ),
        mistake(
            "newest first",
            "The newest frame comes first in your windows. Oldest first.",
            lambda h, past: past_windows(h, past).unflatten(2, (past, -1)).flip(2).flatten(2),
        ),
        mistake(
            "not flattened",
            "One dimension too many: put the frames of a window side by side, past * D numbers.",
            (".flatten(2)", ""),
        ),
        mistake(
            "frames one after another",
            "You put the frames of a window one after another, along the clip. Side by side is along the features: dim=2.",
            lambda h, past: torch.cat([h[:, p : h.shape[1] - past + 1 + p] for p in range(past)], 1),
            lambda h, past: torch.cat([h[:, t : t + past] for t in range(h.shape[1] - past + 1)], 1),
        ),
        mistake(
            "windows before clips",
            "Your windows come first and the clips second: stack along dim=1.",
            lambda h, past: past_windows(h, past).transpose(0, 1),
        ),
        mistake(
            "windows over the features",
            "Your window slides over the features. The frames are dimension 1.",
            lambda h, past: h.unfold(2, past, 1).flatten(2),
            lambda h, past: h.unfold(2, past, 1).transpose(2, 3).flatten(2),
        ),
        mistake(
            "one window alone",
            "You give one window of each clip. Every frame from 0 to T - past starts one.",
            lambda h, past: h[:, -past:].flatten(1)[:, None],
            lambda h, past: h[:, -past:].flatten(1),
            lambda h, past: h[:, :past].flatten(1)[:, None],
        ),
        mistake(
            "another length",
            "Your windows are one frame too long or too short. Each holds `past` frames.",
            ("(1, past,", "(1, past + 1,"),
            ("(1, past,", "(1, past - 1,"),
        ),
        mistake(
            "clips run into each other",
            "You join the clips before you cut, so some windows hold frames of two of them. Keep them apart: the windows go along dimension 1.",
            lambda h, past: h.flatten(0, 1).unfold(0, past, 1).transpose(1, 2).flatten(1),
            lambda h, past: h.flatten(0, 1).unfold(0, past, 1).transpose(1, 2).flatten(1)[None],
        ),
    ),
)
