"""Exercise of chapter 19: the 80/10/10 rule."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.chapters.bert.exercises import replace_hidden
from sslkit.chapters.bert.mistakes.passages import hide, text
from sslkit.checks.exercise import Exercise, generator, mistake


def replace_hidden_loop(tokens: Tensor, mask: Tensor, die: Tensor, other: Tensor) -> Tensor:
    rows = []
    for n in range(tokens.shape[0]):
        row = []
        for t in range(tokens.shape[1]):
            token = tokens[n, t].item()
            if mask[n, t]:
                if die[n, t] < 0.8:
                    token = 2
                elif die[n, t] < 0.9:
                    token = other[n, t].item()
            row.append(token)
        rows.append(row)
    return torch.tensor(rows)


def dice(seed: int, N: int, T: int) -> Tensor:
    """Numbers in [0, 1) of which many lie above 0.8, so that every case occurs in few places; none lies on an edge of the rule, where
    float32 and float64 differ."""
    numbers = torch.rand(N, T, generator=generator(seed))
    spread = torch.where(torch.arange(T) % 2 == 0, numbers, 0.7 + 0.3 * numbers)
    return ((spread * 100).floor().clamp(max=99) + 0.5) / 100


def trial(seed: int, N: int, T: int) -> tuple:
    return text(seed, N, T), hide(seed + 1, N, T), dice(seed + 2, N, T), text(seed + 3, N, T)


SECOND = "torch.where(mask & (die >= 0.8) & (die < 0.9), other, shown)"
REPLACE = Exercise(
    "replace_hidden",
    replace_hidden_loop,
    trials=lambda: [
        (
            torch.tensor([[5, 6, 7, 8]]),
            torch.tensor([[True, True, True, False]]),
            torch.tensor([[0.3, 0.85, 0.95, 0.1]]),
            torch.tensor([[21, 22, 23, 24]]),
        ),
        trial(1, 2, 12),
        (
            torch.tensor([[5, 6, 7]]),
            torch.tensor([[True] * 3]),
            torch.tensor([[0.8, 0.2, 0.95]]),  # 0.8 is an edge
            torch.tensor([[21, 22, 23]]),
        ),
        trial(5, 4, 20),
        trial(9, 8, 16),
    ],
    mistakes=(
        mistake(
            "always <mask>",
            "You show <mask> at every hidden place. Only where die is below 0.8.",
            lambda x, m, d, o: x.masked_fill(m, 2),
        ),
        mistake(
            "mask ignored",
            "You throw the die at every place. Places that are not hidden stay as they are.",
            lambda x, m, d, o: torch.where(d < 0.8, 2, torch.where(d < 0.9, o, x)),
            ("mask & (die < 0.8)", "(die < 0.8)"),
            ("mask & (die >= 0.8)", "(die >= 0.8)"),
        ),
        mistake(
            "first step lost",
            "Your second step starts from `tokens` again, so that no <mask> is left. Start from what the first one gave.",
            ("other, shown", "other, tokens"),
        ),
        mistake(
            "exactly 0.8",
            "A die of exactly 0.8 shows `other`: <mask> is shown below 0.8 only.",
            (("die < 0.8", "die <= 0.8"), ("die >= 0.8", "die > 0.8")),
        ),
        mistake(
            "shares exchanged",
            "You show <mask> below 0.1 and `other` up to 0.9. <mask> has the 80 %, `other` 10 %.",
            (("die < 0.8", "die < 0.1"), ("die >= 0.8", "die >= 0.1")),
        ),
        mistake(
            "always another",
            "You show `other` at every hidden place. Only where die is from 0.8 to below 0.9: both must hold, `&`.",
            ("mask & (die >= 0.8) & (die < 0.9)", "mask"),
        ),
        mistake(
            "0 where nothing is hidden",
            "You set the tokens that are not hidden to 0. They stay as they are.",
            (f"return {SECOND}", f"return {SECOND} * mask"),
        ),
        mistake(
            "mask inverted",
            "You replace tokens where the mask is False. True means hidden in this course.",
            lambda x, m, d, o: replace_hidden(x, ~m, d, o),
        ),
        mistake(
            "nothing stays",
            "You replace every hidden token from 0.8 on by another one. From 0.9 on it stays.",
            (") & (die < 0.9)", ")"),
        ),
        mistake(
            "no random tokens",
            "From 0.8 to 0.9 you leave the token. There the one of `other` is shown.",
            (SECOND, "shown"),
        ),
        mistake(
            "no <mask> left",
            "Below 0.8 you show the token of `other`: your second condition takes in what the first has settled. It starts at 0.8.",
            ("(die >= 0.8) & ", ""),
        ),
        mistake(
            "random and kept exchanged",
            "You keep the token from 0.8 to 0.9 and replace it from 0.9 on. It is the other way round.",
            ("< 0.9", ">= 0.9"),
        ),
        mistake(
            "another number for <mask>",
            "<mask> is token 2; 0 is <pad>, which nobody looks at, and 1 is <end>.",
            (", 2", ", 0"),
            (", 2", ", 1"),
        ),
        mistake(
            "one die for a passage",
            "You throw one die for a whole passage. Each hidden place has its own.",
            lambda x, m, d, o: replace_hidden(x, m, d[:, :1].expand_as(d), o),
        ),
    ),
)
