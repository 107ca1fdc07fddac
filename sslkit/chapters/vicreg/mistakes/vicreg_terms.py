"""Exercise of chapter 14: the three terms of the loss."""

from __future__ import annotations

from torch import Tensor

from sslkit.chapters.barlow_twins.mistakes.batches import pairs
from sslkit.chapters.vicreg.mistakes.covariance_loss import covariance_loss_loop
from sslkit.chapters.vicreg.mistakes.variance_loss import variance_loss_loop
from sslkit.checks.exercise import Exercise, mistake


def vicreg_terms_loop(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    difference = (z1.double() - z2.double()).flatten()
    invariance = sum(d**2 for d in difference) / len(difference)
    variance = 0.5 * (variance_loss_loop(z1) + variance_loss_loop(z2))
    return invariance, variance, covariance_loss_loop(z1) + covariance_loss_loop(z2)


def narrow_pairs() -> list[tuple[Tensor, Tensor]]:
    """Two views whose numbers vary, some by less than 1."""
    shapes = (3, 2), (5, 4), (6, 3), (4, 5)
    return [((z1 * 0.5).round(decimals=2), (z2 * 0.4).round(decimals=2)) for z1, z2 in pairs(*shapes)]


ACROSS = "((z1 - z1.mean(0)).T @ (z2 - z2.mean(0)) / (len(z1) - 1)).fill_diagonal_(0).square().sum() / z1.shape[1]"
MEAN, SUM = "(variance_loss(z1) + variance_loss(z2)) / 2", "covariance_loss(z1) + covariance_loss(z2)"
TERMS = Exercise(
    "vicreg_terms",
    vicreg_terms_loop,
    grad=True,
    returns=("invariance", "variance", "covariance"),
    trials=narrow_pairs,
    mistakes=(
        mistake(
            "variance added up",
            "You add the two variances up, as the paper's equation 6 does. The authors' code, which the task follows, takes their mean.",
            (MEAN, "variance_loss(z1) + variance_loss(z2)"),
        ),
        mistake("covariance averaged", "You average the two covariances. Add them up.", (SUM, f"({SUM}) / 2")),
        mistake(
            "one branch alone",
            "Variance and covariance are asked of both branches.",
            (MEAN, "variance_loss(z1)"),
            (SUM, "covariance_loss(z1)"),
            (MEAN, "variance_loss(z2)"),
            (SUM, "covariance_loss(z2)"),
            (SUM, "2 * covariance_loss(z1)"),
            (SUM, "2 * covariance_loss(z2)"),
            ((MEAN, "variance_loss(z1)"), (SUM, "covariance_loss(z1)")),
        ),
        mistake(
            "branches stacked",
            "You judge both views as one batch. Each branch has its own mean and its own variance.",
            (MEAN, "variance_loss(torch.cat([z1, z2]))"),
            (SUM, "2 * covariance_loss(torch.cat([z1, z2]))"),
            ((MEAN, "variance_loss(torch.cat([z1, z2]))"), (SUM, "2 * covariance_loss(torch.cat([z1, z2]))")),
            ((MEAN, "variance_loss(torch.cat([z1, z2]))"), (SUM, "covariance_loss(torch.cat([z1, z2]))")),
        ),
        mistake(
            "distance summed over the numbers",
            "You add the squared differences up over the numbers. Take the mean over all of them, images and numbers.",
            ("F.mse_loss(z1, z2)", "(z1 - z2).square().sum(1).mean()"),
        ),
        mistake(
            "distance summed",
            "You add the squared differences up. Take their mean.",
            ("F.mse_loss(z1, z2)", "(z1 - z2).square().sum()"),
        ),
        mistake(
            "distance not squared",
            "You take each image's distance, a root of squares. Take the mean of the squared differences.",
            ("F.mse_loss(z1, z2)", "(z1 - z2).norm(dim=1).mean()"),
        ),
        mistake(
            "brackets",
            "Only one of the two variances is halved. Add first: put the sum in brackets.",
            (MEAN, "variance_loss(z1) + variance_loss(z2) / 2"),
        ),
        mistake(
            "mean of the views",
            "You judge the mean of the two views. Each branch is judged by itself.",
            ((MEAN, "variance_loss((z1 + z2) / 2)"), (SUM, "covariance_loss((z1 + z2) / 2)")),
            ((MEAN, "variance_loss((z1 + z2) / 2)"), (SUM, "2 * covariance_loss((z1 + z2) / 2)")),
        ),
        mistake(
            "difference of the views",
            "You judge the difference of the two views. Each branch must vary by itself.",
            (MEAN, "variance_loss(z1 - z2)"),
            (SUM, "covariance_loss(z1 - z2)"),
            ((MEAN, "variance_loss(z1 - z2)"), (SUM, "covariance_loss(z1 - z2)")),
        ),
        mistake(
            "covariance across the views",
            "You take the covariances of one view's numbers with the other's, as Barlow Twins does. Here each branch has its own table.",
            *((SUM, f"{times} * ({ACROSS})") for times in (1, 2)),
        ),
        mistake(
            "absolute differences",
            "You take absolute differences. Square them.",
            ("F.mse_loss(z1, z2)", "F.l1_loss(z1, z2)"),
        ),
        mistake(
            "cosine",
            "The invariance is a squared distance: nothing is normalised in this method.",
            ("F.mse_loss(z1, z2)", "1 - F.cosine_similarity(z1, z2).mean()"),
            ("F.mse_loss(z1, z2)", "F.mse_loss(F.normalize(z1, dim=1), F.normalize(z2, dim=1))"),
            (("at_least_float32(z1)", "F.normalize(z1, dim=1)"), ("at_least_float32(z2)", "F.normalize(z2, dim=1)")),
        ),
        mistake(
            "order of the three",
            "Return invariance, variance, covariance, in this order.",
            ("return invariance, variance, covariance", "return invariance, covariance, variance"),
            ("return invariance, variance, covariance", "return variance, invariance, covariance"),
        ),
        mistake(
            "weighted",
            "You multiply by the weights of the loss. Return the three terms as they are.",
            ("return invariance, variance, covariance", "return 25 * invariance, 25 * variance, covariance"),
        ),
        mistake(
            "one view without gradient",
            "One view is detached. There is no stop-gradient in this method.",
            ("at_least_float32(z2)", "at_least_float32(z2).detach()"),
            ("at_least_float32(z1)", "at_least_float32(z1).detach()"),
        ),
    ),
)
