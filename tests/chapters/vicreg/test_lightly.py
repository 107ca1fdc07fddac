"""The loss is that of lightly's VICRegLoss, on the same tensors: values and gradients."""

import pytest
import torch

from sslkit.chapters.vicreg.method import vicreg_terms


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("n, k, weights", [(4, 3, (1, 2, 3)), (64, 32, (25, 25, 1)), (256, 128, (1, 1, 0.04))])
def test_the_loss_and_its_gradient_are_lightlys(n, k, weights, dtype, tolerance):
    loss = pytest.importorskip("lightly.loss")
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(n, k, generator=generator, dtype=dtype) * torch.linspace(0.3, 2, k, dtype=dtype) + 1
    second = first + 0.5 * torch.randn(n, k, generator=generator, dtype=dtype)
    found = []
    for function in (
        loss.VICRegLoss(*map(float, weights)),
        lambda a, b: sum(weight * term for weight, term in zip(weights, vicreg_terms(a, b))),
    ):
        z1, z2 = first.clone().requires_grad_(), second.clone().requires_grad_()
        value = function(z1, z2)
        value.backward()
        found.append((value.detach(), z1.grad, z2.grad))
    for theirs, ours in zip(*found):
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
