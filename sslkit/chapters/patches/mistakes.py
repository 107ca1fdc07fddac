"""Exercises of chapter 04: where a neighbour lies, cutting patches, pairs of the same image, and their loss."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.patches.method import neighbour_offset
from sslkit.checks.exercise import Exercise, draw, draw_labels, mistake


def neighbour_offset_loop(k: Tensor, size: int, gap: int) -> Tensor:
    places = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if (down, across) != (0, 0)]
    result = torch.zeros(len(k), 2, dtype=torch.int64)
    for i in range(len(k)):
        down, across = places[k[i].item()]
        result[i, 0], result[i, 1] = down * (size + gap), across * (size + gap)
    return result


def offsets(k: Tensor, step: int) -> Tensor:
    return neighbour_offset(k, step, 0)


NEIGHBOUR = Exercise(
    "neighbour_offset", neighbour_offset_loop, returns=("offset",), trials=lambda: [(torch.tensor([4]), 9, 3),
        (torch.arange(8), 10, 2), (draw_labels(1, 12, 8), 7, 0)],
    mistakes=(
        mistake("across before down", "You give (across, down). Rows come first here, as in an image tensor: (down, across).",
                (") * (", ").flip(1) * (")),
        mistake("gap forgotten", "You go `size` pixels: the patches touch, and an edge runs on from one into the other. Go size + gap.",
                ("size + gap", "size")),
        mistake("gap alone", "You go `gap` pixels, so the patches overlap. From corner to corner it is size + gap.",
                ("size + gap", "gap")),
        mistake("gap twice", "You count the gap twice. Between two neighbours there is one gap.",
                lambda k, size, gap: offsets(k, size + 2 * gap)),
        mistake("middle counted", "You count the middle of the grid as a neighbour, so numbers from 4 on are one place too "
                "early. Number 4 lies to the right.",
                ("k + (k >= 4)", "k")),
        mistake("sign", "Your offsets point from the neighbour to the first patch. Down and right are positive.", ("(size", "-(size")),
        mistake("in patches, not pixels", "You count in patches. One patch further is size + gap pixels.", (") * (size + gap)", ")")),
        mistake("the middle taken for number 4", "Number 4 is right of the first patch. From k = 4 on the middle has been passed: >=, "
                "not >.",
                (">= 4", "> 4")),
        mistake("counted from the corner", "You count rows and columns from the corner of the grid. The first patch stands in its "
                "middle: take 1 off.",
                lambda k, size, gap: offsets(k, size + gap) + size + gap),
        mistake("gap added on its own", "You multiply by the size and add the gap once, in the same direction everywhere. A step is "
                "(size + gap), in brackets.",
                lambda k, size, gap: offsets(k, size) + gap),
        mistake("clockwise", "You number the neighbours clockwise. Reading order goes row by row: 3 lies left, 4 right, 5 lower left.",
                lambda k, size, gap: offsets(torch.tensor([0, 1, 2, 4, 7, 6, 5, 3])[k], size + gap)),
        mistake("brackets", "Python adds before it compares, so yours asks whether 2 k is at least 4. Put brackets round the comparison.",
                ("k + (k >= 4)", "(k + k >= 4)")),
        mistake("the row for both", "You use one of the two for both. The row is place // 3, the column place % 3.",
                ("place % 3", "place // 3"), ("place // 3", "place % 3")),
        mistake("the middle passed too early", "You skip the middle for all numbers. 0 to 3 come before it: add 1 from k = 4 on only.",
                ("k + (k >= 4)", "k + 1")),
        mistake("division with a rest", "Row numbers are whole: divide with `//`, not with `/`.",
                ("place // 3", "place / 3"),
                (("return torch", "return (torch"), ("place // 3", "place / 3"), ("+ gap)", "+ gap)).long()"))),
        mistake("upwards positive", "Your rows count upwards. In an image they count downwards: up is negative.",
                ("place // 3 - 1", "1 - place // 3")),
    ),
)  # fmt: skip


def cut_patches_loop(x: Tensor, corner: Tensor, size: int) -> Tensor:
    result = torch.zeros(len(x), x.shape[1], size, size, dtype=x.dtype)
    for i in range(len(x)):
        for row in range(size):
            for column in range(size):
                result[i, :, row, column] = x[i, :, corner[i, 0] + row, corner[i, 1] + column]
    return result


def one_by_one(x: Tensor, corner: Tensor, size: int) -> Tensor:
    return torch.stack([image[:, t : t + size, c : c + size] for image, (t, c) in zip(x, corner.tolist())])


def put(x: Tensor, size: int, cuts: list[Tensor]) -> Tensor:
    """Each cut put into the place of a patch, as torch does it: what is too small is repeated, or an error."""
    out = torch.zeros(len(x), x.shape[1], size, size, dtype=x.dtype)
    for i, cut in enumerate(cuts):
        out[i] = cut
    return out


def corners(seed: int, count: int, most: int) -> Tensor:
    return draw_labels(seed, 2 * count, most).unflatten(0, (count, 2))


CUT = Exercise(
    "cut_patches", cut_patches_loop, returns=("patches",),
    trials=lambda: [
        (torch.arange(16.0).view(1, 1, 4, 4), torch.tensor([[1, 0]]), 2),
        (draw(1, 3, 2, 6, 6), torch.tensor([[2, 0], [0, 2], [1, 2]]), 3),
        ((draw(2, 4, 3, 7, 9) * 40 + 128).clamp(0, 255).to(torch.uint8), corners(3, 4, 3), 4),
    ],
    mistakes=(
        mistake("rows and columns exchanged", "You count corner[:, 0] along the columns and corner[:, 1] along the rows. Images are [N, "
                "C, H, W]: rows come first.",
                ("corner[:, :1] + along, corner[:, 1:] + along", "corner[:, 1:] + along, corner[:, :1] + along")),
        mistake("transposed", "Your patches come from the right place but are mirrored: their rows have become columns.",
                lambda x, corner, size: one_by_one(x, corner, size).transpose(2, 3)),
        mistake("centre instead of corner", "You take the place as the patch's centre. It is its upper left pixel.",
                lambda x, corner, size: one_by_one(x, (corner - size // 2).clamp(0), size)),
        mistake("one place for all", "You cut all images at the place of the first. Each has its own corner[i].",
                lambda x, corner, size: one_by_one(x, corner[:1].expand(len(x), 2), size)),
        mistake("one image for all", "You cut all patches out of the first image. Patch i comes from image i.",
                lambda x, corner, size: one_by_one(x[:1].expand_as(x), corner, size)),
        mistake("always the corner", "You cut at the upper left corner of each image. Add corner[i].",
                lambda x, corner, size: x[:, :, :size, :size].clone()),
        mistake("one pixel more", "Your patches have size + 1 pixels. A slice ends before its end: top : top + size.",
                lambda x, corner, size: one_by_one(x, corner, size + 1)),
        mistake("the size as the end", "Your slices end at `size`. A patch ends `size` pixels after its own corner: top : top + size.",
                lambda x, corner, size: torch.stack([a[:, t:size, c:size] for a, (t, c) in zip(x, corner.tolist())]),
                lambda x, corner, size: put(x, size, [a[:, t:size, c:size] for a, (t, c) in zip(x, corner.tolist())])),
        mistake("the diagonal alone", "You pair the first row with the first column, the second with the second: that is the diagonal. "
                "Every row meets every column: rows [M, size, 1], columns [M, 1, size].",
                lambda x, corner, size: one_by_one(x, corner, size).diagonal(0, 2, 3),
                lambda x, corner, size: one_by_one(x, corner, size).diagonal(0, 2, 3).transpose(1, 2)),
        mistake("one pixel off", "Your patches start one pixel too late. Rows and columns count from 0.",
                ("(size, device=x.device)", "(size, device=x.device) + 1")),
        mistake("height for width", "A row of the image has W pixels: the pixel in row r and column c is number r * W + c.",
                ("* W +", "* H +")),
        mistake("size for width", "You count pixels as in the patch. A row of the image has W pixels: the pixel in row r and column c is "
                "number r * W + c.",
                ("* W +", "* size +")),
        mistake("one channel for all", "You fetch the same channel for all of them. Each channel has its own pixels.",
                ("x.flatten(2).gather", "x.flatten(2)[:, :1].expand(-1, C, -1).gather")),
        mistake("channels forgotten", "Your first slice cuts the channels. An image is [C, H, W]: all channels, then rows, then columns.",
                lambda x, corner, size: torch.stack([a[t : t + size, c : c + size] for a, (t, c) in zip(x, corner.tolist())])),
        mistake("one channel alone", "You cut one channel. A patch has all channels of its image.",
                lambda x, corner, size: one_by_one(x, corner, size)[:, 0], lambda x, corner, size: one_by_one(x, corner, size)[:, :1]),
        mistake("every image at every place", "You cut every image at every place. Patch i comes from image i at corner[i] alone.",
                lambda x, corner, size: torch.cat([x[:, :, t : t + size, c : c + size] for t, c in corner.tolist()]),
                lambda x, corner, size: torch.stack([x[:, :, t : t + size, c : c + size] for t, c in corner.tolist()])),
        mistake("places counted in patches", "You multiply the place by the size. It is in pixels already.",
                lambda x, corner, size: one_by_one(x, corner * size, size)),
        mistake("the row for both", "You use corner[:, 0] for rows and columns. The column is corner[:, 1].",
                ("corner[:, 1:]", "corner[:, :1]")),
    ),
)  # fmt: skip


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
    "same_image_pairs", same_image_pairs_loop, returns=("first", "second", "labels"),
    trials=lambda: [
        (torch.arange(3.0).view(3, 1, 1, 1), 10 + torch.arange(3.0).view(3, 1, 1, 1)),
        (draw(1, 4, 3, 2, 2), draw(2, 4, 3, 2, 2)),
        (draw(3, 5, 1, 3, 3), draw(4, 5, 1, 3, 3)),
    ],
    mistakes=(
        mistake("rolled over the pixels", "You shift pixels, not images. The images are dimension 0: second.roll(1, 0).",
                (", 0", ""), (", 0", ", -1"), (", 0", ", 1")),
        mistake("rolled the other way", "Your negatives take the second patch of the image after. Asked for is the one before: "
                "roll by 1, not -1.",
                ("1, 0", "-1, 0")),
        mistake("labels exchanged", "1 means: the same image. Your labels say the opposite.",
                ("torch.arange(2, device=first.device).flip(0).repeat_interleave(len(first))",
                    "(1 - torch.arange(2, device=first.device).flip(0).repeat_interleave(len(first)))")),
        mistake("labels alternate", "Your labels go 1, 0, 1, 0, but your pairs do not: all N of the same image come first, then "
                "the N others.",
                lambda a, b: (*pairs(a, b, b.roll(1, 0))[:2], torch.tensor([1, 0]).repeat(len(a)))),
        mistake("negatives first", "You give the negatives first. The N pairs of one image come first, then the N others.",
                (("[second, second.roll(1, 0)]", "[second.roll(1, 0), second]"), (".flip(0)", "")),
                ("[second, second.roll(1, 0)]", "[second.roll(1, 0), second]")),
        mistake("pair by pair", "You give a pair of one image, then one of two, and so on. All N pairs of one image come first.",
                lambda a, b: ( a.repeat_interleave(2, 0), torch.stack([b, b.roll(1, 0)], 1).flatten(0, 1),
                    torch.tensor([1, 0]).repeat(len(a)), )),
        mistake("all labelled alike", "All your pairs have one label. The first N have 1, the others 0.",
                lambda a, b: pairs(a, b, b.roll(1, 0), (1, 1)), lambda a, b: pairs(a, b, b.roll(1, 0), (0, 0))),
        mistake("one negative too few", "The first row has a negative too: before it comes the last image.",
                lambda a, b: (torch.cat([a, a[1:]]), torch.cat([b, b[:-1]]), pairs(a, b, b)[2][:-1])),
        mistake("negatives are not", "Your second half repeats the same pairs, so pairs of one image are labelled 0. Shift the "
                "second patches by one image.",
                (".roll(1, 0)", "")),
        mistake("both sides rolled", "You shift both patches, so each pair is of one image again. Shift the second alone.",
                lambda a, b: ( torch.cat([a, a.roll(1, 0)]), torch.cat([b, b.roll(1, 0)]), torch.tensor([1,
                    0]).repeat_interleave(len(a)), )),
        mistake("first patch with a first patch", "Your negatives pair a first patch with another first one. Then how both were "
                "cut may tell the answer: pair it with a second one.",
                ("second.", "first.")),
        mistake("first patches rolled", "You shift the first patches. They stay as they are, and the second ones move: second.roll(1, 0).",
                (("[first, first]", "[first, first.roll(1, 0)]"), ("second.roll(1, 0)", "second"))),
        mistake("reversed", "You reverse the batch, so the middle one of an odd batch meets itself. Shift it by one: second.roll(1, 0).",
                (".roll(1, 0)", ".flip(0)")),
    ),
)  # fmt: skip


def same_image_loss_loop(logits: Tensor, labels: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for logit, label in zip(logits.double(), labels.tolist()):
        total = total + torch.log1p(torch.exp(-logit if label == 1 else logit))
    return total / len(labels)


def bce(logits: Tensor, labels: Tensor, **options) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), **options)


def true_p(logits: Tensor, labels: Tensor) -> Tensor:
    return torch.where(labels == 1, logits.sigmoid(), (-logits).sigmoid())


SMALL = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)  # what people add to a probability
LOSS = Exercise(
    "same_image_loss", same_image_loss_loop, grad=True,
    trials=lambda: [
        *((draw(s, m, spread=w), draw_labels(s, m, 2)) for s, (m, w) in enumerate([(2, 1.0), (5, 2.0), (12, 3.0)])),
        (torch.tensor([200.0, -200.0, 90.0, -90.0]), torch.tensor([1, 0, 0, 1])),  # logits of any size
    ],
    mistakes=(
        mistake("negatives forgotten", "Pairs of two images count nothing in your loss: always answering *same* would be "
                "perfect. Add minus the log of 1 - p for them.",
                lambda a, y: -(y * F.logsigmoid(a)).mean(), lambda a, y: -(y * F.logsigmoid(a)).sum() / y.sum(),
                lambda a, y: -F.logsigmoid(a).mean()),
        mistake("sigmoid twice", "binary_cross_entropy_with_logits takes logits and applies the sigmoid itself. Do not apply it "
                "before.",
                lambda a, y: bce(a.sigmoid(), y)),
        mistake("probabilities first", "You compute the probability first: of a large logit it is exactly 1, and the log of what is left "
                "is cut off. Stay with logits: F.binary_cross_entropy_with_logits, or F.logsigmoid.",
                *[lambda a, y, e=e: F.binary_cross_entropy(a.sigmoid().clamp(e, 1 - e), y.to(a.dtype)) for e in (0, *SMALL)],
                *[lambda a, y, e=e: -(true_p(a, y) + e).log().mean() for e in SMALL]),
        mistake("labels exchanged", "Your loss is small where the answer is wrong: a large logit means *same image*, label 1.",
                ("at_least_float32(logits)", "-at_least_float32(logits)")),
        mistake("sign", "The log of a probability is negative; the loss is minus it.", ("return F", "return -F")),
        mistake("sum instead of mean", "You add up the batch. Take the mean, or the loss grows with the batch size.",
                ("dtype)", 'dtype), reduction="sum"')),
        mistake("no log", "You use the probability itself. Take its log.",
                lambda a, y: -true_p(a, y).mean(), lambda a, y: (1 - true_p(a, y)).mean()),
        mistake("squared error", "You use the squared difference of probability and label. It hardly punishes an answer that is "
                "sure and wrong. Take minus the log of the probability of the truth.",
                lambda a, y: ((a.sigmoid() - y) ** 2).mean(), lambda a, y: ((a - y) ** 2).mean()),
        mistake("log to base 2", "You use log2. Cross-entropy takes the natural logarithm.", lambda a, y: bce(a, y) / math.log(2)),
        mistake("softmax over the batch", "Your softmax runs over the pairs of the batch. Each pair has its own probability: sigmoid.",
                lambda a, y: F.cross_entropy(a, y.to(a.dtype) / y.sum()), lambda a, y: F.cross_entropy(a, y.to(a.dtype)),
                lambda a, y: -torch.where(y == 1, a.softmax(0), 1 - a.softmax(0)).log().mean()),
        mistake("1 minus the logarithm", "Another image has the probability 1 - p, and its logarithm is log(1 - p), not 1 - log p: "
                "F.logsigmoid(-logits).",
                lambda a, y: -torch.where(y == 1, F.logsigmoid(a), 1 - F.logsigmoid(a)).mean()),
        mistake("no sigmoid", "You use the logits as if they were log-probabilities. Take F.logsigmoid of them first.",
                lambda a, y: -torch.where(y == 1, a, -a).mean(), lambda a, y: -torch.where(y == 1, a, 1 - a).mean()),
        mistake("logits as probabilities", "You take the logits for probabilities. A logit can be any number: its sigmoid is the "
                "probability.",
                lambda a, y: -torch.where(y == 1, a.log(), (1 - a).log()).mean(),
                lambda a, y: -(y * a.log() + (1 - y) * (1 - a).log()).mean(),
                *[lambda a, y, e=e: F.binary_cross_entropy(a.clamp(e, 1 - e), y.to(a.dtype)) for e in (0, 1e-7, 1e-6)]),
        mistake("a mean for each kind", "You average the pairs of one image and those of two on their own. Take one mean over all pairs.",
                lambda a, y: -F.logsigmoid(a)[y == 1].mean() - F.logsigmoid(-a)[y == 0].mean(),
                lambda a, y: -(F.logsigmoid(a)[y == 1].mean() + F.logsigmoid(-a)[y == 0].mean()) / 2),
    ),
)  # fmt: skip

EXERCISES = [NEIGHBOUR, CUT, PAIRS, LOSS]
