"""Exercises of chapter 08: a bouncing ball, windows over the past, the copying baseline, the roll-out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def bounce_loop(start: Tensor, velocity: Tensor, t: Tensor, low: float, high: float) -> Tensor:
    rows = []
    for place, speed in zip(start.double().tolist(), velocity.double().tolist()):
        row = []
        for time in t.double().tolist():
            at = place + speed * time
            while at < low or at > high:
                at = 2 * low - at if at < low else 2 * high - at
            row.append(at)
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


def free(start, velocity, t):
    return start[:, None] + velocity[:, None] * t


def fold(x, width):
    """A place in a room from 0 to width, thrown back at both walls."""
    return width - (x.remainder(2 * width) - width).abs()


def by_rooms(x: Tensor, low: float, high: float) -> Tensor:
    """Mirrored in every other room, with rooms counted towards 0."""
    room = (x / (high - low)).trunc()
    inside = x - room * (high - low)
    return torch.where(room % 2 == 0, low + inside, high - inside)


def turned_at(x: Tensor, low: float, high: float) -> Tensor:
    """The way back begins at high, counted from low."""
    x = x.remainder(2 * (high - low))
    return low + torch.where(x > high, 2 * (high - low) - x, x)


BOUNCE = Exercise(
    "bounce", bounce_loop,
    trials=lambda: [
        (torch.tensor([8.0]), torch.tensor([3.0]), torch.tensor([0.0, 1.0, 2.0]), 0.0, 10.0),
        (torch.tensor([8.0, 3.0]), torch.tensor([3.0, -2.0]), torch.arange(4.0), 2.0, 10.0),
        (torch.tensor([5.0, 6.0, 9.0]), torch.tensor([2.5, -3.5, 0.0]), torch.arange(9.0), 4.0, 11.0),
        (torch.tensor([1.0, 6.0]), torch.tensor([25.0, -17.0]), torch.tensor([0.5, 1.0, 2.5]), 0.0, 7.0),
    ],
    mistakes=(
        mistake("no walls", "Your balls fly through the walls: fold the place back into low .. high.",
                lambda s, v, t, low, high: free(s, v, t)),
        mistake("stops at the wall", "You clamp: your balls stick to the wall. They are thrown back by as much as they overshot.",
                lambda s, v, t, low, high: free(s, v, t).clamp(low, high)),
        mistake("comes in on the other side", "You wrap around: your balls leave at one wall and come in at the other. Mirror "
                "them, with a period of twice the width.",
                ("2 * width", "width")),
        mistake("one bounce only", "You mirror once at each wall. A fast ball hits several: use remainder by twice the width.",
                lambda s, v, t, low, high: once(free(s, v, t), low, high),
                lambda s, v, t, low, high: once_nested(free(s, v, t), low, high)),
        mistake("walls at 0", "Your left wall is at 0. Take low off before you fold, and add it again after.",
                lambda s, v, t, low, high: high - (free(s, v, t).remainder(2 * high) - high).abs(),
                (" - low + ", " + "),
                lambda s, v, t, low, high: fold(free(s, v, t) - low, high - low),
                lambda s, v, t, low, high: fold(free(s, v, t) - low, high)),
        mistake("never on the way back", "You stop at the remainder, which goes up to twice the width: beyond one width the "
                "ball is on its way back.",
                lambda s, v, t, low, high: low + (free(s, v, t) - low).remainder(2 * (high - low))),
        mistake("remainder with a sign", "torch.fmod keeps the sign and trunc rounds towards 0, so a ball that flies to the left is "
                "lost. torch.remainder, or %, is never negative here.",
                ("free.remainder(", "free.fmod("), lambda s, v, t, low, high: by_rooms(free(s, v, t) - low, low, high)),
        mistake("compared with high", "Once low is taken off, the far wall is at the width, not at high.",
                lambda s, v, t, low, high: turned_at(free(s, v, t) - low, low, high)),
        mistake("direction lost", "All your balls fly to the right. The sign of the velocity is their direction.",
                lambda s, v, t, low, high: low + fold(free(s, v.abs(), t) - low, high - low)),
        mistake("mirrored", "Your balls fly the wrong way round: the fold is upside down. At t = 0 they must be at start.",
                ("low +", "high +"), lambda s, v, t, low, high: high - low - fold(free(s, v, t) - low, high - low)),
    ),
)  # fmt: skip


def once(x: Tensor, low: float, high: float) -> Tensor:
    x = torch.where(x > high, 2 * high - x, x)
    return torch.where(x < low, 2 * low - x, x)


def once_nested(x: Tensor, low: float, high: float) -> Tensor:
    return torch.where(x > high, 2 * high - x, torch.where(x < low, 2 * low - x, x))


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
    "past_windows", past_windows_loop, grad=True,
    trials=lambda: [
        (torch.arange(8.0).view(1, 4, 2), 2),
        (draw(1, 2, 5, 3), 3),
        (draw(2, 3, 6, 2), 2),
        (draw(3, 2, 7, 4), 4),
    ],
    mistakes=(
        mistake("features before frames", "Frames and features are interleaved: unfold puts the frames last. Transpose the last "
                "two dimensions, then flatten.",
                ("transpose(2, 3).", "")),
        mistake("one window too few", "The last window is missing: there are T - past + 1.",
                lambda h, past: windows(h, past, range(h.shape[1] - past))),
        mistake("first window missing", "The first window is missing: it starts at frame 0.",
                lambda h, past: windows(h, past, range(1, h.shape[1] - past + 1))),
        mistake("windows beyond the clip", "You have a window for each of the T frames, so some hold frames that the clip "
                "does not have: zeros, or frames of its other end. There are T - past + 1 whole ones.",
                filled_up, lambda h, past: torch.cat([h.roll(-p, 1) for p in range(past)], 2),
                lambda h, past: torch.cat([h.roll(p, 1) for p in reversed(range(past))], 2)),
        mistake("mean of the window", "You take the mean over the frames of a window, which forgets their order. Put them side by side: "
                "past * D numbers.",
                lambda h, past: h.unfold(1, past, 1).mean(-1), lambda h, past: h.unfold(1, past, 1).sum(-1)),
        mistake("no overlap", "Your windows do not overlap: every frame starts one, up to frame T - past, a step of 1.",
                lambda h, past: h.unfold(1, past, past).transpose(2, 3).flatten(2)),
        mistake("newest first", "The newest frame comes first in your windows. Oldest first.",
                lambda h, past: windows(h, past, range(h.shape[1] - past + 1)).unflatten(2, (past, -1)).flip(2).flatten(2)),
        mistake("not flattened", "One dimension too many: put the frames of a window side by side, past * D numbers.",
                (".flatten(2)", "")),
        mistake("frames one after another", "You put the frames of a window one after another, along the clip. Side by side is along the "
                "features: dim=2.",
                lambda h, past: torch.cat([h[:, p : h.shape[1] - past + 1 + p] for p in range(past)], 1),
                lambda h, past: torch.cat([h[:, t : t + past] for t in range(h.shape[1] - past + 1)], 1)),
        mistake("windows before clips", "Your windows come first and the clips second: stack along dim=1.",
                lambda h, past: windows(h, past, range(h.shape[1] - past + 1)).transpose(0, 1)),
        mistake("windows over the features", "Your window slides over the features. The frames are dimension 1.",
                lambda h, past: h.unfold(2, past, 1).flatten(2), lambda h, past: h.unfold(2, past, 1).transpose(2, 3).flatten(2)),
        mistake("one window alone", "You give one window of each clip. Every frame from 0 to T - past starts one.",
                lambda h, past: h[:, -past:].flatten(1)[:, None], lambda h, past: h[:, -past:].flatten(1),
                lambda h, past: h[:, :past].flatten(1)[:, None]),
        mistake("another length", "Your windows are one frame too long or too short. Each holds `past` frames.",
                ("(1, past,", "(1, past + 1,"), ("(1, past,", "(1, past - 1,")),
        mistake("clips run into each other", "You join the clips before you cut, so some windows hold frames of two of them. Keep them "
                "apart: the windows go along dimension 1.",
                lambda h, past: h.flatten(0, 1).unfold(0, past, 1).transpose(1, 2).flatten(1),
                lambda h, past: h.flatten(0, 1).unfold(0, past, 1).transpose(1, 2).flatten(1)[None]),
    ),
)  # fmt: skip


def copy_last_ratio_loop(prediction: Tensor, target: Tensor, last: Tensor) -> Tensor:
    above, below = torch.zeros((), dtype=torch.float64), 0.0
    for p, t, before in zip(prediction.double().flatten(), target.double().flatten(), last.double().flatten()):
        above = above + (p - t) ** 2
        below += (before.item() - t.item()) ** 2
    return above / below


def frames_of(seed: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Prediction, target and last frame; images differ in how much changes."""
    target, spread = draw(seed, n, 2, 3, 3), torch.linspace(0.3, 2.0, n)[:, None, None, None]
    return target + 0.5 * draw(seed + 50, n, 2, 3, 3), target, (target + spread * draw(seed + 90, n, 2, 3, 3))


COPY_LAST = Exercise(
    "copy_last_ratio", copy_last_ratio_loop,
    trials=lambda: [
        (torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([[[[0.0, -1.0]]]])),
        frames_of(1, 2),
        frames_of(2, 5),
        frames_of(3, 3),
    ],
    mistakes=(
        mistake("upside down", "You divide the wrong way round: a better prediction must give a smaller number.",
                (("return (prediction", "return (copied"), ("/ (last", "/ (prediction"), ("return (copied", "return (last"))),
        mistake("not divided", "That is the plain squared error. Divide it by that of copying.",
                ("() / (last - target).square().mean()", "()")),
        mistake("compared with the last frame", "Your lower part is how far the prediction is from the last frame. Copying is "
                "judged by the target too.",
                ("last - target", "last - prediction")),
        mistake("how far from the last frame", "Your upper part is how far the prediction is from the last frame. Judge it by the target.",
                ("prediction - target", "prediction - last")),
        mistake("in units of the picture", "You divide by how bright or how varied the frames are. The unit asked for is the "
                "error of copying: last against target.",
                ("(last - target).square().mean()", "target.square().mean()"), ("(last - target).square().mean()", "last.square().mean()"),
                ("(last - target).square().mean()", "target.var()"), ("(last - target).square().mean()", "target.var(correction=0)"),
                ("(last - target).square().mean()", "target.var(0, correction=0).mean()")),
        mistake("absolute error", "You take absolute differences. Square them.",
                (("prediction - target).square()", "prediction - target).abs()"), ("last - target).square()", "last - target).abs()"))),
        mistake("mean of ratios", "You divide image by image, or pixel by pixel. Take both means over everything, then divide once.",
                lambda p, t, b: ((p - t).square().mean((1, 2, 3)) / (b - t).square().mean((1, 2, 3))).mean(),
                lambda p, t, b: (p - t).square().mean((1, 2, 3)) / (b - t).square().mean((1, 2, 3)),
                lambda p, t, b: ((p - t).square() / (b - t).square()).mean(),
                lambda p, t, b: ((p - t).flatten(1).norm(dim=1) / (b - t).flatten(1).norm(dim=1)).mean()),
        mistake("root", "You take a root. The ratio is one of squared errors.",
                ("prediction - target).square().mean() / (last - target).square().mean(",
                    "(prediction - target).square().mean() / (last - target).square().mean()).sqrt("),
                lambda p, t, b: (b - t).norm() / (p - t).norm()),
        mistake("difference", "You subtract the two errors. Divide: then the unit of the pixels drops out.",
                lambda p, t, b: (p - t).square().mean() - (b - t).square().mean()),
        mistake("not squared", "You average the errors with their signs, so they cancel. Square each of them first.",
                lambda p, t, b: (p - t).mean() / (b - t).mean(), lambda p, t, b: (p - t).mean() / (t - b).mean()),
        mistake("squared after the mean", "You take the mean first, in which errors of opposite sign cancel. Square each error first.",
                lambda p, t, b: ((p - t).mean() / (b - t).mean()).square()),
    ),
)  # fmt: skip


def rollout_loop(x: Tensor, weights: Tensor, steps: int) -> Tensor:
    rows = []
    for row in x.double().tolist():
        known = list(row)
        for _ in range(steps):
            tail = known[len(known) - len(weights) :]
            known.append(sum(a * b for a, b in zip(tail, weights.double().tolist())))
        rows.append(known[len(row) :])
    return torch.tensor(rows, dtype=torch.float64)


def no_feedback(x: Tensor, weights: Tensor, steps: int) -> Tensor:
    return (x[:, -len(weights) :] * weights).sum(1, keepdim=True).expand(-1, steps)


def window_from_the_front(x: Tensor, weights: Tensor, steps: int) -> Tensor:
    """The roll-out itself, begun at the oldest values."""
    first = x[:, : len(weights)]
    for _ in range(steps):
        first = torch.cat([first, (first[:, -len(weights) :] * weights).sum(1, keepdim=True)], dim=1)
    return first[:, -steps:]


def from_the_front(x: Tensor, weights: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        x = torch.cat([x, (x[:, : len(weights)] * weights).sum(1, keepdim=True)], dim=1)
    return x[:, -steps:]


ROLLOUT = Exercise(
    "extrapolate", rollout_loop,
    trials=lambda: [
        (torch.tensor([[1.0, 3.0]]), torch.tensor([-1.0, 2.0]), 3),
        (torch.tensor([[0.0, 5.0, 4.0], [2.0, 2.0, 1.0]]), torch.tensor([-1.0, 2.0]), 4),
        (draw(1, 3, 4), torch.tensor([0.25, -0.5, 0.75]), 5),
        (draw(2, 2, 3), torch.tensor([0.5, -0.75, 1.0]), 2),
    ],
    mistakes=(
        mistake("predictions not fed back", "All your predictions are the first one: append each to the past before you predict "
                "the next.",
                no_feedback),
        mistake("weights the wrong way round", "Your first weight meets the newest value. Oldest first.", (").sum(", ".flip(0)).sum(")),
        mistake("past returned too", "Return the predicted values only: the last `steps` columns.", ("[:, -steps:]", ""),
                (":, -steps:", ":, :steps")),
        mistake("the last prediction alone", "You return the last prediction alone. Return all `steps` of them.",
                ("[:, -steps:]", "[:, -1:]"),
                ("[:, -steps:]", "[:, -1]")),
        mistake("the last value replaced", "You put the prediction in the place of the newest value. Append it, and keep all of the past.",
                ("cat([x,", "cat([x[:, :-1],")),
        mistake("one place too early", "Your window ends before the newest value. It takes the last P: x[:, -P:].",
                (":, -len(weights) :]", ":, -len(weights) - 1 : -1]")),
        mistake("one step too far", "You predict one value too many and leave out the first one. Go `steps` steps.",
                ("range(steps)", "range(steps + 1)")),
        mistake("mean instead of sum", "You take the mean of the weighted values. The next value is their sum.",
                (").sum(1", ").mean(1")),
        mistake("weighted mean", "You divide by the sum of the weights. The next value is the weighted sum as it is.",
                ("keepdim=True)", "keepdim=True) / weights.sum()")),
        mistake("all sequences added up", "Your sum runs over all rows of x as well. Each row is a sequence of its own: sum over dim=1.",
                (".sum(1, keepdim=True)", ".sum().expand(len(x), 1)")),
        mistake("added to the last value", "You take the weighted sum for a change and add it to the last value. It is the "
                "next value itself.",
                ("(x[:, -len(weights) :] * weights)", "x[:, -1:] + (x[:, -len(weights) :] * weights)")),
        mistake("a straight line", "You go on in a straight line, whatever the weights. That is what the weights (-1, 2) do; "
                "use those given.",
                lambda x, w, s: x[:, -1:] + (x[:, -1:] - x[:, -2:-1]) * torch.arange(1, s + 1)),
        mistake("always the first frames", "You predict from the oldest values. Take the newest: x[:, -P:].", from_the_front,
                window_from_the_front),
        mistake("one step too few", "The last step is missing: predict `steps` values.",
                ("-steps:", "-steps:-1"), ("range(steps)", "range(steps - 1)")),
        mistake("one step alone", "You predict one value. The loop must run `steps` times before it returns.",
                ("range(steps)", "range(1)"), lambda x, w, s: no_feedback(x, w, 1)),
        mistake("from the last value alone", "You multiply the last value alone. Take the last P, each times its weight, and add up.",
                lambda x, w, s: x[:, -1:] * w[-1] ** torch.arange(1, s + 1)),
        mistake("always two values", "You always take the last two. How many there are is len(weights).",
                (":, -len(weights) :] * weights", ":, -2:] * weights[-2:]")),
        mistake("last value copied", "You repeat the last value: that is the baseline. Predict from the last P.",
                lambda x, w, s: x[:, -1:].expand(-1, s)),
    ),
)  # fmt: skip

EXERCISES = [BOUNCE, PAST_WINDOWS, COPY_LAST, ROLLOUT]
