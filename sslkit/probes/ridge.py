"""The ridge probe: linear regression on frozen features, for what is a number (a position, a velocity) and not a class."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from sslkit.probes.linear import standardise

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # tried on val; relative to the number of training rows


@dataclass
class RidgeProbe:
    """A fitted probe. weight [D, K] and bias [K] act on standardised features; grid: the val R2 of each penalty."""

    weight: Tensor
    bias: Tensor
    mean: Tensor
    scale: Tensor
    penalty: float
    grid: dict[float, float] = field(default_factory=dict)

    def predict(self, h: Tensor) -> Tensor:
        """Predicted numbers [N, K] of raw features h [N, D], float64."""
        if h.ndim != 2 or h.shape[1] != len(self.mean):
            raise ValueError(f"this probe was fitted on features [N, {len(self.mean)}], got {list(h.shape)}")
        return (h.detach().cpu().double() - self.mean) / self.scale @ self.weight + self.bias

    def score(self, h: Tensor, y: Tensor) -> Tensor:
        """R2 [K] on features h [N, D] with targets y [N, K] or [N]."""
        return r2(self.predict(h), columns(h, y, "scored"))


def r2(prediction: Tensor, y: Tensor) -> Tensor:
    """The share of the variance of y [N, K] that prediction [N, K] explains, for each of K numbers: 1 is perfect, 0 as
    good as always saying the mean of y, below 0 worse."""
    if prediction.shape != y.shape or y.ndim != 2 or len(y) < 2:
        raise ValueError(f"r2 compares two tables [N, K], got {list(prediction.shape)} and {list(y.shape)}")
    y, prediction = y.detach().cpu().double(), prediction.detach().cpu().double()
    return 1 - (prediction - y).square().sum(0) / (y - y.mean(0)).square().sum(0)


def ridge_probe(
    train_h: Tensor,
    train_y: Tensor,
    val_h: Tensor,
    val_y: Tensor,
    *,
    penalties: tuple[float, ...] = PENALTIES,
) -> RidgeProbe:
    """Linear regression with a squared penalty from features [N, D] to numbers [N, K] or [N], fitted on train.

    Minimises |y - x W - b|^2 / N + penalty |W|^2, x the features standardised by the statistics of train and b free
    (Hoerl & Kennard 1970). One penalty for all K, chosen by mean R2 on val, the largest in a tie. Solved exactly in
    float64.
    """
    train_y, val_y = columns(train_h, train_y, "training"), columns(val_h, val_y, "val")
    mean, scale = standardise(train_h)
    x = (train_h.detach().cpu().double() - mean) / scale
    bias = train_y.mean(0)
    gram, target = x.T @ x / len(x), x.T @ (train_y - bias) / len(x)
    best: RidgeProbe | None = None
    grid: dict[float, float] = {}
    for penalty in sorted(penalties, reverse=True):
        weight = torch.linalg.solve(gram + penalty * torch.eye(len(gram), dtype=gram.dtype), target)
        probe = RidgeProbe(weight, bias, mean, scale, penalty, grid)
        grid[penalty] = r2(probe.predict(val_h), val_y).mean().item()
        if best is None or grid[penalty] > grid[best.penalty]:
            best = probe
    assert best is not None  # there is at least one penalty
    return best


def columns(h: Tensor, y: Tensor, what: str) -> Tensor:
    """y as float64 [N, K] on the CPU; a ValueError unless h is finite features [N, D] and y finite numbers for its rows."""
    if not isinstance(h, Tensor) or h.ndim != 2 or not h.is_floating_point() or len(h) < 2:
        got = f"{h.dtype} {list(h.shape)}" if isinstance(h, Tensor) else type(h).__name__
        raise ValueError(f"{what} features must be a floating tensor [N, D] with two rows or more, got {got}")
    if not isinstance(y, Tensor) or y.ndim not in (1, 2) or len(y) != len(h):
        got = f"{list(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise ValueError(f"{what} targets must be numbers [{len(h)}, K], one row a feature row, got {got}")
    y = y.detach().cpu().double()
    if not torch.isfinite(h).all() or not torch.isfinite(y).all():
        raise ValueError(f"{what} features or targets hold NaN or infinity: did training diverge?")
    return y[:, None] if y.ndim == 1 else y
