"""Muon: an update whose directions all have about the same length, so that what the gradient says faintly is learned as
fast as what it says loudly."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

# Steep at 0, so that small singular values grow fast; they end between about 0.7 and 1.2.
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The matrix [R, C] with its singular vectors kept and its singular values brought close to 1, by the iteration
    X <- a X + b (X X') X + c (X X')^2 X (Newton-Schulz with the coefficients of Jordan et al. 2024). Zero stays zero.

    Every X is P X_0, with P a polynomial in X_0 X_0'. Only P and X X' are carried along, small squares, and the long X_0
    is met twice instead of at each step.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix  # the smaller square is the cheaper one
    x = x / (x.norm() + 1e-7)  # no singular value above 1
    square = x @ x.T
    product = factor = quintic(square)
    for _ in range(steps - 1):
        square = factor @ square @ factor
        factor = quintic(square)
        product = factor @ product
    x = product @ x
    return x.T if tall else x


def quintic(square: Tensor) -> Tensor:
    """a I + b S + c S^2 of a square matrix S [R, R]."""
    a, b, c = QUINTIC
    factor = torch.addmm(square, square, square, beta=b, alpha=c)
    factor.diagonal().add_(a)
    return factor


class Muon(torch.optim.Optimizer):
    """Muon for weights of two dimensions or more (a filter is a row of in x height x width numbers), AdamW for biases and
    norms; weights decay apart from the gradient, as in AdamW.

    Of a weight, the mean of its gradients (momentum, in Nesterov's form) is made orthogonal and scaled by
    sqrt(max(1, rows / columns)). Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.02,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(params, dict(lr=lr, momentum=momentum, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]  # no loss to return
        """One step along the gradients that the parameters have."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    update = muon if p.ndim > 1 else adam
                    p.add_(update(p.grad, self.state[p], group), alpha=-group["lr"])


def muon(grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """The update of a weight: its gradient's mean, orthogonal."""
    if not state:
        state["momentum_buffer"] = torch.zeros_like(grad)
    mean = state["momentum_buffer"].lerp_(grad, 1 - group["momentum"])
    matrix = grad.lerp(mean, group["momentum"]).flatten(1)
    return (orthogonal(matrix) * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5).view(grad.shape)


def adam(grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """The update of a bias or a norm (Kingma & Ba 2015, algorithm 1)."""
    if not state:
        state.update(step=torch.tensor(0.0), exp_avg=torch.zeros_like(grad), exp_avg_sq=torch.zeros_like(grad))
    state["step"] += 1
    first, second = group["betas"]
    mean = state["exp_avg"].lerp_(grad, 1 - first)
    square = state["exp_avg_sq"].lerp_(grad.square(), 1 - second)
    steps = state["step"].item()
    return mean / (1 - first**steps) / ((square / (1 - second**steps)).sqrt() + group["eps"])
