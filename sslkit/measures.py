"""Numbers that judge a representation without labels: effective rank, alignment, uniformity, spread, and how alike two
representations are (CKA).

Every function takes features as a floating tensor [N, D] on any device, computes in float64 without gradient and
returns a Python float. A wrong shape, fewer than two rows, or a value that is not finite is a ValueError.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

# The spread below which features have collapsed. Projections are centred: healthy ones stay above 0.6, those of SimSiam without its
# stop-gradient end below 0.3. Features after a ReLU, or a ViT's, point to one side even when they are good.
COLLAPSED_SPREAD = {"z": 0.3, "h": 0.1}
# And the effective rank. Where z goes through a batch norm its numbers must vary, and a collapse shows in their saying all the same:
# BYOL without predictor keeps a spread of 0.4 and a rank of 4 (results/ablations/byol_scenes.json); healthy runs have 10 and more.
COLLAPSED_RANK = {"z": 5.0, "h": 1.5}


def effective_rank(h: Tensor, eps: float = 1e-7) -> float:
    """How many directions the features h [N, D] really use: 1 (all on one line) .. min(N, D) (all equally).

    exp of the entropy of p_k = s_k / sum(s) + eps, s the singular values of h. Features are not centred, as in the
    source. It is bounded by min(N, D): compare values of the same N only. All-zero features give 1.
    Source: RankMe, Garrido et al. 2023, with its eps for float32 features.
    """
    singular = _singular_values(_checked(h))
    p = singular / singular.sum().clamp_min(torch.finfo(singular.dtype).tiny) + eps
    return torch.exp(-(p * p.log()).sum()).item()


def _singular_values(h: Tensor) -> Tensor:
    """The singular values of h, float64 [N, D]. For large inputs they come from h h^T, ten times faster; that loses only
    what is below 1e-8 of the largest, less than the eps of the effective rank."""
    if min(h.shape) <= 512:
        return torch.linalg.svdvals(h)
    gram = h @ h.T if h.shape[0] < h.shape[1] else h.T @ h
    return torch.linalg.eigvalsh(gram).clamp_min(0).sqrt()


def alignment(z1: Tensor, z2: Tensor, alpha: float = 2.0) -> float:
    """Mean distance**alpha between the normalised features of positive pairs, rows of z1 and z2 [N, D]: 0 is best.

    For alpha = 2 it lies in 0 .. 4, and independent directions give 2. Source: Wang & Isola 2020, sec. 4.1; the
    paper's features lie on the unit sphere, so both are l2-normalised here.
    """
    if z1.shape != z2.shape:
        raise ValueError(
            f"alignment needs two tensors of one shape, row i of both being one positive pair; "
            f"got {list(z1.shape)} and {list(z2.shape)}"
        )
    a, b = normalize(_checked(z1), dim=1), normalize(_checked(z2), dim=1)
    return (a - b).norm(dim=1).pow(alpha).mean().item()


def uniformity(z: Tensor, t: float = 2.0) -> float:
    """log of the mean of exp(-t |zi - zj|^2) over all pairs i < j of normalised features z [N, D]; lower is more
    uniform.

    0 means that all features are one point; a perfectly uniform sphere of many dimensions tends to -2t. Source: Wang
    & Isola 2020, sec. 4.1; features are l2-normalised here. Takes rows in chunks: memory grows with N, not N^2.
    """
    z = normalize(_checked(z), dim=1)
    n, square = len(z), z.square().sum(dim=1)
    total = z.new_zeros(())
    for start in range(0, n, 1024):
        rows = slice(start, start + 1024)
        distance2 = square[rows, None] + square[None, start:] - 2 * z[rows] @ z[start:].T
        total += torch.exp(-t * distance2.clamp_min(0)).triu(diagonal=1).sum()
    return (total / (n * (n - 1) / 2)).log().item()


def spread(z: Tensor) -> float:
    """Spread of normalised features z [N, D]: the mean over dimensions of their standard deviation, times sqrt(D).

    0 means collapsed (every image gets the same direction), 1 means spread evenly around the origin. Features after a
    ReLU are never negative, so even good ones stay well below 1. Source: Chen & He 2021 (SimSiam), sec. 4.1 and
    fig. 2, there without the factor sqrt(D); the population standard deviation keeps it at or below 1.
    """
    z = normalize(_checked(z), dim=1)
    return (z.std(dim=0, correction=0).mean() * z.shape[1] ** 0.5).item()


def has_collapsed(spread: float, rank: float, projected: int | None = None) -> bool:
    """Whether features of that spread and effective rank are nearly the same for all samples. projected: K where
    they are projections z [N, K], which are expected to spread further than the features h of an encoder."""
    if projected is None:
        return spread < COLLAPSED_SPREAD["h"] or rank < COLLAPSED_RANK["h"]
    fewest = max(COLLAPSED_RANK["h"], min(COLLAPSED_RANK["z"], projected / 8))  # a narrow z has fewer directions to use
    return spread < COLLAPSED_SPREAD["z"] or rank < fewest


def cka(x: Tensor, y: Tensor, debiased: bool = False) -> float:
    """How alike two representations x [N, D1] and y [N, D2] of the same N images are: 1 where they differ by a rotation,
    a shift and one factor for all dimensions only, 0 where no direction of one goes with any of the other.

    Linear centred kernel alignment: <K, L> / sqrt(<K, K> <L, L>) with K = x x^T and L = y y^T, both centred. Not
    invariant to other linear maps: what has more variance counts more. Features that have nothing in common still get
    about sqrt(D1 D2 / ((N + D1)(N + D2))), half of it all for N = D, so take N far above D, or debiased=True: products
    by the unbiased estimator of HSIC, 0 on average for independent features, at times a little below. nan where all
    rows of x or of y are equal. Source: Kornblith et al. 2019, sec. 3; debiased: Nguyen et al. 2021, sec. 3.1, with the
    estimator of Song et al. 2012, there as a mean over minibatches.
    """
    x, y = _checked(x), _checked(y)
    if len(x) != len(y):
        raise ValueError(f"cka compares features of the same images, row by row; got {len(x)} and {len(y)} rows")
    if debiased and len(x) < 4:
        raise ValueError(f"the unbiased estimator needs at least 4 rows, got {len(x)}")
    centred = [h - h.mean(dim=0) for h in (x, y)]
    if any(c.norm() <= 1e-12 * h.norm() for c, h in zip(centred, (x, y))):
        return float("nan")
    x, y = (c / c.norm() for c in centred)  # one factor for all dimensions changes nothing but over- and underflow
    product = _hsic_unbiased if debiased else _hsic
    own = product(x, x) * product(y, y)
    return (product(x, y) / own.sqrt()).item() if own > 0 else float("nan")


def _hsic(x: Tensor, y: Tensor) -> Tensor:
    """<x x^T, y y^T> of x [N, D1] and y [N, D2], by whichever of |x^T y|^2 and the N x N matrices costs less."""
    if x.shape[1] * y.shape[1] <= len(x) * (x.shape[1] + y.shape[1]):
        return (x.T @ y).square().sum()
    return ((x @ x.T) * (y @ y.T)).sum()


def _hsic_unbiased(x: Tensor, y: Tensor) -> Tensor:
    """HSIC_1 of Song et al. 2012 for the linear kernels of x [N, D1] and y [N, D2], times N (N - 3)."""
    n, own_x, own_y = len(x), x.square().sum(1), y.square().sum(1)  # the diagonals, which the estimator leaves out
    sums_x, sums_y = (h @ h.sum(0) - own for h, own in ((x, own_x), (y, own_y)))  # rows of K and L added up
    product = _hsic(x, y) - own_x @ own_y
    return product + sums_x.sum() * sums_y.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (sums_x @ sums_y)


def _checked(h: Tensor) -> Tensor:
    """h as a float64 matrix without gradient, or a ValueError that says what is wrong with it."""
    if not isinstance(h, Tensor) or h.ndim != 2 or not h.is_floating_point():
        got = f"{h.dtype} {list(h.shape)}" if isinstance(h, Tensor) else type(h).__name__
        raise ValueError(f"features must be a floating tensor [N, D], got {got}")
    if h.shape[0] < 2 or h.shape[1] < 1:
        raise ValueError(f"at least two rows and one column of features are needed, got {list(h.shape)}")
    h = h.detach()
    bad = ~torch.isfinite(h).all(dim=1)
    if bad.any():
        raise ValueError(
            f"{int(bad.sum())} of {len(h)} feature rows hold NaN or infinity, the first is row "
            f"{int(bad.nonzero()[0])}: did training diverge?"
        )
    # Apple's GPU has no float64.
    return (h.cpu() if h.device.type == "mps" else h).double()
