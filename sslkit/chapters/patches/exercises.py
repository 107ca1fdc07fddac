# Generated from notebooks/04_patches.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
from torch import Tensor

from sslkit.chapters.patches.method import same_image_loss
from sslkit.checks.exercise import Task

def neighbour_offset(k: Tensor, size: int, gap: int) -> Tensor:
    """How far the corner of neighbour k lies from the corner of the first patch, in pixels.

    k: int64 [N] in 0 .. 7, the neighbours in reading order: 0 is upper left, 1 above, 2 upper right, 3 left,
    4 right, ... 7 lower right. size: pixels of a patch's side; gap: pixels between two neighbours.
    Returns int64 [N, 2]: (down, across); up and left are negative.
    """
    place = k + (k >= 4)  # of the nine places of a 3 x 3 grid; the middle one, 4, is the first patch itself
    return torch.stack([place // 3 - 1, place % 3 - 1], dim=1) * (size + gap)


def cut_at(x: Tensor, top: Tensor, left: Tensor, size: int) -> Tensor:
    """One square patch out of each image, each from its own place.

    x: images [N, C, H, W], any dtype; top, left: int64 [N], row and column of the patch's upper left pixel;
    size: pixels of a side. Returns [N, C, size, size], like x. All patches lie inside their image.
    """
    along = torch.arange(size, device=x.device)
    image = torch.arange(len(x), device=x.device)[:, None, None]
    rows, columns = (top[:, None] + along)[:, :, None], (left[:, None] + along)[:, None, :]
    return x.permute(0, 2, 3, 1)[image, rows, columns].permute(0, 3, 1, 2)


def same_image_pairs(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of N pairs of the same image: 2 N pairs, half of which are of two images.

    first, second: patches [N, C, S, S], row i of both from image i. Returns first [2 N, ...], second [2 N, ...] and labels
    int64 [2 N]: the N given pairs, label 1; then each first patch again with the second one of the image before
    (row 0 with the last), label 0.
    """
    labels = torch.arange(2, device=first.device).flip(0).repeat_interleave(len(first))
    return torch.cat([first, first]), torch.cat([second, second.roll(1, 0)]), labels


TASKS = {
    "same_image_loss": Task(
        title="One logit, two answers",
        difficulty=2,
        minutes=10,
        task="Write `same_image_loss(logits, same)`: the network gives one number for a pair, of any size; its sigmoid is the probability of *same image*. The loss is minus the log of the probability that the truth was given, mean over the pairs. Try it without `F.binary_cross_entropy_with_logits`; then see that it is the same.",
        hints=(
            "Which probability has *another image*, if *same image* has p? The loss looks at the one that is true.",
            "`F.logsigmoid(logits)` is log p without overflow, and `F.logsigmoid(-logits)` is log(1 - p).",
            "`-torch.where(same == 1, F.logsigmoid(logits), F.logsigmoid(-logits)).mean()`.",
        ),
    ),
    "neighbour_offset": Task(
        title="Where does neighbour k lie?",
        difficulty=1,
        minutes=10,
        task="Write `neighbour_offset(k, size, gap)`: how many pixels down and across one has to go from the first patch to its neighbour number `k[i]`. The eight neighbours are numbered in reading order.",
        hints=(
            "Think of a 3 x 3 grid with the first patch in the middle. Which row and column has neighbour 0? Neighbour 4?",
            "From one patch to the next are `size + gap` pixels: first all of the patch, then the gap.",
            "Count the middle as a place too: `place = k + (k >= 4)` runs from 0 to 8 without 4. Its row is `place // 3 - 1`, its column `place % 3 - 1`. Stack the two with `dim=1`.",
        ),
    ),
    "cut_at": Task(
        title="Cut a patch out of each image",
        difficulty=3,
        minutes=20,
        task="Write `cut_at(x, top, left, size)`: out of image i the square whose upper left pixel is at row `top[i]`, column `left[i]`. A loop over the images is right; can you do without it?",
        hints=(
            "For a single image it is `x[i, :, top[i] : top[i] + size, left[i] : left[i] + size]`; then `torch.stack`.",
            "Without a loop: the rows that each patch needs are `top[:, None] + torch.arange(size)`, int64 [N, size]; columns likewise. Index with tensors that broadcast to [N, size, size].",
            "`x.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]` with `image = torch.arange(N)[:, None, None]` is [N, size, size, C]. Permute back.",
        ),
    ),
    "same_image_pairs": Task(
        title="Pairs of one image, and of two",
        difficulty=2,
        minutes=10,
        task="Write `same_image_pairs(first, second)`: the N pairs as they are, labelled 1, then the N first patches with the second patch of the image *before*, labelled 0. So half of the pairs are of one image, and no pair is labelled 0 by accident.",
        hints=(
            "The negatives need no new patches: shift the second patches of the batch by one image.",
            "`second.roll(1, 0)` moves row i to row i + 1 and the last row to the front.",
            "`torch.cat([first, first])`, `torch.cat([second, second.roll(1, 0)])`, and N ones followed by N zeros, int64.",
        ),
    ),
}
