"""Exercise of chapter 04: pairs of one image, and of two."""

from __future__ import annotations

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def same_image_pairs_loop(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    rows = []
    for i in range(len(first)):
        rows.append((first[i], second[i], 1))
    for i in range(len(first)):
        rows.append((first[i], second[i - 1], 0))
    a, b, labels = zip(*rows)
    return torch.stack(a), torch.stack(b), torch.tensor(labels)


def pairs(first: Tensor, second: Tensor, other: Tensor, labels=(1, 0)) -> tuple[Tensor, Tensor, Tensor]:
    return torch.cat([first, first]), torch.cat([second, other]), torch.tensor(labels).repeat_interleave(len(first))


PAIRS = Exercise(
    "same_image_pairs",
    same_image_pairs_loop,
    returns=("first", "second", "labels"),
    trials=lambda: [
        (torch.arange(3.0).view(3, 1, 1, 1), 10 + torch.arange(3.0).view(3, 1, 1, 1)),
        (draw(1, 4, 3, 2, 2), draw(2, 4, 3, 2, 2)),
        (draw(3, 5, 1, 3, 3), draw(4, 5, 1, 3, 3)),
    ],
    mistakes=(
        mistake(
            "rolled over the pixels",
            "You shift pixels, not images. The images are dimension 0: second.roll(1, 0).",
            (", 0", ""),
            (", 0", ", -1"),
            (", 0", ", 1"),
        ),
        mistake(
            "rolled the other way",
            "Your negatives take the second patch of the image after. Asked for is the one before: roll by 1, not -1.",
            ("1, 0", "-1, 0"),
        ),
        mistake(
            "labels exchanged",
            "1 means: the same image. Your labels say the opposite.",
            (
                "torch.arange(2, device=first.device).flip(0).repeat_interleave(len(first))",
                "(1 - torch.arange(2, device=first.device).flip(0).repeat_interleave(len(first)))",
            ),
        ),
        mistake(
            "labels alternate",
            "Your labels go 1, 0, 1, 0, but your pairs do not: all N of the same image come first, then the N others.",
            lambda a, b: (*pairs(a, b, b.roll(1, 0))[:2], torch.tensor([1, 0]).repeat(len(a))),
        ),
        mistake(
            "negatives first",
            "You give the negatives first. The N pairs of one image come first, then the N others.",
            (("[second, second.roll(1, 0)]", "[second.roll(1, 0), second]"), (".flip(0)", "")),
            ("[second, second.roll(1, 0)]", "[second.roll(1, 0), second]"),
        ),
        mistake(
            "pair by pair",
            "You give a pair of one image, then one of two, and so on. All N pairs of one image come first.",
            lambda a, b: (
                a.repeat_interleave(2, 0),
                torch.stack([b, b.roll(1, 0)], 1).flatten(0, 1),
                torch.tensor([1, 0]).repeat(len(a)),
            ),
        ),
        mistake(
            "all labelled alike",
            "All your pairs have one label. The first N have 1, the others 0.",
            lambda a, b: pairs(a, b, b.roll(1, 0), (1, 1)),
            lambda a, b: pairs(a, b, b.roll(1, 0), (0, 0)),
        ),
        mistake(
            "one negative too few",
            "The first row has a negative too: before it comes the last image.",
            lambda a, b: (torch.cat([a, a[1:]]), torch.cat([b, b[:-1]]), pairs(a, b, b)[2][:-1]),
        ),
        mistake(
            "negatives are not",
            "Your second half repeats the same pairs, so pairs of one image are labelled 0. Shift the second patches by one image.",
            (".roll(1, 0)", ""),
        ),
        mistake(
            "both sides rolled",
            "You shift both patches, so each pair is of one image again. Shift the second alone.",
            lambda a, b: (torch.cat([a, a.roll(1, 0)]), *pairs(a, b, b.roll(1, 0))[1:]),
        ),
        mistake(
            "first patch with a first patch",
            "Your negatives pair a first patch with another first one. Then how both were cut may tell the answer: pair it with a second one.",
            ("second.", "first."),
        ),
        mistake(
            "first patches rolled",
            "You shift the first patches. They stay as they are, and the second ones move: second.roll(1, 0).",
            (("[first, first]", "[first, first.roll(1, 0)]"), ("second.roll(1, 0)", "second")),
        ),
        mistake(
            "reversed",
            "You reverse the batch, so the middle one of an odd batch meets itself. Shift it by one: second.roll(1, 0).",
            (".roll(1, 0)", ".flip(0)"),
        ),
    ),
)
