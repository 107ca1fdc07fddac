# Generated from notebooks/17_mae.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

from sslkit.chapters.mae.method import hidden_mse, patchify, put_back, visible_patches
from sslkit.checks.exercise import Task

TASKS = {
    "patchify": Task(
        title="From an image to a sequence · *optional*",
        difficulty=3,
        minutes=10,
        task="Write `patchify(x, size)` without a loop: the images cut into squares, each square a row of C * size * size numbers.",
        hints=(
            "Cutting moves no number to another value: it is a reshape, then axes in another order, then a reshape.",
            "Split H into (rows, size) and W into (columns, size) by `x.reshape(N, C, H // size, size, W // size, size)`.",
            "Bring rows and columns right after N: `.permute(0, 2, 4, 1, 3, 5)`, then flatten rows with columns, and the rest.",
        ),
    ),
    "visible_patches": Task(
        title="Random masking · *optional*",
        difficulty=2,
        minutes=15,
        task="Write `visible_patches(noise, ratio)`: return `visible, mask`. The patches with the least noise stay visible.",
        hints=(
            "A random order of the patches of each image is what sorting its noise gives.",
            "`noise.argsort(dim=1)` holds the numbers of the patches, least noise first. Keep its first K columns.",
            "Start the mask with True everywhere and write False at the visible: `torch.ones_like(noise, dtype=torch.bool).scatter(1, visible, False)`.",
        ),
    ),
    "put_back": Task(
        title="Put the tokens back",
        difficulty=3,
        minutes=15,
        task="""Write `put_back(tokens, visible, mask_token, L)`: what the decoder starts with. The encoder's tokens come in the order of `visible`; put each where it belongs, and the mask token into all other places. The gradient must
reach the tokens and the mask token.""",
        hints=(
            "Start with the mask token everywhere, then write the tokens over it.",
            "`.scatter(1, index, source)` writes source[n, k, d] to place index[n, k, d]; the index needs the shape of source.",
            "`mask_token.expand(N, L, -1).scatter(1, visible[:, :, None].expand_as(tokens), tokens)`.",
        ),
    ),
    "hidden_mse": Task(
        title="The loss",
        difficulty=2,
        minutes=10,
        task="Write `hidden_mse(prediction, target, mask)`: the mean squared error over the hidden patches, and them alone.",
        hints=(
            "First the squared error of every patch, [N, L]. Then a mean in which only the hidden ones count.",
            "A mean over some is a sum in which the others are zero, divided by how many there are.",
            "`error = (prediction - target).square().mean(dim=2)`, then `(error * mask).sum() / mask.sum()`.",
        ),
    ),
}
