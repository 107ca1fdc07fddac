# Generated from notebooks/12_byol.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

import torch
from torch import Tensor

from sslkit.chapters.byol.method import momentum_at, negative_cosine
from sslkit.checks.exercise import Task

def pull_on(w: float, p: float, noise: float) -> float:
    """The mean gradient by w of (p w x1 - v x2)^2 / 2, v constant at w; views x1, x2 of x = 1, -1.

    w: the student; p: the predictor; noise: standard deviation of the views about x.
    """
    return p * w * (p * (1 + noise**2) - 1)


def gains(z: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """How strong each direction of z is, and how much of it p passes on, from the strongest.

    z, p [N, K], N above K. Returns the eigenvalues of the mean of z z' and, along each
    eigenvector, the slope of p on z through the origin, both [K].
    """
    strength, u = torch.linalg.eigh(z.T @ z / len(z))
    a, b = z @ u, p @ u
    return strength.flip(0), ((a * b).sum(0) / (a * a).sum(0)).flip(0)


def direct_predictor(z: Tensor, floor: float = 0.1) -> Tensor:
    """The linear predictor [K, K] that passes on each direction of z by the root of its strength.

    z: projections [N, K]; floor: what the weakest directions keep.
    Source: Tian et al. 2021, section 4, there with a running mean.
    """
    strength, u = torch.linalg.eigh(z.T @ z / len(z))
    strength = strength.clamp_min(0)
    gain = (strength / strength.max()).sqrt() + floor
    return (u * gain) @ u.T


TASKS = {
    "negative_cosine": Task(
        title="The pull",
        difficulty=2,
        minutes=10,
        task="Write `negative_cosine(p, t)`: minus the cosine of each prediction with the target in the same row, averaged over the rows. The gradient must reach the predictions and stop before the targets.",
        hints=(
            "A cosine does not care how long its vectors are: scale both to length 1, along the right dimension.",
            "Row i belongs to row i alone. Multiply entry by entry and add up along each row; a matrix product would compare all rows with all rows.",
            "`t.detach()` has the same numbers and no gradient. `-(F.normalize(p, dim=1) * F.normalize(t.detach(), dim=1)).sum(1).mean()`.",
        ),
    ),
    "momentum_at": Task(
        title="A teacher that slows down",
        difficulty=1,
        minutes=5,
        task="Write `momentum_at(progress, first, last)`: the teacher's momentum when a share `progress` (0 to 1) of the run is done, from `first` at the beginning to `last` at the end, along a half cosine.",
        hints=(
            "What are $\\cos 0$ and $\\cos \\pi$? So what does $(\\cos(\\pi\\,\\mathrm{progress}) + 1) / 2$ do from beginning to end?",
            "It falls from 1 to 0: it is the share of the way that is still to go.",
            "`last - (last - first) * (math.cos(math.pi * progress) + 1) / 2`",
        ),
    ),
    "pull_on": Task(
        title="The pull on one number",
        difficulty=3,
        minutes=10,
        task="Write `pull_on(w, p, noise)`: the gradient of the loss by $w$, averaged over $x$ and the noise of both views, with a stop-gradient and a teacher of momentum 0 (first differentiate with $v$ constant, then set $v = w$). `noise` is $\\sigma$.",
        hints=(
            "By the chain rule it is the mean of $(p\\,w\\,x_1 - v\\,x_2)\\,p\\,x_1$.",
            "You need two means. $E[x_1^2] = 1 + \\sigma^2$, since the noise adds its variance; $E[x_1 x_2] = 1$, since the noise of two views has nothing in common.",
            "$p\\,(p\\,w\\,(1 + \\sigma^2) - v)$; now set $v = w$.",
        ),
    ),
    "gains": Task(
        title="The spectrum of a predictor",
        difficulty=3,
        minutes=10,
        task="Write `gains(z, p)`: along each eigenvector $u_k$ of $\\frac1N \\sum z z^\\top$, from the strongest, the slope of the best line through the origin that predicts $u_k^\\top p$ from $u_k^\\top z$. Return strengths (eigenvalues) and gains, both [K].",
        hints=(
            "`torch.linalg.eigh` gives eigenvalues in *rising* order and eigenvectors as *columns*: `strength.flip(0)` and `u.flip(1)` put the strongest first.",
            "`a = z @ u` are the coordinates of all rows along all eigenvectors, [N, K]; `b = p @ u` those of the predictions.",
            "The slope of b on a, through the origin: `(a * b).sum(0) / (a * a).sum(0)`.",
        ),
    ),
    "direct_predictor": Task(
        title="A predictor from the features",
        difficulty=3,
        minutes=15,
        task="Write `direct_predictor(z, floor)`: the matrix $W = \\sum_k g_k\\, u_k u_k^\\top$ with $g_k = \\sqrt{s_k / s_1} + \\mathrm{floor}$, where $s_k$ and $u_k$ are eigenvalues and eigenvectors of $\\frac1N \\sum z z^\\top$ and $s_1$ is the largest.",
        hints=(
            "$W$ is symmetric, has the eigenvectors of the correlation, and other eigenvalues.",
            "With eigenvectors as columns of `u`, $\\sum_k g_k u_k u_k^\\top$ is `u @ torch.diag(g) @ u.T`, or `(u * g) @ u.T`.",
            "Rounding makes the smallest eigenvalues slightly negative: `clamp_min(0)` before the square root.",
        ),
    ),
}
