"""Exercises of chapter 14: variance, covariance, the three terms, and pairs of images without a table of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.barlow_twins.mistakes import columns, pairs
from sslkit.chapters.vicreg.exercises import covariance_loss
from sslkit.checks.exercise import Exercise, draw, mistake


def variances(z: Tensor) -> list[Tensor]:
    """Of each column, over N - 1."""
    found = []
    for column in z.double().T:
        mean = sum(column) / len(column)
        found.append(sum((value - mean) ** 2 for value in column) / (len(column) - 1))
    return found


def variance_loss_loop(z: Tensor, eps: float = 1e-4) -> Tensor:
    total = 0.0
    for variance in variances(z):
        deviation = torch.sqrt(variance + eps)
        total = total + (1 - deviation if deviation < 1 else 0 * deviation)
    return total / z.shape[1]


def narrow(seed: int, n: int, k: int) -> Tensor:
    """Rows [n, k] some of whose columns deviate by less than 1 and some by more."""
    return (columns(seed, n, k) * torch.linspace(0.3, 1.2, k)).round(decimals=2)


def one_column(function, z: Tensor, eps: float) -> Tensor:
    """The mean over the columns of function(deviation)."""
    return function((z.var(0) + eps).sqrt()).mean()


VARIANCE = Exercise(
    "variance_loss", variance_loss_loop, grad=True,
    trials=lambda: [
        (narrow(0, 3, 2), 1e-4), (narrow(1, 5, 4), 1e-4), (0.2 * draw(2, 6, 3) + torch.arange(3), 1e-4), (narrow(3, 4, 5), 0.3)
    ],
    mistakes=(
        mistake("no hinge", "Numbers that vary by more than 1 must cost nothing, and must not pay for others: F.relu.", ("F.relu", "")),
        mistake("upside down", "You charge what exceeds 1. Charge what falls short of it: 1 - deviation.",
                ("1 - (z.var(0) + eps).sqrt()", "(z.var(0) + eps).sqrt() - 1")),
        mistake("variance instead of deviation", "Take the root of the variance: without it the slope fades where it is "
                "needed.", (".sqrt()", "")),
        mistake("variance over N", "Here the variance divides by N - 1, which is var's habit.", ("z.var(0)", "z.var(0, correction=0)")),
        mistake("rows instead of columns", "You ask the numbers of one image to vary. One number must vary over the images: dimension 0.",
                ("z.var(0)", "z.var(1)")),
        mistake("hinge of the mean", "You take the mean deviation first, so that one number can vary for another. Hinge first, then mean.",
                ("F.relu(1 - (z.var(0) + eps).sqrt()).mean()", "F.relu(1 - (z.var(0) + eps).sqrt().mean())")),
        mistake("sum", "You add up over the numbers. Take the mean.", (".mean()", ".sum()")),
        mistake("eps outside the root", "eps belongs under the root: there it keeps the slope finite at a variance of 0.",
                lambda z, eps: F.relu(1 - (z.var(0).sqrt() + eps)).mean()),
        mistake("eps forgotten", "The `eps` that is given does not stand under the root, whose slope at 0 is infinite without it.",
                (" + eps", "")),
        mistake("distance from 1", "You charge both sides of 1. Above it nothing is charged.", ("F.relu(", "abs(")),
        mistake("one variance for all", "You take one variance of all the numbers. Each column has its own: dimension 0.",
                ("z.var(0)", "z.var()")),
        mistake("not centred", "You take the mean square. The variance is that of the distance to the column's mean: z.var(0).",
                ("z.var(0)", "z.square().mean(0)"), ("z.var(0)", "(z.square().sum(0) / (len(z) - 1))")),
        mistake("squared", "You square what is missing. The paper does not: its slope would fade near 1.",
                lambda z, eps: one_column(lambda d: F.relu(1 - d) ** 2, z, eps), lambda z, eps: one_column(lambda d: (1 - d) ** 2, z, eps)),
        mistake("the deviation itself", "You return the deviation. The loss is what it lacks of 1.",
                lambda z, eps: one_column(lambda d: d, z, eps), lambda z, eps: one_column(lambda d: -d, z, eps)),
    ),
)  # fmt: skip


def covariance_loss_loop(z: Tensor) -> Tensor:
    z, total = z.double(), 0.0
    n, k = z.shape
    for i in range(k):
        for j in range(k):
            if i != j:
                a, b = z[:, i] - sum(z[:, i]) / n, z[:, j] - sum(z[:, j]) / n
                total = total + (sum(p * q for p, q in zip(a, b)) / (n - 1)) ** 2
    return total / k


REST = "(c - torch.diag(c.diagonal())).square().sum()"
COVARIANCE = Exercise(
    "covariance_loss", covariance_loss_loop, grad=True,
    trials=lambda: [(columns(s, n, k),) for s, (n, k) in enumerate([(3, 2), (5, 4), (6, 3), (4, 6)])],
    mistakes=(
        mistake("not centred", "Products of numbers that are not centred are no covariances. Take the mean of each column off.",
                ("z = z - z.mean(0)", "pass")),
        mistake("centred by rows", "You take the mean of each image off. Take the mean of each column, over the batch.",
                ("z.mean(0)", "z.mean(1, keepdim=True)")),
        mistake("one mean for all", "You take one mean of all the numbers off. Each column has its own, over the batch.",
                ("z.mean(0)", "z.mean()")),
        mistake("divided after squaring", "You square the sums and divide by N - 1 afterwards. A covariance is divided first, then "
                "squared.",
                (" / (len(z) - 1)", " / (len(z) - 1) ** 0.5")),
        mistake("diagonal charged", "You charge the variances too, on the diagonal: the numbers would shrink. Take it out.",
                ("(c - torch.diag(c.diagonal()))", "c")),
        mistake("images instead of numbers", "That is a table of images. A row of C is a number: z.T @ z, or torch.cov(z.T).",
                ("z.T @ z", "z @ z.T"), lambda z: torch.cov(z).fill_diagonal_(0).square().sum() / z.shape[1]),
        mistake("divided by N", "Here the covariance divides by N - 1.", ("(len(z) - 1)", "len(z)")),
        mistake("not divided by N - 1", "You add up over the images. Divide by N - 1.", (" / (len(z) - 1)", "")),
        mistake("not divided by K", "Divide the sum by K, the number of columns.", (" / z.shape[1]", "")),
        mistake("divided by N at the end", "Divide the sum by K, the number of columns, not by the number of images.",
                (" / z.shape[1]", " / len(z)")),
        mistake("divided by the cells", "You take the mean over the cells. The paper divides the sum by K.",
                (" / z.shape[1]", " / (z.shape[1] * (z.shape[1] - 1))"), (".sum() / z.shape[1]", ".mean()")),
        mistake("correlations", "You divide by the deviations, as Barlow Twins does. Here the scale is left in.",
                lambda z: covariance_loss((z - z.mean(0)) / z.std(0))),
        mistake("not squared", "Square the entries: else a covariance of -1 is better than none.", (".square().sum()", ".sum()")),
        mistake("square of the sum", "You square the sum of the covariances, in which they may cancel. Square each, then add up.",
                (".square().sum()", ".sum().square()")),
        mistake("sizes instead of squares", "You add up absolute values. The paper squares them.", (".square().sum()", ".abs().sum()")),
        mistake("the identity taken off", "You take 1 off the diagonal, as Barlow Twins does. Here the diagonal does not count at all.",
                ("torch.diag(c.diagonal())", "torch.eye(len(c))")),
        mistake("half of the cells", "You count each pair once. Both (i, j) and (j, i) count.", (REST, "c.triu(1).square().sum()")),
    ),
)  # fmt: skip


def vicreg_terms_loop(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    difference = (z1.double() - z2.double()).flatten()
    invariance = sum(d**2 for d in difference) / len(difference)
    variance = 0.5 * (variance_loss_loop(z1) + variance_loss_loop(z2))
    return invariance, variance, covariance_loss_loop(z1) + covariance_loss_loop(z2)


def narrow_pairs() -> list[tuple[Tensor, Tensor]]:
    """Two views whose numbers vary, some by less than 1."""
    return [
        ((z1 * 0.5).round(decimals=2), (z2 * 0.4).round(decimals=2)) for z1, z2 in pairs((3, 2), (5, 4), (6, 3), (4, 5))
    ]


ACROSS = "((z1 - z1.mean(0)).T @ (z2 - z2.mean(0)) / (len(z1) - 1)).fill_diagonal_(0).square().sum() / z1.shape[1]"
MEAN, SUM = "(variance_loss(z1) + variance_loss(z2)) / 2", "covariance_loss(z1) + covariance_loss(z2)"
TERMS = Exercise(
    "vicreg_terms", vicreg_terms_loop, grad=True, returns=("invariance", "variance", "covariance"), trials=narrow_pairs,
    mistakes=(
        mistake("variance added up", "You add the two variances up, as the paper's equation 6 does. The authors' code, which the "
                "task follows, takes their mean.", (MEAN, "variance_loss(z1) + variance_loss(z2)")),
        mistake("covariance averaged", "You average the two covariances. Add them up.", (SUM, f"({SUM}) / 2")),
        mistake("one branch alone", "Variance and covariance are asked of both branches.",
                (MEAN, "variance_loss(z1)"), (SUM, "covariance_loss(z1)"), (MEAN, "variance_loss(z2)"), (SUM, "covariance_loss(z2)"),
                (SUM, "2 * covariance_loss(z1)"), (SUM, "2 * covariance_loss(z2)"),
                ((MEAN, "variance_loss(z1)"), (SUM, "covariance_loss(z1)"))),
        mistake("branches stacked", "You judge both views as one batch. Each branch has its own mean and its own variance.",
                (MEAN, "variance_loss(torch.cat([z1, z2]))"), (SUM, "2 * covariance_loss(torch.cat([z1, z2]))"),
                ((MEAN, "variance_loss(torch.cat([z1, z2]))"), (SUM, "2 * covariance_loss(torch.cat([z1, z2]))")),
                ((MEAN, "variance_loss(torch.cat([z1, z2]))"), (SUM, "covariance_loss(torch.cat([z1, z2]))"))),
        mistake("distance summed over the numbers", "You add the squared differences up over the numbers. Take the mean over "
                "all of them, images and numbers.", ("F.mse_loss(z1, z2)", "(z1 - z2).square().sum(1).mean()")),
        mistake("distance summed", "You add the squared differences up. Take their mean.", ("F.mse_loss(z1, z2)",
                "(z1 - z2).square().sum()")),
        mistake("distance not squared", "You take each image's distance, a root of squares. Take the mean of the squared differences.",
                ("F.mse_loss(z1, z2)", "(z1 - z2).norm(dim=1).mean()")),
        mistake("brackets", "Only one of the two variances is halved. Add first: put the sum in brackets.",
                (MEAN, "variance_loss(z1) + variance_loss(z2) / 2")),
        mistake("mean of the views", "You judge the mean of the two views. Each branch is judged by itself.",
                ((MEAN, "variance_loss((z1 + z2) / 2)"), (SUM, "covariance_loss((z1 + z2) / 2)")),
                ((MEAN, "variance_loss((z1 + z2) / 2)"), (SUM, "2 * covariance_loss((z1 + z2) / 2)"))),
        mistake("difference of the views", "You judge the difference of the two views. Each branch must vary by itself.",
                (MEAN, "variance_loss(z1 - z2)"), (SUM, "covariance_loss(z1 - z2)"),
                ((MEAN, "variance_loss(z1 - z2)"), (SUM, "covariance_loss(z1 - z2)"))),
        mistake("covariance across the views", "You take the covariances of one view's numbers with the other's, as Barlow Twins does. "
                "Here each branch has its own table.", *((SUM, f"{times} * ({ACROSS})") for times in (1, 2))),
        mistake("absolute differences", "You take absolute differences. Square them.", ("F.mse_loss(z1, z2)", "F.l1_loss(z1, z2)")),
        mistake("cosine", "The invariance is a squared distance: nothing is normalised in this method.",
                ("F.mse_loss(z1, z2)", "1 - F.cosine_similarity(z1, z2).mean()"),
                ("F.mse_loss(z1, z2)", "F.mse_loss(F.normalize(z1, dim=1), F.normalize(z2, dim=1))"),
                (("at_least_float32(z1)", "F.normalize(z1, dim=1)"), ("at_least_float32(z2)", "F.normalize(z2, dim=1)"))),
        mistake("order of the three", "Return invariance, variance, covariance, in this order.",
                ("return invariance, variance, covariance", "return invariance, covariance, variance"),
                ("return invariance, variance, covariance", "return variance, invariance, covariance")),
        mistake("weighted", "You multiply by the weights of the loss. Return the three terms as they are.",
                ("return invariance, variance, covariance", "return 25 * invariance, 25 * variance, covariance")),
        mistake("one view without gradient", "One view is detached. There is no stop-gradient in this method.",
                ("at_least_float32(z2)", "at_least_float32(z2).detach()"), ("at_least_float32(z1)", "at_least_float32(z1).detach()")),
    ),
)  # fmt: skip


def pair_penalty_loop(z: Tensor) -> Tensor:
    z, total = z.double(), 0.0
    for n, a in enumerate(z):
        for m, b in enumerate(z):
            if n != m:
                total = total + sum(p * q for p, q in zip(a, b)) ** 2
    return total


class Long(Tensor):
    """30 rows in place of a million: a table of rows with rows is refused."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, Tensor) and result.numel() >= 30 * 30:
            raise MemoryError("a table [N, N], of which no million rows would fit into the memory")
        return result


OWN = " - z.square().sum(1).square().sum()"
PAIRS = Exercise(
    "pair_penalty", pair_penalty_loop, grad=True,
    trials=lambda: [(draw(s, n, k),) for s, (n, k) in enumerate([(2, 2), (3, 2), (5, 3), (4, 6)])]
    + [(draw(4, 30, 2).as_subclass(Long),)],
    mistakes=(
        mistake("a row with itself", "Your sum holds each row with itself, |z_n|^4. Take those off.", (OWN, "")),
        mistake("columns instead of rows", "You take the columns' own squares off, |c_k|^4: that leaves pairs of numbers, not of images.",
                (OWN, " - z.square().sum(0).square().sum()"), lambda z: (z.T @ z).square().sum() - (z.T @ z).diagonal().square().sum()),
        mistake("length instead of its square", "A row's dot product with itself is |z_n|^2, and its square |z_n|^4. You take off less.",
                (OWN, " - z.square().sum()")),
        mistake("lengths taken for 1", "You take 1 off for each row, as if rows had length 1. A row with itself is |z_n|^4.",
                (OWN, " - len(z)")),
        mistake("fourth powers of the numbers", "You take off each number to the fourth. A row with itself is |z_n|^4: add up its "
                "squares first, "
                "then square.", (OWN, " - z.pow(4).sum()")),
        mistake("each pair once", "You count each pair once. The sum runs over n, m and m, n.",
                ("(z.T @ z).square().sum()" + OWN, f"((z.T @ z).square().sum(){OWN}) / 2")),
        mistake("not squared", "You add the dot products up without squaring them.",
                lambda z: z.sum(0).square().sum() - z.square().sum(), lambda z: (z @ z.T).fill_diagonal_(0).sum(),
                lambda z: (z.T @ z).sum() - z.square().sum()),
        mistake("cosines", "You scale the rows to length 1. The task leaves them as they are.",
                lambda z: (F.normalize(z, dim=1) @ F.normalize(z, dim=1).T).square().sum() - len(z)),
        mistake("centred", "You take the columns' means off. The task leaves z as it is.",
                ("return", "z = z - z.mean(0); return"), lambda z: pair_penalty_loop(z - z.mean(1, keepdim=True))),
        mistake("mean instead of sum", "You take a mean. The task asks for the sum over pairs.",
                lambda z: pair_penalty_loop(z) / (len(z) * (len(z) - 1)), lambda z: pair_penalty_loop(z) / len(z) ** 2),
    ),
)  # fmt: skip

EXERCISES = [VARIANCE, COVARIANCE, TERMS, PAIRS]
