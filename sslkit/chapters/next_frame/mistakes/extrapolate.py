"""Exercise of chapter 08: rolling predictions out."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.next_frame.exercises import extrapolate
from sslkit.checks.exercise import Exercise, draw, mistake


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


def from_the_front(x: Tensor, weights: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        x = torch.cat([x, (x[:, : len(weights)] * weights).sum(1, keepdim=True)], dim=1)
    return x[:, -steps:]


ROLLOUT = Exercise(
    "extrapolate",
    rollout_loop,
    trials=lambda: [
        (torch.tensor([[1.0, 3.0]]), torch.tensor([-1.0, 2.0]), 3),
        (torch.tensor([[0.0, 5.0, 4.0], [2.0, 2.0, 1.0]]), torch.tensor([-1.0, 2.0]), 4),
        (draw(1, 3, 4), torch.tensor([0.25, -0.5, 0.75]), 5),
        (draw(2, 2, 3), torch.tensor([0.5, -0.75, 1.0]), 2),
    ],
    mistakes=(
        mistake(
            "predictions not fed back",
            "All your predictions are the first one: append each to the past before you predict the next.",
            no_feedback,
        ),
        mistake(
            "weights the wrong way round",
            "Your first weight meets the newest value. Oldest first.",
            (").sum(", ".flip(0)).sum("),
        ),
        mistake(
            "past returned too",
            "Return the predicted values only: the last `steps` columns.",
            ("[:, -steps:]", ""),
            (":, -steps:", ":, :steps"),
        ),
        mistake(
            "the last prediction alone",
            "You return the last prediction alone. Return all `steps` of them.",
            ("[:, -steps:]", "[:, -1:]"),
            ("[:, -steps:]", "[:, -1]"),
        ),
        mistake(
            "the last value replaced",
            "You put the prediction in the place of the newest value. Append it, and keep all of the past.",
            ("cat([x,", "cat([x[:, :-1],"),
        ),
        mistake(
            "one place too early",
            "Your window ends before the newest value. It takes the last P: x[:, -P:].",
            (":, -len(weights) :]", ":, -len(weights) - 1 : -1]"),
        ),
        mistake(
            "one step too far",
            "You predict one value too many and leave out the first one. Go `steps` steps.",
            ("range(steps)", "range(steps + 1)"),
        ),
        mistake(
            "mean instead of sum",
            "You take the mean of the weighted values. The next value is their sum.",
            (").sum(1", ").mean(1"),
        ),
        mistake(
            "weighted mean",
            "You divide by the sum of the weights. The next value is the weighted sum as it is.",
            ("keepdim=True)", "keepdim=True) / weights.sum()"),
        ),
        mistake(
            "all sequences added up",
            "Your sum runs over all rows of x as well. Each row is a sequence of its own: sum over dim=1.",
            (".sum(1, keepdim=True)", ".sum().expand(len(x), 1)"),
        ),
        mistake(
            "added to the last value",
            "You take the weighted sum for a change and add it to the last value. It is the next value itself.",
            ("(x[:, -len(weights) :] * weights)", "x[:, -1:] + (x[:, -len(weights) :] * weights)"),
        ),
        mistake(
            "a straight line",
            "You go on in a straight line, whatever the weights. That is what the weights (-1, 2) do; use those given.",
            lambda x, w, s: x[:, -1:] + (x[:, -1:] - x[:, -2:-1]) * torch.arange(1, s + 1),
        ),
        mistake(
            "always the first frames",
            "You predict from the oldest values. Take the newest: x[:, -P:].",
            from_the_front,
            lambda x, w, s: extrapolate(x[:, : len(w)], w, s),
        ),
        mistake(
            "one step too few",
            "The last step is missing: predict `steps` values.",
            ("-steps:", "-steps:-1"),
            ("range(steps)", "range(steps - 1)"),
        ),
        mistake(
            "one step alone",
            "You predict one value. The loop must run `steps` times before it returns.",
            ("range(steps)", "range(1)"),
            lambda x, w, s: no_feedback(x, w, 1),
        ),
        mistake(
            "from the last value alone",
            "You multiply the last value alone. Take the last P, each times its weight, and add up.",
            lambda x, w, s: x[:, -1:] * w[-1] ** torch.arange(1, s + 1),
        ),
        mistake(
            "always two values",
            "You always take the last two. How many there are is len(weights).",
            (":, -len(weights) :] * weights", ":, -2:] * weights[-2:]"),
        ),
        mistake(
            "last value copied",
            "You repeat the last value: that is the baseline. Predict from the last P.",
            lambda x, w, s: x[:, -1:].expand(-1, s),
        ),
    ),
)
