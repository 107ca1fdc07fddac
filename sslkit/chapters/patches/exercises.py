# Generated from notebooks/04_patches.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
from torch import Tensor

from sslkit.chapters.patches.method import cut_patches, neighbour_offset, same_image_loss
from sslkit.checks.exercise import Task

def same_image_pairs(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of N pairs of the same image: 2 N pairs, half of which are of two images.

    first, second: patches [N, C, S, S], row i of both from image i. Returns first [2 N, ...],
    second [2 N, ...] and labels int64 [2 N]: the N given pairs, label 1; then each first patch
    again with the second one of the image before (row 0 with the last), label 0.
    """
    labels = torch.arange(2, device=first.device).flip(0).repeat_interleave(len(first))
    return torch.cat([first, first]), torch.cat([second, second.roll(1, 0)]), labels


TASKS = {
    "neighbour_offset": Task(
        title="Where does neighbour k lie?",
        difficulty=1,
        minutes=5,
        task="Write `neighbour_offset(k, size, gap)`: how many pixels down and across one has to go from the first patch to its neighbour number `k[i]`. The eight neighbours are numbered 0 to 7 in reading order.",
        hints=(
            "Think of a 3 x 3 grid with the first patch in the middle. Which row and column has neighbour 0? Neighbour 4?",
            "From one corner to the next it is `size + gap` pixels: first all of the patch, then the gap.",
            "Count the middle as a place too: `place = k + (k >= 4)` runs from 0 to 8 without 4. Its row is `place // 3 - 1`, its column `place % 3 - 1`. Stack the two with `dim=1`.",
        ),
    ),
    "cut_patches": Task(
        title="Cut a patch out of each image",
        difficulty=3,
        minutes=15,
        task="Write `cut_patches(x, corner, size)`: out of image i the square whose upper left pixel is at row `corner[i, 0]`, column `corner[i, 1]`. A loop over the images is right; can you do without it?",
        hints=(
            "Lay the pixels of each image in one long row: the pixel in row r and column c is number `r * W + c`. So a patch is a list of numbers.",
            "The rows that each patch needs are `corner[:, :1] + torch.arange(size)`, int64 [M, size]; columns likewise. Let them broadcast to [M, size, size].",
            "`x.flatten(2).gather(2, pixel)` fetches pixel numbers int64 [M, C, size * size] for all images at once; `unflatten` makes squares of them again.",
        ),
    ),
    "same_image_loss": Task(
        title="One logit, two answers · *optional*",
        difficulty=2,
        minutes=10,
        task="Write `same_image_loss(logits, same)`: for each pair the network gives one number, which may be large and of either sign; its sigmoid is the probability of *same image*. The loss is minus the log of the probability that the truth was given, mean over the pairs. Try it without `F.binary_cross_entropy_with_logits`; then see that it is the same.",
        hints=(
            "If *same image* has probability p, what is the probability of *another image*? The loss looks at the one that is true.",
            "`F.logsigmoid(logits)` is log p without overflow, and `F.logsigmoid(-logits)` is log(1 - p).",
            "`-torch.where(same == 1, F.logsigmoid(logits), F.logsigmoid(-logits)).mean()`.",
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
