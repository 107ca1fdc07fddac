"""Answers to the exercises of next_frame: known numbers, right ones written differently, wrong ones."""

import numpy as np
import torch


def bounce_by_steps(start, velocity, t, low, high):
    """Time in small pieces, a wall at a time."""
    out = np.zeros((len(start), len(t)))
    for n in range(len(start)):
        for k in range(len(t)):
            at, left, speed = float(start[n]), float(t[k]), float(velocity[n])
            while speed and left > 0:
                wall = high if speed > 0 else low
                until = (wall - at) / speed
                if until >= left:
                    at, left = at + speed * left, 0
                else:
                    at, left, speed = wall, left - until, -speed
            out[n, k] = at
    return out


def bounce_by_where(start, velocity, t, low, high):
    width = high - low
    u = (start[:, None] + velocity[:, None] * t[None] - low) % (2 * width)
    return low + torch.where(u > width, 2 * width - u, u)


def windows_by_index(h, past):
    which = torch.arange(h.shape[1] - past + 1)[:, None] + torch.arange(past)
    return h[:, which].reshape(len(h), len(which), -1)


def rollout_list(x, weights, steps):
    values = list(x.unbind(1))
    for _ in range(steps):
        values.append(sum(w * v for w, v in zip(weights, values[-len(weights) :])))
    return torch.stack(values[-steps:], dim=1)


KNOWN = [
    ("next_frame.bounce", ([8.0], [3.0], [0.0, 1.0, 2.0], 0.0, 10.0), [[8.0, 9.0, 6.0]]),
    ("next_frame.past_windows", ([[[1.0], [2.0], [3.0]]], 2), [[[1.0, 2.0], [2.0, 3.0]]]),
    ("next_frame.copy_last_ratio", ([[[[1.0, 0.0]]]], [[[[1.0, 1.0]]]], [[[[0.0, -1.0]]]]), 0.2),
    ("next_frame.extrapolate", ([[1.0, 3.0]], [-1.0, 2.0], 3), [[5.0, 7.0, 9.0]]),
]

RIGHT = {
    "next_frame.bounce": [bounce_by_steps, bounce_by_where],
    "next_frame.past_windows": [
        windows_by_index,
        lambda h, past: torch.stack([h[:, t : t + past].flatten(1) for t in range(h.shape[1] - past + 1)], dim=1),
        lambda h, past: torch.cat([h[:, p : h.shape[1] - past + 1 + p] for p in range(past)], dim=2),
    ],
    "next_frame.copy_last_ratio": [
        lambda p, t, b: torch.nn.functional.mse_loss(p, t) / torch.nn.functional.mse_loss(b, t),
        lambda p, t, b: ((p - t) ** 2).sum() / ((b - t) ** 2).sum(),
    ],
    "next_frame.extrapolate": [
        rollout_list,
        lambda x, w, s: [rollout_list(row[None], w, s)[0].tolist() for row in x],
    ],
}

NAMED = [
    ("next_frame.bounce", lambda s, v, t, low, high: (s[:, None] + v[:, None] * t).clamp(low, high), "stops at the wall"),
    ("next_frame.past_windows", lambda h, past: h.unfold(1, past, 1).reshape(len(h), -1, past * h.shape[2]), "features before frames"),
    ("next_frame.copy_last_ratio", lambda p, t, b: ((p - t) ** 2).mean(), "not divided"),
    ("next_frame.extrapolate", lambda x, w, s: (x[:, -len(w) :] @ w)[:, None].repeat(1, s), "predictions not fed back"),
    ("next_frame.extrapolate", lambda x, w, s: rollout_list(x, w, s)[:, s - 1], "the last prediction alone"),
    ("next_frame.extrapolate", lambda x, w, s: rollout_list(x, w, s + 1)[:, 1:], "one step too far"),
    ("next_frame.extrapolate", lambda x, w, s: rollout_list(x, w / len(w), s), "mean instead of sum"),
    ("next_frame.extrapolate", lambda x, w, s: rollout_list(x, torch.tensor([-1.0, 2.0]), s), "a straight line"),
    ("next_frame.bounce", lambda s, v, t, low, high: (bounce_by_where(s, v, t, low, high) - low), "walls at 0"),
    ("next_frame.bounce", lambda s, v, t, low, high: bounce_by_where(s, abs(v), t, low, high), "direction lost"),
    (
        "next_frame.bounce",
        lambda s, v, t, low, high: low + (s[:, None] + v[:, None] * t - low) % (2 * high - 2 * low),
        "never on the way back",
    ),
    ("next_frame.past_windows", lambda h, past: windows_by_index(h, past)[:, 1:], "first window missing"),
    (
        "next_frame.past_windows",
        lambda h, past: windows_by_index(torch.cat([torch.zeros_like(h[:, 1:past]), h], 1), past),
        "windows beyond the clip",
    ),
    ("next_frame.copy_last_ratio", lambda p, t, b: ((p - t) ** 2 / (b - t) ** 2).mean(), "mean of ratios"),
    ("next_frame.copy_last_ratio", lambda p, t, b: ((p - t) ** 2).mean() / t.var(), "in units of the picture"),
    ("next_frame.copy_last_ratio", lambda p, t, b: ((p - b) ** 2).mean() / ((b - t) ** 2).mean(), "how far from the last frame"),
    (
        "next_frame.past_windows",
        lambda h, past: torch.cat([h[:, :, d : d + past] for d in range(h.shape[2] - past + 1)], 2),
        "windows over the features",
    ),
    ("next_frame.copy_last_ratio", lambda p, t, b: (b - t).abs().mean() / (p - t).abs().mean(), "upside down and absolute error"),
    ("next_frame.copy_last_ratio", lambda p, t, b: (p - t).mean() ** 2 / (b - t).mean() ** 2, "squared after the mean"),
    ("next_frame.extrapolate", lambda x, w, s: torch.cat([x[:, -1:], rollout_list(x, w, s)[:, :-1]], 1), "one step too few"),
    (
        "next_frame.copy_last_ratio",
        lambda p, t, b: (p - t).square().mean() / (t - t.mean(0)).square().mean(),
        "in units of the picture",
    ),
    ("next_frame.extrapolate", lambda x, w, s: rollout_list(x, w / w.sum(), s), "weighted mean"),
    ("next_frame.extrapolate", lambda x, w, s: rollout_list(x[:, : len(w)], w, s), "always the first frames"),
]  # fmt: skip

UNNAMED = [
    ("next_frame.bounce", lambda s, v, t, low, high: torch.full((len(s), len(t)), 5.25)),
    ("next_frame.copy_last_ratio", lambda p, t, b: (p - t).square().mean() / 7),
]
