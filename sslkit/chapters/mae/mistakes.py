"""Exercises of chapter 17: patches, random masking, putting tokens back, the loss on hidden patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.mae.exercises import visible_patches
from sslkit.checks.exercise import Exercise, draw, generator, mistake


def patchify_loop(x: Tensor, size: int) -> Tensor:
    N, C, H, W = x.shape
    result = x.new_zeros(N, (H // size) * (W // size), C * size * size)
    for n in range(N):
        for c in range(C):
            for row in range(H):
                for column in range(W):
                    square = (row // size) * (W // size) + column // size
                    place = c * size * size + (row % size) * size + column % size
                    result[n, square, place] = x[n, c, row, column]
    return result


def split(x: Tensor, size: int) -> Tensor:
    """[N, C, rows, size, columns, size]."""
    N, C, H, W = x.shape
    return x.reshape(N, C, H // size, size, W // size, size)


KEPT = "permute(0, 2, 4, 1, 3, 5)"
PATCHIFY = Exercise(
    "patchify", patchify_loop,
    trials=lambda: [
        (torch.arange(16.0).view(1, 1, 4, 4), 2),
        (draw(1, 2, 3, 4, 4), 2),
        (draw(2, 2, 2, 6, 9), 3),
        (draw(3, 1, 3, 8, 4), 4),
    ],
    mistakes=(
        mistake("reshaped only", "You reshape without moving axes, so each 'patch' is a run of pixels of one row and one colour. "
                "Split H and W first, then permute.",
                ("permute(0, 2, 4, 1, 3, 5).", ""), lambda x, size: x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1] * size * size)),
        mistake("strips of lines", "Each of your rows holds pieces of several squares. The axes of rows *and* columns both come before the "
                "axes within a square.",
                *((KEPT, f"permute(0, {order})") for order in ("2, 3, 4, 1, 5", "2, 1, 3, 4, 5", "2, 3, 1, 4, 5"))),
        mistake("channels last", "Inside a patch you put the channels last (as MAE's own code does). Here the order is channel, "
                "row, column.",
                *((KEPT, f"permute(0, {order})") for order in ("2, 4, 3, 5, 1", "4, 2, 3, 5, 1", "2, 4, 5, 3, 1"))),
        mistake("column by column", "Your patches go down the columns first. They go row by row, as one reads.",
                lambda x, size: split(x, size).permute(0, 4, 2, 1, 3, 5).flatten(3).flatten(1, 2)),
        mistake("pixels transposed", "Inside a patch rows and columns are exchanged: keep the row's axis before the column's.",
                lambda x, size: split(x, size).permute(0, 2, 4, 1, 5, 3).flatten(3).flatten(1, 2)),
        mistake("colours apart", "Each of your rows holds one colour alone, of several squares. Bring the channel's axis behind "
                "those of rows and "
                "columns: a patch has all its colours.", ("permute(0, 2, 4, 1, 3, 5)", "permute(0, 1, 2, 4, 3, 5)")),
        mistake("height and width exchanged", "An image is [N, C, H, W]: its height comes first.", ("N, C, H, W", "N, C, W, H")),
        mistake("overlapping", "Your squares overlap. The next one begins where one ends: F.unfold takes stride=size.",
                lambda x, size: F.unfold(x, size).transpose(1, 2)),
        mistake("axes split the wrong way round", "You split H into (size, rows): that takes every size-th line. A patch is "
                "made of neighbouring lines: split into (rows, size).",
                lambda x, size: ( x.reshape(len(x), x.shape[1], size, x.shape[2] // size, size, x.shape[3] // size) .permute(0,
                    3, 5, 1, 2, 4) .flatten(3) .flatten(1, 2) )),
    ),
)  # fmt: skip


def visible_patches_loop(noise: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    N, L = noise.shape
    keep = round(L * (1 - ratio))
    rows, mask = [], torch.ones(N, L, dtype=torch.bool)
    for n in range(N):
        left = {i: noise[n, i].item() for i in range(L)}
        chosen = []
        for _ in range(keep):
            least = min(left, key=left.get)
            chosen.append(least)
            del left[least]
            mask[n, least] = False
        rows.append(chosen)
    return torch.tensor(rows), mask


def noise(seed: int, N: int, L: int) -> Tensor:
    """All different, so that every sort gives the same order."""
    dice = generator(seed)
    return torch.stack([torch.randperm(L, generator=dice) for _ in range(N)]) / L


def with_mask(visible: Tensor, L: int) -> tuple[Tensor, Tensor]:
    return visible, torch.ones(len(visible), L, dtype=torch.bool).scatter(1, visible, False)


def kept(x: Tensor, ratio: float) -> int:
    return round(x.shape[1] * (1 - ratio))


VISIBLE = Exercise(
    "visible_patches", visible_patches_loop, returns=("visible", "mask"),
    trials=lambda: [
        (torch.tensor([[0.6, 0.1, 0.8, 0.3]]), 0.5),
        (noise(1, 3, 8), 0.75),
        (noise(2, 4, 10), 0.6),
        (noise(3, 2, 16), 0.25),
        (noise(4, 2, 10), 0.63),  # 3.7 patches and 3.3: to round is neither up nor down
        (noise(5, 2, 10), 0.67),
    ],
    mistakes=(
        mistake("keeps the share to hide", "ratio is the share that is hidden; you keep that share. Keep round(L * (1 - ratio)).",
                ("(1 - ratio)", "ratio")),
        mistake("rounded down", "You round the number of visible patches down. Take the nearest whole number: round.",
                ("round(", "int(")),
        mistake("mask inverted", "Your mask is True where the patch is visible. In this course True means hidden.",
                ("torch.ones_like(noise, dtype=torch.bool).scatter(1, visible, False)",
                    "torch.zeros_like(noise, dtype=torch.bool).scatter(1, visible, True)")),
        mistake("keeps the most noise", "You keep the patches of most noise. (As random as the other way, but the least was "
                "asked for.)",
                ("[:,", ".flip(1)[:,"), lambda x, r: with_mask(x.argsort(1)[:, -kept(x, r) :], x.shape[1])),
        mistake("ranks instead of numbers", "argsort twice gives the rank of each patch. Its numbers in order are what one "
                "argsort gives.",
                lambda x, r: with_mask(x.argsort(1).argsort(1)[:, : kept(x, r)], x.shape[1]),
                lambda x, r: (x.argsort(1).argsort(1)[:, : kept(x, r)], visible_patches(x, r)[1])),
        mistake("noise instead of numbers", "You return the noise itself. Return the numbers of the patches: argsort, or the "
                "indices that sort "
                "gives.",
                lambda x, r: (x.sort(1).values[:, : kept(x, r)], visible_patches(x, r)[1])),
        mistake("one order for all images", "You use the order of one image for the whole batch. Sort each row by its own noise "
                "(dim=1).",
                ("noise.argsort(dim=1)", "noise[:1].argsort(dim=1).expand_as(noise)")),
        mistake("visible sorted by place", "Your visible patches are the right ones, put in the order of their places. Leave "
                "them in the order of their noise, least first.",
                (" * (1 - ratio))]", " * (1 - ratio))].sort(dim=1).values")),
        mistake("noise against the ratio", "You compare the noise with a number, so that another count is hidden in each image. "
                "Exactly K stay: those of least noise.",
                lambda noise, ratio: (visible_patches(noise, ratio)[0], noise > 1 - ratio),
                lambda noise, ratio: (visible_patches(noise, ratio)[0], noise >= 1 - ratio)),
        mistake("order taken for ranks", "You compare argsort's result with K. It says which patch comes first, second ..., not which "
                "rank a patch has: argsort once more, or scatter.",
                lambda x, r: (visible_patches(x, r)[0], x.argsort(1) >= kept(x, r))),
        mistake("mask in the order of the noise", "Your mask is False in its first K places. It goes by patch: False at the places "
                "in `visible`.",
                lambda x, r: (visible_patches(x, r)[0], (torch.arange(x.shape[1]) >= kept(x, r)).expand(len(x), -1))),
        mistake("one mask for all images", "mask[:, visible] = False writes the places of every image into every row of the mask. Each row "
                "has its own: scatter.", lambda x, r: (visible_patches(x, r)[0], visible_patches(x, r)[1].all(0).expand(x.shape))),
        mistake("sorted along the images", "You sort each column, over the images. Each image has its own order: dim=1.",
                lambda noise, ratio: ((v := noise.argsort(0)[:, : round(noise.shape[1] * (1 - ratio))]),
                                      torch.ones_like(noise, dtype=torch.bool).scatter(1, v, False))),
    ),
)  # fmt: skip


def put_back_loop(tokens: Tensor, visible: Tensor, mask_token: Tensor, L: int) -> Tensor:
    images = []
    for n in range(len(tokens)):
        places = {place: k for k, place in enumerate(visible[n].tolist())}
        images.append(torch.stack([tokens[n, places[i]] if i in places else mask_token for i in range(L)]).double())
    return torch.stack(images)


def filled(tokens: Tensor, visible: Tensor, filler: Tensor, L: int) -> Tensor:
    return filler.expand(len(tokens), L, -1).scatter(1, visible[:, :, None].expand_as(tokens), tokens)


def followed(tokens: Tensor, mask_token: Tensor, L: int) -> Tensor:
    rest = mask_token.expand(len(tokens), L - tokens.shape[1], -1)
    return torch.cat([tokens, rest], dim=1)


def hidden_first(visible: Tensor, L: int) -> Tensor:
    """All places: the visible in their order, then the hidden."""
    mask = torch.ones(len(visible), L).scatter(1, visible, 0)
    return torch.cat([visible, mask.argsort(dim=1, stable=True, descending=True)[:, : L - visible.shape[1]]], dim=1)


def everywhere(tokens: Tensor, visible: Tensor, mask_token: Tensor, L: int) -> Tensor:
    out = mask_token.repeat(len(tokens), L, 1)
    out[:, visible] = tokens
    return out


PUT_BACK = Exercise(
    "put_back", put_back_loop, grad=True,
    trials=lambda: [
        (torch.tensor([[[1.0], [2.0]]]), torch.tensor([[2, 0]]), torch.tensor([9.0]), 4),
        (draw(1, 2, 3, 4), noise(1, 2, 8).argsort(1)[:, :3], draw(2, 4), 8),
        (draw(3, 3, 4, 2), noise(4, 3, 16).argsort(1)[:, :4], draw(5, 2), 16),
    ],
    mistakes=(
        mistake("not put back", "You put the tokens at one end and the mask tokens at the other. Each token belongs to place "
                "visible[n, k].",
                lambda t, v, m, L: followed(t, m, L), lambda t, v, m, L: followed(t, m, L).roll(L - t.shape[1], 1)),
        mistake("the order of visible", "You sort `visible`. It holds the places already: tokens[n, k] belongs to visible[n, k].",
                ("visible[:", "visible.argsort(1)[:")),
        mistake("L guessed", "You take the largest visible place for the last one. The places after it may all be hidden: use L.",
                ("L, -1", "int(visible.max()) + 1, -1")),
        mistake("shuffled once more", "You bring the sequence into the order of the permutation instead of undoing it. To undo a "
                "permutation, gather with its argsort.",
                lambda t, v, m, L: followed(t, m, L).gather(1, hidden_first(v, L)[:, :, None].expand(-1, -1, t.shape[2]))),
        mistake("zeros in place of the mask token", "The hidden places hold zeros. They hold the mask token.",
                lambda t, v, m, L: filled(t, v, torch.zeros_like(m), L)),
        mistake("the first image's places for all", "You use the places of the first image for the whole batch. Each image has "
                "its own row of visible.",
                lambda t, v, m, L: filled(t, v[:1].expand_as(v), m, L)),
        mistake("the places of every image in each", "out[:, visible] = tokens writes to the places of every image in each of them. Row "
                "n has its own places, visible[n]: scatter.", everywhere),
        mistake("order of the places", "You fill the visible places in ascending order. tokens[n, k] belongs to visible[n, k], "
                "in whatever order.",
                lambda t, v, m, L: filled(t, v.sort(1).values, m, L)),
        mistake("added to the mask token", "You add the tokens to the mask token. A visible place holds its token alone.",
                lambda t, v, m, L: m.expand(len(t), L, -1).scatter_add(1, v[:, :, None].expand_as(t), t)),
    ),
)  # fmt: skip


def hidden_mse_loop(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    for n in range(len(mask)):
        for i in range(mask.shape[1]):
            if mask[n, i]:
                for d in range(target.shape[2]):
                    total = total + (prediction[n, i, d].double() - target[n, i, d].double()) ** 2
                    count += 1
    return total / count


def masks(seed: int, N: int, L: int, ratio: float) -> Tensor:
    return visible_patches(noise(seed, N, L), ratio)[1]


def per_patch(p: Tensor, t: Tensor) -> Tensor:
    return (p - t).square().mean(2)


HIDDEN_MSE = Exercise(
    "hidden_mse", hidden_mse_loop, grad=True,
    trials=lambda: [
        (draw(1, 1, 2, 2), draw(2, 1, 2, 2), torch.tensor([[True, False]])),
        (draw(3, 2, 4, 3), draw(4, 2, 4, 3), masks(1, 2, 4, 0.75)),
        (draw(5, 3, 8, 5), draw(6, 3, 8, 5), masks(2, 3, 8, 0.25)),
        (draw(7, 2, 6, 2), draw(8, 2, 6, 2), torch.tensor([[True] * 6, [True] + [False] * 5])),
    ],
    mistakes=(
        mistake("all patches", "You take the mean over all patches. The visible ones need no guessing: leave them out.", ("dim=2", "")),
        mistake("visible patches", "You take the error on the visible patches. True in the mask means hidden.",
                ("error =", "mask = ~mask; error =")),
        mistake("divided by all", "You add up the hidden patches' errors and divide by the number of all. Divide by how many are "
                "hidden.",
                ("mask.sum()", "mask.numel()")),
        mistake("prediction masked, not the error", "You set the visible patches of the prediction to 0, so they still differ from "
                "the target. Leave their errors out.",
                lambda p, t, m: F.mse_loss(p * m[:, :, None], t),
                lambda p, t, m: per_patch(p * m[:, :, None], t).sum() / m.sum()),
        mistake("sum", "You add up the hidden patches. Divide by how many there are.", ("() / mask.sum()", "()")),
        mistake("sum over the numbers of a patch", "You add up the numbers of a patch. Take their mean, or the loss grows with "
                "the size of a patch.",
                ("mean", "sum")),
        mistake("absolute error", "You take the absolute difference. Take its square.", ("square", "abs")),
        mistake("mean of the images' means", "You take each image's mean first and then the mean of those: a patch of an image "
                "with few hidden ones counts more. All hidden patches count the same.",
                lambda p, t, m: ((per_patch(p, t) * m).sum(1) / m.sum(1)).mean()),
        mistake("divided by the images", "You divide by the number of images. Divide by how many patches are hidden: mask.sum().",
                ("mask.sum()", "len(mask)")),
        mistake("length of the differences", "You take the length of each patch's difference, a root of squares. Take the mean of the "
                "squares.",
                lambda p, t, m: (p - t)[m].norm(dim=1).mean()),
        mistake("75 % hidden", "You count on three quarters of the patches. Divide by how many are hidden: mask.sum().",
                ("mask.sum()", "(0.75 * mask.numel())")),
        mistake("target normalised", "You normalise each patch of the target, as a variant in the paper does. Here it stays as it is.",
                lambda p, t, m: F.mse_loss(p[m], ((t - t.mean(2, keepdim=True)) / t.std(2, keepdim=True))[m]),
                lambda p, t, m: F.mse_loss(p[m], ((t - t.mean(2, keepdim=True)) / (t.var(2, keepdim=True) + 1e-6).sqrt())[m])),
        mistake("root", "You take the root of the mean squared error. The loss is the mean square itself.",
                ("error * mask).sum() / mask.sum(", "(error * mask).sum() / mask.sum()).sqrt(")),
        mistake("no gradient to the prediction", "You detach the prediction, so that nothing is learned from it.",
                ("prediction -", "prediction.detach() -")),
    ),
)  # fmt: skip

EXERCISES = [PATCHIFY, VISIBLE, PUT_BACK, HIDDEN_MSE]
