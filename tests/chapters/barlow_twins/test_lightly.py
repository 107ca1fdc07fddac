"""The loss is that of lightly's BarlowTwinsLoss, on the same tensors: values and gradients."""

import pytest
import torch

from sslkit.chapters.barlow_twins.method import barlow_loss


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("n, k, weight", [(4, 3, 0.5), (64, 32, 5e-3), (256, 128, 0.02)])
def test_the_loss_and_its_gradient_are_lightlys(n, k, weight, dtype, tolerance):
    loss = pytest.importorskip("lightly.loss")
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(n, k, generator=generator, dtype=dtype) * torch.linspace(0.3, 3, k, dtype=dtype) + 1
    second = first + torch.randn(n, k, generator=generator, dtype=dtype)
    found = []
    for function in (loss.BarlowTwinsLoss(lambda_param=weight), lambda a, b: barlow_loss(a, b, weight)):
        z1, z2 = first.clone().requires_grad_(), second.clone().requires_grad_()
        value = function(z1, z2)
        value.backward()
        found.append((value.detach(), z1.grad, z2.grad))
    for theirs, ours in zip(*found):
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
